import Basics
import Primitives
import Streams

/// The encrypted part of a file, opened chunk by chunk.
struct Payload<Source: ByteSource & ~Copyable>: ~Copyable {
    private var intake: Intake<Source>
    private var cipher: ChaCha20Poly1305
    /// The chunks that were opened so far.
    private var number: UInt64 = 0
    private var wasLast = false
    /// A sealed chunk that did not lie in the buffer whole.
    private var sealed = Chunk(capacity: PayloadChunk.sealedSize)

    /// Reads the header, and the nonce of the payload.
    init(_ intake: consuming Intake<Source>, _ identities: [Identity]) throws(Failure) {
        let fileKey = try intake.readHeader().fileKey(for: identities)
        var start = Chunk(capacity: PayloadChunk.nonceSize)
        try intake.read(into: &start, upTo: PayloadChunk.nonceSize)
        guard start.count == PayloadChunk.nonceSize else {
            throw Header.malformed("the file ends behind it")
        }
        let nonce = try unsafe start.withBytes { (bytes) throws(Failure) in unsafe Array(bytes) }
        cipher = try fileKey.payloadCipher(.opening, nonce: nonce)
        self.intake = intake
    }

    /// Whether the last chunk was opened; nothing may follow it.
    mutating func isAtEnd() throws(Failure) -> Bool {
        guard wasLast else { return false }
        guard try intake.ended() else {
            throw Failure(
                .agePayload, "the age file goes on after its last chunk",
                hint: "Something was added to the file; get it again from where it was made.")
        }
        return true
    }

    /// Appends the plaintext of the next chunk.
    mutating func openNext(into plain: inout Chunk) throws(Failure) {
        // The usual way: the chunk lies in the buffer and is opened from there.
        let isWhole = try openInPlace(into: &plain)
        if !isWhole {
            sealed.removeAll()
            try intake.read(into: &sealed, upTo: PayloadChunk.sealedSize)
            guard sealed.count >= ChaCha20Poly1305.tagSize else { throw cut() }
            wasLast = try Self.open(sealed, &cipher, number, into: &plain)
        }
        number += 1
    }

    private mutating func openInPlace(into plain: inout Chunk) throws(Failure) -> Bool {
        var isLast = false
        let number = number
        let isWhole = try unsafe intake.take(
            PayloadChunk.sealedSize,
            { (bytes) throws(Failure) in
                isLast = try unsafe Self.open(bytes, &cipher, number, into: &plain)
            })
        wasLast = isLast
        return isWhole
    }

    private static func open(
        _ sealed: borrowing Chunk, _ cipher: inout ChaCha20Poly1305, _ number: UInt64,
        into plain: inout Chunk
    ) throws(Failure) -> Bool {
        try unsafe sealed.withBytes { (bytes) throws(Failure) in
            try unsafe open(bytes, &cipher, number, into: &plain)
        }
    }

    /// Appends the plaintext and returns whether it is that of the last chunk.
    ///
    /// A full chunk can be either; a shorter one can only be the last.
    private static func open(
        _ sealed: UnsafeRawBufferPointer, _ cipher: inout ChaCha20Poly1305, _ number: UInt64,
        into plain: inout Chunk
    ) throws(Failure) -> Bool {
        let isEmpty = sealed.count == ChaCha20Poly1305.tagSize
        guard !isEmpty || number == 0 else {
            throw damaged(number, "is empty, though it is not the only one")
        }
        for isLast in sealed.count == PayloadChunk.sealedSize ? [false, true] : [true] {
            var isGood = false
            try unsafe plain.append { (free) throws(Failure) in
                let count = try unsafe cipher.open(
                    sealed, authenticating: UnsafeRawBufferPointer(start: nil, count: 0),
                    nonce: PayloadChunk.nonce(number, isLast: isLast), into: free)
                isGood = count != nil
                return count ?? 0
            }
            if isGood { return isLast }
        }
        throw damaged(number, "was changed or cut")
    }

    private func cut() -> Failure {
        Failure(
            .truncated, "the age file ends before its last chunk",
            hint: "Get the file again; it was not written or copied to its end.")
    }

    private static func damaged(_ number: UInt64, _ what: String) -> Failure {
        Failure(
            .agePayload, "chunk \(number) of the age file \(what)",
            hint: "Get the file again from where it was made.")
    }
}
