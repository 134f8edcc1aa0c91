import Archives
import Basics
import Connectors
import Primitives
import Streams

/// Out to the stream, and into the notes.
extension TreeSegment {
    mutating func writeHeader(
        _ entry: Entry, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        header.removeAll(keepingCapacity: true)
        pax.appendHeader(of: entry, to: &header)
        try sink.write(header)
        offset += Int64(header.count)
    }

    mutating func pad(
        _ length: Int64, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        let count = PaxWriter.padding(after: length)
        if count == 0 { return }
        header.removeAll(keepingCapacity: true)
        header.append(contentsOf: PaxWriter.end[..<count])
        try sink.write(header)
        offset += Int64(count)
    }

    /// Header and note of an entry whose data, if any, follows and fits in the buffer.
    mutating func emit(
        _ entry: Entry, _ digest: ContentDigest?, _ flags: SegmentNote.Flags = [],
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        let start = offset
        try writeHeader(entry, into: &sink)
        if entry.kind == .file { offset += entry.size }
        try note(entry, digest, flags, at: start)
    }

    /// - Parameter reason: why there is an omission beside it; it has a line of its own.
    mutating func note(
        _ entry: Entry, _ digest: ContentDigest?, _ flags: SegmentNote.Flags, at start: Int64,
        but reason: FileOmission? = nil, _ detail: String = ""
    ) throws(Failure) {
        line.removeAll(keepingCapacity: true)
        IndexLine.append(
            entry, digest: digest,
            hasChanged: flags.contains(.changed) && !flags.contains(.large), segment: number,
            offset: start, to: &line)
        var flags = flags.union(.entry)
        if let reason {
            let isAccepted = exporter.selection.accepted.contains(reason)
            if isAccepted { flags.insert(.accepted) }
            IndexLine.append(
                omitted: entry.path, WalkedKind(rawValue: entry.kind.rawValue),
                reason: reason.rawValue, detail: detail.isEmpty ? nil : detail,
                accepted: isAccepted, to: &line)
        }
        try notes.append(
            EntryNote(
                flags: flags,
                content: flags.contains(.large)
                    ? Digest256() : leaf.content(of: entry, digest),
                metadata: leaf.metadata(of: entry), reason: reason?.rawValue ?? "",
                line: line[...]))
        result.exported += 1
    }

    mutating func omit(
        _ path: [UInt8], _ reason: FileOmission, _ detail: String
    ) throws(Failure) {
        result.omitted += 1
        try note(
            omitted: path, type: nil, reason.rawValue, detail,
            exporter.selection.accepted.contains(reason))
    }

    mutating func note(
        omitted path: [UInt8], type: WalkedKind?, _ reason: String, _ detail: String,
        _ accepted: Bool
    ) throws(Failure) {
        line.removeAll(keepingCapacity: true)
        IndexLine.append(
            omitted: path, type, reason: reason, detail: detail.isEmpty ? nil : detail,
            accepted: accepted, to: &line)
        try notes.append(
            EntryNote(
                flags: accepted ? .accepted : [], content: Digest256(), metadata: Digest256(),
                reason: reason, line: line[...]))
    }
}
