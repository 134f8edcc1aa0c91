import Basics
import Connectors
import Glibc
import Logs
import Manifests
import Primitives
import Streams
import Synchronization

/// The journal of systemd: one artifact for each machine and boot, and the raw files on request.
final class JournalFamily: LogFamily {
    static let word = "journald"

    let settings: JournaldSettings
    let accepted: Set<LogOmission>
    let room: Room
    private let notes: JournalNotes
    private let known = Mutex<JournalInventory?>(nil)

    init(
        _ settings: JournaldSettings, accepted: Set<LogOmission>, room: Room
    ) throws(Failure) {
        self.settings = settings
        self.accepted = accepted
        self.room = room
        notes = JournalNotes(directory: room.directory)
    }

    func inventory() throws(Failure) -> FamilyInventory {
        let path = room.directory + "/inventory"
        if !Files.exists(path) {
            let taker = JournalInventoryTaker(settings: settings, accepted: accepted, room: room)
            try taker.take().write(to: path)
        }
        let inventory = try JournalInventory(reading: path)
        known.withLock { $0 = inventory }
        var artifacts = inventory.streams.map { stream in
            ArtifactOutline(
                name: "\(stream.name.machine)/\(stream.name.boot)", slug: "journal",
                kind: "journal", legal: .exportableData, format: "export",
                segments: stream.segments.count, expected: stream.entries, bytes: stream.bytes)
        }
        for file in inventory.verbatim.map({ inventory.files[$0] }) {
            artifacts.append(
                ArtifactOutline(
                    name: file.path, slug: "journal-file", kind: "journal-file",
                    legal: .exportableData, format: "journal",
                    segments: Int(
                        max(
                            1,
                            (file.size + JournalInventory.rawSegment - 1)
                                / JournalInventory.rawSegment)),
                    expected: 1, bytes: file.size))
        }
        let entries = inventory.streams.reduce(Int64(0)) { $0 + $1.entries }
        return FamilyInventory(
            artifacts: artifacts, objects: inventory.objects, facts: inventory.facts,
            counts: [
                .init("journal-entries", .integer(entries)),
                .init("journal-streams", .integer(Int64(inventory.streams.count))),
                .init("journal-files", .integer(Int64(inventory.files.count))),
            ])
    }

    private func inventoryKnown() throws(Failure) -> JournalInventory {
        guard let inventory = known.withLock({ $0 }) else {
            throw Failure(.failed, "an export before the inventory")
        }
        return inventory
    }

    // MARK: - Export

    func export(
        _ number: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        let inventory = try inventoryKnown()
        guard number.artifact < inventory.streams.count else {
            return try exportRaw(number, inventory, into: &sink)
        }
        let stream = inventory.streams[number.artifact]
        let from = stream.segments[..<number.segment].reduce(0, +)
        let count = stream.segments[number.segment]
        var reader = RecordFileReader(
            JournalInventory.ordered(number.artifact, in: room.directory),
            recordSize: OrderedEntry.size, from: from, count: count)
        let files = OpenJournals(inventory.files)
        let renderer = try JournalRenderer()
        var digests = try RecordFileWriter(
            notes.digests(number), recordSize: JournalNotes.digestSize)
        var flaws = FlawList()
        var exported: Int64 = 0
        var omitted: Int64 = 0
        while let ordered = try unsafe reader.next({ unsafe OrderedEntry($0) }) {
            if exported & 0x3ff == 0 { try room.progress.checkCancelled() }
            let path = inventory.files[ordered.file].path
            guard let file = try files.file(ordered.file) else {
                omitted += 1
                flaws.add(.vanished, path, "the file is gone; its entries were not read yet")
                continue
            }
            guard let entry = try file.entry(ordered.offset), entry.sequence == ordered.sequence
            else {
                omitted += 1
                flaws.add(
                    .entriesUnreadable, path,
                    "the first is number \(ordered.sequence), at byte \(ordered.offset), boot "
                        + stream.name.boot.text)
                continue
            }
            let (digest, wrong) = try renderer.render(entry, of: file, into: &sink)
            if !wrong.isEmpty { flaws.add(wrong, entry, path) }
            try unsafe digests.append { unsafe JournalNotes.store(digest, entry.realtime, $0) }
            exported += 1
        }
        try renderer.flush(into: &sink)
        try digests.finish(durably: true)
        try notes.write(exported, flaws.list, for: number)
        room.progress.add(objects: exported)
        return SegmentResult(exported: exported, omitted: omitted)
    }

    private func exportRaw(
        _ number: SegmentNumber, _ inventory: JournalInventory,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        let place = inventory.verbatim[number.artifact - inventory.streams.count]
        let known = inventory.files[place]
        let from = Int64(number.segment) * JournalInventory.rawSegment
        let size = min(JournalInventory.rawSegment, known.size - from)
        let path = OpenJournals.place(of: known) ?? known.path
        let file = SharedDescriptor(
            try Descriptor(opening: path, O_RDONLY), name: "\"\(path)\"")
        var source = FileSource(file, from: from, size: size)
        var chunk = Chunk()
        var hasher = SHA256()
        repeat {
            try room.progress.checkCancelled()
            try source.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                unsafe hasher.update(bytes)
                try unsafe sink.write(buffer: bytes)
            }
        } while !chunk.isEmpty
        try notes.writeRaw(hasher.finish(), for: number)
        return SegmentResult(exported: number.segment == 0 ? 1 : 0, omitted: 0)
    }

    // MARK: - Conclusion

    func conclude(_ artifact: Int) throws(Failure) -> Conclusion {
        let inventory = try inventoryKnown()
        guard artifact < inventory.streams.count else {
            let file = inventory.files[inventory.verbatim[artifact - inventory.streams.count]]
            let parts = Int(
                max(1, (file.size + JournalInventory.rawSegment - 1) / JournalInventory.rawSegment))
            var digests: [String] = []
            for segment in 0..<parts {
                digests.append(
                    try notes.raw(SegmentNumber(artifact: artifact, segment: segment)))
            }
            return Conclusion(
                exported: 1, digests: [RawJournal.digest(digests)],
                counts: [.init("bytes", .integer(file.size))],
                notes: ["the journal file \(file.path), as it is"])
        }
        let stream = inventory.streams[artifact]
        let chain = try notes.chain(artifact: artifact, segments: stream.segments.count)
        return Conclusion(
            exported: chain.entries, digests: chain.digests, counts: chain.counts,
            restoring: "/lib/systemd/systemd-journal-remote --split-mode=none "
                + "-o \"$HERE\"/\(stream.name.boot).journal -",
            notes: [
                "machine \(stream.name.machine), boot \(stream.name.boot), "
                    + "\(chain.entries) entries"
            ])
    }

    func omissions() throws(Failure) -> OmissionSummary {
        let inventory = try inventoryKnown()
        var summary = inventory.omissions
        for (artifact, stream) in inventory.streams.enumerated() {
            for segment in stream.segments.indices {
                let number = SegmentNumber(artifact: artifact, segment: segment)
                for flaw in try notes.read(number).flaws {
                    summary.add(
                        flaw.reason, flaw.count, flaw.object, detail: flaw.detail,
                        accepted: accepted)
                }
            }
        }
        return summary
    }
}

/// A raw journal file in an archive.
enum RawJournal {
    /// Plain SHA-256 of a file in one segment; of a larger one that of its segments' digests, put
    /// behind each other in hexadecimal.
    static func digest(_ segments: [String]) -> JSON.Member {
        segments.count == 1
            ? .init("sha256", .string(segments[0]))
            : .init(
                "sha256-of-segments",
                .string(SHA256.hash(Array(segments.joined().utf8)).hex))
    }
}

/// The journal files that a lane reads from, a few at a time.
final class OpenJournals {
    private let sources: [JournalInventory.Source]
    private var open: [(place: Int, file: JournalFile?)] = []

    private static let most = 8

    init(_ sources: [JournalInventory.Source]) { self.sources = sources }

    /// The file at a place of the inventory; nil when it is gone.
    func file(_ place: Int) throws(Failure) -> JournalFile? {
        if let last = open.last, last.place == place { return last.file }
        if let found = open.firstIndex(where: { $0.place == place }) {
            let kept = open.remove(at: found)
            open.append(kept)
            return kept.file
        }
        if open.count == Self.most { open.removeFirst() }
        let file = try Self.place(of: sources[place]).map { (path) throws(Failure) in
            try JournalFile(path, windows: 64)
        }
        open.append((place, file))
        return file
    }

    /// Where a file is now: journald renames those that it closes.
    static func place(of source: JournalInventory.Source) -> String? {
        func isSame(_ path: String) -> Bool {
            (try? JournalFile(path, windows: 1))?.header.fileID == source.fileID
        }
        if isSame(source.path) { return source.path }
        let directory = Files.parent(of: source.path)
        for name in (try? Files.names(in: directory)) ?? [] where JournalPaths.isJournal(name) {
            if isSame(directory + "/" + name) { return directory + "/" + name }
        }
        return nil
    }
}

/// What was wrong with the entries of a segment: one line for each file and reason.
struct FlawList {
    private(set) var list: [JournalNotes.Flaw] = []

    mutating func add(_ reason: LogOmission, _ path: String, _ detail: String) {
        if let place = list.firstIndex(where: { $0.object == path && $0.reason == reason }) {
            list[place].count += 1
        } else {
            list.append(.init(reason: reason, count: 1, object: path, detail: detail))
        }
    }

    mutating func add(_ flaws: JournalRenderer.Flaws, _ entry: JournalEntry, _ path: String) {
        let place =
            "the first is number \(entry.sequence) of \(JournalTime.text(entry.realtime)), at byte "
            + "\(entry.offset), boot \(entry.boot); exported without what cannot be read"
        if flaws.unreadable > 0 { add(.fieldsUnreadable, path, place) }
        if flaws.damaged > 0 { add(.fieldsDamaged, path, place) }
    }
}
