public import Basics
public import Streams

/// Decrypts an age v1 file without armor.
///
/// It gives only bytes that were authenticated, but a file that is cut or damaged at its end shows
/// this only there: nothing may act on the bytes before an empty chunk was read. After a throw every
/// further read throws the same.
public struct Opening<Source: ByteSource & ~Copyable>: ByteSource, ~Copyable {
    private var payload: Payload<Source>
    private var failure: Failure?
    /// An opened chunk for readers whose own is smaller, and how much of it was given.
    private var opened = Chunk(capacity: PayloadChunk.plainSize)
    private var given = 0

    /// Reads the header: `.ageHeader` when it is malformed, `.ageNoMatch` when no identity opens it,
    /// `.ageHeaderMAC` when it was changed.
    public init(_ source: consuming Source, identities: [Identity]) throws(Failure) {
        payload = try Payload(Intake(source, capacity: 16 * PayloadChunk.sealedSize), identities)
    }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        if given < opened.count { return try give(into: &chunk) }
        if let failure { throw failure }
        do throws(Failure) {
            if chunk.capacity < PayloadChunk.plainSize {
                guard try !payload.isAtEnd() else { return }
                opened.removeAll()
                given = 0
                try payload.openNext(into: &opened)
                try give(into: &chunk)
            } else {
                while chunk.capacity - chunk.count >= PayloadChunk.plainSize {
                    guard try !payload.isAtEnd() else { return }
                    try payload.openNext(into: &chunk)
                }
            }
        } catch {
            failure = error
            // What was authenticated before is given first.
            if chunk.isEmpty { throw error }
        }
    }

    private mutating func give(into chunk: inout Chunk) throws(Failure) {
        let start = given
        var count = 0
        try unsafe opened.withBytes { (bytes) throws(Failure) in
            count = unsafe chunk.append(UnsafeRawBufferPointer(rebasing: bytes[start...]))
        }
        given += count
    }
}
