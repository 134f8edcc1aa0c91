import Basics

/// What is installed, where it can come from, and which of its configuration files were changed.
enum PackageFacts {
    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        var status: [[String: String]] = []
        try document.source("dpkg") { (items) throws(Failure) in
            guard let bytes = try machine.bytes("/var/lib/dpkg/status") else { return false }
            status = Stanzas.parse(String(decoding: bytes, as: UTF8.self))
            let states = try machine.bytes("/var/lib/apt/extended_states") ?? []
            packages(status, extendedStates: String(decoding: states, as: UTF8.self), &items)
            return true
        }
        try document.source("conffile") { (items) throws(Failure) in
            guard !status.isEmpty else { return false }
            for file in conffiles(status) {
                if let state = try state(of: file, machine) {
                    items.add(
                        file.path, ["package": .string(file.package), "state": .string(state)])
                }
            }
            return true
        }
        try document.source("apt-source") { (items) throws(Failure) in
            try AptSources.read(machine, &items)
        }
        try readOrigins(machine, status, &document)
        try RPMFacts.read(machine, &document)
        if document.sources["dpkg"] == .absent, document.sources["rpm"] == .absent {
            try document.source("other") { (_) throws(Failure) in
                throw Failure(.unsupported, "the packages are neither those of dpkg nor of rpm")
            }
        }
    }

    // MARK: - dpkg

    /// Items of dpkg's own list; a package that is gone but for its configuration is in it, too.
    static func packages(
        _ status: [[String: String]], extendedStates: String, _ items: inout FactItems
    ) {
        var automatic: Set<String> = []
        for stanza in Stanzas.parse(extendedStates) where stanza["auto-installed"] == "1" {
            if let name = stanza["package"] { automatic.insert(name) }
        }
        for stanza in status {
            guard let name = stanza["package"], let version = stanza["version"],
                let words = stanza["status"].map({ Text.words($0) }), words.count == 3,
                words[2] != "not-installed"
            else { continue }
            items.add(
                "\(name):\(stanza["architecture"] ?? "")",
                [
                    "automatic": .bool(automatic.contains(name)),
                    "hold": .bool(words[0] == "hold"), "status": .string(words[2]),
                    "version": .string(version),
                ])
        }
    }

    struct Conffile: Equatable {
        let path: String
        let package: String
        /// As the package brought it, in hexadecimal digits.
        let md5: String
    }

    static func conffiles(_ status: [[String: String]]) -> [Conffile] {
        var files: [Conffile] = []
        for stanza in status {
            guard let name = stanza["package"], let list = stanza["conffiles"],
                stanza["status"]?.hasSuffix(" installed") == true
            else { continue }
            for line in list.split(separator: "\n") {
                var words = Text.words(line)
                var isObsolete = false
                while let last = words.last, ["obsolete", "remove-on-upgrade"].contains(last) {
                    isObsolete = true
                    words.removeLast()
                }
                guard let digest = words.popLast(), !isObsolete, digest.utf8.count == 32 else {
                    continue
                }
                files.append(
                    Conffile(path: words.joined(separator: " "), package: name, md5: digest))
            }
        }
        return files
    }

    /// Only that it differs is told: a digest of the file would be one of the secrets in it.
    private static func state(of file: Conffile, _ machine: Machine) throws(Failure) -> String? {
        guard let bytes = try machine.bytes(file.path) else { return "missing" }
        return Hex.encode(MD5.hash(bytes)) == file.md5 ? nil : "modified"
    }

    // MARK: - Origins

    private static func readOrigins(
        _ machine: Machine, _ status: [[String: String]], _ document: inout FactDocument
    ) throws(Failure) {
        try document.source("origin") { (items) throws(Failure) in
            let lists = try machine.names("/var/lib/apt/lists") ?? []
            guard !status.isEmpty, lists.contains(where: { $0.contains("_Packages") }) else {
                return false
            }
            let names = status.compactMap { stanza -> String? in
                guard let name = stanza["package"],
                    stanza["status"]?.hasSuffix(" installed") == true
                else { return nil }
                let architecture = stanza["architecture"] ?? "all"
                return architecture == "all" ? name : "\(name):\(architecture)"
            }.sorted()
            var known: [String: String] = [:]
            var place = 0
            while place < names.count {
                let batch = names[place..<min(place + 500, names.count)]
                place += batch.count
                guard
                    let output = try machine.output(
                        "apt-cache", machine.aptOptions + ["policy", "--"] + batch)
                else { throw Failure(.notFound, "\"apt-cache\" is not installed") }
                for (name, origins) in origins(policy: String(decoding: output, as: UTF8.self)) {
                    items.add(name, .strings(origins.map { redacted($0, &known, machine) }))
                }
            }
            return true
        }
    }

    /// An address without its credentials; there are few, and thousands of packages.
    private static func redacted(
        _ origin: String, _ known: inout [String: String], _ machine: Machine
    ) -> String {
        if let text = known[origin] { return text }
        let text = Text.trimmed(machine.redacted("deb \(origin)\n", of: "/etc/apt/sources.list"))
        known[origin] = Text.trimmed(text.dropFirst(4))
        return known[origin] ?? origin
    }

    /// For each package of `apt-cache policy`, where its installed version can be got.
    static func origins(policy: String) -> [(name: String, origins: [String])] {
        var found: [(name: String, origins: [String])] = []
        var isInstalled = false
        for line in policy.split(separator: "\n") {
            if line.first != " " {
                found.append((String(line.hasSuffix(":") ? line.dropLast() : line), []))
                isInstalled = false
            } else if line.hasPrefix(" *** ") {
                isInstalled = true
            } else if line.hasPrefix("     "), !line.hasPrefix("        ") {
                isInstalled = false
            } else if isInstalled, line.hasPrefix("        ") {
                let words = Text.words(line)
                guard words.count >= 3, words.last == "Packages" else { continue }
                found[found.count - 1].origins.append(
                    words.dropFirst().dropLast().joined(separator: " "))
            }
        }
        return found.map { ($0.name, $0.origins.sorted()) }
    }
}
