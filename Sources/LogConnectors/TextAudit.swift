import Archives
import Basics
import Connectors
import Glibc
import Logs
import Manifests
import Primitives
import Streams
import Synchronization

/// The text logs of an archive, whose digests are taken again from the archive alone.
final class TextAudit: LogAudit {
    private let stored: TextStored?
    private let units: [Int]
    private let progress: Progress
    private let texts = Mutex<[[UInt8]: TextFound]>([:])
    private let members: [[UInt8]: TextMemberRecord]

    init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress
    ) throws(Failure) {
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        stored = try TextStored.open(
            source, from: artifacts, in: base, folds: false, progress: progress)
        units = stored?.beginnings ?? []
        self.progress = progress
        var members: [[UInt8]: TextMemberRecord] = [:]
        for member in stored?.streams.flatMap(\.members) ?? [] { members[member.path] = member }
        self.members = members
    }

    var slices: Int { units.count }

    func audit(_ slice: Int) throws(Failure) {
        guard let stored else { return }
        let progress = progress
        var walk = TextWalk(stored, units[slice], progress: progress)
        try walk.run { (path) throws(Failure) in
            try TextAuditor(members[path])
        } finish: { (indexed, auditor) throws(Failure) in
            let (digests, found) = try auditor.finish()
            guard let content = indexed.content, digests.contains(content) else {
                throw Failure(
                    .treeMismatch,
                    "\"\(String(decoding: indexed.entry.path, as: UTF8.self))\" does not have the "
                        + "content that the index says")
            }
            if let found { texts.withLock { $0[indexed.entry.path] = found } }
            progress.add(objects: 1)
        }
    }

    func conclude() throws(Failure) -> [ImportResult.Comparison] {
        guard let stored else { return [] }
        // The index itself was held against the manifest when it was opened.
        let roots = stored.tree.digests.compactMap { digest -> ImportResult.Comparison? in
            digest.value.string.map { .init(name: digest.key, expected: $0, found: $0) }
        }
        return roots
            + TextProof.comparisons(stored.streams, texts.withLock { $0 }, counting: false)
    }
}

/// Takes all digests of one file as its content comes.
final class TextAuditor {
    private var hasher = SHA256()
    private var tree = TreeHasher()
    private var unpacker: Unpacker?
    private var reading: TextReading?

    init(_ member: TextMemberRecord?) throws(Failure) {
        if let member, member.facts != nil {
            reading = TextReading(format: member.format, clock: member.clock.clock())
            if let packing = member.packing { unpacker = try Unpacker(packing) }
        }
    }

    func feed(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        unsafe hasher.update(bytes)
        unsafe tree.update(bytes)
        guard reading != nil else { return }
        if unpacker != nil {
            try unsafe unpacker?.feed(bytes) { (text) throws(Failure) in
                unsafe reading?.feed(text, hashing: true)
            }
        } else {
            unsafe reading?.feed(bytes, hashing: true)
        }
    }

    func finish() throws(Failure) -> ([ContentDigest], TextFound?) {
        let digests: [ContentDigest] = [.sha256(hasher.finish()), .tree(tree.finish().root)]
        unpacker?.finish()
        guard let (facts, text) = reading?.finish() else { return (digests, nil) }
        return (digests, TextFound(facts: facts, text: text))
    }
}

/// Goes through the files that begin in one segment, with all of their content.
struct TextWalk {
    private let stored: TextStored
    private let segment: Int
    private let progress: Progress

    init(_ stored: TextStored, _ segment: Int, progress: Progress) {
        self.stored = stored
        self.segment = segment
        self.progress = progress
    }

    mutating func run<Taker: TextTaker>(
        _ begin: ([UInt8]) throws(Failure) -> Taker,
        finish: (IndexedEntry, Taker) throws(Failure) -> Void
    ) throws(Failure) {
        let check = stored.check(of: segment)
        var pending: (IndexedEntry, Taker)?
        for part in stored.parts(of: segment) {
            var reader = try stored.open(part)
            while let entry = try reader.next() {
                try progress.checkCancelled()
                if !reader.isContinued {
                    let indexed = try check.admit(entry, at: reader.headerOffset)
                    guard entry.kind == .file else { continue }
                    pending = (indexed, try begin(entry.path))
                }
                guard let (indexed, taker) = pending else { continue }
                let progress = progress
                try unsafe reader.readData { (bytes, _) throws(Failure) in
                    try progress.checkCancelled()
                    try unsafe taker.feed(bytes)
                    progress.add(bytes: Int64(bytes.count))
                }
                if !reader.isCut {
                    try finish(indexed, taker)
                    pending = nil
                }
            }
        }
        try check.finish()
    }
}

/// Takes the content of one file.
protocol TextTaker: AnyObject {
    func feed(_ bytes: UnsafeRawBufferPointer) throws(Failure)
}

extension TextAuditor: TextTaker {}
