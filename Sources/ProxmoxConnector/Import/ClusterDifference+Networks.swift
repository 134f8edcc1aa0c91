import Basics

/// The firewall of the cluster, and its virtual networks.
extension ClusterDifference {
    private static let firewall = "/cluster/firewall"
    private static let ruleFields = [
        "type", "action", "enable", "macro", "iface", "source", "dest", "proto", "sport", "dport",
        "icmp-type", "log", "comment",
    ]
    private static let memberFields = ["cidr", "comment", "nomatch"]

    /// Names first, then groups and their rules, rules of the cluster last. Options, the switch of the
    /// firewall behind all others, are left to a person: they can lock everybody out.
    mutating func compareFirewall() throws(Failure) {
        let base = Self.firewall
        try compareList(.firewall, base + "/aliases", key: "name", fields: ["cidr", "comment"])
        try compareSets(base + "/ipset")
        try compareGroups(base + "/groups")
        let rules = try now(base + "/rules")
        compareRules(
            "rules of the cluster", base + "/rules", documents(.firewall, base + "/rules"),
            there: rules, isOpen: true)
        _ = documents(.firewall, base + "/options")
        let options = archived[base + "/options"]
        let there = try reader.client.get(Self.segments(base + "/options"))
        let names = (options?.members ?? []).map(\.key).filter { $0 != "digest" }
        for name in names.filter({ $0 != "enable" }) + names.filter({ $0 == "enable" }) {
            guard let value = options?[name]?.text else { continue }
            let isSame =
                there[name]?.text == value || name == "enable" && value == "0" && there[name] == nil
            if isSame { continue }
            leave(
                .firewall, "option \(name)", "it is \(value) in the archive: set it by hand",
                command: "pvesh set \(base)/options --\(name) \(PrivilegeCheck.quoted(value))")
        }
    }

    private mutating func compareSets(_ path: String) throws(Failure) {
        let there = try now(path)
        for set in documents(.firewall, path) {
            guard let name = set["name"]?.string else { continue }
            let object = "ipset \(name)"
            guard let members = content(.firewall, path + "/" + name) else { continue }
            var missing = members
            if let other = there.first(where: { $0["name"]?.string == name }) {
                let found = try now(path + "/" + name)
                missing = members.filter { member in
                    !found.contains { isSame(member, $0, Self.memberFields) }
                }
                let isMore = found.contains { one in
                    !members.contains { isSame($0, one, Self.memberFields) }
                }
                let isOther = !isSame(set, other, ["comment"]) || isMore
                guard !isOther, missing.isEmpty || begun.contains(object) else {
                    conflicts.append(.init(.firewall, object))
                    continue
                }
            } else {
                add(object, ("name", name), set, ["comment"], to: path)
            }
            for member in missing {
                add(object, nil, member, Self.memberFields, to: path + "/" + name)
            }
        }
    }

    private mutating func compareGroups(_ path: String) throws(Failure) {
        let there = try now(path)
        for group in documents(.firewall, path) {
            guard let name = group["group"]?.string else { continue }
            guard let rules = content(.firewall, path + "/" + name) else { continue }
            let object = "security group \(name)"
            var found: [JSON] = []
            if let other = there.first(where: { $0["group"]?.string == name }) {
                guard isSame(group, other, ["comment"]) else {
                    conflicts.append(.init(.firewall, object))
                    continue
                }
                found = try now(path + "/" + name)
            } else {
                add(object, ("group", name), group, ["comment"], to: path)
            }
            compareRules(
                object, path + "/" + name, rules, there: found,
                isOpen: changes.contains { $0.compound == object })
        }
    }

    /// Each rule is put on top, so that the last one goes first: what an interrupted import of ours has
    /// made is the end of the list.
    ///
    /// - Parameter isOpen: whether an empty list may be filled.
    private mutating func compareRules(
        _ object: String, _ path: String, _ rules: [JSON], there: [JSON], isOpen: Bool
    ) {
        let isEnd =
            there.count <= rules.count
            && zip(rules.suffix(there.count), there).allSatisfy {
                isSame($0, $1, Self.ruleFields)
            }
        if isEnd, there.count == rules.count { return }
        guard isEnd, begun.contains(object) || isOpen && there.isEmpty else {
            conflicts.append(.init(.firewall, object))
            return
        }
        for rule in rules.dropLast(there.count).reversed() {
            add(object, nil, rule, Self.ruleFields, to: path)
        }
    }

    private mutating func add(
        _ object: String, _ key: (String, String)?, _ source: JSON, _ fields: [String],
        to path: String
    ) {
        var told = key.map { [$0] } ?? []
        told += values(of: source, fields)
        // Unless it is said, a new rule is off.
        if fields.contains("enable"), !told.contains(where: { $0.0 == "enable" }) {
            told.append(("enable", "0"))
        }
        changes.append(
            .init(
                part: .firewall, object: object, method: "POST", path: Self.segments(path),
                fields: told, compound: object))
    }

    // MARK: - Virtual networks

    mutating func compareNetworks() throws(Failure) {
        let base = "/cluster/sdn"
        try compareList(
            .sdn, base + "/zones", key: "zone",
            fields: [
                "type", "bridge", "tag", "vlan-protocol", "peers", "controller", "vrf-vxlan", "mtu",
                "nodes", "ipam", "dns", "dnszone", "reversedns", "dhcp", "vxlan-port", "exitnodes",
                "exitnodes-primary", "exitnodes-local-routing", "advertise-subnets",
                "disable-arp-nd-suppression", "rt-import", "bridge-disable-mac-learning",
            ])
        try compareList(
            .sdn, base + "/vnets", key: "vnet",
            fields: ["zone", "alias", "tag", "vlanaware", "isolate-ports"])
        for vnet in documents(.sdn, base + "/vnets") {
            if let name = vnet["vnet"]?.string { try compareSubnets(name, vnet, base) }
        }
        for (list, key) in [("controllers", "controller"), ("ipams", "ipam"), ("dns", "dns")] {
            let entries = documents(.sdn, "\(base)/\(list)")
            if entries.isEmpty { continue }
            let there = Set(try now("\(base)/\(list)").compactMap { $0[key]?.string })
            for entry in entries {
                guard let name = entry[key]?.string, !there.contains(name) else { continue }
                leave(.sdn, name, "\(list) of virtual networks are made by hand")
            }
        }
        guard changes.contains(where: { $0.part == .sdn }) else { return }
        leave(
            .sdn, "virtual networks",
            "what was made holds when the networks of all nodes are reloaded",
            command: "pvesh set /cluster/sdn")
    }

    private static let subnetFields = ["gateway", "snat", "dnszoneprefix", "dhcp-dns-server"]

    private mutating func compareSubnets(
        _ name: String, _ vnet: JSON, _ base: String
    ) throws(Failure) {
        let path = "\(base)/vnets/\(name)/subnets"
        let subnets = documents(.sdn, path)
        if subnets.isEmpty { return }
        let isNew = changes.contains { $0.part == .sdn && $0.object == name }
        let there = try isNew ? [] : now(path)
        for subnet in subnets {
            guard let range = subnet["cidr"]?.string ?? subnet["subnet"]?.string else { continue }
            let object = "\(name) \(range)"
            if let other = there.first(where: { ($0["cidr"] ?? $0["subnet"])?.string == range }) {
                if !isSame(subnet, other, Self.subnetFields) {
                    conflicts.append(.init(.sdn, object))
                }
                continue
            }
            changes.append(
                .init(
                    part: .sdn, object: object, method: "POST", path: Self.segments(path),
                    fields: [("subnet", range), ("type", "subnet")]
                        + values(of: subnet, Self.subnetFields),
                    zone: vnet["zone"]?.string))
            if !(subnet["dhcp-range"]?.array ?? []).isEmpty {
                leave(.sdn, object, "its ranges for DHCP are set by hand")
            }
        }
    }
}
