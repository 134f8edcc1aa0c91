import Basics
import Guests

/// Holds what guests need of a cluster (pools, storages, bridges) against what it has, before anything
/// is brought: hours of uploads must not end with a name that was never there.
struct TargetPlaces {
    let settings: ProxmoxTarget
    let reader: ClusterReader

    /// - Throws: `notFound` naming the first thing that is missing, and how to name another.
    func check(_ creations: [GuestCreation]) throws(Failure) {
        let waiting = creations.filter { !$0.isMade }
        try checkPools(waiting)
        for node in Set(waiting.map(\.node)).sorted() {
            let here = waiting.filter { $0.node == node }
            try checkStorages(here, node)
            try checkWays(here, node)
            try checkBridges(here, node)
        }
        try checkFirewalls(waiting)
    }

    /// A line for each storage that has less room left than all of what comes to it. Nothing is refused:
    /// a thin storage promises more than it has, and only the storage knows how much it will take.
    func shortages(_ creations: [GuestCreation]) throws(Failure) -> [String] {
        let waiting = creations.filter { !$0.isMade }
        var demands: [Demand] = []
        for node in Set(waiting.map(\.node)).sorted() {
            let listed = try reader.client.get(["nodes", node, "storage"]).array ?? []
            for creation in waiting where creation.node == node {
                for disk in creation.placedDisks where disk.bytes > 0 {
                    guard let entry = listed.first(where: { $0["storage"]?.string == disk.storage })
                    else { continue }
                    // What several nodes share is one place for all of them.
                    let own = entry["shared"]?.isTrue == true ? nil : node
                    let place = demands.firstIndex { $0.storage == disk.storage && $0.node == own }
                    if let place {
                        demands[place].add(disk.bytes)
                    } else if let free = entry["avail"]?.number {
                        demands.append(
                            Demand(
                                storage: disk.storage, node: own, free: max(0, free),
                                bytes: disk.bytes))
                    }
                }
            }
        }
        return demands.filter { $0.bytes > $0.free }.map(\.text)
    }

    /// What comes to a storage, and what it has left.
    struct Demand {
        let storage: String
        /// nil for a storage that nodes share.
        let node: String?
        let free: Int64
        private(set) var bytes: Int64

        init(storage: String, node: String?, free: Int64, bytes: Int64) {
            self.storage = storage
            self.node = node
            self.free = free
            self.bytes = bytes
        }

        mutating func add(_ more: Int64) {
            let (sum, isTooMuch) = bytes.addingReportingOverflow(more)
            bytes = isTooMuch ? .max : sum
        }

        var text: String {
            let lacking = bytes - free
            return "warning: the storage \"\(storage)\"" + (node.map { " of node \"\($0)\"" } ?? "")
                + " has \(free >> 20) MiB left, and the disks that come to it have "
                + "\(Self.rounded(bytes)) MiB: \(Self.rounded(lacking)) MiB too few, unless it is thin "
                + "and they are not full"
        }

        /// MiB, and never none of something.
        private static func rounded(_ bytes: Int64) -> Int64 {
            bytes >> 20 + (bytes & (1 << 20 - 1) > 0 ? 1 : 0)
        }
    }

    /// Unless this import makes them.
    private func checkPools(_ creations: [GuestCreation]) throws(Failure) {
        if settings.applies, settings.cluster.contains(.pools) { return }
        let wanted = Set(
            creations.compactMap { creation in
                creation.target.pool.map { settings.mapping.pool(of: $0) }
            })
        guard !wanted.isEmpty else { return }
        let there = Set(
            (try reader.client.get(["pools"]).array ?? []).compactMap { $0["poolid"]?.string })
        guard let missing = wanted.subtracting(there).min() else { return }
        throw Failure(
            .notFound, "the cluster has no pool \"\(missing)\", or the rights do not show it",
            hint: "Make it, name another with map.pools, or make the pools of the archive with "
                + "\"cluster: [pools]\" and \"apply: true\".")
    }

    private func checkStorages(_ creations: [GuestCreation], _ node: String) throws(Failure) {
        let listed = try reader.client.get(["nodes", node, "storage"]).array ?? []
        for creation in creations {
            let content = creation.guest.isContainer ? "rootdir" : "images"
            for disk in creation.placedDisks {
                try check(
                    disk.storage, takes: content, on: node, listed, for: creation.guest.title,
                    disk.isOfHost ? "map.storage" : "map.storages")
            }
        }
    }

    /// Where uploads and backups go on their way: nothing of them can come without.
    private func checkWays(_ creations: [GuestCreation], _ node: String) throws(Failure) {
        let listed = try reader.client.get(["nodes", node, "storage"]).array ?? []
        for creation in creations {
            let title = creation.guest.title
            if creation.route == .import, let name = settings.uploads, !creation.images.isEmpty {
                let content = creation.guest.isContainer ? "vztmpl" : "import"
                try check(name, takes: content, on: node, listed, for: title, "upload-storage")
            }
            if let name = settings.transport?.storage {
                try check(name, takes: "backup", on: node, listed, for: title, "transport")
            }
        }
    }

    /// - Parameter key: of the plan, where another one is named.
    private func check(
        _ name: String, takes content: String, on node: String, _ listed: [JSON],
        for title: String, _ key: String
    ) throws(Failure) {
        let entry = listed.first { $0["storage"]?.string == name }
        guard let entry, entry["enabled"]?.isTrue != false else {
            throw Failure(
                .notFound, "the node \"\(node)\" has no storage \"\(name)\" for \(title)",
                hint: "Name another with \(key).")
        }
        let takes = (entry["content"]?.string ?? "").split(separator: ",")
        guard takes.isEmpty || takes.contains(Substring(content)) else {
            throw Failure(
                .planInvalidValue,
                "the storage \"\(name)\" takes no \"\(content)\", which \(title) needs",
                hint: "Name another with \(key), or let it take them.")
        }
        guard entry["active"]?.isTrue != false else {
            throw Failure(
                .notFound, "the storage \"\(name)\" is not active on the node \"\(node)\"",
                hint: "Look at it on the node, or name another with \(key).")
        }
    }

    private func checkBridges(_ creations: [GuestCreation], _ node: String) throws(Failure) {
        let listed =
            try reader.client.get(["nodes", node, "network"], ["type": "any_bridge"]).array ?? []
        // Virtual networks that have been made and not applied yet are of no node.
        let there = Set(listed.compactMap { $0["iface"]?.string })
        for creation in creations {
            for entry in creation.configuration.numbered("net") {
                let card = settings.mapping.card(NetworkCard(entry.entry.text))
                guard let bridge = card.bridge, !there.contains(bridge) else { continue }
                throw Failure(
                    .notFound,
                    "the node \"\(node)\" has no bridge \"\(bridge)\" for \(creation.guest.title), "
                        + "or the rights do not show it",
                    hint: "Make it, or name another with map.bridges.")
            }
        }
    }
}

extension TargetPlaces {
    /// What rules of guests name must be there before them. Unless this import makes it, or the rights do
    /// not show it: then the server says so when the rule is made.
    private func checkFirewalls(_ creations: [GuestCreation]) throws(Failure) {
        if settings.applies, settings.cluster.contains(.firewall) { return }
        var there: [String: Set<String>] = [:]
        for creation in creations where creation.route == .import || creation.kind == .container {
            guard let file = try creation.firewall()?.file else { continue }
            for named in file.prerequisites {
                let words = named.split(separator: " ")
                let (list, key): (String, String) =
                    switch words.first {
                    case "security": ("groups", "group")
                    case "ipset": ("ipset", "name")
                    default: ("aliases", "name")
                    }
                if there[list] == nil {
                    do throws(Failure) {
                        let answer = try reader.client.get(["cluster", "firewall", list])
                        there[list] = Set(
                            (answer.array ?? []).compactMap { $0[key]?.string?.lowercased() })
                    } catch {
                        guard error.code == .serverRights else { throw error }
                        return
                    }
                }
                guard let name = words.last, there[list]?.contains(name.lowercased()) != true
                else { continue }
                throw Failure(
                    .notFound,
                    "the cluster has no \(named), which the firewall of \(creation.guest.title) "
                        + "names",
                    hint: "Make it, or make what the archive has with \"cluster: [firewall]\" and "
                        + "\"apply: true\".")
            }
        }
    }
}

extension GuestCreation {
    /// A disk that will be made.
    struct PlacedDisk {
        let storage: String
        /// Bytes; 0 where nothing tells them.
        let bytes: Int64
        /// Whether it was a device of the host, and came from no storage.
        let isOfHost: Bool
    }

    /// Its disks, with the mapping applied.
    var placedDisks: [PlacedDisk] {
        BackupContent(of: configuration).carried.compactMap { carried in
            guard let place = try? target.mapping.place(of: carried.volume) else { return nil }
            let stored = guest.disks.first { $0.key == carried.key }?.size
            return PlacedDisk(
                storage: place.storage,
                bytes: max(stored ?? 0, Int64(clamping: carried.declaredSize ?? 0)),
                isOfHost: VolumeReference(carried.volume).storage == nil)
        }
    }
}
