import Basics
import Connectors
import Guests
import Manifests
import Streams

/// What a cluster holds of what the plan asks for.
struct ClusterInventory {
    let settings: ProxmoxSettings
    let transport: TransportSettings?
    let reader: ClusterReader
    let room: Room

    init(
        _ settings: ProxmoxSettings, _ server: ServerSettings, _ transport: TransportSettings?,
        _ room: Room
    ) throws(Failure) {
        self.settings = settings
        self.transport = transport
        self.room = room
        reader = try ClusterReader(server.client(room.progress, room.world))
    }

    /// The guests, with what their backups will not carry.
    func plan() throws(Failure) -> GuestPlan {
        var plan = try GuestPlan(settings, isEncrypted: room.isEncrypted)
        guard !settings.guests.isEmpty else { return plan }
        let entries = try reader.guests()
        try plan.check(among: entries)
        for entry in entries where plan.wants(entry) {
            try room.progress.checkCancelled()
            do throws(Failure) {
                plan.add(entry, try configuration(of: entry))
            } catch {
                throw error.during("cannot read the configuration of \(entry.title)")
            }
        }
        try noteExcludedPaths(&plan)
        plan.guests = Self.interleaved(plan.guests)
        return plan
    }

    /// What a node leaves out of every backup of a container, by its vzdump.conf; only who may audit the
    /// node is told.
    private func noteExcludedPaths(_ plan: inout GuestPlan) throws(Failure) {
        let containers = plan.guests.filter { $0.kind == .container }
        for node in Set(containers.map(\.node)).sorted() {
            let shown = try reader.excludedPaths(on: node, storage: transport?.storage)
            guard let excluded = shown else {
                plan.omissions.add(
                    .denied,
                    "/nodes/\(node)/vzdump/defaults: what it leaves out of backups of containers")
                continue
            }
            for guest in containers where guest.node == node && !excluded.isEmpty {
                plan.omissions.add(
                    .notBackedUp,
                    "\(guest.id): vzdump.conf of \(node) leaves \(excluded.text) out of every backup"
                )
            }
        }
    }

    func make() throws(Failure) -> ExportList {
        let plan = try plan()
        let needed = NeededPrivileges(settings, transport, plan.guests, reader.version)
        let check = try PrivilegeCheck(needed.all, reader.version, reader.client)
        guard check.missing.isEmpty else { throw needed.failure(check) }
        try checkStorage(plan.guests)
        var omissions = plan.omissions
        var documents: [DocumentSet] = []
        if settings.cluster {
            var configuration = ConfigurationReader(reader, room.progress)
            try configuration.readCluster(nodes: reader.nodes())
            let entries = try reader.guests()
            for guest in plan.guests {
                guard let entry = entries.first(where: { $0.id == guest.id }) else { continue }
                try configuration.read(entry)
            }
            for call in configuration.denied { omissions.add(.denied, call) }
            // Nothing can be decided about what no call shows: it is listed, to be entered again.
            for what in configuration.withheld { omissions.add(.withheld, what, covered: true) }
            // Nor about what is not there; such a document holds the server's words, and nothing else.
            for call in configuration.unavailable {
                omissions.add(.unavailable, call, covered: true)
            }
            for call in configuration.unanswered { omissions.add(.unanswered, call) }
            documents.append(
                try keep(
                    .configuration, configuration.lines,
                    count: configuration.lines.count - configuration.unavailable.count
                        - configuration.unanswered.count))
        }
        if let ssh = settings.clusterFiles {
            var files = ClusterFiles(ssh, room.progress)
            try files.read(nodes: reader.nodes().filter(\.isOnline).map(\.name))
            for file in files.denied { omissions.add(.denied, file) }
            documents.append(try keep(.files, files.lines, count: files.lines.count))
        }
        return ExportList(
            run: room.world.newID(),
            moment: Moment(kind: "backup", value: room.world.now().text),
            facts: [
                "origin": "cluster", "version": .string(reader.version.description),
                "guests": .array(plan.guests.map(\.json)),
            ], counts: plan.guests.counts, guests: plan.guests,
            documents: documents, omissions: omissions.summary)
    }

    /// Nothing must be written where it cannot be read.
    private func checkStorage(_ guests: [PlannedGuest]) throws(Failure) {
        guard let name = transport?.storage, let node = guests.first?.node else { return }
        guard try reader.storage(name, on: node).keepsNoFiles else { return }
        throw Failure(
            .unsupported,
            "the storage \"\(name)\" is a Proxmox Backup Server, which keeps no files of vzdump",
            hint: "Name a storage of files (dir, nfs, cifs) in the transport.")
    }

    /// - Parameter count: of what counts as exported.
    private func keep(
        _ kind: DocumentSet.Kind, _ lines: [[UInt8]], count: Int
    ) throws(Failure) -> DocumentSet {
        let set = DocumentSet(kind, lines, count: count)
        try Files.write(
            Array(lines.joined()), to: room.directory + "/" + set.fileName, mode: 0o600)
        return set
    }

    /// As it is now, with the snapshots and pending changes that the API shows elsewhere.
    private func configuration(of guest: GuestEntry) throws(Failure) -> GuestConfiguration {
        let path = reader.path(guest)
        let client = reader.client
        var configuration = try GuestConfiguration(
            kind: guest.kind.guestKind, api: client.get(path + ["config"], ["current": "1"]))
        try configuration.take(snapshots: client.get(path + ["snapshot"]))
        try configuration.take(pending: client.get(path + ["pending"]))
        return configuration
    }

    /// The guests of all nodes in turn, so that nodes work side by side.
    private static func interleaved(_ guests: [PlannedGuest]) -> [PlannedGuest] {
        var queues = Dictionary(grouping: guests, by: \.node).sorted { $0.key < $1.key }
            .map { $0.value[...] }
        var order: [PlannedGuest] = []
        while order.count < guests.count {
            for index in queues.indices {
                if let guest = queues[index].popFirst() { order.append(guest) }
            }
        }
        return order
    }
}
