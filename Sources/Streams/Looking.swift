public import Basics
public import Primitives

/// Counts what passes.
public struct Counting<Next: ByteSink & ~Copyable>: ByteSink, ~Copyable {
    private let tally: Tally
    private var next: Next

    public init(_ tally: Tally, into next: consuming Next) {
        self.tally = tally
        self.next = next
    }

    public mutating func write(_ bytes: RawSpan) throws(Failure) {
        tally.count += Int64(bytes.byteCount)
        try next.write(bytes)
    }

    public mutating func write(zeros count: Int64) throws(Failure) {
        tally.count += count
        try next.write(zeros: count)
    }

    public mutating func finish() throws(Failure) { try next.finish() }
}

/// Counts what passes and takes its SHA-256.
public struct Hashing<Next: ByteSink & ~Copyable>: ByteSink, ~Copyable {
    private var hasher = SHA256()
    private let tally: Tally
    private var next: Next

    public init(_ tally: Tally, into next: consuming Next) {
        self.tally = tally
        self.next = next
    }

    public mutating func write(_ bytes: RawSpan) throws(Failure) {
        hasher.update(bytes)
        tally.count += Int64(bytes.byteCount)
        try next.write(bytes)
    }

    public mutating func finish() throws(Failure) {
        tally.digest = hasher.finish().hex
        try next.finish()
    }
}

/// Reads through, and throws `.digestMismatch` at the end unless size and SHA-256 are as expected.
public struct Checked<Source: ByteSource & ~Copyable>: ByteSource, ~Copyable {
    private var source: Source
    private var hasher = SHA256()
    private var count: Int64 = 0
    private let size: Int64
    private let digest: Digest256
    private let name: String

    public init(
        _ source: consuming Source, size: Int64, sha256: Digest256, name: String
    ) {
        self.source = source
        self.size = size
        self.digest = sha256
        self.name = name
    }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        try source.read(into: &chunk)
        try unsafe chunk.withBytes { (bytes) throws(Failure) in unsafe hasher.update(bytes) }
        count += Int64(chunk.count)
        guard count <= size else { throw mismatch() }
        if chunk.isEmpty {
            guard count == size, hasher.finish() == digest else { throw mismatch() }
        }
    }

    private func mismatch() -> Failure {
        Failure(.digestMismatch, "the stored bytes of \"\(name)\" are not those that were sealed")
    }
}
