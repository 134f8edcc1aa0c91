import Archives
import Basics
import Manifests
import Primitives

/// Joins the notes of all segments into the index: its lines in path order, the two Merkle roots,
/// and what was omitted.
struct TreeIndexBuilder {
    private let layout: TreeLayout
    private let table: SegmentTable
    private let accepted: Set<FileOmission>
    private var content = MerkleRange()
    private var metadata = MerkleRange()
    private var entries: Int64 = 0
    /// Lines of omissions beside the line of their entry.
    private var seconds: Int64 = 0
    private var omissions: [OmissionKey: Int64] = [:]
    private var lines: [JSON] = []
    private var leaf = TreeLeaf()
    private var tarNotes = TarNotes()
    /// First names of inodes that are not in the stream as the inventory saw them: their further
    /// names would get another file's content, so they are omitted.
    private var lostFirstNames: Set<[UInt8]> = []

    private struct OmissionKey: Hashable {
        let reason: String
        let accepted: Bool
    }

    /// What the tree is, once all of it is stored.
    struct Result: Sendable {
        let content: Digest256
        let metadata: Digest256
        let entries: Int64
        let omissions: OmissionSummary
        let tarNotes: TarNotes
    }

    init(layout: TreeLayout, table: SegmentTable, accepted: Set<FileOmission>) {
        self.layout = layout
        self.table = table
        self.accepted = accepted
    }

    /// Writes `layout.indexPath`, and `layout.indexPath + ".cuts"`: where each segment of the index
    /// begins, and at the end its length; each with the number of lines before it that are the second
    /// one about an object.
    mutating func build() throws(Failure) -> Result {
        var records = try RecordReader(layout.recordsPath)
        var index = try RecordWriter(layout.indexPath)
        var cuts = try RecordWriter(layout.indexPath + ".cuts")
        var written: Int64 = 0
        for (number, segment) in table.segments.enumerated() {
            guard case .entries(_, let to) = segment else { continue }
            var notes = try RecordReader(layout.notesPath(number))
            while records.position < to {
                if written % TreeLayout.indexLines == 0 {
                    try cuts.append(index.position)
                    try cuts.append(seconds)
                }
                let record = try records.record()
                try add(record, try notes.entryNote(), segment: number, to: &index)
                written += 1
            }
        }
        try cuts.append(index.position)
        try cuts.append(seconds)
        // Made again from the notes by every process that goes on with the run.
        try index.finish(durably: false)
        try cuts.finish(durably: false)
        let counts = omissions.map {
            OmissionSummary.Count(reason: $0.key.reason, count: $0.value, accepted: $0.key.accepted)
        }
        return Result(
            content: content.root, metadata: metadata.root, entries: entries,
            omissions: OmissionSummary(
                counts: counts.sorted {
                    ($0.reason, $0.accepted ? 1 : 0) < ($1.reason, $1.accepted ? 1 : 0)
                },
                lines: lines),
            tarNotes: tarNotes)
    }

    private mutating func add(
        _ record: LayoutRecord, _ note: EntryNote, segment: Int, to index: inout RecordWriter
    ) throws(Failure) {
        var note = note
        if note.flags.contains(.large), case .large(let file) = record {
            try fill(&note, file, header: segment)
        }
        if case .link(let path, let target, _) = record, lostFirstNames.contains(target),
            note.flags.contains(.link)
        {
            omit(&note, path, .changed, "its first name changed during the run")
        }
        if let first = record.firstName,
            !note.flags.contains(.entry) || note.flags.contains(.detached)
        {
            lostFirstNames.insert(first)
        }
        if note.flags.contains(.entry) {
            content.append(leaf: note.content)
            metadata.append(leaf: note.metadata)
            entries += 1
            if let entry = record.outline { tarNotes.add(entry) }
        }
        if !note.reason.isEmpty {
            if note.flags.contains(.entry) { seconds += 1 }
            var detail = ""
            if case .omission(_, _, _, let text, _) = record { detail = text }
            count(note.reason, note.flags.contains(.accepted), record.path, detail)
        }
        if note.flags.contains(.changed) {
            count(FileOmission.changed.rawValue, accepted.contains(.changed), record.path)
        }
        if note.flags.contains(.attributesLost) {
            count(FileOmission.unreadable.rawValue, accepted.contains(.unreadable), record.path)
        }
        try index.append(note.line)
    }

    /// Turns the note of an entry into one of an omission.
    private func omit(
        _ note: inout EntryNote, _ path: [UInt8], _ reason: FileOmission, _ detail: String
    ) {
        let isAccepted = accepted.contains(reason)
        var line: [UInt8] = []
        IndexLine.append(
            omitted: path, .file, reason: reason.rawValue, detail: detail, accepted: isAccepted,
            to: &line)
        note = EntryNote(
            flags: isAccepted ? .accepted : [], content: Digest256(), metadata: Digest256(),
            reason: reason.rawValue, line: line[...])
    }

    private mutating func count(
        _ reason: String, _ accepted: Bool, _ path: [UInt8], _ detail: String = ""
    ) {
        omissions[OmissionKey(reason: reason, accepted: accepted), default: 0] += 1
        guard lines.count < OmissionSummary.mostLines else { return }
        var members: [JSON.Member] = [PathMember.member(path), .init("reason", .string(reason))]
        if !detail.isEmpty { members.append(.init("detail", .string(detail))) }
        lines.append(.object(members + [.init("accepted", .bool(accepted))]))
    }

    /// Puts the digest of a large file, known only now, in the place that its line keeps free.
    private mutating func fill(
        _ note: inout EntryNote, _ file: LargeFile, header: Int
    ) throws(Failure) {
        var leaves = MerkleRange()
        var plain: Digest256?
        for number in 0..<file.parts.count {
            var notes = try RecordReader(layout.notesPath(header + 1 + number))
            let part = try notes.partNote()
            leaves.append(part.leaves)
            plain = part.plain
            if part.changed { note.flags.insert(.changed) }
            if let reason = FileOmission(rawValue: part.omission) {
                // Zeros stand for the lost part; the entry stays, since the stream has it.
                note.flags.insert(.changed)
                count(reason.rawValue, accepted.contains(reason), file.path)
            }
        }
        let digest = plain.map { ContentDigest.sha256($0) } ?? .tree(leaves.root)
        // Quotes inside names are escaped, so neither text can be part of one.
        let zeros = Array(("\"sha256-tree-1m\":\"" + String(repeating: "0", count: 64)).utf8)
        let word = plain == nil ? "sha256-tree-1m" : "sha256"
        try Self.replace(
            zeros, with: Array("\"\(word)\":\"\((plain ?? leaves.root).hex)".utf8), in: &note.line)
        if note.flags.contains(.changed) {
            let segment = Array(",\"segment\":".utf8)
            try Self.replace(
                segment, with: Array(",\"changed\":true".utf8) + segment, in: &note.line)
        }
        note.content = leaf.content(of: Entry(path: file.path, kind: .file), digest)
    }

    private static func replace(
        _ text: [UInt8], with other: [UInt8], in line: inout ArraySlice<UInt8>
    ) throws(Failure) {
        var start = line.startIndex
        while start + text.count <= line.endIndex {
            if line[start..<start + text.count].elementsEqual(text) {
                line.replaceSubrange(start..<start + text.count, with: other)
                return
            }
            start += 1
        }
        throw Failure(.failed, "a line of the index has no place for its digest")
    }
}
