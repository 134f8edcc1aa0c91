import Basics
import Connectors
import Glibc
import Guests
import Manifests
import Plans
import Primitives
import Streams
import Synchronization

/// Brings guests into images of a directory, and reads the images again.
final class ImageImport: Sendable {
    let target: ImageTarget
    private let source: SourceRecord
    private let artifacts: any ArtifactSource
    private let room: Room
    let resuming: Bool
    private let state = Mutex(State())

    private struct State {
        var stored: StoredGuests?
        var images: [GuestImages] = []
        /// Slices of the comparison: a disk, and its part.
        var slices: [(disk: RereadDisk, part: Int)] = []
        var notes: [JSON] = []
    }

    init(
        _ target: ImageTarget, _ source: SourceRecord, _ artifacts: any ArtifactSource,
        _ room: Room, resuming: Bool
    ) {
        self.target = target
        self.source = source
        self.artifacts = artifacts
        self.room = room
        self.resuming = resuming && Files.exists(room.directory + "/begun")
    }

    var images: [GuestImages] { state.withLock { $0.images } }

    func prepare(_ check: ([GuestImages]) throws(Failure) -> Void = { _ in }) throws(Failure)
        -> ImportOutline
    {
        let stored = try StoredGuests(source, from: artifacts)
        let images = stored.guests.map { GuestImages($0, target, room: room) }
        if !resuming {
            try checkTarget(images)
            try check(images)
        }
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

    func begin() throws(Failure) {
        try Files.makeDirectory(target.path)
        try Files.write([], to: room.directory + "/begun", mode: 0o600)
        for image in images { try Files.makeDirectory(image.directory) }
    }

    private func checkTarget(_ images: [GuestImages]) throws(Failure) {
        guard Set(images.map(\.directory)).count == images.count else {
            throw StoredGuests.malformed("two guests have the same number")
        }
        guard Files.exists(target.path) else { return }
        if target.existing == .refuse, try !Files.names(in: target.path).isEmpty {
            throw Failure(
                .targetOccupied, "\"\(target.path)\" is not empty",
                hint: "Name a new directory, or say \"existing: add\".")
        }
        let paths = images.flatMap { image in
            image.guest.isBare ? image.disks.map(\.path) : [image.directory]
        }
        for path in paths where Files.exists(path) {
            throw Failure(
                .targetOccupied, "\"\(path)\" is already there",
                hint: "Move it away, or import to another directory.")
        }
    }

    func replay(_ unit: SegmentNumber) throws(Failure) {
        let disk = images.lazy.flatMap(\.disks).first { $0.disk.artifact == unit.artifact }
        guard let disk else { throw Failure(.failed, "no disk has this segment") }
        try disk.restore(unit.segment, from: artifacts)
    }

    func finish() throws(Failure) {
        let (stored, images) = state.withLock { ($0.stored, $0.images) }
        var notes: [JSON] = []
        for image in images {
            for note in try image.finish(from: artifacts) {
                notes.append([
                    "guest": .integer(image.guest.id),
                    "key": note.key.map { .string($0) } ?? .null, "what": .string(note.what),
                ])
            }
        }
        for (text, name) in [
            (stored?.cluster, "cluster.jsonl"), (stored?.clusterFiles, "cluster-files.jsonl"),
        ] {
            guard let text else { continue }
            try Files.write(
                text.read(from: artifacts), to: target.path + "/" + name, mode: 0o600)
        }
        let all = notes
        state.withLock { $0.notes = all }
    }

    func compare(_ slice: Int) throws(Failure) {
        let slices = state.withLock { $0.slices }
        try slices[slice].disk.compare(slices[slice].part)
    }

    func conclude(counting: Bool) throws(Failure) -> ImportResult {
        let (images, slices, notes) = state.withLock { ($0.images, $0.slices, $0.notes) }
        var comparisons: [ImportResult.Comparison] = []
        var differences: [JSON] = []
        var seen: Set<ObjectIdentifier> = []
        for slice in slices where seen.insert(ObjectIdentifier(slice.disk)).inserted {
            guard let found = try slice.disk.conclude() else { continue }
            let disk = slice.disk.disk
            let comparison = ImportResult.Comparison(
                name: "sha256-tree-1m of disk \(comparisons.count + 1)",
                expected: disk.disk.digest.hex, found: found.hex)
            comparisons.append(comparison)
            if !comparison.equal {
                differences.append([
                    "object": .string(disk.path), "what": "other bytes than the archive has",
                ])
            }
        }
        if counting {
            let there = images.flatMap(\.disks).count { Files.exists($0.path) }
            comparisons.append(
                .init(
                    name: "images of disks", expected: String(images.flatMap(\.disks).count),
                    found: String(there)))
        }
        var (shortfalls, remarks): ([JSON], [JSON]) = ([], notes)
        for image in images {
            guard let remains = image.remains else { continue }
            let entry: JSON = [
                "object": .string(image.guest.title), "what": .string(remains.what),
                "command": remains.command.map { .string($0) } ?? .null,
            ]
            if remains.isMissing { shortfalls.append(entry) } else { remarks.append(entry) }
        }
        return ImportResult(
            comparisons: comparisons, differences: differences,
            differenceCount: Int64(differences.count), shortfalls: shortfalls,
            shortfallCount: Int64(shortfalls.count),
            counts: [
                .init("guests", .integer(Int64(images.count))),
                .init("disks", .integer(Int64(images.flatMap(\.disks).count))),
            ], mappings: .object([]),
            reservations: notes.isEmpty
                ? []
                : [Reservation(.settingsLost, count: notes.count)],
            remarks: remarks)
    }
}
