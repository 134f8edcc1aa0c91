import Archives
import Basics
import Connectors
import Glibc
import Logs
import Manifests
import Primitives
import Streams
import Trees

/// Text logs as an archive holds them: the tar, its index checked and kept in a private file, and the
/// records of the logs.
struct TextStored: Sendable {
    let tree: ArtifactRecord
    /// The place of the tar among the artifacts of the source.
    let artifact: Int
    let streams: [TextStreamRecord]
    let summary: IndexSummary
    private let index: SharedDescriptor
    private let indexSize: Int64
    private let artifacts: any ArtifactSource
    private var segments: [Segment]

    /// What begins in a segment, as the index tells.
    private struct Segment: Sendable {
        /// Where the first line about it lies in the index; nil when nothing begins here.
        var line: Int64?
        var first: [UInt8]?
        var last: [UInt8]?
        /// The large file that begins here, or goes on here.
        var large: Large?
    }

    private struct Large: Sendable {
        var header: Int
        var entry: Entry
    }

    /// Whether segments of the tar are lost.
    var hasGaps: Bool { artifacts.lacks(tree) }

    /// nil for a source without text logs.
    static func open(
        _ source: SourceRecord, from artifacts: any ArtifactSource, in directory: String,
        folds: Bool, progress: Progress
    ) throws(Failure) -> TextStored? {
        guard let place = source.artifacts.firstIndex(where: { $0.kind == "log-text" }) else {
            return nil
        }
        return try TextStored(
            source, place, from: artifacts, in: directory, folds: folds, progress: progress)
    }

    private init(
        _ source: SourceRecord, _ place: Int, from artifacts: any ArtifactSource,
        in directory: String, folds: Bool, progress: Progress
    ) throws(Failure) {
        guard let lines = source.artifacts.first(where: { $0.kind == "log-text-index" }),
            let logs = source.artifacts.first(where: { $0.kind == "log-text-streams" }),
            source.artifacts[place].format == "tar"
        else {
            throw Failure(
                .manifestMalformed, "source \"\(source.name)\" has text logs without an index")
        }
        let tree = source.artifacts[place]
        artifact = place
        self.tree = tree
        self.artifacts = artifacts
        let index = try StoredIndex.decode(lines, from: artifacts, in: directory, progress)
        let size = lines.plainBytes
        var segments = [Segment](repeating: Segment(), count: tree.segments.count)
        var roots = StoredIndex.Roots()
        summary = try IndexCheck.check(
            limits: IndexLimits(
                entries: tree.counts.first { $0.key == "entries" }?.value.integer),
            folds: folds,
            open: { () throws(Failure) in IndexReader(FileSource(index, from: 0, size: size)) },
            visit: { (item, line) throws(Failure) in
                guard case .entry(let indexed) = item else { return }
                try Self.add(indexed, line.lowerBound, to: &segments)
                roots.add(indexed)
            })
        try roots.check(against: tree)
        Self.joinParts(&segments)
        self.segments = segments
        self.index = index
        indexSize = size
        streams = try Self.streams(logs, from: artifacts)
        let chain = TextStreamRecord.chain(streams.map(\.chain)).hex
        guard tree.digests.first(where: { $0.key == "log-chain" })?.value.string == chain else {
            throw Failure(
                .treeMismatch, "the logs do not have the digest of the manifest",
                hint: "The archive is damaged or forged; get a fresh copy from its maker.")
        }
    }

    private static func streams(
        _ logs: ArtifactRecord, from artifacts: any ArtifactSource
    ) throws(Failure) -> [TextStreamRecord] {
        var bytes: [UInt8] = []
        for segment in logs.segments.indices {
            var source = StreamSource(try artifacts.open(logs, segment: segment))
            bytes += try source.readAll(limit: 1 << 30)
        }
        return try bytes.split(separator: 0x0a).map { (line) throws(Failure) in
            try TextStreamRecord(JSON(parsing: Array(line)))
        }
    }

    // MARK: - Where segments begin and end

    private static func add(
        _ indexed: IndexedEntry, _ line: Int64, to segments: inout [Segment]
    ) throws(Failure) {
        let entry = indexed.entry
        guard segments.indices.contains(indexed.segment),
            entry.kind == .file || entry.kind == .directory, !indexed.hasHoles
        else {
            throw Failure(.treeMalformed, "the index leads to a segment that is not there")
        }
        segments[indexed.segment].line = segments[indexed.segment].line ?? line
        segments[indexed.segment].first = segments[indexed.segment].first ?? entry.path
        segments[indexed.segment].last = entry.path
        if entry.size > TextLayout.largest {
            let count = Int((entry.size + TextLayout.partSize - 1) / TextLayout.partSize)
            guard indexed.segment + count <= segments.count else {
                throw Failure(.treeMalformed, "a large file goes on behind the last segment")
            }
            for part in indexed.segment..<indexed.segment + count {
                segments[part].large = Large(header: indexed.segment, entry: entry)
            }
        }
    }

    private static func joinParts(_ segments: inout [Segment]) {
        for place in segments.indices.dropFirst() where segments[place].last == nil {
            segments[place].last = segments[place - 1].last
        }
    }

    /// Segments in which something begins: the units of what is made of entries.
    var beginnings: [Int] { segments.indices.filter { segments[$0].line != nil } }

    /// The segments that hold the file which begins in one: itself, and those where it goes on.
    func parts(of segment: Int) -> ClosedRange<Int> {
        guard let large = segments[segment].large, large.header == segment else {
            return segment...segment
        }
        var last = segment
        while last + 1 < segments.count, segments[last + 1].large?.header == segment { last += 1 }
        return segment...last
    }

    /// Opens a segment of the tar where it begins.
    func open(_ number: Int) throws(Failure) -> PaxReader {
        let segment = segments[number]
        let size = TextLayout.partSize
        var beginning = PaxReader.Beginning.entry
        var ending =
            number == segments.count - 1 ? PaxReader.Ending.archive : PaxReader.Ending.entry
        if let large = segment.large {
            let part = Int64(number - large.header)
            if part > 0 { beginning = .inside(large.entry, offset: part * size) }
            if (part + 1) * size < large.entry.size {
                ending = .inside(path: large.entry.path, offset: (part + 1) * size)
            }
        }
        return PaxReader(
            StreamSource(try artifacts.open(tree, segment: number)), from: beginning, to: ending,
            after: number > 0 ? segments[number - 1].last : nil)
    }

    func wholeIndex() -> IndexReader { IndexReader(FileSource(index, from: 0, size: indexSize)) }

    /// The index from the first line about an entry of a segment on.
    func check(of segment: Int) -> TextStreamCheck {
        TextStreamCheck(
            segment,
            segments[segment].line.map {
                IndexReader(FileSource(index, from: $0, size: indexSize - $0))
            })
    }
}

/// Holds the headers of one segment against the index, one after the other.
final class TextStreamCheck {
    private let segment: Int
    private var index: IndexReader?
    private var next: IndexedEntry?
    private var isBegun = false

    init(_ segment: Int, _ index: consuming IndexReader?) {
        self.segment = segment
        self.index = index
    }

    /// Throws `.treeMismatch` for an entry that the index does not know, or knows otherwise.
    func admit(_ entry: Entry, at offset: Int64) throws(Failure) -> IndexedEntry {
        try advance()
        guard let indexed = next, indexed.segment == segment, indexed.offset == offset,
            Self.isSame(entry, indexed)
        else {
            throw Failure(
                .treeMismatch,
                "\"\(String(decoding: entry.path, as: UTF8.self))\" is not described alike in "
                    + "stream and index",
                hint: "The archive is damaged or forged; get a fresh copy from its maker.")
        }
        isBegun = false
        return indexed
    }

    private static func isSame(_ entry: Entry, _ indexed: IndexedEntry) -> Bool {
        let same = indexed.entry
        return entry.path == same.path && entry.kind == same.kind && entry.size == same.size
            && entry.mode == same.mode && entry.uid == same.uid && entry.gid == same.gid
            && entry.modified == same.modified && entry.extents == nil
            && entry.attributes.count == same.attributes.count + indexed.longAttributes.count
    }

    /// Throws when the index knows of more in this segment than the stream has had.
    func finish() throws(Failure) {
        try advance()
        if let left = next, left.segment == segment {
            throw Failure(
                .treeMismatch,
                "\"\(String(decoding: left.entry.path, as: UTF8.self))\" is in the index, and not "
                    + "in the stream",
                hint: "The archive is damaged or forged; get a fresh copy from its maker.")
        }
    }

    private func advance() throws(Failure) {
        guard !isBegun else { return }
        next = try index?.nextEntry()
        isBegun = true
    }
}
