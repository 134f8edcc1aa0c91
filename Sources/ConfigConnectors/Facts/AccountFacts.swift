import Basics
import Redaction

/// Users and groups of the machine's own files; what a directory service knows is not among them.
///
/// Password hashes are secrets: whether there is one, how it was made and whether it is locked is told, never
/// the hash.
enum AccountFacts {
    static func read(_ machine: Machine, _ document: inout FactDocument) throws(Failure) {
        try read("user", "/etc/passwd", fields: 7, machine, &document) { raw, _ in
            [
                "gecos": .string(raw[4]), "gid": .string(raw[3]), "home": .string(raw[5]),
                "password": .string(password(raw[1], "").state), "shell": .string(raw[6]),
                "uid": .string(raw[2]),
            ]
        }
        try read("shadow", "/etc/shadow", fields: 9, machine, &document) { raw, masked in
            [
                "changed": .string(raw[2]), "expires": .string(raw[7]),
                "inactive": .string(raw[6]), "maximum": .string(raw[4]),
                "minimum": .string(raw[3]), "password": password(raw[1], masked[1]).json,
                "warning": .string(raw[5]),
            ]
        }
        try read("group", "/etc/group", fields: 4, machine, &document) { raw, _ in
            [
                "gid": .string(raw[2]), "members": members(raw[3]),
                "password": .string(password(raw[1], "").state),
            ]
        }
        try read("gshadow", "/etc/gshadow", fields: 4, machine, &document) { raw, masked in
            [
                "administrators": members(raw[2]), "members": members(raw[3]),
                "password": password(raw[1], masked[1]).json,
            ]
        }
        for name in ["subuid", "subgid"] {
            try read(name, "/etc/\(name)", fields: 3, machine, &document) { raw, _ in
                ["count": .string(raw[2]), "first": .string(raw[1])]
            }
        }
    }

    /// Reads a file of fields between colons, whose first one is a name.
    private static func read(
        _ source: String, _ path: String, fields: Int, _ machine: Machine,
        _ document: inout FactDocument, _ item: ([String], [String]) -> JSON
    ) throws(Failure) {
        try document.source(source) { (items) throws(Failure) in
            guard let bytes = try machine.bytes(path) else { return false }
            let raw = lines(String(decoding: bytes, as: UTF8.self), fields)
            let masked = lines(machine.redacted(bytes, of: path), fields)
            for (place, line) in raw.enumerated() {
                let other = masked.indices.contains(place) ? masked[place] : line.map { _ in "" }
                items.add(line[0], item(line, other))
            }
            return true
        }
    }

    static func lines(_ text: String, _ fields: Int) -> [[String]] {
        Text.statements(text).compactMap { line in
            let parts = line.split(separator: ":", omittingEmptySubsequences: false).map(
                String.init)
            return parts.count >= fields && !parts[0].isEmpty ? parts : nil
        }
    }

    private static func members(_ list: String) -> JSON {
        .strings(list.split(separator: ",").map(String.init).sorted())
    }

    /// What may be told of a password field; crypt(5) has the prefixes.
    struct Password: Equatable {
        /// `shadow`, `none`, `locked`, `set`, or `set-and-locked`.
        let state: String
        let algorithm: String?
        /// The placeholder with a reference, where the plan has a key for those.
        let reference: String?

        var json: JSON {
            var members: [JSON.Member] = [.init("state", .string(state))]
            if let algorithm { members.append(.init("algorithm", .string(algorithm))) }
            if let reference { members.append(.init("reference", .string(reference))) }
            return .object(members)
        }
    }

    static func password(_ field: String, _ masked: String) -> Password {
        if field.isEmpty { return Password(state: "none", algorithm: nil, reference: nil) }
        if field == "x" { return Password(state: "shadow", algorithm: nil, reference: nil) }
        let hash = field.drop { $0 == "!" || $0 == "*" }
        let isLocked = hash.count < field.count
        if hash.isEmpty { return Password(state: "locked", algorithm: nil, reference: nil) }
        let parts = hash.split(separator: "$", omittingEmptySubsequences: false)
        let algorithm = parts.count > 2 && parts[0].isEmpty ? algorithms[String(parts[1])] : "des"
        let reference = Placeholder.isContained(in: Array(masked.utf8)) ? masked : nil
        return Password(
            state: isLocked ? "set-and-locked" : "set", algorithm: algorithm ?? "unknown",
            reference: reference)
    }

    private static let algorithms = [
        "1": "md5", "2a": "bcrypt", "2b": "bcrypt", "2x": "bcrypt", "2y": "bcrypt",
        "5": "sha256", "6": "sha512", "7": "scrypt", "y": "yescrypt", "gy": "gost-yescrypt",
        "sha1": "sha1",
    ]
}
