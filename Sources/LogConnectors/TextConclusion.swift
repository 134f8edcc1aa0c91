import Archives
import Basics
import Connectors
import Logs
import Manifests
import Primitives

/// What all segments of text logs have given: the index, the streams, digests and omissions.
struct TextConclusion: Sendable {
    private(set) var index: [UInt8] = []
    private(set) var streamLines: [UInt8] = []
    private(set) var omissions = OmissionSummary()
    private(set) var conclusion = Conclusion()

    /// Notes of an item, those of all its parts joined.
    private struct Known {
        var note: TextNote
        var segment: Int
        var leaves: MerkleRange?

        /// The text of a large member was read on its own: what was changed between that and its parts tells nothing of them.
        mutating func settle() {
            guard let leaves, let whole = note.whole, leaves.root != whole, note.facts != nil else {
                return
            }
            (note.facts, note.text) = (nil, nil)
            if note.lacks == nil {
                note.lacks = .changed
                note.detail = "it was written to in its place while it was read"
            }
        }
    }

    init(
        _ layout: TextLayout, accepted: Set<LogOmission>,
        notes: (Int) throws(Failure) -> [TextNote]
    ) throws(Failure) {
        var known = [Known?](repeating: nil, count: layout.items.count)
        for segment in layout.segments.indices {
            for note in try notes(segment) { try Self.join(note, segment, &known[note.item]) }
        }
        for place in known.indices { known[place]?.settle() }
        var list = OmissionList<LogOmission>(accepted: accepted)
        for omitted in layout.omitted {
            list.addDetailed(omitted.reason, omitted.path, omitted.detail)
        }
        for excluded in layout.excluded {
            list.addExcluded(
                String(decoding: excluded.path, as: UTF8.self), reason: excluded.reason)
        }
        var content = MerkleRange()
        var metadata = MerkleRange()
        var leaf = TreeLeaf()
        var entries: Int64 = 0
        for (place, item) in layout.items.enumerated() {
            guard let known = known[place] else {
                throw Failure(.failed, "a segment has left no note of an item")
            }
            var entry = item.entry
            entry.size = known.note.size
            if let reason = known.note.omitted {
                list.addDetailed(reason, entry.path, known.note.detail)
                IndexLine.append(
                    omitted: entry.path, .file, reason: reason.rawValue,
                    detail: known.note.detail, accepted: accepted.contains(reason), to: &index)
                continue
            }
            if let reason = known.note.lacks {
                list.addDetailed(reason, entry.path, known.note.detail)
            }
            let digest =
                known.leaves.map { ContentDigest.tree($0.root) }
                ?? known.note.sha256.map { .sha256($0) }
            IndexLine.append(
                entry, digest: digest, segment: known.segment, offset: known.note.offset,
                to: &index)
            content.append(leaf: leaf.content(of: entry, digest))
            metadata.append(leaf: leaf.metadata(of: entry))
            entries += 1
        }
        omissions = list.summary
        let records = Self.records(layout, known.map { (item: Known?) -> TextNote? in item?.note })
        for record in records { streamLines += record.json.canonical + [0x0a] }
        conclude(records, content, metadata, entries)
    }

    private static func join(
        _ note: TextNote, _ segment: Int, _ known: inout Known?
    ) throws(Failure) {
        guard var joined = known else {
            known = Known(note: note, segment: segment, leaves: note.leaves)
            return
        }
        guard let more = note.leaves, var leaves = joined.leaves, more.start == leaves.end else {
            throw Failure(.failed, "parts of a large log do not follow each other")
        }
        leaves.append(more)
        joined.leaves = leaves
        if let lacks = note.lacks, joined.note.lacks == nil {
            joined.note.lacks = lacks
            joined.note.detail = note.detail
        }
        // Its text was read on its own, and is not that of a member with zeros in it.
        if note.lacks != nil { (joined.note.facts, joined.note.text) = (nil, nil) }
        known = joined
    }

    private static func records(
        _ layout: TextLayout, _ notes: [TextNote?]
    ) -> [TextStreamRecord] {
        layout.streams.map { stream in
            var record = TextStreamRecord(
                base: stream.base, order: stream.order, zone: stream.zone,
                isZoneGiven: stream.isZoneGiven, outside: stream.outside,
                membersOutside: stream.membersOutside, members: [])
            for place in stream.members {
                guard let member = layout.member(place), let note = notes[place],
                    note.omitted == nil
                else { continue }
                record.members.append(
                    TextMemberRecord(
                        path: member.entry.path, source: member.path,
                        packing: member.runs == nil ? member.packing : nil,
                        isSelected: member.runs != nil, format: member.format,
                        clock: member.clock, facts: note.facts, text: note.text,
                        lacks: note.lacks?.rawValue, others: member.others))
            }
            return record
        }
    }

    private mutating func conclude(
        _ records: [TextStreamRecord], _ content: MerkleRange, _ metadata: MerkleRange,
        _ entries: Int64
    ) {
        var totals = TextTotals()
        var earliest: Timestamp?
        var latest: Timestamp?
        var undated: Int64 = 0
        var selected = 0
        var untimed = 0
        for record in records {
            for member in record.members {
                if member.isSelected { selected += 1 }
                guard let facts = member.facts else { continue }
                totals.add(facts)
                undated += facts.undated
                if facts.first == nil, facts.lines > 0 { untimed += 1 }
                if let time = facts.earliest { earliest = min(earliest ?? time, time) }
                if let time = facts.latest { latest = max(latest ?? time, time) }
            }
        }
        conclusion.exported = entries
        conclusion.digests = [
            .init("tree-content", .string(content.root.hex)),
            .init("tree-metadata", .string(metadata.root.hex)),
            .init(
                "log-chain", .string(TextStreamRecord.chain(records.map(\.chain)).hex)),
        ]
        conclusion.counts = [
            .init("entries", .integer(entries)), .init("logs", .integer(Int64(records.count))),
            .init("log-entries", .integer(totals.entries)),
            .init("log-lines", .integer(totals.lines)), .init("log-undated", .integer(undated)),
            .init("selected", .integer(Int64(selected))),
            .init("files-without-times", .integer(Int64(untimed))),
        ]
        conclusion.restoring = "tar -xpf - --numeric-owner -C \"$HERE\""
        conclusion.notes = ["text logs, by the paths that they had"]
        if let earliest, let latest {
            conclusion.notes.append("entries from \(earliest.exact) to \(latest.exact)")
        }
        if untimed > 0 {
            conclusion.notes.append(
                "of \(untimed) files no time is understood: a range of time leaves nothing of them out"
            )
        }
        if selected > 0 {
            conclusion.notes.append(
                "of \(selected) files only the lines in the range of time of the plan, as plain text"
            )
        }
    }
}

extension OmissionList where Reason == LogOmission {
    mutating func addDetailed(_ reason: LogOmission, _ path: [UInt8], _ detail: String) {
        let name = String(decoding: path, as: UTF8.self)
        add(reason, detail.isEmpty ? name : "\(name): \(detail)")
    }
}
