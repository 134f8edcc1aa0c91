import Basics
import Guests
import Streams

/// Asks for every document of a cluster's configuration, and keeps what could not be had.
///
/// A document is a line of JSON: the call, and what it answered, in canonical form.
struct ConfigurationReader {
    private let client: ProxmoxClient
    private let version: ProxmoxVersion
    private let progress: Progress
    private(set) var lines: [[UInt8]] = []
    /// Calls that the rights do not allow.
    private(set) var denied: [String] = []
    /// Calls that the server answers with an error, and what it says: what they ask for is not there.
    private(set) var unavailable: [String] = []
    /// The same, of what is there for all that is known.
    private(set) var unanswered: [String] = []
    /// What no call shows, of what is there.
    private(set) var withheld: [String] = []
    /// Names by the path of the query that lists them.
    private var names: [String: [JSON]] = [:]

    init(_ reader: ClusterReader, _ progress: Progress) {
        client = reader.client
        version = reader.version
        self.progress = progress
    }

    /// The cluster and its nodes.
    mutating func readCluster(nodes: [(name: String, isOnline: Bool)]) throws(Failure) {
        for query in ConfigurationQuery.cluster { try read(query, below: "") }
        for node in nodes {
            guard node.isOnline else {
                denied.append("/nodes/\(node.name): the node is offline")
                continue
            }
            for query in ConfigurationQuery.node {
                try read(
                    ConfigurationQuery(
                        query.path.replacingWord("{node}", with: node.name), query.versions),
                    below: "")
            }
        }
    }

    mutating func read(_ guest: GuestEntry) throws(Failure) {
        let base = "/nodes/\(guest.node)/\(guest.kind.rawValue)/\(guest.id)"
        for query in ConfigurationQuery.guest { try read(query, below: base) }
    }

    private mutating func read(
        _ query: ConfigurationQuery, below base: String
    ) throws(Failure) {
        guard query.versions.contains(min(version.major, 9)) else { return }
        guard let parent = query.parent else {
            return try ask(base + query.path, query)
        }
        for element in names[base + parent] ?? [] {
            guard let name = element[query.member]?.string, name != "current" else { continue }
            if let selector = query.selector, name.contains("/") {
                try askByName(parent, selector, name, query)
                continue
            }
            let path = query.path.split(separator: "/").map {
                $0.hasPrefix("{") ? name : String($0)
            }
            try ask(base, path, query)
        }
    }

    private mutating func ask(_ path: String, _ query: ConfigurationQuery) throws(Failure) {
        try ask("", path.split(separator: "/").map(String.init), query)
    }

    private mutating func ask(
        _ base: String, _ rest: [String], _ query: ConfigurationQuery
    ) throws(Failure) {
        let path = base.split(separator: "/").map(String.init) + rest
        let shown = "/" + path.joined(separator: "/")
        var fields = APIFields()
        for (name, value) in query.parameters { fields.add(name, value) }
        try ask(path, fields, shown, query) { $0 }
    }

    /// Asks for an object whose name has a slash, such as a pool in a pool; its document is that of any
    /// other one.
    private mutating func askByName(
        _ parent: String, _ selector: String, _ name: String, _ query: ConfigurationQuery
    ) throws(Failure) {
        var fields = APIFields()
        fields.add(selector, name)
        try ask(
            parent.split(separator: "/").map(String.init), fields, parent + "/" + name, query
        ) { list in
            let object = list.array?.first ?? .null
            return .object((object.members ?? []).filter { $0.key != selector })
        }
    }

    private mutating func ask(
        _ path: [String], _ fields: APIFields, _ shown: String, _ query: ConfigurationQuery,
        _ shape: (JSON) -> JSON
    ) throws(Failure) {
        try progress.checkCancelled()
        do throws(Failure) {
            let data = shape(try client.get(path, fields))
            names[shown] = data.array ?? []
            let document: JSON = ["path": .string(shown), "data": data]
            lines.append(document.canonical + [0x0a])
            if let entry = ConfigurationQuery.withheld.first(where: { $0.path == query.path }),
                data.array.map({ !$0.isEmpty }) ?? true,
                // Realms of Proxmox itself and of the system have no secret of their own.
                !["pam", "pve"].contains(data["type"]?.string ?? "")
            {
                let what = shown + ": " + entry.what
                if !withheld.contains(what) { withheld.append(what) }
            }
        } catch {
            switch error.code {
            case .serverRights: denied.append(shown)
            // A part that is not installed (Ceph, SDN), or that this version has elsewhere: there is
            // nothing to have, and the document says why.
            case .serverRefused, .notFound, .unsupported:
                let reason = error.cause?.what ?? error.what
                let document: JSON = [
                    "path": .string(shown), "data": .null, "unavailable": .string(reason),
                ]
                lines.append(document.canonical + [0x0a])
                let told = shown + ": " + reason
                if error.code == .unsupported || Self.isAbsent(reason, path) {
                    unavailable.append(told)
                } else {
                    unanswered.append(told)
                }
            default: throw error
            }
        }
    }
}

extension ConfigurationReader {
    /// Whether an error says that there is nothing to be had, or is about hardware and packages, of which
    /// a node tells what it can.
    private static func isAbsent(_ reason: String, _ path: [String]) -> Bool {
        let about = path.count > 2 && path[0] == "nodes" ? path[2] : path.prefix(2).joined()
        if ["disks", "apt", "ceph", "services", "subscription", "report", "clusterceph"]
            .contains(about)
        {
            return true
        }
        // 424 is what a node says that is in no cluster.
        return reason.hasPrefix("424:") || absences.contains { reason.contains($0) }
    }

    private static let absences = [
        "not installed", "not initialized", "not configured", "not in a cluster", "not enabled",
        "migrated to", "does not exist", "no such", "not found", "No such file",
    ]
}

extension String {
    fileprivate func replacingWord(_ word: String, with other: String) -> String {
        split(separator: "/", omittingEmptySubsequences: false)
            .map { $0 == word ? other : String($0) }.joined(separator: "/")
    }
}
