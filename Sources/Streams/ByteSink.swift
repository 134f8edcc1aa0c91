import Basics

/// Takes a stream of bytes; stages nest, the innermost stores.
///
/// `write` may be called any number of times with spans of any length, zero included. `finish` is
/// called exactly once after the last write, flushes, and passes on; a sink that is dropped without
/// it has stored nothing under its final name. After a throw the sink is only good for dropping.
/// Calls block: make them on a `Lane`.
public protocol ByteSink: ~Copyable {
    mutating func write(_ bytes: RawSpan) throws(Failure)
    /// As if that many zeros were written; a stage that can do it without them does.
    mutating func write(zeros count: Int64) throws(Failure)
    mutating func finish() throws(Failure)
}

extension ByteSink where Self: ~Copyable {
    /// Writes bytes that lie in memory the caller owns for the time of the call.
    @inlinable
    public mutating func write(buffer: UnsafeRawBufferPointer) throws(Failure) {
        try unsafe write(buffer.bytes)
    }

    public mutating func write(_ bytes: [UInt8]) throws(Failure) {
        try unsafe write(bytes.span.bytes)
    }

    public mutating func write(zeros count: Int64) throws(Failure) {
        var left = count
        while left > 0 {
            let size = Int(min(left, Int64(Zeros.bytes.count)))
            try unsafe write(Zeros.bytes.span.bytes.extracting(first: size))
            left -= Int64(size)
        }
    }
}

/// A piece of nothing, shared by all who write it.
enum Zeros {
    static let bytes = [UInt8](repeating: 0, count: 256 << 10)
}

/// Gives a stream of bytes, chunk by chunk.
///
/// `read` fills the chunk from its start and leaves it empty only at the end of the stream; a
/// source that verifies throws instead of ending when something is missing.
public protocol ByteSource: ~Copyable {
    mutating func read(into chunk: inout Chunk) throws(Failure)
}

/// What a stage that only looks has seen, read by its maker after `finish`.
public final class Tally: @unchecked Sendable {
    // Sendable: made and read on one lane; the reference crosses, the accesses do not overlap.
    public internal(set) var count: Int64 = 0
    public internal(set) var digest: String = ""
    public init() {}
}
