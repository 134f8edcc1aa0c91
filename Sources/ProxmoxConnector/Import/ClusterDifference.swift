import Basics
import Guests

/// Compares an archived configuration with that of a cluster, object by object.
struct ClusterDifference {
    private let archived: [String: JSON]
    private let client: ProxmoxClient
    private let version: ProxmoxVersion
    private(set) var changes: [ClusterChanges.Change] = []
    private(set) var conflicts: [(part: ClusterPart, object: String)] = []

    init(_ archived: [String: JSON], _ client: ProxmoxClient, _ version: ProxmoxVersion) {
        self.archived = archived
        self.client = client
        self.version = version
    }

    mutating func compare(_ part: ClusterPart) throws(Failure) {
        switch part {
        case .pools: try compareList(part, "/pools", key: "poolid", fields: ["comment"])
        case .roles:
            try compareList(part, "/access/roles", key: "roleid", fields: ["privs"]) {
                !($0["special"]?.isTrue ?? false)
            }
        case .groups: try compareList(part, "/access/groups", key: "groupid", fields: ["comment"])
        case .users:
            // Users of the system's own realm are accounts of the nodes.
            try compareList(
                part, "/access/users", key: "userid",
                fields: ["comment", "email", "enable", "expire", "firstname", "lastname", "groups"]
            ) { !($0["userid"]?.string?.hasSuffix("@pam") ?? true) }
        case .acl: try compareACL()
        case .storages:
            try compareList(
                part, "/storage", key: "storage",
                fields: [
                    "type", "path", "content", "server", "export", "options", "shared", "nodes",
                    "prune-backups", "preallocation", "disable",
                ]
            ) { ["dir", "nfs"].contains($0["type"]?.string ?? "") }
        case .firewall: try compareFirewall()
        case .sdn: try compareSDN()
        }
    }

    private func now(_ path: String) throws(Failure) -> [JSON] {
        // As the archive has it: without "full", users come without their groups.
        let fields: APIFields = path == "/access/users" ? ["full": "1"] : [:]
        return try client.get(path.split(separator: "/").map(String.init), fields).array ?? []
    }

    /// Objects of a list by their key: what is missing is made, what is there is compared.
    private mutating func compareList(
        _ part: ClusterPart, _ path: String, key: String, fields: [String], at place: String? = nil,
        where isMeant: (JSON) -> Bool = { _ in true }
    ) throws(Failure) {
        let there = try now(place ?? path)
        for object in archived[path]?.array ?? [] where isMeant(object) {
            guard let name = object[key]?.text else { continue }
            let values = fields.compactMap { field in
                object[field]?.text.flatMap { $0.isEmpty ? nil : (field, $0) }
            }
            if let other = there.first(where: { $0[key]?.text == name }) {
                let isSame = fields.allSatisfy { field in
                    Self.normal(object[field]?.text) == Self.normal(other[field]?.text)
                }
                if !isSame { conflicts.append((part, name)) }
                continue
            }
            changes.append(
                .init(
                    part: part, object: name, method: "POST",
                    path: (place ?? path).split(separator: "/").map(String.init),
                    fields: [(key, name)] + values))
        }
    }

    /// Lists that are joined by commas have no order.
    private static func normal(_ text: String?) -> [Substring] {
        (text ?? "").split(separator: ",").sorted()
    }

    private mutating func compareACL() throws(Failure) {
        let there = Set(try now("/access/acl").map(Self.grant))
        for entry in archived["/access/acl"]?.array ?? [] where !there.contains(Self.grant(entry)) {
            guard let path = entry["path"]?.string, let role = entry["roleid"]?.string,
                let owner = entry["ugid"]?.string, let type = entry["type"]?.string,
                let field = ["user": "users", "group": "groups", "token": "tokens"][type]
            else { continue }
            // Tokens are issued anew, with a secret of their own.
            if type == "token" { continue }
            changes.append(
                .init(
                    part: .acl, object: "\(path) \(owner) \(role)", method: "PUT",
                    path: ["access", "acl"],
                    fields: [
                        ("path", path), ("roles", role), (field, owner),
                        ("propagate", entry["propagate"]?.isTrue ?? true ? "1" : "0"),
                    ]))
        }
    }

    private static func grant(_ entry: JSON) -> String {
        ["path", "roleid", "ugid", "type"].map { entry[$0]?.string ?? "" }.joined(separator: "\0")
    }

    /// Names first, then groups and their rules, rules of the cluster last; each rule is put on top, so
    /// that the last one goes first. The switch of the firewall is left to a person.
    private mutating func compareFirewall() throws(Failure) {
        let base = "/cluster/firewall"
        try compareList(.firewall, base + "/aliases", key: "name", fields: ["cidr", "comment"])
        try compareList(.firewall, base + "/ipset", key: "name", fields: ["comment"])
        for set in archived[base + "/ipset"]?.array ?? [] {
            guard let name = set["name"]?.string else { continue }
            let isNew = changes.contains { $0.path.last == "ipset" && $0.object == name }
            guard isNew else { continue }
            for member in archived[base + "/ipset/" + name]?.array ?? [] {
                add(
                    member, ["cidr", "comment", "nomatch"],
                    to: ["cluster", "firewall", "ipset", name])
            }
        }
        try compareList(.firewall, base + "/groups", key: "group", fields: ["comment"])
        for group in archived[base + "/groups"]?.array ?? [] {
            guard let name = group["group"]?.string else { continue }
            let isNew = changes.contains { $0.path.last == "groups" && $0.object == name }
            guard isNew else { continue }
            for rule in (archived[base + "/groups/" + name]?.array ?? []).reversed() {
                add(rule, Self.ruleFields, to: ["cluster", "firewall", "groups", name])
            }
        }
        let rules = archived[base + "/rules"]?.array ?? []
        let there = try now(base + "/rules")
        if there.isEmpty {
            for rule in rules.reversed() {
                add(rule, Self.ruleFields, to: ["cluster", "firewall", "rules"])
            }
        } else if there.map(Self.rule) != rules.map(Self.rule) {
            conflicts.append((.firewall, "rules of the cluster"))
        }
    }

    private static let ruleFields = [
        "type", "action", "enable", "macro", "iface", "source", "dest", "proto", "sport", "dport",
        "icmp-type", "log", "comment",
    ]

    private static func rule(_ rule: JSON) -> [String] {
        ruleFields.map { rule[$0]?.text ?? "" }
    }

    private mutating func add(_ object: JSON, _ fields: [String], to path: [String]) {
        var values = fields.compactMap { field in object[field]?.text.map { (field, $0) } }
        // Unless it is said, a new rule is off.
        if fields.contains("enable"), !values.contains(where: { $0.0 == "enable" }) {
            values.append(("enable", "0"))
        }
        changes.append(
            .init(
                part: .firewall, object: path.suffix(2).joined(separator: "/"), method: "POST",
                path: path, fields: values))
    }

    private mutating func compareSDN() throws(Failure) {
        let base = "/cluster/sdn"
        try compareList(
            .sdn, base + "/zones", key: "zone",
            fields: [
                "type", "bridge", "tag", "vlan-protocol", "peers", "controller", "vrf-vxlan", "mtu",
                "nodes", "ipam", "dns", "dnszone", "reversedns",
            ])
        try compareList(
            .sdn, base + "/vnets", key: "vnet",
            fields: ["zone", "alias", "tag", "vlanaware", "isolate-ports"])
    }
}

extension JSON {
    /// A scalar as a parameter of the API has it.
    fileprivate var text: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .bool(let flag): flag ? "1" : "0"
        case .null, .array, .object: nil
        }
    }
}
