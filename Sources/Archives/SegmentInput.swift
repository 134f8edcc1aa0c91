import Basics
import Streams

/// A byte source seen as blocks of 512 bytes and runs of data.
struct SegmentInput: ~Copyable {
    private var source: any ByteSource & ~Copyable
    private var chunk = Chunk()
    private var position = 0
    private(set) var offset: Int64 = 0
    /// The block that `nextBlock` read.
    private(set) var block = [UInt8](repeating: 0, count: 512)

    init(_ source: consuming some ByteSource & ~Copyable) {
        self.source = consume source
    }

    /// Reads a block; false at the end of the source.
    mutating func nextBlock() throws(Failure) -> Bool {
        var filled = 0
        while filled < 512 {
            guard try refill() else {
                if filled == 0 { return false }
                throw PaxReader.truncated("in a header")
            }
            let start = position
            let count = min(512 - filled, chunk.count - position)
            let target = filled
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                unsafe block.withUnsafeMutableBytes { block in
                    unsafe UnsafeMutableRawBufferPointer(rebasing: block[target...])
                        .copyMemory(
                            from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
                }
            }
            advance(count)
            filled += count
        }
        return true
    }

    var blockIsZero: Bool { !block.contains { $0 != 0 } }

    /// Hands over what is at hand, `limit` bytes at most, and returns how many.
    mutating func take(
        upTo limit: Int64, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> Int64 {
        guard try refill() else { throw PaxReader.truncated("in the data of a file") }
        let start = position
        let count = Int(min(limit, Int64(chunk.count - position)))
        try unsafe chunk.withBytes { (bytes) throws(Failure) in
            try unsafe body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
        }
        advance(count)
        return Int64(count)
    }

    /// Reads exactly `count` bytes into an array that is used again.
    mutating func read(_ count: Int, into array: inout [UInt8]) throws(Failure) {
        array.removeAll(keepingCapacity: true)
        while array.count < count {
            _ = try unsafe take(upTo: Int64(count - array.count)) { (bytes) throws(Failure) in
                unsafe array.append(contentsOf: bytes)
            }
        }
    }

    /// Passes over padding, which must be zero.
    mutating func skipZeros(_ count: Int) throws(Failure) {
        var left = Int64(count)
        while left > 0 {
            left -= try unsafe take(upTo: left) { (bytes) throws(Failure) in
                guard unsafe !bytes.contains(where: { $0 != 0 }) else {
                    throw PaxReader.malformed("padding that is not zero")
                }
            }
        }
    }

    /// Whether nothing follows; a source that verifies does so now.
    mutating func isAtEnd() throws(Failure) -> Bool { try !refill() }

    private mutating func advance(_ count: Int) {
        position += count
        offset += Int64(count)
    }

    /// Makes sure that a byte is at hand; false at the end.
    private mutating func refill() throws(Failure) -> Bool {
        if position < chunk.count { return true }
        position = 0
        try source.read(into: &chunk)
        return !chunk.isEmpty
    }
}
