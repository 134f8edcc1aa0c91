import Archives
import Basics
import Connectors
import Glibc
import Primitives
import Streams

// MARK: - Files that a filter looks at first

extension TreeSegment {
    /// Writes a file as the filter lets it pass. It is read whole, so that what is written is what
    /// was looked at.
    mutating func writeFiltered(
        _ path: [UInt8], _ group: InodeIdentity?, _ filter: any ContentFilter,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        var attempt = 1
        while true {
            let opened = try openFile(path)
            var flags = flags(of: opened.reading, group)
            var entry = opened.reading.entry
            guard entry.size <= filter.largest else {
                if filter.refusesLarger {
                    return try omit(path, .unsearched, "larger than \(filter.largest) bytes")
                }
                return try writeLong(opened, flags, into: &sink)
            }
            let content = try Self.whole(opened.descriptor, Int(entry.size))
            let differs = try hasChanged(opened.descriptor, since: opened.reading.identity)
            if differs || content.count != Int(entry.size) {
                if attempt < Self.attempts {
                    attempt += 1
                    usleep(20_000)
                    continue
                }
                flags.insert(.changed)
            }
            entry.extents = nil
            var notes: [JSON] = []
            let stored: [UInt8]
            switch try filter.pass(&entry, content, &notes) {
            case .same: stored = content
            case .replaced(let other): stored = other
            case .refused(let reason):
                filterNotes += notes
                return try omit(path, .unsearched, reason)
            }
            filterNotes += notes
            entry.size = Int64(stored.count)
            try emit(entry, .sha256(SHA256.hash(stored)), flags, into: &sink)
            try sink.write(stored)
            try pad(entry.size, into: &sink)
            exporter.room.progress.add(bytes: entry.size)
            return
        }
    }

    /// An object without content as the filter lets it pass.
    mutating func filtered(_ entry: Entry) throws(Failure) -> Entry {
        guard let filter = exporter.filter else { return entry }
        var entry = entry
        _ = try filter.pass(&entry, nil, &filterNotes)
        return entry
    }

    /// Durably, and before the notes whose presence says that the segment is whole.
    func keepFilterNotes() throws(Failure) {
        guard exporter.filter != nil else { return }
        var writer = try RecordWriter(exporter.layout.filterNotesPath(number))
        for note in filterNotes { try writer.append(counted: note.line) }
        try writer.finish()
    }

    /// The bytes of a file, at most one more than expected: more than that is a change.
    static func whole(
        _ file: borrowing Descriptor, _ expected: Int
    ) throws(Failure) -> [UInt8] {
        let raw = file.raw
        var bytes = [UInt8](repeating: 0, count: expected + 1)
        var done = 0
        while done <= expected {
            let from = done
            let count = unsafe bytes.withUnsafeMutableBytes { buffer in
                retrying {
                    unsafe Glibc.read(
                        raw, buffer.baseAddress.map { unsafe $0 + from }, buffer.count - from)
                }
            }
            guard count >= 0 else {
                throw Failure(
                    .sourceUnreadable, "read error", cause: Failure(errno: errno, "cannot read"))
            }
            if count == 0 { break }
            done += count
        }
        bytes.removeLast(bytes.count - done)
        return bytes
    }
}
