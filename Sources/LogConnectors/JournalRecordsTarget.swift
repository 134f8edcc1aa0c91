import Archives
import Basics
import Connectors
import Glibc
import Logs
import Manifests
import Plans
import Primitives
import Streams
import Synchronization

/// The journal at a target in all forms that the plan asks for: as journal files, and as records of JSON.
///
/// Units of a stream count its forms: 0 are journal files, others are records.
final class JournalForms: LogTargetFamily {
    static let artifactKinds = JournalTargetFamily.artifactKinds

    private let files: JournalTargetFamily?
    private let records: [JournalRecordsTarget]
    private let fileSlices = Mutex(0)
    /// Raw journal files that no form of the plan takes.
    private let unused: Int

    init(
        _ target: LogsTarget, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        let forms = target.journald.forms
        files =
            forms.contains(.files)
            ? try JournalTargetFamily(
                target, source: source, from: artifacts, room: room, resuming: resuming) : nil
        var records: [JournalRecordsTarget] = []
        for form in forms where form != .files {
            records.append(
                JournalRecordsTarget(
                    "\(target.directory)/\(form.rawValue)/journal", form, target, source: source,
                    from: artifacts, room: room))
        }
        self.records = records
        unused = files == nil ? source.artifacts.count { $0.kind == "journal-file" } : 0
    }

    func prepare() throws(Failure) -> ImportOutline {
        var outline =
            try files?.prepare() ?? ImportOutline(rounds: [], slices: 0, bytes: 0)
        let slices = outline.slices
        fileSlices.withLock { $0 = slices }
        for (number, target) in records.enumerated() {
            let part = try target.prepare(unit: number + 1)
            guard !part.rounds.isEmpty else { continue }
            if outline.rounds.isEmpty { outline.rounds.append([]) }
            outline.rounds[0] += part.rounds[0]
            outline.slices += part.slices
            outline.bytes += part.bytes
        }
        return outline
    }

    func begin() throws(Failure) {
        try files?.begin()
        for target in records { try target.begin() }
    }

    func replay(_ unit: SegmentNumber) throws(Failure) {
        guard unit.segment > 0 else {
            try files?.replay(unit)
            return
        }
        try records[unit.segment - 1].replay(unit.artifact)
    }

    func finish() throws(Failure) { try files?.finish() }

    func compare(_ slice: Int) throws(Failure) {
        let own = fileSlices.withLock { $0 }
        if slice < own {
            try files?.compare(slice)
            return
        }
        var slice = slice - own
        for target in records {
            if slice < target.slices { return try target.compare(slice) }
            slice -= target.slices
        }
    }

    func conclude(counting: Bool) throws(Failure) -> ImportResult {
        var result =
            try files?.conclude(counting: counting)
            ?? ImportResult(
                comparisons: [], differences: [], differenceCount: 0, shortfalls: [],
                shortfallCount: 0, counts: [], mappings: [:])
        for target in records { try target.conclude(counting: counting, into: &result) }
        if unused > 0 {
            result.reservations.append(Reservation(.journalsUnused, count: unused))
        }
        return result
    }
}

/// Streams of the journal as records of JSON: MACHINE/BOOT.ndjson, or MACHINE/BOOT-00001.ndjson and so on
/// in the form that `_bulk` takes.
final class JournalRecordsTarget: Sendable {
    private let root: String
    private let form: TextTarget.Form
    private let target: LogsTarget
    private let source: SourceRecord
    private let artifacts: any ArtifactSource
    private let room: Room
    private let streams: [Int]
    private let found = Mutex<[Int: Found]>([:])

    private struct Found: Sendable {
        var chain = JournalChain()
        var records: Int64 = 0
        /// Records from which the entry does not come back.
        var incomplete: Int64 = 0
    }

    init(
        _ root: String, _ form: TextTarget.Form, _ target: LogsTarget, source: SourceRecord,
        from artifacts: any ArtifactSource, room: Room
    ) {
        self.root = root
        self.form = form
        self.target = target
        self.source = source
        self.artifacts = artifacts
        self.room = room
        streams = source.artifacts.indices.filter { source.artifacts[$0].kind == "journal" }
    }

    var slices: Int { streams.count }

    private func stem(_ artifact: Int) throws(Failure) -> [UInt8] {
        let parts = source.artifacts[artifact].name.split(separator: "/")
        guard parts.count == 2, let machine = JournalID(parts[0]), let boot = JournalID(parts[1])
        else {
            throw Failure(
                .manifestMalformed,
                "\"\(source.artifacts[artifact].name)\" names no machine and boot")
        }
        return Array("\(root)/\(machine)/\(boot)".utf8)
    }

    func prepare(unit: Int) throws(Failure) -> ImportOutline {
        guard !streams.isEmpty else { return ImportOutline(rounds: [], slices: 0, bytes: 0) }
        if target.existing == .refuse, !Files.exists(begunPath), Files.exists(root) {
            guard try Files.names(in: root).isEmpty else {
                throw Failure(
                    .targetOccupied, "the target \"\(root)\" is not empty",
                    hint: "Choose another one, or say `existing: replace`.")
            }
        }
        return ImportOutline(
            rounds: [streams.map { SegmentNumber(artifact: $0, segment: unit) }],
            slices: streams.count,
            bytes: streams.reduce(0) { $0 + source.artifacts[$1].plainBytes })
    }

    private var begunPath: String { "\(room.directory)/begun-\(form.rawValue)" }

    func begin() throws(Failure) {
        if streams.isEmpty { return }
        try Files.makeDirectory(root, mode: 0o700)
        try Files.write([], to: begunPath, mode: 0o600)
    }

    func replay(_ artifact: Int) throws(Failure) {
        let record = source.artifacts[artifact]
        let stem = try stem(artifact)
        try Files.makeDirectories(above: stem)
        var maker = OpenTelemetryJournal(
            source: source.name,
            observed: Timestamp(source.moment.value) ?? Timestamp(seconds: 0))
        let index = form == .bulk ? target.journald.index : nil
        var pieces = RecordPieces(stem, isPieced: index != nil)
        var number = 0
        for segment in record.segments.indices {
            var reader = JournalFieldReader(
                StreamSource(try artifacts.open(record, segment: segment)))
            while let fields = try reader.next() {
                try room.progress.checkCancelled()
                let size = fields.reduce(0) { $0 + $1.value.count }
                let id = index.map { _ in Self.identifier(source, record.name, number) }
                try pieces.append(expecting: Int64(size) * 2) { line in
                    if let index, let id {
                        RecordPieces.appendAction(index, id, to: &line)
                    }
                    maker.append(fields, stamped: index != nil, to: &line)
                }
                number += 1
            }
        }
        let written = try pieces.finish()
        room.progress.add(stored: written, objects: 1)
    }

    private static func identifier(
        _ source: SourceRecord, _ stream: String, _ number: Int
    ) -> [UInt8] {
        let text = "exeat/log-id/v1\0\(source.name)\0\(source.moment.value)\0\(stream)\0\(number)"
        return Array(SHA256.hash(Array(text.utf8)).hex.utf8.prefix(40))
    }

    // MARK: - Proof

    func compare(_ slice: Int) throws(Failure) {
        let artifact = streams[slice]
        var found = Found()
        try RecordLines(form, at: try stem(artifact)).read(room.progress) {
            (line) throws(Failure) in
            found.records += 1
            guard let entry = OpenTelemetryJournal.export(line) else {
                found.incomplete += 1
                return
            }
            var reader = JournalExportReader(MemorySource(entry))
            do throws(Failure) {
                if let entry = try reader.next() {
                    found.chain.add(entry.digest, realtime: entry.realtime)
                }
            } catch { found.incomplete += 1 }
        }
        let result = found
        self.found.withLock { $0[artifact] = result }
    }

    func conclude(counting: Bool, into result: inout ImportResult) throws(Failure) {
        if counting {
            for slice in streams.indices { try compare(slice) }
        }
        let found = found.withLock { $0 }
        var incomplete: Int64 = 0
        for artifact in streams {
            guard let found = found[artifact] else { continue }
            let record = source.artifacts[artifact]
            incomplete += found.incomplete
            // Values that stand in a record as their digest leave no chain: the entries are counted.
            let isWhole = found.incomplete == 0
            for comparison in found.chain.comparisons(with: record, digests: !counting)
            where isWhole || comparison.measure == "entries" {
                var comparison = comparison
                comparison.name = "\(form.rawValue) \(comparison.name)"
                comparison.measure = "\(form.rawValue) \(comparison.measure)"
                if !isWhole { comparison.found = String(found.records) }
                result.comparisons.append(comparison)
            }
        }
        if incomplete > 0 {
            result.reservations.append(Reservation(.digestsInRecords, count: incomplete))
        }
    }
}
