public import Basics
import Primitives
public import Streams

/// Encrypts what passes to the recipients, as an age v1 file without armor.
///
/// Each value makes a new file key and header. The header and up to 16 sealed chunks of 64 KiB lie in
/// one buffer, which goes to the next stage whenever it is full.
public struct Sealing<Next: ByteSink & ~Copyable>: ByteSink, ~Copyable {
    private var next: Next
    private var cipher: ChaCha20Poly1305
    /// The chunks that were sealed so far.
    private var number: UInt64 = 0
    /// Plaintext that was not sealed yet, because the last chunk is sealed differently.
    private var pending: Chunk
    private var sealed: Chunk

    /// Throws `.ageRecipientsMixed` when post-quantum and classical recipients are mixed, or when a
    /// passphrase is not alone.
    public init(to recipients: [Recipient], into next: consuming Next) throws(Failure) {
        try Recipient.check(recipients)
        let fileKey = FileKey()
        var start = try Header.text(for: recipients, fileKey)
        let nonce = FileKey().bytes
        start += nonce
        var sealed = Chunk(capacity: start.count + 16 * PayloadChunk.sealedSize)
        _ = try Failure.catching { unsafe start.withUnsafeBytes { unsafe sealed.append($0) } }
        // Stored only when nothing can fail any more.
        let cipher = try fileKey.payloadCipher(.sealing, nonce: nonce)
        self.cipher = cipher
        self.sealed = sealed
        self.next = next
        pending = Chunk(capacity: PayloadChunk.plainSize)
    }

    public mutating func write(_ bytes: RawSpan) throws(Failure) {
        try Failure.catching { try unsafe bytes.withUnsafeBytes { try unsafe write($0) } }
    }

    private mutating func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var position = 0
        if !pending.isEmpty {
            position = unsafe pending.append(bytes)
            // A full chunk stays until it is known that it is not the last.
            guard position < bytes.count else { return }
            try sealPending(isLast: false)
        }
        while bytes.count - position > PayloadChunk.plainSize {
            let chunk = unsafe bytes[position..<position + PayloadChunk.plainSize]
            try unsafe seal(UnsafeRawBufferPointer(rebasing: chunk), isLast: false)
            position += PayloadChunk.plainSize
        }
        _ = unsafe pending.append(UnsafeRawBufferPointer(rebasing: bytes[position...]))
    }

    public mutating func finish() throws(Failure) {
        try sealPending(isLast: true)
        try flush()
        try next.finish()
    }

    private mutating func sealPending(isLast: Bool) throws(Failure) {
        try makeRoom()
        try Self.seal(pending, &cipher, nonce(isLast), into: &sealed)
        number += 1
        pending.removeAll()
    }

    private mutating func seal(
        _ plain: UnsafeRawBufferPointer, isLast: Bool
    ) throws(Failure) {
        try makeRoom()
        try unsafe Self.seal(plain, &cipher, nonce(isLast), into: &sealed)
        number += 1
    }

    private func nonce(_ isLast: Bool) -> ChaCha20Poly1305.Nonce {
        PayloadChunk.nonce(number, isLast: isLast)
    }

    private static func seal(
        _ plain: borrowing Chunk, _ cipher: inout ChaCha20Poly1305,
        _ nonce: ChaCha20Poly1305.Nonce, into sealed: inout Chunk
    ) throws(Failure) {
        try unsafe plain.withBytes { (bytes) throws(Failure) in
            try unsafe seal(bytes, &cipher, nonce, into: &sealed)
        }
    }

    private static func seal(
        _ plain: UnsafeRawBufferPointer, _ cipher: inout ChaCha20Poly1305,
        _ nonce: ChaCha20Poly1305.Nonce, into sealed: inout Chunk
    ) throws(Failure) {
        try unsafe sealed.append { (free) throws(Failure) in
            try unsafe cipher.seal(
                plain, authenticating: UnsafeRawBufferPointer(start: nil, count: 0),
                nonce: nonce, into: free)
        }
    }

    private mutating func makeRoom() throws(Failure) {
        if sealed.capacity - sealed.count < PayloadChunk.sealedSize { try flush() }
    }

    private mutating func flush() throws(Failure) {
        try Self.pass(sealed, to: &next)
        sealed.removeAll()
    }

    private static func pass(_ chunk: borrowing Chunk, to next: inout Next) throws(Failure) {
        try unsafe chunk.withBytes { (bytes) throws(Failure) in try unsafe next.write(buffer: bytes)
        }
    }
}
