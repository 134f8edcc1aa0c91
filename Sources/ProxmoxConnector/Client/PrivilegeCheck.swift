import Basics
import Guests
import Primitives

/// Something that must be allowed on a path of the access control of Proxmox VE.
struct NeededPrivilege: Sendable, Hashable {
    let path: String
    /// Any one of them is enough; the first is the one to grant.
    let anyOf: [String]
    /// Whether what stands below the path needs it, too.
    let propagates: Bool
    /// Another path where it is as good: a guest has what its pool gives.
    let alternative: String?
    /// What it is for: "back up the guest 100".
    let purpose: String

    init(
        _ privilege: String, on path: String, or alternative: String? = nil,
        propagates: Bool = false, for purpose: String
    ) {
        self.init(
            anyOf: [privilege], on: path, or: alternative, propagates: propagates, for: purpose)
    }

    init(
        anyOf: [String], on path: String, or alternative: String? = nil, propagates: Bool = false,
        for purpose: String
    ) {
        self.path = path
        self.anyOf = anyOf
        self.propagates = propagates
        self.alternative = alternative
        self.purpose = purpose
    }

    /// What reads a small file through the agent of a guest, or asks it: the names changed with 9.0.
    static func guestAgent(
        fileRead: Bool, on path: String, _ version: ProxmoxVersion, for purpose: String
    ) -> NeededPrivilege {
        let names =
            version.has(.guestAgentPrivileges)
            ? [
                fileRead ? "VM.GuestAgent.FileRead" : "VM.GuestAgent.Audit",
                "VM.GuestAgent.Unrestricted",
            ]
            : ["VM.Monitor"]
        return NeededPrivilege(anyOf: names, on: path, for: purpose)
    }

    /// Without names that this version refuses; nil where it has none of them, and thus asks for none.
    func adapted(to version: ProxmoxVersion) -> NeededPrivilege? {
        let known = anyOf.filter { Self.exists($0, in: version) }
        guard !known.isEmpty else { return nil }
        return NeededPrivilege(
            anyOf: known, on: path, or: alternative, propagates: propagates, for: purpose)
    }

    static func exists(_ name: String, in version: ProxmoxVersion) -> Bool {
        switch name {
        case "VM.Monitor": version.has(.monitorPrivilege)
        case "SDN.Use": version.has(.mappings)
        case _ where name.hasPrefix("Mapping."): version.has(.mappings)
        case _ where name.hasPrefix("VM.GuestAgent."): version.has(.guestAgentPrivileges)
        case "Sys.AccessNetwork": version >= ProxmoxVersion(8, 2)
        default: true
        }
    }
}

/// Which of the privileges that a run needs are not there.
struct PrivilegeCheck: Sendable {
    let missing: [NeededPrivilege]
    private let credentials: ProxmoxCredentials
    /// Whether the token has rights of its own; nil where the server does not tell.
    private let isSeparated: Bool?
    /// What the caller has already, by path, with whether it propagates; and what its user has, where it is a token.
    private let held: [String: [String: Bool]]
    private let heldByUser: [String: [String: Bool]]

    /// Asks the server for each path: what it says already counts groups, inheritance, and the
    /// intersection of a token with its user.
    init(
        _ needed: [NeededPrivilege], _ version: ProxmoxVersion, _ client: ProxmoxClient
    ) throws(Failure) {
        credentials = client.session.credentials
        var granted: [String: [String: Bool]] = [:]
        var missing: [NeededPrivilege] = []
        for item in needed.compactMap({ $0.adapted(to: version) }) where !missing.contains(item) {
            let here =
                try item.propagates
                ? Self.granted(below: item.path, &granted, client)
                : Self.granted(on: item.path, &granted, client)
            if item.anyOf.contains(where: { here[$0] != nil }) { continue }
            if let other = item.alternative {
                let there = try Self.granted(on: other, &granted, client)
                if item.anyOf.contains(where: { there[$0] != nil }) { continue }
            }
            missing.append(item)
        }
        self.missing = missing
        isSeparated = missing.isEmpty ? nil : Self.separation(credentials, client)
        var heldByUser: [String: [String: Bool]] = [:]
        for path in Set(missing.map(\.path)) where credentials.tokenID != nil {
            // Another account's rights are told to some only; a token has no more than its user.
            let own = try? Self.granted(on: path, of: credentials.user, client)
            heldByUser[path] = own ?? granted[path]
        }
        held = granted
        self.heldByUser = heldByUser
    }

    private static func granted(
        on path: String, _ known: inout [String: [String: Bool]], _ client: ProxmoxClient
    ) throws(Failure) -> [String: Bool] {
        if let there = known[path] { return there }
        let there = try granted(on: path, client)
        known[path] = there
        return there
    }

    /// Privileges on what stands below a path. Roles that hold for the path alone hide nothing from
    /// there: those of the nearest path above that propagate still hold.
    ///
    /// Source: `PVE::AccessControl`, `roles`.
    private static func granted(
        below path: String, _ known: inout [String: [String: Bool]], _ client: ProxmoxClient
    ) throws(Failure) -> [String: Bool] {
        var place = path
        while true {
            let passed = try granted(on: place, &known, client).filter(\.value)
            guard passed.isEmpty, place != "/", let slash = place.lastIndex(of: "/") else {
                return passed
            }
            place = slash == place.startIndex ? "/" : String(place[..<slash])
        }
    }

    /// Privileges on a path, with whether they propagate.
    private static func granted(
        on path: String, of user: String? = nil, _ client: ProxmoxClient
    ) throws(Failure) -> [String: Bool] {
        var fields: APIFields = ["path": path]
        if let user { fields.add("userid", user) }
        let answer = try client.get(["access", "permissions"], fields)
        var granted: [String: Bool] = [:]
        for member in answer[path]?.members ?? [] { granted[member.key] = member.value.isTrue }
        return granted
    }

    private static func separation(
        _ credentials: ProxmoxCredentials, _ client: ProxmoxClient
    ) -> Bool? {
        guard let token = credentials.tokenID, let mark = token.firstIndex(of: "!") else {
            return false
        }
        let name = String(token[token.index(after: mark)...])
        let answer = try? client.get(["access", "users", credentials.user, "token", name])
        // A token without separation has what its user has; the default is with.
        return answer.map { $0["privsep"]?.isTrue ?? true }
    }

    /// The commands that grant what is missing, to be run on a node as root.
    ///
    /// What an account is given on a path takes the place of all that it inherits there, so that a role
    /// has what the account holds on the path already, too. One role for each set of privileges, named
    /// after it, so that running them again changes nothing.
    ///
    /// Source: Proxmox VE documentation, "User Management, Objects and Paths, Inheritance".
    var commands: [String] {
        var sets: [Place: Set<String>] = [:]
        for item in missing {
            sets[Place(path: item.path, propagates: item.propagates), default: []]
                .insert(item.anyOf[0])
        }
        var roles: Set<String> = []
        var additions: [String] = []
        var grants: [String] = []
        for (place, names) in sets.sorted(by: { $0.key < $1.key }) {
            for owner in owners {
                let there = (owner.isUserOfToken ? heldByUser : held)[place.path] ?? [:]
                let suffices = names.allSatisfy { name in
                    place.propagates ? there[name] == true : there[name] != nil
                }
                if suffices { continue }
                let list = names.union(there.keys).sorted().joined(separator: " ")
                let role = "Exeat-" + SHA256.hash(Array(list.utf8)).hex.prefix(8)
                if roles.insert(role).inserted {
                    additions.append("pveum role add \(role) --privs \"\(list)\"")
                }
                grants.append(
                    "pveum acl modify \(Self.quoted(place.path)) \(owner.option) --roles \(role)"
                        + " --propagate \(place.propagates ? 1 : 0)")
            }
        }
        return additions + grants
    }

    private struct Place: Hashable, Comparable {
        let path: String
        let propagates: Bool

        static func < (left: Place, right: Place) -> Bool {
            (left.path, left.propagates ? 1 : 0) < (right.path, right.propagates ? 1 : 0)
        }
    }

    /// Whom to grant to: a separated token and its user, for it has what both have. root@pam has all.
    private var owners: [(option: String, isUserOfToken: Bool)] {
        var owners: [(option: String, isUserOfToken: Bool)] = []
        if let token = credentials.tokenID, isSeparated != false {
            owners.append(("--tokens \(Self.quoted(token))", false))
        }
        if credentials.user != "root@pam" {
            owners.append(
                ("--users \(Self.quoted(credentials.user))", credentials.tokenID != nil))
        }
        return owners
    }

    /// For a shell: names with "!" and the like in single quotes.
    static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                || "/@._-".utf8.contains($0)
        }
        if isPlain { return text }
        let pieces = text.split(separator: "'", omittingEmptySubsequences: false)
        return "'" + pieces.joined(separator: "'\\''") + "'"
    }
}
