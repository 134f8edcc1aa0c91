public import Basics
public import Connectors
import Glibc
public import Manifests
public import Plans
import Primitives
import Streams
import Synchronization

/// Brings guests into a directory: images of disks, their descriptions, and what vzdump wrote where
/// the archive has that.
public final class DirectoryImporter: Importer {
    public static let kind = "directory"
    public static let sources = ["proxmox"]
    public static let targetRemembers = true

    private let source: SourceRecord
    private let artifacts: any ArtifactSource
    private let room: Room
    private let settings: DirectoryTarget
    private let resuming: Bool
    private let state = Mutex(State())

    private struct State {
        var stored: StoredGuests?
        var images: [GuestImages] = []
        /// Slices of the comparison: a disk, and its part.
        var slices: [(disk: RereadDisk, part: Int)] = []
    }

    public static func check(_ target: TargetPlan, _ problems: PlanProblems) {
        _ = DirectoryTarget(target, problems)
    }

    public init(
        _ target: TargetPlan, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        let problems = PlanProblems()
        settings = DirectoryTarget(target, problems)
        try problems.check()
        self.source = source
        self.artifacts = artifacts
        self.room = room
        self.resuming = resuming && Files.exists(room.directory + "/begun")
    }

    public func prepare() throws(Failure) -> ImportOutline {
        let stored = try StoredGuests(source, from: artifacts)
        let images = stored.guests.map { guest in
            GuestImages(
                guest, in: settings.path + "/" + guest.folder, settings.format, room: room)
        }
        if !resuming { try checkTarget(images) }
        try Files.makeDirectory(settings.path)
        try Files.write([], to: room.directory + "/begun", mode: 0o600)
        for image in images { try Files.makeDirectory(image.directory) }
        let slices = images.flatMap(\.disks).flatMap { disk in
            let again = RereadDisk(disk, progress: room.progress)
            return disk.slices.indices.map { (disk: again, part: $0) }
        }
        state.withLock {
            $0.stored = stored
            $0.images = images
            $0.slices = slices
        }
        let units = images.flatMap(\.disks).flatMap { disk in
            disk.disk.offsets.indices.map {
                SegmentNumber(artifact: disk.disk.artifact, segment: $0)
            }
        }
        return ImportOutline(
            rounds: [units], slices: slices.count,
            bytes: images.flatMap(\.disks).reduce(0) { $0 + $1.disk.size })
    }

    private func checkTarget(_ images: [GuestImages]) throws(Failure) {
        guard Files.exists(settings.path) else { return }
        if settings.existing == .refuse, try !Files.names(in: settings.path).isEmpty {
            throw Failure(
                .targetOccupied, "\"\(settings.path)\" is not empty",
                hint: "Name a new directory, or say \"existing: add\".")
        }
        for image in images where Files.exists(image.directory) {
            throw Failure(
                .targetOccupied, "\"\(image.directory)\" is already there",
                hint: "Move it away, or import to another directory.")
        }
    }

    public func replay(_ unit: SegmentNumber) throws(Failure) {
        let disk = state.withLock { state in
            state.images.lazy.flatMap(\.disks).first { $0.disk.artifact == unit.artifact }
        }
        guard let disk else { throw Failure(.failed, "no disk has this segment") }
        try disk.restore(unit.segment, from: artifacts)
    }

    public func finish() throws(Failure) {
        let (stored, images) = state.withLock { ($0.stored, $0.images) }
        for image in images { try image.finish(from: artifacts) }
        if let cluster = stored?.cluster {
            try Files.write(
                cluster.read(from: artifacts), to: settings.path + "/cluster.jsonl", mode: 0o600)
        }
    }

    public func compare(_ slice: Int) throws(Failure) {
        let slices = state.withLock { $0.slices }
        try slices[slice].disk.compare(slices[slice].part)
    }

    public func conclude(counting: Bool) throws(Failure) -> ImportResult {
        let (images, slices) = state.withLock { ($0.images, $0.slices) }
        var comparisons: [ImportResult.Comparison] = []
        var seen: Set<ObjectIdentifier> = []
        for slice in slices where seen.insert(ObjectIdentifier(slice.disk)).inserted {
            if let found = try slice.disk.conclude() {
                comparisons.append(
                    .init(
                        name: "sha256-tree-1m of disk \(comparisons.count + 1)",
                        expected: slice.disk.disk.disk.digest.hex, found: found.hex))
            }
        }
        let differences: [JSON] = zip(images.flatMap(\.disks), comparisons)
            .filter { !$0.1.equal }
            .map { ["object": .string($0.0.path), "what": "other bytes than the archive has"] }
        return ImportResult(
            comparisons: comparisons, differences: differences,
            differenceCount: Int64(differences.count), shortfalls: [], shortfallCount: 0,
            counts: [
                .init("guests", .integer(Int64(images.count))),
                .init("disks", .integer(Int64(images.flatMap(\.disks).count))),
            ], mappings: .object([]))
    }
}
