import Basics
import Glibc
import Primitives
import Streams

/// Writes small records to a private file through one buffer.
struct RecordWriter: ~Copyable {
    private let file: Descriptor
    private let path: String
    private var buffer: [UInt8] = []
    private(set) var position: Int64 = 0

    private static let bufferSize = 256 << 10

    /// Creates the file, or empties it.
    init(_ path: String) throws(Failure) {
        self.path = path
        file = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
        buffer.reserveCapacity(Self.bufferSize + 4096)
    }

    mutating func append(_ bytes: some Collection<UInt8>) throws(Failure) {
        buffer.append(contentsOf: bytes)
        position += Int64(bytes.count)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    mutating func append<Number: FixedWidthInteger>(_ number: Number) throws(Failure) {
        unsafe withUnsafeBytes(of: number.bigEndian) { bytes in
            unsafe buffer.append(contentsOf: bytes)
        }
        position += Int64(MemoryLayout<Number>.size)
        if buffer.count >= Self.bufferSize { try flush() }
    }

    mutating func append(_ digest: Digest256) throws(Failure) {
        try append(digest.words.0)
        try append(digest.words.1)
        try append(digest.words.2)
        try append(digest.words.3)
    }

    /// A length of four bytes, then the bytes.
    mutating func append(counted bytes: some Collection<UInt8>) throws(Failure) {
        try append(UInt32(bytes.count))
        try append(bytes)
    }

    private mutating func flush() throws(Failure) {
        do throws(Failure) { try file.writeAll(buffer) } catch {
            throw error.during("cannot write \"\(path)\"")
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Brings everything to the disk; without `durably`, only to the file, for what is made again
    /// after a crash.
    mutating func finish(durably: Bool = true) throws(Failure) {
        try flush()
        if durably { try file.sync() }
    }
}

/// Reads what `RecordWriter` wrote, from any position on.
struct RecordReader: ~Copyable {
    private let file: Descriptor
    private let path: String
    private var buffer: [UInt8]
    private var start = 0
    private var end = 0
    /// Where the next byte lies in the file.
    private(set) var position: Int64

    init(_ path: String, from position: Int64 = 0) throws(Failure) {
        self.path = path
        self.position = position
        file = try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW)
        buffer = [UInt8](repeating: 0, count: 256 << 10)
    }

    mutating func atEnd() throws(Failure) -> Bool {
        if start < end { return false }
        try fill(1)
        return start == end
    }

    /// Makes at least `count` bytes available, as far as the file has them.
    private mutating func fill(_ count: Int) throws(Failure) {
        guard end - start < count else { return }
        if count > buffer.count {
            buffer.append(contentsOf: [UInt8](repeating: 0, count: count - buffer.count))
        }
        if start > 0 {
            let held = end - start
            for index in 0..<held { buffer[index] = buffer[start + index] }
            start = 0
            end = held
        }
        while end < count {
            let offset = position + Int64(end)
            let (file, from) = (self.file.raw, end)
            let got = unsafe buffer.withUnsafeMutableBytes { bytes in
                retrying {
                    unsafe pread(
                        file, bytes.baseAddress.map { unsafe $0 + from }, bytes.count - from,
                        Int(offset))
                }
            }
            guard got >= 0 else { throw Failure(errno: errno, "cannot read \"\(path)\"") }
            if got == 0 { return }
            end += got
        }
    }

    /// Moves on by `count` bytes, all of which are in the buffer then; returns where they begin.
    private mutating func advance(_ count: Int) throws(Failure) -> Int {
        try fill(count)
        guard end - start >= count else {
            throw Failure(
                .truncated, "the run's private file \"\(path)\" is damaged",
                hint: "Begin the run again in a new output.")
        }
        start += count
        position += Int64(count)
        return start - count
    }

    mutating func bytes(_ count: Int) throws(Failure) -> ArraySlice<UInt8> {
        let from = try advance(count)
        return buffer[from..<from + count]
    }

    /// A copy of counted bytes, to keep.
    mutating func array() throws(Failure) -> [UInt8] {
        let count = Int(try number(UInt32.self))
        let from = try advance(count)
        return unsafe buffer.withUnsafeBufferPointer {
            unsafe Array($0[from..<from + count])
        }
    }

    mutating func counted() throws(Failure) -> ArraySlice<UInt8> {
        try bytes(Int(number(UInt32.self)))
    }

    mutating func number<Number: FixedWidthInteger>(_: Number.Type) throws(Failure) -> Number {
        let from = try advance(MemoryLayout<Number>.size)
        return unsafe buffer.withUnsafeBytes {
            unsafe Number(bigEndian: $0.loadUnaligned(fromByteOffset: from, as: Number.self))
        }
    }

    mutating func digest() throws(Failure) -> Digest256 {
        let first = try number(UInt64.self)
        let second = try number(UInt64.self)
        let third = try number(UInt64.self)
        return Digest256(words: (first, second, third, try number(UInt64.self)))
    }
}
