import Archives
public import Basics
public import Connectors
public import Manifests
public import Plans
import Streams
import Synchronization

/// Brings logs to a directory: the journal into journal files, text logs into files.
///
/// Each family of logs replays its own artifacts; here their rounds, slices and results are joined.
public final class LogsImporter: Importer {
    public static let kind = "logs"

    private let families: [any LogTargetFamily]
    /// For each artifact of the archive, the family that takes it.
    private let owners: [Int]
    private let target: LogsTarget
    private let source: SourceRecord
    private let room: Room
    /// The directory, of which no other source takes a part unless something may be in it.
    private let lock = Mutex<TargetLock?>(nil)
    /// For each family, where its slices begin.
    private let starts = Mutex<[Int]>([])

    public static func check(_ target: TargetPlan, _ problems: PlanProblems) {
        _ = LogsTarget(target, problems)
    }

    public init(
        _ target: TargetPlan, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        let problems = PlanProblems()
        self.target = LogsTarget(target, problems)
        try problems.check()
        self.source = source
        self.room = room
        families = [
            try JournalForms(
                self.target, source: source, from: artifacts, room: room.part("journald"),
                resuming: resuming),
            try TextTargetFamily(
                self.target, source: source, from: artifacts, room: room.part("text"),
                resuming: resuming),
        ]
        var owners: [Int] = []
        for artifact in source.artifacts {
            guard
                let owner = families.firstIndex(where: {
                    type(of: $0).artifactKinds.contains(artifact.kind)
                })
            else {
                throw Failure(
                    .manifestMalformed,
                    "\"\(artifact.name)\" of the logs has an unknown kind \"\(artifact.kind)\"")
            }
            owners.append(owner)
        }
        self.owners = owners
    }

    public func prepare() throws(Failure) -> ImportOutline {
        try check()
        var outline = ImportOutline(rounds: [], slices: 0, bytes: 0)
        var starts: [Int] = []
        for family in families {
            let part = try family.prepare()
            for (number, round) in part.rounds.enumerated() {
                if number == outline.rounds.count { outline.rounds.append([]) }
                outline.rounds[number] += round
            }
            starts.append(outline.slices)
            outline.slices += part.slices
            outline.bytes += part.bytes
        }
        self.starts.withLock { $0 = starts }
        return outline
    }

    private var begunPath: String { room.directory + "/begun" }

    /// Makes the directory, and refuses one that holds what is not of this import.
    private func check() throws(Failure) {
        try Files.makeDirectory(target.directory)
        try lock.withLock { (lock) throws(Failure) in
            if lock != nil { return }
            lock = try TargetLock(TreeRoot(target.directory), alone: target.existing == .refuse)
        }
        if Files.exists(begunPath) || target.existing != .refuse { return }
        guard try TreeTarget.isVacant(target.directory, but: ["text"]) else {
            throw Failure(
                .targetOccupied, "\"\(target.directory)\" is not empty",
                hint: "Name an empty directory, or say existing: add or existing: replace.")
        }
    }

    public func begin() throws(Failure) {
        try Files.write([], to: begunPath, mode: 0o600)
        for family in families { try family.begin() }
    }

    public func replay(_ unit: SegmentNumber) throws(Failure) {
        guard owners.indices.contains(unit.artifact) else {
            throw Failure(.failed, "artifact \(unit.artifact) is none of the logs")
        }
        try families[owners[unit.artifact]].replay(unit)
    }

    public func finish() throws(Failure) {
        for family in families { try family.finish() }
    }

    public func compare(_ slice: Int) throws(Failure) {
        let starts = starts.withLock { $0 }
        guard let place = starts.lastIndex(where: { $0 <= slice }) else {
            throw Failure(.failed, "a comparison before the import")
        }
        try families[place].compare(slice - starts[place])
    }

    public func conclude(counting: Bool) throws(Failure) -> ImportResult {
        var result = ImportResult(
            comparisons: [], differences: [], differenceCount: 0, shortfalls: [],
            shortfallCount: 0, counts: [], mappings: [:])
        for family in families {
            let part = try family.conclude(counting: counting)
            result.comparisons += part.comparisons
            result.differences += part.differences
            result.differenceCount += part.differenceCount
            result.shortfalls += part.shortfalls
            result.shortfallCount += part.shortfallCount
            result.counts += part.counts
            result.reservations += part.reservations
            result.remarks += part.remarks
        }
        return result
    }
}
