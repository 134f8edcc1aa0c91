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

/// Text logs on their way to a target: files below `text` of its directory, records below `ndjson` and
/// `bulk`.
final class TextTargetFamily: LogTargetFamily {
    static let artifactKinds = ["log-text", "log-text-index", "log-text-streams"]

    private let settings: TextTarget
    private let directory: String
    private let existing: TreeTarget.Existing
    private let source: SourceRecord
    private let artifacts: any ArtifactSource
    private let room: Room
    private let resuming: Bool
    private let state = Mutex(State())

    private struct State {
        var stored: TextStored?
        var files: TextFilesTarget?
        var records: [TextRecordsTarget] = []
    }

    init(
        _ target: LogsTarget, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        settings = target.text
        directory = target.directory
        switch target.existing {
        case .refuse: existing = .refuse
        case .add: existing = .add
        case .replace: existing = .replace
        }
        self.source = source
        self.artifacts = artifacts
        self.room = room
        self.resuming = resuming
    }

    func prepare() throws(Failure) -> ImportOutline {
        guard source.artifacts.contains(where: { Self.artifactKinds.contains($0.kind) }) else {
            return ImportOutline(rounds: [], slices: 0, bytes: 0)
        }
        var files: TextFilesTarget?
        if settings.forms.contains(.files) {
            files = try TextFilesTarget(
                directory + "/text", settings, existing: existing, room: room, resuming: resuming)
        }
        guard
            let stored = try TextStored.open(
                source, from: artifacts, in: room.directory, folds: files?.folds ?? false,
                progress: room.progress)
        else { throw Failure(.manifestMalformed, "the text logs of the archive have no files") }
        files?.take(stored)
        var records: [TextRecordsTarget] = []
        for form in settings.forms where form != .files {
            records.append(
                try TextRecordsTarget(
                    directory + "/" + form.rawValue, form, settings, stored,
                    source: SourceName(name: source.name, moment: source.moment.value),
                    existing: existing, room: room, resuming: resuming))
        }
        let units =
            records.isEmpty || files != nil
            ? Array(stored.tree.segments.indices) : stored.beginnings
        let slices = (files?.slices ?? 0) + records.reduce(0) { $0 + $1.slices }
        let (opened, targets) = (files, records)
        state.withLock {
            $0.stored = stored
            $0.files = opened
            $0.records = targets
        }
        return ImportOutline(
            rounds: [units.map { SegmentNumber(artifact: stored.artifact, segment: $0) }],
            slices: slices, bytes: stored.summary.size)
    }

    func begin() throws(Failure) {
        let (files, records) = state.withLock { ($0.files, $0.records) }
        try files?.begin()
        for target in records { try target.begin() }
    }

    func replay(_ unit: SegmentNumber) throws(Failure) {
        let (files, records) = state.withLock { ($0.files, $0.records) }
        try files?.replay(unit.segment)
        for target in records { try target.replay(unit.segment) }
    }

    func finish() throws(Failure) {
        let (files, records) = state.withLock { ($0.files, $0.records) }
        try files?.finish()
        for target in records { try target.finish() }
    }

    func compare(_ slice: Int) throws(Failure) {
        let (files, records) = state.withLock { ($0.files, $0.records) }
        var slice = slice
        if let files {
            if slice < files.slices { return try files.compare(slice) }
            slice -= files.slices
        }
        for target in records {
            if slice < target.slices { return try target.compare(slice) }
            slice -= target.slices
        }
    }

    func conclude(counting: Bool) throws(Failure) -> ImportResult {
        let (files, records) = state.withLock { ($0.files, $0.records) }
        var result =
            try files?.conclude(counting: counting)
            ?? ImportResult(
                comparisons: [], differences: [], differenceCount: 0, shortfalls: [],
                shortfallCount: 0, counts: [], mappings: [:])
        for target in records { try target.conclude(counting: counting, into: &result) }
        return result
    }
}
