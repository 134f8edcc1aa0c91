public import Basics
public import Connectors
import Guests
public import Manifests
public import Plans
import Primitives
import Streams
import Synchronization

/// Makes the guests of an archive on a cluster, and reads their disks and settings there again.
///
/// Images are made in the work directory first; then each guest is made by the API, one after the other
/// on a node. See docs/connectors/proxmox.md.
public final class ProxmoxImporter: Importer {
    public static let kind = "proxmox"
    public static let targetRemembers = true

    private let source: SourceRecord
    private let artifacts: any ArtifactSource
    private let room: Room
    private let settings: ProxmoxTarget
    private let resuming: Bool
    private let state = Mutex(State())

    private struct State {
        var stored: StoredGuests?
        var reader: ClusterReader?
        var guests: [GuestCreation] = []
        var images: [RestoredDisk] = []
        var proofs: [GuestProof] = []
        var cluster: ClusterChanges?
        var outcome: ClusterChanges.Outcome?
    }

    /// Units from here on are guests, not segments of artifacts.
    private static let firstGuest = 1 << 24
    private static let clusterUnit = SegmentNumber(artifact: 1 << 25, segment: 0)

    public static func check(_ target: TargetPlan, _ problems: PlanProblems) {
        _ = ProxmoxTarget(target, problems)
    }

    public init(
        _ target: TargetPlan, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        let problems = PlanProblems()
        settings = ProxmoxTarget(target, problems)
        try problems.check()
        self.source = source
        self.artifacts = artifacts
        self.room = room
        self.resuming = resuming && Files.exists(room.directory + "/begun")
    }

    // MARK: - Before

    public func prepare() throws(Failure) -> ImportOutline {
        let stored = try StoredGuests(source, from: artifacts)
        let reader = try ClusterReader(settings.server.client(room.progress, room.world))
        let wanted = stored.guests.filter { guest in
            settings.guests.isEmpty || settings.guests.contains { $0.matches(guest.entry) }
        }
        let nodes = try reader.nodes()
        let numbers = try settings.mapping.numbers(of: wanted.map { Int($0.id) })
        var creations: [GuestCreation] = []
        var images: [RestoredDisk] = []
        for guest in wanted {
            let creation = try creation(guest, numbers, nodes, reader)
            try creation.check()
            if !creation.isBegun { try creation.refuseOccupied() }
            images += creation.images.values.sorted { $0.disk.artifact < $1.disk.artifact }
            creations.append(creation)
        }
        var needed = ImportPrivileges(
            settings, creations, zones: reader.networkZones(), reader.version)
        try needed.check(reader)
        let cluster = try clusterChanges(stored, reader)
        if settings.applies, let cluster {
            needed.add(cluster.changes)
            try needed.check(reader)
        }
        let places = TargetPlaces(settings: settings, reader: reader)
        try places.check(creations)
        for line in try places.shortages(creations) { room.progress.tell(line) }
        let ready = (stored, reader, creations, images, cluster)
        let proofs = creations.map { GuestProof($0, from: artifacts, room: room) }
        state.withLock {
            ($0.stored, $0.reader, $0.guests, $0.images, $0.cluster) = ready
            $0.proofs = proofs
        }
        let segments = images.flatMap { disk in
            disk.disk.offsets.indices.map {
                SegmentNumber(artifact: disk.disk.artifact, segment: $0)
            }
        }
        return ImportOutline(
            rounds: [
                cluster == nil ? [] : [Self.clusterUnit], segments,
                creations.indices.map { SegmentNumber(artifact: Self.firstGuest, segment: $0) },
            ], slices: proofs.count, bytes: images.reduce(0) { $0 + $1.disk.size })
    }

    public func begin() throws(Failure) {
        try Files.write([], to: room.directory + "/begun", mode: 0o600)
    }

    private func clusterChanges(
        _ stored: StoredGuests, _ reader: ClusterReader
    ) throws(Failure) -> ClusterChanges? {
        if settings.cluster.isEmpty { return nil }
        guard let documents = stored.cluster else {
            throw Failure(
                .planInvalidValue, "the archive has no configuration of the cluster",
                hint: "Leave \"cluster\" out of the target.")
        }
        return try ClusterChanges(documents.read(from: artifacts), settings, reader, room)
    }

    private func creation(
        _ guest: StoredGuests.Guest, _ numbers: [Int: Int],
        _ nodes: [(name: String, isOnline: Bool)], _ reader: ClusterReader
    ) throws(Failure) -> GuestCreation {
        guard let configuration = guest.configuration else {
            throw StoredGuests.malformed("\(guest.title) has no configuration")
        }
        let from = guest.description["node"]?.string ?? ""
        let named = settings.mapping.nodes[from] ?? settings.node
        let node =
            named ?? nodes.first { $0.name == from && $0.isOnline }?.name
            ?? nodes.first { $0.isOnline }?.name ?? ""
        guard nodes.contains(where: { $0.name == node && $0.isOnline }) else {
            throw Failure(
                .planInvalidValue, "the cluster has no node \"\(node)\" that is online",
                hint: "Name another with \"node\", or map.nodes.")
        }
        let version = reader.version
        let target = CreationTarget(
            number: numbers[Int(guest.id)] ?? Int(guest.id),
            version: version, mapping: settings.mapping,
            pool: guest.description["pool"]?.string)
        let bare = GuestCreation(
            guest: guest, configuration: configuration, target: target, node: node,
            settings: settings, reader: reader, room: room, images: [:])
        return GuestCreation(
            guest: guest, configuration: configuration, target: target, node: node,
            settings: settings, reader: reader, room: room,
            images: try images(for: guest, bare))
    }

    /// Where the bytes are made into files before the cluster gets them.
    private func images(
        for guest: StoredGuests.Guest, _ creation: GuestCreation
    ) throws(Failure) -> [String: RestoredDisk] {
        let directory = room.directory + "/guest-\(guest.id)"
        try Files.makeDirectory(directory, mode: 0o700)
        func image(_ disk: StoredGuests.Disk, _ path: String, _ format: RestoredDisk.Format)
            -> RestoredDisk
        {
            RestoredDisk(
                disk, to: path, format, notes: room.directory + "/disk-\(disk.artifact)",
                progress: room.progress)
        }
        if creation.route == .import, !guest.isContainer {
            var images: [String: RestoredDisk] = [:]
            for disk in guest.disks {
                let isFirmware = disk.key.hasPrefix("efidisk") || disk.key.hasPrefix("tpmstate")
                let format: RestoredDisk.Format = isFirmware ? .raw : .qcow2
                images[disk.key] = image(
                    disk, directory + "/\(disk.key).\(format.rawValue)", format)
            }
            return images
        }
        guard let stream = guest.stream else { return [:] }
        // A storage that is mounted here gets the file at once.
        if creation.route == .restore, case .directory(_, let mount) = settings.transport {
            // Proxmox VE makes it with the first backup.
            if Files.exists(mount) { try Files.makeDirectory(mount + "/dump") }
            return ["stream": image(stream, mount + "/dump/" + creation.archiveName, .raw)]
        }
        return ["stream": image(stream, directory + "/" + creation.archiveName, .raw)]
    }

    // MARK: - Replay

    public func replay(_ unit: SegmentNumber) throws(Failure) {
        if unit == Self.clusterUnit {
            guard let cluster = state.withLock({ $0.cluster }) else { return }
            let outcome = try cluster.run(applies: settings.applies)
            return state.withLock { $0.outcome = outcome }
        }
        let (images, guests) = state.withLock { ($0.images, $0.guests) }
        if unit.artifact == Self.firstGuest {
            let guest = guests[unit.segment]
            if !guest.isMade {
                for image in guest.images.values { try image.finish() }
            }
            return try guest.make()
        }
        let disk = images.first { $0.disk.artifact == unit.artifact }
        guard let disk else { throw Failure(.failed, "no disk has this segment") }
        // What is on the cluster already needs no image any more.
        if let owner = guests.first(where: { $0.images.values.contains { $0 === disk } }),
            owner.isMade
        {
            return
        }
        try disk.restore(unit.segment, from: artifacts)
    }

    public func finish() throws(Failure) {
        // Images are large, and the guests have them now.
        for guest in state.withLock({ $0.guests }) {
            try Files.remove(room.directory + "/guest-\(guest.guest.id)")
        }
    }

    public func compare(_ slice: Int) throws(Failure) {
        try state.withLock { $0.proofs }[slice].compareContent()
    }

    // MARK: - Result

    public func conclude(counting: Bool) throws(Failure) -> ImportResult {
        let (proofs, guests, outcome) = state.withLock { ($0.proofs, $0.guests, $0.outcome) }
        var result = ImportResult(
            comparisons: [], differences: [], differenceCount: 0, shortfalls: [],
            shortfallCount: 0, counts: [.init("guests", .integer(Int64(guests.count)))],
            mappings: .object([
                .init(
                    "vmids",
                    .object(
                        guests.map {
                            .init(String($0.guest.id), .integer(Int64($0.target.number)))
                        }))
            ]))
        for (place, proof) in proofs.enumerated() {
            try proof.conclude(place + 1, into: &result)
        }
        if let outcome { conclude(outcome, into: &result) }
        return result
    }

    private func conclude(
        _ outcome: ClusterChanges.Outcome, into result: inout ImportResult
    ) {
        result.shortfalls += outcome.shortfalls
        result.shortfallCount += Int64(outcome.shortfalls.count)
        result.remarks += outcome.remarks
        result.differences += outcome.differences
        result.differenceCount += Int64(outcome.differences.count)
        if !settings.applies {
            result.reservations.append(Reservation(.clusterUnchanged, count: outcome.wanted))
        } else if !outcome.made.isEmpty {
            let count = outcome.made.count
            result.comparisons.append(
                .init(
                    name: "objects of the cluster's configuration that were made and read again",
                    expected: "\(count) of \(count)",
                    found: "\(count - outcome.differences.count) of \(count)"))
        }
    }
}

extension StoredGuests.Guest {
    /// As selectors of a plan see it.
    var entry: GuestEntry {
        GuestEntry(
            id: id, kind: isContainer ? .container : .machine, name: name,
            node: description["node"]?.string ?? "", status: "",
            pool: description["pool"]?.string,
            tags: (configuration?["tags"] ?? "").split { ";, ".contains($0) }.map(String.init),
            isTemplate: false)
    }
}
