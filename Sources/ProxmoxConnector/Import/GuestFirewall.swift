import Basics
import Connectors
import Guests

/// The firewall of a guest that this import has made: made by the API, and held against the archive's.
struct GuestFirewall: Sendable {
    let file: FirewallFile
    let client: ProxmoxClient
    /// `nodes/NODE/qemu/ID/firewall`.
    let base: [String]

    func make() throws(Failure) {
        // What an interrupted import has made goes first: nobody else has the guest yet.
        try clear()
        for call in file.calls {
            var fields = APIFields()
            for parameter in call.parameters { fields.add(parameter.name, parameter.value) }
            let place = base + call.path.split(separator: "/").map(String.init)
            _ =
                call.method == "PUT"
                ? try client.put(place, fields) : try client.post(place, fields)
        }
    }

    private func list(_ path: String...) throws(Failure) -> [JSON] {
        try client.get(base + path).array ?? []
    }

    private func clear() throws(Failure) {
        for _ in try list("rules") { _ = try client.delete(base + ["rules", "0"]) }
        for name in try list("ipset").compactMap({ $0["name"]?.string }) {
            for member in try list("ipset", name).compactMap({ $0["cidr"]?.string }) {
                _ = try client.delete(base + ["ipset", name, member])
            }
            _ = try client.delete(base + ["ipset", name])
        }
        for name in try list("aliases").compactMap({ $0["name"]?.string }) {
            _ = try client.delete(base + ["aliases", name])
        }
    }

    // MARK: - Comparing

    /// One line for each thing that a firewall has; rules with their place, since they have an order.
    private static func line(_ kind: String, _ values: [(String, String?)]) -> String {
        let told = values.compactMap { name, value in
            value.flatMap { $0.isEmpty ? nil : "\(name)=\($0)" }
        }
        return ([kind] + told).joined(separator: " ")
    }

    private static let ruleFields = [
        "macro", "iface", "source", "dest", "proto", "sport", "dport", "icmp-type", "log",
    ]

    private static func rule(
        _ place: Int, _ type: String, _ action: String, isEnabled: Bool, _ comment: String?,
        _ option: (String) -> String?
    ) -> String {
        var values: [(String, String?)] = [
            ("type", type), ("action", action), ("enable", isEnabled ? "1" : "0"),
        ]
        for name in ruleFields { values.append((name, option(name))) }
        values.append(("comment", comment))
        return line("rule \(place)", values)
    }

    /// As the archive has it.
    private var expected: [String] {
        var lines = file.options.map { Self.line("option", [($0.name, $0.value)]) }
        for alias in file.aliases {
            lines.append(
                Self.line(
                    "alias \(alias.name.lowercased())",
                    [("cidr", alias.value), ("comment", alias.comment)]))
        }
        for set in file.sets {
            let name = "ipset \(set.name.lowercased())"
            lines.append(Self.line(name, [("comment", set.comment)]))
            for member in set.members {
                lines.append(
                    Self.line(
                        name,
                        [
                            ("cidr", member.value),
                            ("nomatch", member.name == "nomatch" ? "1" : nil),
                            ("comment", member.comment),
                        ]))
            }
        }
        for (place, rule) in file.rules.enumerated() {
            var options: [String: String] = [:]
            options["macro"] = rule.macro
            for option in rule.options { options[option.name] = option.value }
            lines.append(
                Self.rule(
                    place, rule.type, rule.action, isEnabled: rule.isEnabled, rule.comment
                ) { options[$0] })
        }
        return lines
    }

    /// As the cluster has it.
    private func found() throws(Failure) -> [String] {
        let options = try client.get(base + ["options"])
        var lines = (options.members ?? []).filter { $0.key != "digest" }
            .map { Self.line("option", [($0.key, $0.value.text)]) }
        for alias in try list("aliases") {
            lines.append(
                Self.line(
                    "alias \(alias["name"]?.string?.lowercased() ?? "")",
                    [("cidr", alias["cidr"]?.text), ("comment", alias["comment"]?.text?.trimmed)]))
        }
        for set in try list("ipset") {
            guard let name = set["name"]?.string else { continue }
            let title = "ipset \(name.lowercased())"
            lines.append(Self.line(title, [("comment", set["comment"]?.text?.trimmed)]))
            for member in try list("ipset", name) {
                lines.append(
                    Self.line(
                        title,
                        [
                            ("cidr", member["cidr"]?.text),
                            ("nomatch", (member["nomatch"]?.isTrue ?? false) ? "1" : nil),
                            ("comment", member["comment"]?.text?.trimmed),
                        ]))
            }
        }
        for (place, rule) in try list("rules").enumerated() {
            lines.append(
                Self.rule(
                    place, rule["type"]?.text ?? "", rule["action"]?.text ?? "",
                    isEnabled: rule["enable"]?.isTrue ?? false, rule["comment"]?.text?.trimmed
                ) { rule[$0]?.text })
        }
        return lines
    }

    /// Holds the guest's firewall against the archive's.
    ///
    /// - Parameters:
    ///   - number: of the guest in the receipt, which tells no names.
    ///   - object: what people call it.
    func compare(_ number: Int, _ object: String, into result: inout ImportResult) throws(Failure) {
        let wanted = expected
        let there = try found()
        let missing = wanted.filter { !there.contains($0) }
        let extra = there.filter { !wanted.contains($0) }
        result.comparisons.append(
            .init(
                name: "entries of the firewall of guest \(number)",
                expected: "\(wanted.count) of \(wanted.count)",
                found: "\(wanted.count - missing.count) of \(wanted.count + extra.count)"))
        for (what, lines) in [("missing", missing), ("extra", extra)] {
            for line in lines {
                result.differenceCount += 1
                result.differences.append([
                    "object": .string("\(object)/firewall"), "what": .string("\(what): \(line)"),
                ])
            }
        }
        for line in file.unread {
            result.shortfallCount += 1
            result.shortfalls.append([
                "object": .string("\(object)/firewall"),
                "what": .string(
                    "line \(line.number) is no known form of a rule, and was not made: "
                        + String(decoding: line.bytes, as: UTF8.self)),
            ])
        }
    }
}
