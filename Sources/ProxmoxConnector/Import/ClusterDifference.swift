import Basics
import Guests

/// Compares an archived configuration with that of a cluster, object by object.
struct ClusterDifference {
    /// What no call of ours makes, or what only a person may decide.
    struct Left: Sendable {
        let part: ClusterPart
        let object: String
        let what: String
        let command: String?
        /// Nobody could carry it over: it is told, and nothing is missing for it.
        let isCovered: Bool
    }

    let archived: [String: JSON]
    let reader: ClusterReader
    let mapping: GuestMapping
    /// What an interrupted import of ours has begun to make: it may be completed.
    let begun: Set<String>
    var changes: [ClusterChanges.Change] = []
    var conflicts: [ClusterChanges.Conflict] = []
    var left: [Left] = []
    /// What the archive does not have, since its export was not allowed to see it.
    private(set) var unknown: [ClusterChanges.Conflict] = []

    init(
        _ archived: [String: JSON], _ reader: ClusterReader, _ mapping: GuestMapping,
        begun: Set<String>
    ) {
        self.archived = archived
        self.reader = reader
        self.mapping = mapping
        self.begun = begun
    }

    mutating func compare(_ part: ClusterPart) throws(Failure) {
        switch part {
        case .pools: try comparePools()
        case .roles:
            try compareList(part, "/access/roles", key: "roleid", fields: ["privs"]) {
                !($0["special"]?.isTrue ?? false)
            }
        case .groups: try compareList(part, "/access/groups", key: "groupid", fields: ["comment"])
        case .users: try compareUsers()
        case .acl: try compareACL()
        case .storages: try compareStorages()
        case .firewall: try compareFirewall()
        case .sdn: try compareNetworks()
        }
    }

    /// The list that the archive has of a path. A part that was not seen must not count as empty.
    mutating func documents(_ part: ClusterPart, _ path: String) -> [JSON] {
        guard let document = archived[path], document != .null else {
            if !unknown.contains(where: { $0.object == path }) { unknown.append(.init(part, path)) }
            return []
        }
        return document.array ?? []
    }

    /// What a set or a group has; nil where it is not known: an empty one would mean something else.
    mutating func content(_ part: ClusterPart, _ path: String) -> [JSON]? {
        if let list = archived[path]?.array { return list }
        unknown.append(.init(part, path))
        return nil
    }

    func now(_ path: String) throws(Failure) -> [JSON] {
        // As the archive has it: without "full", users come without their groups.
        let fields: APIFields = path == "/access/users" ? ["full": "1"] : [:]
        return try reader.client.get(Self.segments(path), fields).array ?? []
    }

    static func segments(_ path: String) -> [String] {
        path.split(separator: "/").map(String.init)
    }

    mutating func leave(
        _ part: ClusterPart, _ object: String, _ what: String, command: String? = nil,
        isCovered: Bool = false
    ) {
        left.append(
            Left(part: part, object: object, what: what, command: command, isCovered: isCovered))
    }

    // MARK: - Lists

    /// Objects of a list by their key: what is missing is made, what is there is compared.
    mutating func compareList(
        _ part: ClusterPart, _ path: String, key: String, fields: [String],
        where isMeant: (JSON) -> Bool = { _ in true }
    ) throws(Failure) {
        let there = try now(path)
        for object in documents(part, path) where isMeant(object) {
            guard let name = object[key]?.text else { continue }
            if let other = there.first(where: { $0[key]?.text == name }) {
                if !isSame(object, other, fields) { conflicts.append(.init(part, name)) }
                continue
            }
            changes.append(
                .init(
                    part: part, object: name, method: "POST", path: Self.segments(path),
                    fields: [(key, name)] + values(of: object, fields)))
        }
    }

    func values(of object: JSON, _ fields: [String]) -> [(String, String)] {
        fields.compactMap { field in value(of: object, field).map { (field, $0) } }
    }

    /// As it should be on the target; nil where there is none.
    private func value(of object: JSON, _ field: String) -> String? {
        guard let text = object[field]?.text, !text.isEmpty else { return nil }
        guard field == "nodes" else { return text }
        return text.split(separator: ",").map { mapping.node(of: String($0)) }
            .joined(separator: ",")
    }

    func isSame(_ object: JSON, _ other: JSON, _ fields: [String]) -> Bool {
        fields.allSatisfy { field in
            Self.normal(value(of: object, field), field)
                == Self.normal(other[field]?.text, field)
        }
    }

    /// Flags that mean the same when they are not there.
    private static let offByDefault: Set = [
        "disable", "shared", "vlanaware", "isolate-ports", "nomatch", "enable", "snat", "expire",
    ]

    /// Lists that are joined by commas have no order.
    private static func normal(_ text: String?, _ field: String) -> [Substring] {
        if offByDefault.contains(field), text == "0" { return [] }
        return (text ?? "").split(separator: ",").sorted()
    }

    // MARK: - Access

    private mutating func comparePools() throws(Failure) {
        let first = changes.count
        try compareList(.pools, "/pools", key: "poolid", fields: ["comment"])
        // A pool in a pool comes behind the outer one.
        changes[first...].sort { $0.object < $1.object }
        // Guests are put there when they are made; storages are the target's own.
        for pool in documents(.pools, "/pools") {
            guard let name = pool["poolid"]?.string else { continue }
            _ = documents(.pools, "/pools/" + name)
            for member in archived["/pools/" + name]?["members"]?.array ?? [] {
                guard member["type"]?.string == "storage", let storage = member["storage"]?.string
                else { continue }
                let place = mapping.storages[storage]?.storage ?? storage
                let isNew = changes.contains { $0.part == .pools && $0.object == name }
                if !isNew, try hasMember(name, storage: place) { continue }
                leave(
                    .pools, name, "the storage \"\(storage)\" was a member of the pool",
                    command: "pvesh set /pools" + Self.option(of: name)
                        + " --storage \(PrivilegeCheck.quoted(place))")
            }
        }
    }

    /// How a command names a pool: a path cannot hold the name of one in another.
    private static func option(of pool: String) -> String {
        (pool.contains("/") ? " --poolid " : "/") + PrivilegeCheck.quoted(pool)
    }

    private func hasMember(_ pool: String, storage: String) throws(Failure) -> Bool {
        let answer: JSON
        do throws(Failure) {
            answer =
                pool.contains("/")
                ? try reader.client.get(["pools"], ["poolid": pool]).array?.first ?? .null
                : try reader.client.get(["pools", pool])
        } catch {
            if error.code == .notFound { return false }
            throw error
        }
        return (answer["members"]?.array ?? []).contains { $0["storage"]?.string == storage }
    }

    private static func isOfNodes(_ user: JSON) -> Bool {
        user["userid"]?.string?.hasSuffix("@pam") ?? true
    }

    private mutating func compareUsers() throws(Failure) {
        try compareList(
            .users, "/access/users", key: "userid",
            fields: ["comment", "email", "enable", "expire", "firstname", "lastname", "groups"]
        ) { !Self.isOfNodes($0) }
        let there = Set(try now("/access/users").compactMap { $0["userid"]?.string })
        for user in documents(.users, "/access/users") where Self.isOfNodes(user) {
            guard let name = user["userid"]?.string, !there.contains(name) else { continue }
            leave(
                .users, name,
                "it is an account of the nodes' own system: make it there, and then here",
                command: "pveum user add \(PrivilegeCheck.quoted(name))")
        }
    }

    private mutating func compareACL() throws(Failure) {
        let there = try now("/access/acl")
        for entry in documents(.acl, "/access/acl") {
            guard let path = entry["path"]?.string, let role = entry["roleid"]?.string,
                let owner = entry["ugid"]?.string, let type = entry["type"]?.string,
                let field = ["user": "users", "group": "groups", "token": "tokens"][type]
            else { continue }
            let object = "\(path) \(owner) \(role)"
            let propagates = entry["propagate"]?.isTrue ?? true
            if let other = there.first(where: { Self.grant($0) == Self.grant(entry) }) {
                if (other["propagate"]?.isTrue ?? true) != propagates {
                    conflicts.append(.init(.acl, object))
                }
                continue
            }
            if type == "token" {
                leave(
                    .acl, object, "tokens are issued anew, with a secret of their own",
                    command: "pveum acl modify \(PrivilegeCheck.quoted(path)) --tokens "
                        + "\(PrivilegeCheck.quoted(owner)) --roles \(PrivilegeCheck.quoted(role))"
                        + " --propagate \(propagates ? 1 : 0)", isCovered: true)
                continue
            }
            changes.append(
                .init(
                    part: .acl, object: object, method: "PUT", path: ["access", "acl"],
                    fields: [
                        ("path", path), ("roles", role), (field, owner),
                        ("propagate", propagates ? "1" : "0"),
                    ]))
        }
    }

    private static func grant(_ entry: JSON) -> String {
        ["path", "roleid", "ugid", "type"].map { entry[$0]?.string ?? "" }.joined(separator: "\0")
    }

    // MARK: - Storages

    private static let storageFields = [
        "type", "content", "content-dirs", "nodes", "disable", "prune-backups",
        "max-protected-backups", "format", "mkdir", "create-base-path", "create-subdirs", "bwlimit",
        "preallocation",
    ]

    /// Options by kind. Of NFS the list of storages says `shared`, which no call takes.
    ///
    /// Source: `PVE::Storage::DirPlugin` and `NFSPlugin`, `options`.
    private static let storageKinds = [
        "dir": storageFields + ["path", "shared", "is_mountpoint"],
        "nfs": storageFields + ["path", "server", "export", "options"],
    ]

    private mutating func compareStorages() throws(Failure) {
        for (kind, fields) in Self.storageKinds.sorted(by: { $0.key < $1.key }) {
            try compareList(.storages, "/storage", key: "storage", fields: fields) {
                $0["type"]?.string == kind
            }
        }
        let there = Set(try now("/storage").compactMap { $0["storage"]?.string })
        for storage in documents(.storages, "/storage") {
            guard let name = storage["storage"]?.string, let kind = storage["type"]?.string,
                Self.storageKinds[kind] == nil, !there.contains(name)
            else { continue }
            leave(.storages, name, "storages of the kind \(kind) are made by hand")
        }
    }
}

extension JSON {
    /// A scalar as a parameter of the API has it.
    var text: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .bool(let flag): flag ? "1" : "0"
        case .null, .array, .object: nil
        }
    }
}
