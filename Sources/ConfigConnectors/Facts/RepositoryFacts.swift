import Basics

/// Repositories of git from which machines are set up: where they come from, and at which revision they are.
///
/// Their files are read, never git run: a repository's own configuration can make git start programs.
enum RepositoryFacts {
    /// Where administrators keep such repositories, beside the exported trees.
    private static let usual = ["/root", "/opt", "/srv", "/home", "/usr/local"]

    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        var known: Set<String> = []
        try document.source("git") { (items) throws(Failure) in
            try find(
                machine.paths + machine.repositories, depth: 16, isOwn: true, machine, &known,
                &items)
            return true
        }
        // Of what is elsewhere, only what sets machines up.
        try document.source("git-elsewhere") { (items) throws(Failure) in
            try find(usual, depth: 4, isOwn: false, machine, &known, &items)
            return true
        }
    }

    private static func find(
        _ places: [String], depth: Int, isOwn: Bool, _ machine: Machine,
        _ known: inout Set<String>, _ items: inout FactItems
    ) throws(Failure) {
        try FileWalk.directories(places, depth: depth, machine, passesClosed: isOwn) {
            (directory, names) throws(Failure) in
            guard names.contains(".git") || isBare(names) else { return true }
            // What the directory around it has told already.
            if directory.hasSuffix("/.git") { return false }
            let kinds = kinds(names)
            if known.insert(directory).inserted, isOwn || !kinds.isEmpty {
                let files = names.contains(".git") ? "\(directory)/.git" : directory
                if let facts = try repository(files, kinds, machine) {
                    items.add(directory, facts)
                }
            }
            return names.contains(".git")
        }
    }

    private static func isBare(_ names: [String]) -> Bool {
        names.contains("HEAD") && names.contains("objects") && names.contains("refs")
    }

    /// What a repository is for, by the names at its top.
    static func kinds(_ names: [String]) -> [String] {
        var kinds: [String] = []
        let ansible: Set<String> = [
            "ansible.cfg", "playbooks", "roles", "group_vars", "host_vars", "site.yml", "site.yaml",
            "inventory", "galaxy.yml",
        ]
        if names.contains(where: { ansible.contains($0) }) { kinds.append("ansible") }
        if names.contains(where: {
            $0.hasSuffix(".tf") || $0.hasSuffix(".tf.json") || $0 == "terraform"
        }) {
            kinds.append("terraform")
        }
        if names.contains("Puppetfile") || names.contains("hieradata") { kinds.append("puppet") }
        if names.contains("top.sls") || names.contains("pillar") { kinds.append("salt") }
        if names.contains(".etckeeper") { kinds.append("etckeeper") }
        if names.contains("flake.nix") { kinds.append("nix") }
        return kinds
    }

    private static func repository(
        _ path: String, _ kinds: [String], _ machine: Machine
    ) throws(Failure) -> JSON? {
        var path = path
        // A worktree or submodule: a file that says where its repository is.
        if let text = try plain(path, machine), let (key, value) = Text.halves(text, at: 0x3a) {
            guard key == "gitdir" else { return nil }
            path = value.hasPrefix("/") ? value : Files.parent(of: path) + "/" + value
        }
        guard let head = try plain("\(path)/HEAD", machine) else { return nil }
        // What worktrees share lies elsewhere.
        var common = path
        if let text = try plain("\(path)/commondir", machine) {
            common = text.hasPrefix("/") ? text : "\(path)/\(text)"
        }
        let config = try machine.text("\(common)/config") ?? ""
        var members: [JSON.Member] = [
            .init("kinds", .strings(kinds)),
            .init("remotes", remotes(config)),
        ]
        if head.hasPrefix("ref: ") {
            let reference = Text.trimmed(head.dropFirst(5))
            members.append(.init("branch", .string(reference)))
            if let revision = try revision(of: reference, in: common, machine) {
                members.append(.init("revision", .string(revision)))
            }
        } else {
            members.append(.init("revision", .string(revision(head) ?? "")))
        }
        return .object(members)
    }

    /// One line that git itself has written: a revision would look like a random secret.
    private static func plain(_ path: String, _ machine: Machine) throws(Failure) -> String? {
        try machine.bytes(path).map { Text.trimmed(String(decoding: $0, as: UTF8.self)) }
    }

    private static func revision(
        of reference: String, in path: String, _ machine: Machine
    ) throws(Failure) -> String? {
        // A name that leads upwards is no name of a reference.
        guard !reference.split(separator: "/").contains("..") else { return nil }
        if let bytes = try machine.bytes("\(path)/\(reference)") {
            return revision(String(decoding: bytes, as: UTF8.self))
        }
        guard let bytes = try machine.bytes("\(path)/packed-refs") else { return nil }
        for line in Text.lines(String(decoding: bytes, as: UTF8.self)) {
            let words = Text.words(line)
            if words.count == 2, words[1] == reference { return revision(words[0]) }
        }
        return nil
    }

    private static func revision(_ text: String) -> String? {
        let word = Text.trimmed(text)
        let isDigest = [40, 64].contains(word.utf8.count) && Hex.decode(word) != nil
        return isDigest ? word : nil
    }

    /// The remotes of a git configuration, with their URLs.
    static func remotes(_ config: String) -> JSON {
        var remotes: [String: [String]] = [:]
        var name: String?
        for line in Text.statements(config, comments: ["#", ";"]) {
            if line.hasPrefix("[") {
                let inside = line.dropFirst().prefix { $0 != "]" }
                name = nil
                if inside.hasPrefix("remote "), let (_, quoted) = Text.halves(inside, at: 0x22) {
                    name = String(quoted.prefix { $0 != "\"" })
                }
            } else if let remote = name, let (key, value) = Text.halves(line, at: 0x3d),
                ["url", "pushurl"].contains(key.lowercased())
            {
                remotes[remote, default: []].append(value)
            }
        }
        return .object(
            remotes.sorted { $0.key < $1.key }.map { .init($0.key, .strings($0.value.sorted())) })
    }
}
