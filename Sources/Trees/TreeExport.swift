import Archives
public import Basics
public import Connectors
import Glibc
public import Manifests
import Primitives
public import Streams
import Synchronization

/// Exports one or more trees as one pax stream in segments, and an index of it: the part that all
/// connectors with trees share.
///
/// Artifact 0 is the stream, artifact 1 the index. See docs/connectors/files.md.
public final class TreeExport: Sendable {
    public static let artifacts = 2

    let selection: TreeSelection
    let room: Room
    let filter: (any ContentFilter)?
    let layout: TreeLayout
    let root: TreeRoot
    let names = OwnerNames()
    /// Read back or made by `inventory`; nothing is exported before.
    private let table = Mutex<SegmentTable?>(nil)
    /// How often a segment was begun again because a file changed under the reader.
    private let attempts = Mutex<[Int: Int]>([:])
    /// Files that gave a read error in the middle, by segment: the next attempt leaves them out.
    private let broken = Mutex<[Int: Set<[UInt8]>]>([:])
    private let result = Mutex<TreeIndexBuilder.Result?>(nil)

    static let treeArtifact = 0
    static let indexArtifact = 1

    /// - Parameter filter: sees everything before it is written to the stream.
    public init(
        _ selection: TreeSelection, room: Room, filter: (any ContentFilter)? = nil
    ) throws(Failure) {
        self.selection = selection
        self.room = room
        self.filter = filter
        layout = TreeLayout(directory: room.directory)
        root = try selection.scope().root
    }

    /// A question about the tree as it is now.
    public func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        try FileProbe.answer(question, below: root, room.progress)
    }

    public func inventory() throws(Failure) -> Inventory {
        let summary = room.directory + "/inventory"
        if !Files.exists(summary) { try take(to: summary) }
        return try read(summary)
    }

    /// Walks the tree; the summary is written last, and is the sign that the rest is whole.
    private func take(to summary: String) throws(Failure) {
        let moment = room.world.now()
        let totals = try JoinedInventory(
            of: TreeInventory(
                selection, largest: largest, room: room.directory, progress: room.progress),
            layout: layout, threads: room.workers
        ).take()
        let table = try SegmentTable(
            cutting: layout, target: TreeLayout.segmentTarget(total: totals.streamBytes))
        try table.write(to: layout.segmentsPath)
        let json: JSON = [
            "moment": .string(moment.text),
            "records": .integer(totals.records), "entries": .integer(totals.entries),
            "bytes": .integer(totals.bytes), "streamBytes": .integer(totals.streamBytes),
            "kinds": .object(
                totals.kinds.sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) }),
        ]
        try Files.write(json.canonical, to: summary, mode: 0o600)
    }

    /// Files over this size are left out by the inventory already.
    private var largest: Int64? { filter.flatMap { $0.refusesLarger ? $0.largest : nil } }

    private func read(_ summary: String) throws(Failure) -> Inventory {
        let json = try JSON(parsing: Files.read(summary))
        guard let moment = json["moment"]?.string, let records = json["records"]?.integer,
            let entries = json["entries"]?.integer, let bytes = json["bytes"]?.integer,
            let streamBytes = json["streamBytes"]?.integer, let kinds = json["kinds"]?.members
        else { throw Failure(.failed, "the inventory in \"\(room.directory)\" is damaged") }
        let table = try SegmentTable(reading: layout.segmentsPath)
        let lines = TreeLayout.indexLines
        let outline = Inventory(
            artifacts: [
                ArtifactOutline(
                    name: "tree", slug: "tree", kind: "file-tree", legal: .exportableData,
                    format: "tar", segments: table.segments.count, expected: entries,
                    bytes: streamBytes),
                ArtifactOutline(
                    name: "index", slug: "index", kind: "file-index", legal: .exportableData,
                    format: "jsonl", segments: Int((records + lines - 1) / lines),
                    after: [Self.treeArtifact], expected: records, bytes: records * 256),
            ],
            objects: records, moment: Moment(kind: "file-system-time", value: moment),
            facts: ["paths": .array(selection.shownPaths.map { .string($0) })],
            counts: kinds + [.init("bytes", .integer(bytes))])
        self.table.withLock { $0 = table }
        return outline
    }

    public func export(
        _ number: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        guard let table = table.withLock({ $0 }) else {
            throw Failure(.failed, "an export before the inventory")
        }
        if number.artifact == Self.indexArtifact {
            return try exportIndex(number.segment, into: &sink)
        }
        let isLast = number.segment == table.segments.count - 1
        switch table.segments[number.segment] {
        case .entries(let from, let to):
            var segment = try TreeSegment(self, number: number.segment)
            return try segment.write(records: from..<to, isLast: isLast, into: &sink)
        case .part(let record, let from, let to):
            var segment = try LargePart(self, number: number.segment, record: record)
            return try segment.write(from..<to, isLast: isLast, into: &sink)
        }
    }

    private func exportIndex(
        _ segment: Int, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        var cuts = try RecordReader(layout.indexPath + ".cuts", from: Int64(segment) * 16)
        let from = try cuts.number(Int64.self)
        let secondsBefore = try cuts.number(Int64.self)
        let to = try cuts.number(Int64.self)
        let seconds = try cuts.number(Int64.self) - secondsBefore
        let file = SharedDescriptor(
            try Descriptor(opening: layout.indexPath, O_RDONLY), name: "the index")
        var source = FileSource(file, from: from, size: to - from)
        var chunk = Chunk()
        var lines: Int64 = 0
        repeat {
            try source.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                lines += Int64(unsafe bytes.count { $0 == 0x0a })
                try unsafe sink.write(buffer: bytes)
            }
        } while !chunk.isEmpty
        // An object counts once, also where a line tells what its entry lacks.
        return SegmentResult(exported: lines - seconds, omitted: 0)
    }

    public func conclude(_ artifact: Int) throws(Failure) -> Conclusion {
        guard artifact == Self.treeArtifact else {
            return Conclusion()
        }
        guard let table = table.withLock({ $0 }) else {
            throw Failure(.failed, "a conclusion before the inventory")
        }
        var builder = TreeIndexBuilder(
            layout: layout, table: table, accepted: selection.accepted)
        let result = try builder.build()
        self.result.withLock { $0 = result }
        return Conclusion(
            exported: result.entries,
            digests: [
                .init("tree-content", .string(result.content.hex)),
                .init("tree-metadata", .string(result.metadata.hex)),
            ],
            counts: [.init("entries", .integer(result.entries))],
            restoring: result.tarNotes.command,
            notes: ["paths: " + selection.shownPaths.joined(separator: ", ")]
                + result.tarNotes.notes)
    }

    /// What the filter noted about the objects, in path order; once all segments are committed.
    public func notes(_ body: (JSON) throws(Failure) -> Void) throws(Failure) {
        guard let table = table.withLock({ $0 }) else {
            throw Failure(.failed, "notes before the inventory")
        }
        for (number, segment) in table.segments.enumerated() {
            guard case .entries = segment else { continue }
            var records = try RecordReader(layout.filterNotesPath(number))
            while try !records.atEnd() {
                try body(try JSON(parsing: try records.counted()))
            }
        }
    }

    /// The files that earlier attempts at a segment could not read to their end. An attempt asks
    /// once: a lock for each file would make the lanes wait for each other.
    func broken(in segment: Int) -> Set<[UInt8]> { broken.withLock { $0[segment] ?? [] } }

    func noteBroken(_ path: [UInt8], in segment: Int) {
        _ = broken.withLock { $0[segment, default: []].insert(path) }
    }

    /// Whether a segment in which a file changed is worth another attempt.
    func mayTryAgain(_ segment: Int, most: Int) -> Bool {
        attempts.withLock {
            $0[segment, default: 1] += 1
            return $0[segment, default: 1] <= most
        }
    }

    public func omissions() throws(Failure) -> OmissionSummary {
        guard let result = result.withLock({ $0 }) else {
            throw Failure(.failed, "omissions before the conclusion")
        }
        return result.omissions
    }

    /// - Parameter look: called with the path and the content of every file that the filter would see.
    public func survey(
        _ look: ([UInt8], [UInt8]) throws(Failure) -> Void = { (_, _) throws(Failure) in }
    ) throws(Failure) -> Survey {
        var inventory = try TreeInventory(
            selection, largest: largest, progress: room.progress)
        var counts: [String: (count: Int64, accepted: Bool)] = [:]
        var lines: [JSON] = []
        try inventory.walk { (record) throws(Failure) in
            if case .entry(let path, .file, _, _) = record { try show(path, to: look) }
            guard case .omission(let path, let type, let reason, let detail, let accepted) = record
            else { return }
            counts[reason, default: (0, accepted)].count += 1
            if lines.count < OmissionSummary.mostLines {
                lines.append(
                    .object([
                        PathMember.member(path), .init("type", .string(type)),
                        .init("reason", .string(reason)), .init("detail", .string(detail)),
                        .init("accepted", .bool(accepted)),
                    ]))
            }
        }
        let totals = inventory.totals
        let omissions = OmissionSummary(
            counts: counts.sorted { $0.key < $1.key }.map {
                .init(reason: $0.key, count: $0.value.count, accepted: $0.value.accepted)
            }, lines: lines)
        return Survey(
            bytes: totals.bytes, bytesToMove: totals.streamBytes,
            counts: totals.kinds.sorted { $0.key < $1.key }
                .map { .init($0.key, .integer($0.value)) },
            findings: findings(omissions), omissions: omissions)
    }

    /// What cannot be read now is told by the walk, or when it is exported.
    private func show(
        _ path: [UInt8], to look: ([UInt8], [UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        guard let filter else { return }
        var cursor = TreeCursor(root)
        var reader = EntryReader(names: names)
        guard let opened = try? reader.open(path, through: &cursor),
            opened.reading.entry.size <= filter.largest,
            let content = try? TreeSegment.whole(opened.descriptor, Int(opened.reading.entry.size))
        else { return }
        try look(path, content)
    }

    private func findings(_ omissions: OmissionSummary) -> [Finding] {
        var findings = omissions.counts.filter { !$0.accepted }.map { omission in
            Finding(
                omission.reason, .decision,
                "\(counted(omission.count, "object")) would be left out: \(omission.reason)",
                decision: "Add \(omission.reason) to accept of this source, exclude the paths, or "
                    + "make them readable; else the run ends with status 2.")
        }
        if geteuid() != 0 {
            findings.append(
                Finding(
                    "not-root", .warning,
                    "not running as root: files of others may be unreadable, and trusted.* "
                        + "attributes are invisible"))
        }
        return findings
    }
}
