import Bags
import Basics
import Encryption
import Primitives
import Streams

/// The tag files of a bag as they are stored, with what the tag manifest says of them.
struct TagFiles {
    private let writer: BagWriter
    private let withSHA512: Bool
    private(set) var lines: [DigestManifest.Line] = []
    /// The same files by SHA-512, where the plan asks for that.
    private(set) var lines512: [DigestManifest.Line] = []

    init(_ writer: BagWriter, withSHA512: Bool) {
        self.writer = writer
        self.withSHA512 = withSHA512
    }

    mutating func put(_ bytes: [UInt8], at path: String) throws(Failure) {
        let path = try BagPath(path)
        try writer.put(bytes, at: path)
        lines.append(.init(path, .sha256(SHA256.hash(bytes))))
        guard withSHA512 else { return }
        var digest = try MessageDigest(.sha512)
        try Failure.catching { unsafe bytes.withUnsafeBytes { unsafe digest.update($0) } }
        try note(path, digest.finish())
    }

    private mutating func note(_ path: BagPath, _ sha512: [UInt8]) throws(Failure) {
        guard let digest = BagDigest(bytes: sha512) else {
            throw Failure(.failed, "a SHA-512 of another length")
        }
        lines512.append(.init(path, digest))
    }

    /// The same, encrypted where there are recipients.
    mutating func putSecret(
        _ bytes: [UInt8], at path: String, for recipients: [Recipient]
    ) throws(Failure) {
        if recipients.isEmpty { return try put(bytes, at: path) }
        let store = MemorySink.Store()
        var sealing = try Sealing(to: recipients, into: MemorySink(store))
        try sealing.write(bytes)
        try sealing.finish()
        try put(store.bytes, at: path + ".age")
    }

    /// Stores a file that may be long; one that lies in its place already stays there.
    mutating func putFile(_ file: String, at path: String) throws(Failure) {
        let path = try BagPath(path)
        var source = try FileSource(opening: file)
        let tally = Tally()
        if case .directory = writer.form {
            var sink = Hashing(tally, into: Discarding())
            try source.drain(into: &sink)
        } else {
            let slot = try writer.slot(path)
            var sink = Hashing(tally, into: DescriptorSink(slot.file))
            try source.drain(into: &sink)
            try writer.commit(slot)
        }
        guard let digest = Digest256(hex: tally.digest) else {
            throw Failure(.failed, "a digest that is none")
        }
        lines.append(.init(path, .sha256(digest)))
        guard withSHA512 else { return }
        var again = try FileSource(opening: file)
        var sha512 = try MessageDigest(.sha512)
        var chunk = Chunk()
        repeat {
            try again.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in unsafe sha512.update(bytes) }
        } while !chunk.isEmpty
        try note(path, sha512.finish())
    }
}
