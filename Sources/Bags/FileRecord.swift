import Basics
import Primitives
import Streams

/// What is known of a file once it was read through.
struct FileRecord: Sendable {
    let path: BagPath
    let part: BagPart
    let size: Int64
    let sha256: Digest256
    var sha512: BagDigest?
    /// The bytes, of the small parts that are looked into.
    var content: [UInt8] = []
    var manifest: DigestManifest?
    var journal: SealedJournal?
    var firstJournalLine: [UInt8] = []
    var journalEnds: [String: Int64] = [:]
    var journalFacts: JournalFacts?
    /// Why it is not fit to be judged further.
    var failure: Failure?
}

/// Takes the bytes of one file as they come, and everything that its part asks for in one pass.
struct FileReading: ~Copyable {
    private let path: BagPath
    private let part: BagPart
    private var size: Int64 = 0
    private var sha256 = SHA256()
    private var sha512: MessageDigest?
    private var content: [UInt8] = []
    private var manifest: DigestManifestParser?
    private var journal: JournalChain?
    private var failure: Failure?

    init(_ path: BagPath, _ part: BagPart, sha512: Bool) throws(Failure) {
        self.path = path
        self.part = part
        self.sha512 = sha512 ? try MessageDigest(.sha512) : nil
        switch part {
        case .payloadManifest(let algorithm): manifest = .init(.payload, algorithm)
        case .tagManifest(let algorithm): manifest = .init(.tags, algorithm)
        case .journal: journal = JournalChain()
        default: break
        }
    }

    /// A fault in what the bytes say is kept for `finish`: the digest is wanted all the same.
    mutating func read(_ bytes: UnsafeRawBufferPointer) {
        unsafe sha256.update(bytes)
        unsafe sha512?.update(bytes)
        size += Int64(bytes.count)
        guard failure == nil else { return }
        do throws(Failure) {
            try unsafe manifest?.read(bytes)
            try unsafe journal?.read(bytes)
            if let kept = part.kept {
                guard content.count + bytes.count <= kept.limit else {
                    throw Failure(kept.code, "\"\(path)\" is longer than \(kept.limit) bytes")
                }
                unsafe content.append(contentsOf: bytes)
            }
        } catch { failure = error }
    }

    consuming func finish() -> FileRecord {
        var record = FileRecord(
            path: path, part: part, size: size, sha256: sha256.finish(), content: content)
        if let digest = sha512?.finish() { record.sha512 = BagDigest(bytes: digest) }
        do throws(Failure) {
            if let failure { throw failure }
            record.manifest = try manifest?.finish()
            if let first = journal?.first { record.firstJournalLine = first }
            if let ends = journal?.ends { record.journalEnds = ends }
            if let facts = journal?.facts { record.journalFacts = facts }
            record.journal = try journal?.finish()
        } catch { record.failure = error }
        return record
    }
}

extension FileReading {
    /// Reads a whole file; a failure to read is the record's failure. Only `.cancelled` throws.
    static func record(
        of entry: BagEntry, _ part: BagPart, in storage: some BagStorage, sha512: Bool,
        chunk: inout Chunk, progress: Progress
    ) throws(Failure) -> FileRecord {
        var reading = try FileReading(entry.path, part, sha512: sha512)
        do throws(Failure) {
            var source = try storage.source(of: entry)
            while true {
                try progress.checkCancelled()
                try source.read(into: &chunk)
                if chunk.isEmpty { break }
                try unsafe chunk.withBytes { (bytes) throws(Failure) in unsafe reading.read(bytes) }
                progress.add(bytes: Int64(chunk.count))
            }
        } catch {
            if error.code == .cancelled { throw error }
            var record = reading.finish()
            record.failure =
                error.code == .truncated
                ? Failure(.bagFileChanged, "\"\(entry.path)\" became shorter while it was read")
                : error
            return record
        }
        progress.add(objects: 1)
        return reading.finish()
    }
}
