import Basics
import Guests
import Plans

/// The `map` of a target for guests, in the words of `qm remote-migrate`.
enum MapPlan {
    static let shape = PlanShape(optional: [
        "storages", "volumes", "storage", "bridges", "vmids", "macs", "nodes", "pools", "link-down",
        "name-prefix",
    ])

    static func read(_ node: PlanNode?, _ problems: PlanProblems) -> GuestMapping {
        var mapping = GuestMapping()
        guard let map = node?.mapping(shape, problems) else { return mapping }
        mapping.storage = parse(map, "storage", problems) { (text) throws(Failure) in
            try GuestMapping.Place(parsing: text)
        }
        mapping.storages = entries(map, "storages", problems) { (text) throws(Failure) in
            try GuestMapping.Place(parsing: text)
        }
        mapping.volumes = entries(map, "volumes", problems) { (text) throws(Failure) in
            try GuestMapping.Place(parsing: text)
        }
        mapping.bridges = entries(map, "bridges", problems) { (text) throws(Failure) in
            try GuestMapping.Bridge(parsing: text)
        }
        mapping.nodes = entries(map, "nodes", problems) { (text) throws(Failure) in text }
        mapping.pools = entries(map, "pools", problems) { (text) throws(Failure) in text }
        if let word = map.choice("macs", of: ["keep", "new"]) {
            mapping.addresses = GuestMapping.Addresses(rawValue: word) ?? .keep
        }
        mapping.linkDown = map.flag("link-down") ?? false
        mapping.namePrefix = map.string("name-prefix") ?? ""
        if let node = map["vmids"] { numbers(node, &mapping, problems) }
        return mapping
    }

    /// Either an offset for all, or a number for each.
    private static func numbers(
        _ node: PlanNode, _ mapping: inout GuestMapping, _ problems: PlanProblems
    ) {
        let silent = PlanProblems()
        guard let entries = node.entries(silent), (try? silent.check()) != nil else {
            guard let text = node.string(problems) else { return }
            do throws(Failure) {
                mapping.numbers = try GuestMapping.Numbers(parsing: text)
            } catch { problems.add(.planInvalidValue, error.what, at: node) }
            return
        }
        var map: [Int: Int] = [:]
        for entry in entries {
            guard let source = Int(entry.key) else {
                problems.add(
                    .planInvalidValue, "\"\(entry.key)\" is no number of a guest",
                    atKeyOf: entry.node)
                continue
            }
            if let target = entry.node.integer(in: 100...999_999_999, problems) {
                map[source] = Int(target)
            }
        }
        mapping.numbers = .explicit(map)
    }

    private static func parse<Value>(
        _ map: PlanMapping, _ key: String, _ problems: PlanProblems,
        _ read: (String) throws(Failure) -> Value
    ) -> Value? {
        guard let node = map[key], let text = map.string(key) else { return nil }
        do throws(Failure) { return try read(text) } catch {
            problems.add(.planInvalidValue, error.what, at: node)
            return nil
        }
    }

    private static func entries<Value>(
        _ map: PlanMapping, _ key: String, _ problems: PlanProblems,
        _ read: (String) throws(Failure) -> Value
    ) -> [String: Value] {
        var values: [String: Value] = [:]
        for entry in map.entries(key) ?? [] {
            guard let text = entry.node.string(problems) else { continue }
            do throws(Failure) { values[entry.key] = try read(text) } catch {
                problems.add(.planInvalidValue, error.what, at: entry.node)
            }
        }
        return values
    }
}
