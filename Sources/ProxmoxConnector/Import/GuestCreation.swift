import Basics
import Connectors
import Guests
import Streams

/// Makes one guest on a cluster, once: what is under way stands in a file of the room before it is
/// begun, so that an interrupted import knows what is its own.
struct GuestCreation: Sendable {
    let guest: StoredGuests.Guest
    let configuration: GuestConfiguration
    let target: CreationTarget
    let node: String
    let settings: ProxmoxTarget
    let reader: ClusterReader
    let room: Room
    /// Images of the disks by key, or the stream as `stream`.
    let images: [String: RestoredDisk]

    var client: ProxmoxClient { reader.client }
    var kind: GuestEntry.Kind { guest.isContainer ? .container : .machine }
    var path: [String] { ["nodes", node, kind.rawValue, String(target.number)] }

    private var statePath: String { room.directory + "/made-\(guest.id)" }

    /// What is known of the guest to be made.
    struct State {
        var task: String?
        var isMade: Bool
        var uploads: [String]
        /// Uploads that could not be removed, for want of a right.
        var left: [String]
        /// When the number was found free: seconds since 1970, by our clock.
        var began: Int64

        var json: JSON {
            [
                "task": task.map { .string($0) } ?? .null, "made": .bool(isMade),
                "uploads": .array(uploads.map { .string($0) }),
                "left": .array(left.map { .string($0) }), "began": .integer(began),
            ]
        }

        init(began: Timestamp) {
            isMade = false
            uploads = []
            left = []
            self.began = began.seconds
        }

        init?(reading path: String) throws(Failure) {
            guard Files.exists(path) else { return nil }
            let json = try JSON(parsing: Files.read(path))
            task = json["task"]?.string
            isMade = json["made"]?.bool ?? false
            uploads = (json["uploads"]?.array ?? []).compactMap(\.string)
            left = (json["left"]?.array ?? []).compactMap(\.string)
            began = json["began"]?.integer ?? .max
        }
    }

    func save(_ state: State) throws(Failure) {
        try Files.write(state.json.canonical, to: statePath, mode: 0o600)
    }

    /// Whether this import has begun to make it.
    var isBegun: Bool { Files.exists(statePath) }

    /// Whether it is there: what comes behind is small.
    var isMade: Bool { (try? State(reading: statePath))?.isMade ?? false }

    /// Uploads that stay on the cluster, and that somebody else must remove.
    var leftBehind: [String] { (try? State(reading: statePath))?.left ?? [] }

    func request() throws(Failure) -> CreationRequest {
        switch route {
        case .restore where kind == .machine:
            return .restore(configuration, archive: archiveVolume, at: try restoreTarget())
        case .import where kind == .machine:
            var imports: [String: String] = [:]
            for disk in guest.disks { imports[disk.key] = importVolume(disk.key) }
            return try .machine(configuration, from: imports, at: target)
        default:
            return try .container(
                configuration, from: route == .restore ? archiveVolume : templateVolume,
                restores: route == .restore, sizes: unknownSizes, at: target)
        }
    }

    /// Room for volumes whose size the configuration does not tell, as for directories without a quota:
    /// all that the tar holds, and some more.
    private var unknownSizes: [String: UInt64] {
        let content = UInt64(guest.stream?.size ?? 0)
        let room = content + content / 4 + 1 << 30
        return Dictionary(
            uniqueKeysWithValues: BackupContent(of: configuration).carried
                .filter { ($0.declaredSize ?? 0) == 0 }.map { ($0.key, room) })
    }

    /// A restore knows one storage for all disks, or the names of the source: rules of the plan that
    /// mean anything else cannot be kept.
    private func restoreTarget() throws(Failure) -> CreationTarget {
        if target.mapping.storages.isEmpty, target.mapping.volumes.isEmpty { return target }
        var wanted: Set<String> = []
        var isMoved = false
        for disk in BackupContent(of: configuration).carried {
            let place = try target.mapping.place(of: disk.volume).storage
            let own = VolumeReference(disk.volume).storage ?? GuestMapping.storageOfNone
            isMoved = isMoved || place != own
            wanted.insert(place)
        }
        var restored = target
        restored.mapping.storages = [:]
        restored.mapping.volumes = [:]
        restored.mapping.storage = nil
        guard isMoved, let storage = wanted.first else { return restored }
        guard wanted.count == 1 else {
            throw Failure(
                .unsupported,
                "a restore puts all disks of \(guest.title) onto one storage, and the plan wants "
                    + wanted.sorted().joined(separator: ", "),
                hint: "Map all of them to the same storage, or say \"route: import\".")
        }
        restored.mapping.storage = try GuestMapping.Place(parsing: storage)
        return restored
    }

    /// The way that the plan names, or the one that there is.
    var route: ProxmoxTarget.Route {
        if let route = settings.route { return route }
        if kind == .container || hasNoDisks { return .import }
        return !guest.disks.isEmpty && reader.version.has(.importOfAppliances)
            && settings.uploads != nil ? .import : .restore
    }

    /// A machine that starts from the network or a medium: there is nothing to bring.
    private var hasNoDisks: Bool {
        kind == .machine && guest.disks.isEmpty && BackupContent(of: configuration).carried.isEmpty
    }

    /// Throws what keeps this guest from being made, before anything is.
    func check() throws(Failure) {
        guard target.mapping.namePrefix.isEmpty || target.mapping.isHostName(guest.name) else {
            throw Failure(
                .planInvalidValue,
                "Proxmox VE takes no guest with the name \"\(target.mapping.namePrefix + guest.name)\"",
                hint: "Give map.name-prefix letters, digits and dashes.")
        }
        switch route {
        case .import where hasNoDisks: break
        case .import:
            guard settings.uploads != nil else {
                throw Failure(
                    .planMissingValue, "the plan names no \"upload-storage\" for \(guest.title)",
                    hint: kind == .container
                        ? "Name a storage with the content vztmpl."
                        : "Name a storage with the content \"import\" (Proxmox VE 8.3 or later).")
            }
            guard kind == .container || reader.version.has(.importOfAppliances) else {
                throw Failure(
                    .unsupported,
                    "Proxmox VE \(reader.version) takes no disks from outside by its API",
                    hint:
                        "Say \"route: restore\" with a transport, from an archive with \"disks: native\" or \"both\"."
                )
            }
            guard kind == .container || !guest.disks.isEmpty else {
                throw Failure(
                    .unsupported, "the archive has \(guest.title) as vzdump's stream only",
                    hint: "Say \"route: restore\" with a transport.")
            }
        case .restore:
            guard guest.stream != nil else {
                throw Failure(
                    .unsupported, "the archive has no stream of vzdump of \(guest.title)",
                    hint:
                        "Name an \"upload-storage\", or export with \"disks: native\" or \"both\".")
            }
            guard settings.transport?.storage != nil else {
                throw Failure(
                    .planMissingValue, "restoring \(guest.title) needs a \"transport\"",
                    hint: "Name the storage whose directory \"dump\" this machine reaches.")
            }
            if case .directory(let storage, let mount) = settings.transport,
                !Files.exists(mount + "/dump")
            {
                throw Failure(
                    .notFound, "\"\(mount)\" has no directory \"dump\"",
                    hint:
                        "Check that the storage \"\(storage)\" is mounted there; a node makes the "
                        + "directory when the storage has the content \"backup\" and is active.")
            }
        }
        _ = try request()
    }

    // MARK: - Making it

    func make() throws(Failure) {
        var state = try State(reading: statePath) ?? State(began: room.world.now())
        if !state.isMade {
            if Files.exists(statePath) {
                if try settle(&state) {
                    state.isMade = true
                    try save(state)
                }
            } else {
                try refuseOccupied()
                try save(state)
            }
        }
        if !state.isMade {
            try bringFiles(&state)
            try create(&state)
        }
        try setSystemType()
        try makeFirewall()
        try removeFiles(&state)
    }

    /// Only now may the server know what system is in a container: see `CreationRequest.container`.
    private func setSystemType() throws(Failure) {
        guard let type = try request().systemType else { return }
        var fields = APIFields()
        fields.add("ostype", type)
        do throws(Failure) { _ = try client.put(path + ["config"], fields) } catch {
            throw error.during("cannot set the ostype of \(guest.title)")
        }
    }

    /// Throws when the number is taken.
    func refuseOccupied() throws(Failure) {
        if let other = try reader.guests().first(where: { $0.id == Int64(target.number) }) {
            throw Failure(
                .targetOccupied, "the cluster already has \(other.title)",
                hint: Self.otherNumbers)
        }
        // A guest that the rights do not show has its number all the same.
        do throws(Failure) {
            _ = try client.get(["cluster", "nextid"], ["vmid": String(target.number)])
        } catch {
            guard error.code == .serverRefused else { throw error }
            throw Failure(
                .targetOccupied, "the number \(target.number) is taken on the cluster",
                hint: Self.otherNumbers, cause: error.cause)
        }
    }

    private static let otherNumbers = "Give other numbers with map.vmids, such as \"+1000\"."

    private func create(_ state: inout State) throws(Failure) {
        let request = try request()
        var fields = APIFields()
        for parameter in request.parameters {
            if GuestConfiguration.secretKeys.contains(parameter.name) {
                fields.add(parameter.name, secret: Secret(parameter.value))
            } else {
                fields.add(parameter.name, parameter.value)
            }
        }
        let started: StartedTask
        do throws(Failure) {
            started = try client.start(["nodes", node, kind.rawValue], fields)
        } catch { throw error.during("cannot make \(guest.title) as \(target.number)") }
        guard case .running(let upid) = started else {
            throw Failure(.serverAnswer, "\(guest.title) was not made: the server started no task")
        }
        state.task = upid.text
        try save(state)
        do throws(Failure) { _ = try TaskFollower(client).follow(upid) } catch {
            let what = "cannot make \(guest.title) as \(target.number)"
            do throws(Failure) { try removeStub() } catch let rest {
                if rest.code == .targetOccupied || rest.code == .cancelled { throw rest }
                // Why it was not made comes first; what is left of it is told beside.
                throw error.during(what, hint: stubHint(rest))
            }
            state.task = nil
            try? save(state)
            throw error.during(what)
        }
        state.isMade = true
        try save(state)
    }

    /// What became of a guest whose making was interrupted: true when it is there and whole.
    private func settle(_ state: inout State) throws(Failure) -> Bool {
        guard let other = try reader.guests().first(where: { $0.id == Int64(target.number) }) else {
            return false
        }
        var task = state.task.flatMap { UPID($0) }
        if task == nil { task = try creationTask(since: state.began) }
        guard let upid = task else {
            throw Failure(
                .targetOccupied,
                "the cluster has \(other.title) now, and it is not certain that this import made it",
                hint:
                    "Look at it; remove it if it is what an interrupted import has left, then run the "
                    + "same command again.")
        }
        do throws(Failure) {
            _ = try TaskFollower(client).follow(upid)
            return true
        } catch {
            guard error.code == .serverTaskFailed else { throw error }
            do throws(Failure) { try removeStub() } catch let rest {
                guard rest.code == .locked || rest.code == .serverTaskFailed else { throw rest }
                throw rest.during(
                    "cannot remove what is left of \(guest.title) as \(target.number)",
                    hint: stubHint(nil))
            }
            state.task = nil
            try save(state)
            return false
        }
    }

    /// Seconds that the clocks of a node and of this machine may differ.
    private static let clockTolerance: Int64 = 120

    /// The only task that can have made the guest: that of an interrupted call whose answer nobody noted.
    ///
    /// It is ours if our own account began it after this import had found the number free.
    private func creationTask(since began: Int64) throws(Failure) -> UPID? {
        let types = kind == .machine ? ["qmcreate", "qmrestore"] : ["vzcreate", "vzrestore"]
        var found: [UPID] = []
        for type in types {
            let answer = try client.get(
                ["nodes", node, "tasks"],
                [
                    "vmid": String(target.number), "typefilter": type, "source": "all",
                ])
            found += (answer.array ?? []).compactMap { $0["upid"]?.string.flatMap { UPID($0) } }
        }
        let own = client.session.credentials.tokenID ?? client.session.credentials.user
        found = found.filter { $0.user == own && $0.start >= began - Self.clockTolerance }
        return found.count == 1 ? found[0] : nil
    }

    /// A making that failed leaves a guest without disks behind; it is ours, for the number was free.
    ///
    /// Somebody may have made another one of that number since: what has a disk or runs is no such rest.
    private func removeStub() throws(Failure) {
        guard let other = try reader.guests().first(where: { $0.id == Int64(target.number) }) else {
            return
        }
        let there = try GuestConfiguration(
            kind: other.kind.guestKind, api: client.get(reader.path(other) + ["config"]))
        guard other.kind == kind, other.status != "running",
            BackupContent(of: there).carried.isEmpty
        else {
            throw Failure(
                .targetOccupied,
                "the cluster has \(other.title), which is no rest of what this import has begun",
                hint: "Give another number with map.vmids, or remove it if nobody needs it.")
        }
        var fields = APIFields()
        fields.add("protection", false)
        _ = try? client.put(path + ["config"], fields)
        var purge = APIFields()
        purge.add("purge", true)
        let answer = try client.deleteAnyway(path, purge)
        if let upid = answer.string.flatMap({ UPID($0) }) {
            _ = try TaskFollower(client).follow(upid)
        }
    }

    /// How a person removes it: a task that was killed leaves its lock, which only root can break.
    private func stubHint(_ rest: Failure?) -> String {
        let tool = kind == .machine ? "qm" : "pct"
        let why = rest.map { " (\($0.cause?.what ?? $0.what))" } ?? ""
        let number = target.number
        return "What is left of it could not be removed\(why): look at it, remove it on the node "
            + "with `\(tool) unlock \(number)` and `\(tool) destroy \(number)`, then run the same "
            + "command again."
    }

    // MARK: - Firewall

    private func makeFirewall() throws(Failure) {
        let marker = room.directory + "/firewall-\(guest.id)"
        // A restore brings the rules along.
        if route == .restore, kind == .machine { return }
        guard let firewall = try firewall(), !Files.exists(marker) else { return }
        do throws(Failure) { try firewall.make() } catch {
            throw error.during("cannot make the firewall of \(guest.title)")
        }
        try Files.write([], to: marker, mode: 0o600)
    }

    func firewall() throws(Failure) -> GuestFirewall? {
        guard let bytes = guest.firewall, !bytes.isEmpty else { return nil }
        return GuestFirewall(
            file: try FirewallFile(parsing: bytes), client: client, base: path + ["firewall"])
    }
}
