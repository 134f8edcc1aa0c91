import Basics
import Streams

/// Gives the bytes of a request's body: some before, a stream of known length, some after.
final class BodyFeed {
    private let before: [UInt8]
    private let after: [UInt8]
    private let size: Int64
    private var source: any ByteSource & ~Copyable
    private let sent: (Int64) -> Void

    private var chunk = Chunk()
    private var place = 0
    /// How many bytes of the stream have been given.
    private var given: Int64 = 0
    private var position: Int64 = 0

    /// All that is sent.
    var length: Int64 { Int64(before.count) + size + Int64(after.count) }

    /// - Parameter sent: called with the number of bytes of the stream that are on their way.
    init(
        before: [UInt8] = [], _ source: consuming some ByteSource & ~Copyable, size: Int64,
        after: [UInt8] = [], sent: @escaping (Int64) -> Void = { _ in }
    ) {
        self.before = before
        self.after = after
        self.size = size
        self.source = consume source
        self.sent = sent
    }

    convenience init(_ bytes: [UInt8]) {
        self.init(before: bytes, MemorySource([]), size: 0)
    }

    /// As many bytes as are at hand, at least one before the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        let left = Int64(before.count) - position
        if left > 0 {
            return unsafe copy(before[(before.count - Int(left))...], to: buffer)
        }
        if given < size { return try unsafe readSource(into: buffer) }
        let rest = Int(length - position)
        return unsafe copy(after[(after.count - rest)...], to: buffer)
    }

    private func copy(_ bytes: ArraySlice<UInt8>, to buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(bytes.count, buffer.count)
        unsafe bytes.withUnsafeBytes {
            unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count]))
        }
        position += Int64(count)
        return count
    }

    private func readSource(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        if place == chunk.count {
            place = 0
            try source.read(into: &chunk)
            guard !chunk.isEmpty else {
                throw Failure(
                    .truncated, "what is to be sent ends \(size - given) bytes too early")
            }
            guard Int64(chunk.count) <= size - given else { throw tooLong }
        }
        let from = place
        var count = 0
        try unsafe chunk.withBytes { (bytes) throws(Failure) in
            count = min(buffer.count, bytes.count - from)
            unsafe buffer.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + count]))
        }
        place += count
        given += Int64(count)
        position += Int64(count)
        if given == size {
            // A source that has more than it said must not pass for whole: its last bytes stay here.
            try source.read(into: &chunk)
            guard chunk.isEmpty else { throw tooLong }
            place = 0
        }
        sent(given)
        return count
    }

    private var tooLong: Failure {
        Failure(.plaintextTooLong, "what is to be sent is longer than \(size) bytes")
    }
}
