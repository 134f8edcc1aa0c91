import Archives
import Basics
import Connectors
import Primitives
import Streams

/// Writes one part of a large file: the bytes that the inventory fixed, whatever became of the file.
///
/// Other lanes write the other parts and the header, so that the length must come out as planned;
/// where the file has changed or gone, the note says so and the index lists it as it is.
struct LargePart: ~Copyable {
    private let exporter: TreeExport
    private let number: Int
    private let file: LargeFile

    init(_ exporter: TreeExport, number: Int, record: Int64) throws(Failure) {
        self.exporter = exporter
        self.number = number
        var reader = try RecordReader(exporter.layout.recordsPath, from: record)
        guard case .large(let file) = try reader.record() else {
            throw Failure(.failed, "the layout has no large file at \(record)")
        }
        self.file = file
    }

    mutating func write(
        _ visible: Range<Int64>, isLast: Bool, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        var note = PartNote(
            changed: false, omission: "",
            leaves: MerkleRange(start: visible.lowerBound / TreeDigest.leafSize), plain: nil)
        do throws(Failure) {
            try copy(visible, &note, into: &sink)
        } catch {
            switch error.code {
            case .sourceVanished: note.omission = FileOmission.vanished.rawValue
            case .sourceUnreadable: note.omission = FileOmission.unreadable.rawValue
            case .sourceChanged: note.omission = FileOmission.changed.rawValue
            default: throw error
            }
            // Only what failed before its first byte can be filled up with zeros.
            guard !error.mayRetry || error.code != .sourceUnreadable else {
                exporter.noteBroken(file.path, in: number)
                throw error
            }
            try writeZeros(length(of: visible), into: &sink)
            noteZeros(visible, &note)
        }
        if visible.upperBound == file.size {
            let total = file.extents.reduce(0) { $0 + $1.length }
            try writeZeros(Int64(PaxWriter.padding(after: total)), into: &sink)
        }
        if isLast { try sink.write(PaxWriter.end) }
        var notes = try RecordWriter(exporter.layout.notesPath(number))
        try notes.append(note)
        try notes.finish()
        return SegmentResult(exported: 0, omitted: 0)
    }

    private func copy(
        _ visible: Range<Int64>, _ note: inout PartNote, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        if exporter.broken(in: number).contains(file.path) {
            throw Failure(.sourceUnreadable, "read error")
        }
        var cursor = TreeCursor(exporter.root)
        var reader = EntryReader(names: exporter.names)
        let opened: EntryReader.OpenedFile
        do throws(Failure) { opened = try reader.open(file.path, through: &cursor) } catch {
            throw error.ofSource(file.path)
        }
        var chunk = Chunk()
        let isWhole = isWhole(visible)
        var data = FileData(
            opened.descriptor, file.path, progress: exporter.room.progress,
            from: visible.lowerBound)
        try data.copy(file.extents, visible: visible, plain: isWhole, &chunk, into: &sink)
        let now = FileIdentity(try opened.descriptor.status())
        note.changed =
            data.wasShort || now.hasChanged(since: file.identity)
            || visible.upperBound == file.size && data.hasMore(behind: file.size)
        note.leaves = data.leaves()
        note.plain = isWhole ? data.plainDigest() : nil
    }

    /// The digest of what is stored in place of lost bytes, so that the archive agrees with itself.
    private func noteZeros(_ visible: Range<Int64>, _ note: inout PartNote) {
        var hasher = TreeHasher(from: visible.lowerBound)
        hasher.update(zeros: visible.upperBound - visible.lowerBound)
        note.leaves = hasher.finish()
        guard isWhole(visible) else { return }
        var plain = SHA256()
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        var left = Int(file.size)
        while left > 0 {
            plain.update(Array(zeros[..<min(left, zeros.count)]))
            left -= min(left, zeros.count)
        }
        note.plain = plain.finish()
    }

    private func isWhole(_ visible: Range<Int64>) -> Bool {
        visible == 0..<file.size && !file.hasHoles
    }

    private func length(of visible: Range<Int64>) -> Int64 {
        file.extents.reduce(0) { sum, extent in
            let start = max(extent.offset, visible.lowerBound)
            let end = min(extent.offset + extent.length, visible.upperBound)
            return sum + max(0, end - start)
        }
    }

    private func writeZeros(
        _ count: Int64, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        let zeros = [UInt8](repeating: 0, count: Int(min(count, 1 << 20)))
        var left = count
        while left > 0 {
            let size = Int(min(left, Int64(zeros.count)))
            try sink.write(Array(zeros[..<size]))
            left -= Int64(size)
        }
    }
}
