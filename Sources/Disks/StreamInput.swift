import Basics
import Streams

/// A source whose bytes are taken in portions of any size, without copying them.
struct StreamInput<Source: ByteSource & ~Copyable>: ~Copyable {
    private var source: Source
    private var chunk = Chunk()
    private var used = 0
    private var isAtEnd = false
    /// Bytes taken so far.
    private(set) var offset: Int64 = 0

    init(_ source: consuming Source) { self.source = source }

    /// Makes sure that something lies in the chunk; false at the end.
    private mutating func refill() throws(Failure) -> Bool {
        if used < chunk.count { return true }
        if isAtEnd { return false }
        try source.read(into: &chunk)
        used = 0
        isAtEnd = chunk.isEmpty
        return !isAtEnd
    }

    /// Gives between 1 and `limit` bytes to the body; false at the end.
    mutating func take(
        upTo limit: Int, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        guard try refill() else { return false }
        let count = min(limit, chunk.count - used)
        let start = used
        try unsafe chunk.withBytes { (bytes) throws(Failure) in
            try unsafe body(UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
        }
        used += count
        offset += Int64(count)
        return true
    }

    /// Copies bytes behind those that `target` holds until it has `count` or the stream ends.
    mutating func fill(_ target: inout Chunk, to count: Int) throws(Failure) {
        while target.count < count {
            let more = try unsafe take(upTo: count - target.count) { (bytes) throws(Failure) in
                _ = unsafe target.append(bytes)
            }
            if !more { return }
        }
    }
}
