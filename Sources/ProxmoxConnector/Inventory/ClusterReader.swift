import Basics
import Guests
import Streams

/// Asks a cluster what it is and what is in it.
struct ClusterReader: Sendable {
    let client: ProxmoxClient
    let version: ProxmoxVersion

    init(_ client: ProxmoxClient) throws(Failure) {
        self.client = client
        version = try client.version()
    }

    /// All guests that the rights show, by number.
    func guests() throws(Failure) -> [GuestEntry] {
        let answer = try client.get(["cluster", "resources"], ["type": "vm"])
        return (answer.array ?? []).compactMap { item in
            guard let id = item["vmid"]?.number, let node = item["node"]?.string,
                let kind = item["type"]?.string.flatMap({ GuestEntry.Kind(rawValue: $0) })
            else { return nil }
            return GuestEntry(
                id: id, kind: kind, name: item["name"]?.string ?? "", node: node,
                status: item["status"]?.string ?? "unknown", pool: item["pool"]?.string,
                tags: (item["tags"]?.string ?? "").split { ";, ".contains($0) }.map(String.init),
                isTemplate: item["template"]?.isTrue ?? false,
                used: kind == .container ? item["disk"]?.number ?? 0 : 0)
        }.sorted { $0.id < $1.id }
    }

    /// The node that a guest is on now.
    func node(of id: Int64) throws(Failure) -> String {
        guard let guest = try guests().first(where: { $0.id == id }) else {
            throw Failure(
                .sourceVanished, "the cluster has no guest \(id) any more",
                hint: "Exclude it, or give the rights to see it.")
        }
        return guest.node
    }

    /// Nodes by name, with whether they are online.
    func nodes() throws(Failure) -> [(name: String, isOnline: Bool)] {
        let answer = try client.get(["nodes"])
        return (answer.array ?? []).compactMap { item in
            item["node"]?.string.map { ($0, item["status"]?.string == "online") }
        }.sorted { $0.0 < $1.0 }
    }

    /// What a node says of a storage: its kind, where it is, how much room there is.
    func storage(_ name: String, on node: String) throws(Failure) -> StorageFacts {
        let status = try client.get(["nodes", node, "storage", name, "status"])
        let listed = try client.get(["storage"])
        let entry = listed.array?.first { $0["storage"]?.string == name }
        return StorageFacts(
            name: name, type: status["type"]?.string ?? entry?["type"]?.string ?? "",
            path: entry?["path"]?.string ?? "/mnt/pve/" + name,
            content: (status["content"]?.string ?? "").split(separator: ",").map(String.init),
            isActive: status["active"]?.isTrue ?? true,
            free: status["avail"]?.number, keepsAll: Self.keepsAll(entry))
    }

    /// Whether the storage deletes nothing by itself, and refuses no further backup.
    private static func keepsAll(_ entry: JSON?) -> Bool {
        guard let text = entry?["prune-backups"]?.string else { return true }
        return text.split(separator: ",").contains("keep-all=1")
    }

    /// The zone of each virtual network; none where the rights or the version do not show them.
    func networkZones() -> [String: String] {
        let networks = (try? client.get(["cluster", "sdn", "vnets"]))?.array ?? []
        var zones: [String: String] = [:]
        for network in networks {
            if let name = network["vnet"]?.string { zones[name] = network["zone"]?.string }
        }
        return zones
    }

    func path(_ guest: GuestEntry) -> [String] {
        ["nodes", guest.node, guest.kind.rawValue, String(guest.id)]
    }
}

struct StorageFacts: Sendable {
    let name: String
    let type: String
    /// Where its node mounts it.
    let path: String
    let content: [String]
    let isActive: Bool
    /// Bytes; nil where the storage does not tell.
    let free: Int64?
    let keepsAll: Bool

    /// Whether backups go into chunks of their own form there, where nothing but its client reads them.
    var keepsNoFiles: Bool { type == "pbs" }
}
