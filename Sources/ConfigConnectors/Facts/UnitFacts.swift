import Basics

/// Which units of systemd, which timers and which init scripts start.
///
/// Read from the files and links themselves, as `systemctl --root` does: that needs no running systemd, and
/// is the same for a mounted machine.
enum UnitFacts {
    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        for manager in ["system", "user"] {
            try document.source(manager) { (items) throws(Failure) in
                var units = UnitTable(machine, manager: manager)
                return try units.read(into: &items)
            }
        }
        try document.source("init-script") { (items) throws(Failure) in
            guard let names = try machine.names("/etc/init.d") else { return false }
            var levels: [String: (start: [String], stop: [String])] = [:]
            for level in ["0", "1", "2", "3", "4", "5", "6", "S"] {
                for link in try machine.names("/etc/rc\(level).d") ?? [] {
                    // S20name or K01name.
                    let name = String(link.dropFirst(3))
                    if link.hasPrefix("S") { levels[name, default: ([], [])].start.append(level) }
                    if link.hasPrefix("K") { levels[name, default: ([], [])].stop.append(level) }
                }
            }
            for name in names where name != "README" {
                let levels = levels[name] ?? ([], [])
                items.add(
                    name, ["start": .strings(levels.start), "stop": .strings(levels.stop)])
            }
            return true
        }
    }
}

/// The unit files of one manager, as its search path gives them.
struct UnitTable {
    private let machine: Machine
    /// Where units lie, the first one wins; the first of all is the administrator's.
    private let directories: [String]
    private var units: [String: Unit] = [:]
    /// For each unit, the directories of links that want it (`multi-user.target.wants`).
    private var wanted: [String: Set<String>] = [:]
    private var dropIns: [String: Set<String>] = [:]

    private struct Unit {
        let path: String
        /// Another name of this unit.
        var alias: String?
        var isMasked = false
        /// A link to a file elsewhere.
        var isLinked = false
        var sections: [String: [(key: String, value: String)]] = [:]
    }

    private static let suffixes = [
        ".service", ".socket", ".target", ".timer", ".mount", ".automount", ".path", ".slice",
        ".swap", ".device", ".scope",
    ]

    init(_ machine: Machine, manager: String) {
        self.machine = machine
        directories = [
            "/etc/systemd/\(manager)", "/usr/local/lib/systemd/\(manager)",
            "/usr/lib/systemd/\(manager)", "/lib/systemd/\(manager)",
        ]
    }

    /// False where the machine has no such directory.
    mutating func read(into items: inout FactItems) throws(Failure) -> Bool {
        var isThere = false
        var seen: Set<String> = []
        for directory in directories {
            // /lib is /usr/lib on most machines.
            guard let place = try machine.place(of: directory),
                seen.insert(Files.absolute(place)).inserted,
                let names = try machine.names(directory)
            else { continue }
            isThere = true
            for name in names { try read(directory, name) }
        }
        for (name, unit) in units { items.add(name, item(name, unit)) }
        for (name, wants) in wanted where units[name] == nil {
            // An instance of a template, or a link that leads nowhere.
            let template = Self.template(of: name)
            let state = template.flatMap { units[$0] } == nil ? "missing" : "enabled"
            items.add(
                name,
                [
                    "drop-ins": .strings((dropIns[name] ?? []).sorted()),
                    "state": .string(state), "wanted-by": .strings(wants.sorted()),
                ])
        }
        return isThere
    }

    private mutating func read(_ directory: String, _ name: String) throws(Failure) {
        let path = "\(directory)/\(name)"
        let isAdministrators = directory == directories[0]
        if name.hasSuffix(".wants") || name.hasSuffix(".requires") || name.hasSuffix(".upholds") {
            // What a package brings as a link is no decision of anybody here.
            guard isAdministrators else { return }
            for unit in try machine.names(path) ?? [] {
                wanted[unit, default: []].insert(name)
            }
            return
        }
        if name.hasSuffix(".d") {
            for file in try machine.names(path, ending: ".conf") {
                dropIns[String(name.dropLast(2)), default: []].insert(Self.short("\(path)/\(file)"))
            }
            return
        }
        guard Self.suffixes.contains(where: { name.hasSuffix($0) }), units[name] == nil else {
            return
        }
        units[name] = try unit(path, name, isAdministrators: isAdministrators)
    }

    private func unit(
        _ path: String, _ name: String, isAdministrators: Bool
    ) throws(Failure) -> Unit {
        var unit = Unit(path: path)
        if let target = try machine.linkTarget(path) {
            if target == "/dev/null" {
                unit.isMasked = true
                return unit
            }
            let other = Files.lastComponent(of: target)
            if other != name {
                unit.alias = other
                return unit
            }
            unit.isLinked = isAdministrators
        }
        guard let text = try machine.text(path) else { return unit }
        if text.isEmpty { unit.isMasked = true }
        unit.sections = Self.sections(text)
        return unit
    }

    private func item(_ name: String, _ unit: Unit) -> JSON {
        var wants = wanted[name] ?? []
        if name.contains("@.") {
            for (instance, directories) in wanted where Self.template(of: instance) == name {
                wants.formUnion(directories)
            }
        }
        var members: [JSON.Member] = [
            .init("drop-ins", .strings((dropIns[name] ?? []).sorted())),
            .init("file", .string(Self.short(unit.path))),
            .init("state", .string(state(name, unit, wants))),
            .init("wanted-by", .strings(wants.sorted())),
        ]
        if let alias = unit.alias { members.append(.init("alias-of", .string(alias))) }
        if name.hasSuffix(".timer") {
            let schedule = (unit.sections["Timer"] ?? []).filter { $0.key.hasPrefix("On") }
            members.append(
                .init("schedule", .strings(schedule.map { "\($0.key)=\($0.value)" }.sorted())))
        }
        return .object(members)
    }

    /// The words of `systemctl list-unit-files`.
    private func state(_ name: String, _ unit: Unit, _ wants: Set<String>) -> String {
        if unit.isMasked { return "masked" }
        if unit.alias != nil { return "alias" }
        let isAliased = units.contains { other in
            other.value.alias == name && other.value.path.hasPrefix(directories[0] + "/")
        }
        if !wants.isEmpty || isAliased { return "enabled" }
        if unit.isLinked { return "linked" }
        let install = unit.sections["Install"] ?? []
        let decisive = ["WantedBy", "RequiredBy", "UpheldBy", "Alias"]
        if install.contains(where: { decisive.contains($0.key) && !$0.value.isEmpty }) {
            return "disabled"
        }
        if install.contains(where: { $0.key == "Also" && !$0.value.isEmpty }) { return "indirect" }
        return "static"
    }

    /// `name@.service` for `name@instance.service`.
    private static func template(of name: String) -> String? {
        guard let at = name.firstIndex(of: "@"), let dot = name.lastIndex(of: "."), at < dot else {
            return nil
        }
        return name[...at] + String(name[dot...])
    }

    /// /lib and /usr/lib are one and the same.
    private static func short(_ path: String) -> String {
        path.hasPrefix("/usr/lib/") ? String(path.dropFirst(4)) : path
    }

    /// Assignments by section; lines that end with a backslash go on.
    static func sections(_ text: String) -> [String: [(key: String, value: String)]] {
        var sections: [String: [(key: String, value: String)]] = [:]
        var section = ""
        for line in Text.statements(text.replacing("\\\n", with: " "), comments: ["#", ";"]) {
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = String(line.dropFirst().dropLast())
            } else if let (key, value) = Text.halves(line, at: 0x3d) {
                sections[section, default: []].append((key, value))
            }
        }
        return sections
    }
}
