public import Basics

/// Keeps what is written, for documents that are small.
public struct MemorySink: ByteSink, ~Copyable {
    /// The bytes, readable when the stages before are gone.
    public final class Store: @unchecked Sendable {
        // Sendable: filled and read on one lane.
        public internal(set) var bytes: [UInt8] = []
        public init() {}
    }

    private let store: Store

    public init(_ store: Store) { self.store = store }

    public mutating func write(_ bytes: RawSpan) throws(Failure) {
        unsafe bytes.withUnsafeBytes { unsafe store.bytes.append(contentsOf: $0) }
    }

    public mutating func finish() throws(Failure) {}
}

/// Reads bytes that are in memory.
public struct MemorySource: ByteSource, ~Copyable {
    private let bytes: [UInt8]
    private var position = 0

    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        let rest = bytes[position...]
        position += unsafe rest.withUnsafeBytes { unsafe chunk.append($0) }
    }
}

extension ByteSource where Self: ~Copyable {
    /// Everything up to the end; more than `limit` bytes are `.plaintextTooLong`.
    public mutating func readAll(limit: Int) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = Chunk()
        while true {
            try read(into: &chunk)
            if chunk.isEmpty { return bytes }
            guard bytes.count + chunk.count <= limit else {
                throw Failure(.plaintextTooLong, "a document is longer than \(limit) bytes")
            }
            try unsafe chunk.withBytes { (part) throws(Failure) in
                unsafe bytes.append(contentsOf: part)
            }
        }
    }
}

/// Takes everything and keeps nothing.
public struct Discarding: ByteSink, ~Copyable {
    public init() {}
    public mutating func write(_ bytes: RawSpan) throws(Failure) {}
    public mutating func finish() throws(Failure) {}
}

extension ByteSource where Self: ~Copyable {
    /// Moves everything into a sink, and finishes it.
    public mutating func drain(into sink: inout some ByteSink & ~Copyable) throws(Failure) {
        var chunk = Chunk()
        repeat {
            try read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                try unsafe sink.write(buffer: bytes)
            }
        } while !chunk.isEmpty
        try sink.finish()
    }
}
