import Basics

/// The firewall of a guest, as `100.fw` in /etc/pve/firewall or `qemu-server.fw` in an archive has it.
public struct FirewallFile: Sendable, Equatable {
    public struct Named: Sendable, Equatable {
        public let name: String
        public let value: String
        public let comment: String?
    }

    public struct AddressSet: Sendable, Equatable {
        public let name: String
        public let comment: String?
        public var members: [Named]
    }

    public struct Rule: Sendable, Equatable {
        public let isEnabled: Bool
        /// `in`, `out`, `forward` or `group`.
        public let type: String
        public let action: String
        public let macro: String?
        /// Names of the API's parameters: `proto`, `dport`, `source`, …
        public let options: [(name: String, value: String)]
        public let comment: String?

        public static func == (left: Rule, right: Rule) -> Bool {
            left.isEnabled == right.isEnabled && left.type == right.type
                && left.action == right.action && left.macro == right.macro
                && left.comment == right.comment
                && left.options.elementsEqual(right.options) { $0 == $1 }
        }
    }

    /// A call below `/nodes/{node}/{kind}/{id}/firewall`.
    public struct Call: Sendable, Equatable {
        public let method: String
        public let path: String
        public let parameters: [CreationRequest.Parameter]
    }

    public private(set) var options: [Named] = []
    public private(set) var aliases: [Named] = []
    public private(set) var sets: [AddressSet] = []
    public private(set) var rules: [Rule] = []
    /// Lines that are no form of Proxmox; a firewall with such is not to be taken for whole.
    public private(set) var unread: [GuestConfiguration.UnreadLine] = []

    public init(parsing bytes: [UInt8]) throws(Failure) {
        guard bytes.count <= 4 << 20 else {
            throw Failure(.invalidValue, "a guest's firewall is larger than 4 MiB")
        }
        var section = ""
        var number = 0
        for line in bytes.split(separator: 0x0a, omittingEmptySubsequences: false) {
            number += 1
            let trimmed = ConfigurationReader.trim(line)
            if trimmed.isEmpty || trimmed.first == 0x23 { continue }
            let text = String(validating: trimmed, as: UTF8.self)
            guard let text, !trimmed.contains(0), take(text, &section) else {
                unread.append(GuestConfiguration.UnreadLine(number: number, bytes: Array(line)))
                continue
            }
        }
    }

    private mutating func take(_ text: String, _ section: inout String) -> Bool {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let comment = parts.count == 2 ? Self.trim(parts[1]) : nil
        let body = Self.trim(parts[0])
        if body.hasPrefix("["), body.hasSuffix("]") {
            let words = body.dropFirst().dropLast().split(separator: " ").map(String.init)
            section = words.first?.uppercased() ?? ""
            switch section {
            case "OPTIONS", "ALIASES", "RULES": return words.count == 1
            case "IPSET":
                guard words.count == 2 else { return false }
                sets.append(AddressSet(name: words[1], comment: comment, members: []))
                return true
            default: return false
            }
        }
        switch section {
        case "OPTIONS":
            guard let colon = text.firstIndex(of: ":") else { return false }
            let name = Self.trim(text[..<colon])
            guard GuestKey.isWellFormed(name) else { return false }
            options.append(
                Named(
                    name: name, value: Self.trim(text[text.index(after: colon)...]), comment: nil))
            return true
        case "ALIASES":
            let words = body.split(whereSeparator: \.isWhitespace).map(String.init)
            guard words.count == 2 else { return false }
            aliases.append(Named(name: words[0], value: words[1], comment: comment))
            return true
        case "IPSET":
            guard !sets.isEmpty else { return false }
            var member = body
            let excludes = member.hasPrefix("!")
            if excludes { member = Self.trim(member.dropFirst()) }
            guard !member.isEmpty, !member.contains(where: \.isWhitespace) else { return false }
            sets[sets.count - 1].members.append(
                Named(name: excludes ? "nomatch" : "", value: member, comment: comment))
            return true
        case "RULES": return rule(body, comment)
        default: return false
        }
    }

    private static let ruleOptions = [
        "i": "iface", "iface": "iface", "p": "proto", "proto": "proto", "source": "source",
        "dest": "dest", "sport": "sport", "dport": "dport", "log": "log",
        "icmp-type": "icmp-type",
    ]

    private mutating func rule(_ body: String, _ comment: String?) -> Bool {
        var body = body
        let isEnabled = !body.hasPrefix("|")
        if !isEnabled { body = Self.trim(body.dropFirst()) }
        let words = body.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.count >= 2, ["in", "out", "forward", "group"].contains(words[0].lowercased())
        else { return false }
        var action = words[1]
        var macro: String?
        if action.hasSuffix(")"), let open = action.firstIndex(of: "(") {
            macro = String(action[..<open])
            action = String(action[action.index(after: open)...].dropLast())
        }
        var options: [(name: String, value: String)] = []
        var index = 2
        while index < words.count {
            guard words[index].hasPrefix("-"), index + 1 < words.count,
                let name = Self.ruleOptions[String(words[index].drop { $0 == "-" })]
            else { return false }
            options.append((name, words[index + 1]))
            index += 2
        }
        rules.append(
            Rule(
                isEnabled: isEnabled, type: words[0].lowercased(), action: action, macro: macro,
                options: options, comment: comment))
        return true
    }

    private static func trim(_ text: some StringProtocol) -> String {
        String(decoding: ConfigurationReader.trim(Array(text.utf8)[...]), as: UTF8.self)
    }
}

extension FirewallFile {
    /// What the guest's rules name of the cluster, and must be there first: groups, and `dc/` names.
    public var prerequisites: [String] {
        var names: [String] = []
        let own = Set(sets.map(\.name) + aliases.map(\.name))
        for rule in rules {
            if rule.type == "group" { names.append("security group \(rule.action)") }
            for option in rule.options where option.name == "source" || option.name == "dest" {
                var name = option.value.drop { $0 == "+" }
                if name.hasPrefix("dc/") {
                    name = name.dropFirst(3)
                } else if name.hasPrefix("guest/") || own.contains(String(name))
                    || name.first?.isLetter != true || name.contains(":")
                {
                    continue
                }
                names.append("\(option.value.hasPrefix("+") ? "ipset" : "alias") \(name)")
            }
        }
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    /// The calls that make this firewall, in an order that works: names before their use, rules from
    /// the last to the first since each is put on top, and the switch at the very end.
    public var calls: [Call] {
        var calls: [Call] = []
        for alias in aliases {
            calls.append(
                Self.call(
                    "POST", "/aliases",
                    [("name", alias.name), ("cidr", alias.value), ("comment", alias.comment)]))
        }
        for set in sets {
            calls.append(
                Self.call("POST", "/ipset", [("name", set.name), ("comment", set.comment)]))
            let path = "/ipset/" + PercentCode.encodeAll(set.name)
            for member in set.members {
                calls.append(
                    Self.call(
                        "POST", path,
                        [
                            ("cidr", member.value),
                            ("nomatch", member.name == "nomatch" ? "1" : nil),
                            ("comment", member.comment),
                        ]))
            }
        }
        for rule in rules.reversed() {
            calls.append(
                Self.call(
                    "POST", "/rules",
                    [
                        ("type", rule.type), ("action", rule.action), ("macro", rule.macro),
                        ("enable", rule.isEnabled ? "1" : "0"),
                    ] + rule.options.map { ($0.name, $0.value) } + [("comment", rule.comment)]))
        }
        let others = options.filter { $0.name != "enable" }
        if !others.isEmpty {
            calls.append(Self.call("PUT", "/options", others.map { ($0.name, $0.value) }))
        }
        if let enable = options.last(where: { $0.name == "enable" }) {
            calls.append(Self.call("PUT", "/options", [("enable", enable.value)]))
        }
        return calls
    }

    private static func call(
        _ method: String, _ path: String, _ parameters: [(String, String?)]
    ) -> Call {
        Call(
            method: method, path: path,
            parameters: parameters.compactMap { name, value in
                value.map { CreationRequest.Parameter(name, $0) }
            })
    }
}
