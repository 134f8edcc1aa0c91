import Basics

/// Other names for roles and tablespaces, put into parsed statements: never into text.
struct NameMapping: Sendable {
    var roles: [String: String] = [:]
    var tablespaces: [String: String] = [:]

    func applied(to statement: SQLStatement) -> SQLStatement {
        var changes: [(token: Int, text: String)] = []
        if !roles.isEmpty {
            for token in statement.roleTokens {
                if let name = statement.name(token), let other = roles[name] {
                    changes.append((token, other.quotedName))
                }
            }
        }
        if !tablespaces.isEmpty {
            for token in statement.tablespaceTokens {
                if let name = statement.name(token), let other = tablespaces[name] {
                    changes.append((token, other.quotedName))
                }
            }
        }
        if changes.isEmpty { return statement }
        var statement = statement
        statement.replace(changes)
        return statement
    }
}

extension SQLStatement {
    /// The names of roles in the statement.
    var roleNames: [String] { roleTokens.compactMap { name($0) } }

    /// The tokens that name roles, in the statements that pg_dump and pg_dumpall write.
    var roleTokens: [Int] {
        switch word(0) {
        case "ALTER":
            if begins("ALTER", "ROLE") || begins("ALTER", "USER", "MAPPING") {
                return (begins("ALTER", "ROLE") && word(2) != "ALL" ? role(2) : []) + roleSetting
            }
            if begins("ALTER", "DATABASE"), setting != nil { return roleSetting }
            if begins("ALTER", "DEFAULT", "PRIVILEGES") { return defaultPrivileges }
            return owner
        case "CREATE":
            if begins("CREATE", "ROLE") { return [2] }
            if begins("CREATE", "USER", "MAPPING", "FOR") { return role(4) }
            if begins("CREATE", "POLICY") { return policyRoles }
            if isRoutine { return routineRoles }
            if begins("CREATE", "SCHEMA") || begins("CREATE", "TABLESPACE") {
                return tokens.indices.filter {
                    word($0 - 1) == "AUTHORIZATION" || word($0 - 1) == "OWNER"
                }
            }
            return []
        case "COMMENT": return begins("COMMENT", "ON", "ROLE") ? [3] : []
        case "SECURITY":
            return outer.filter { word($0 - 2) == "ON" && word($0 - 1) == "ROLE" }.flatMap {
                role($0)
            }
        case "GRANT", "REVOKE": return granted
        case "SET": return begins("SET", "SESSION", "AUTHORIZATION") ? role(3) : []
        default: return []
        }
    }

    /// The tokens that name tablespaces.
    var tablespaceTokens: [Int] {
        if begins("SET", "DEFAULT_TABLESPACE") { return [3] }
        if begins("ALTER", "ROLE") || begins("ALTER", "DATABASE"), let setting {
            guard ["default_tablespace", "temp_tablespaces"].contains(setting.name) else {
                return []
            }
            return (setting.place..<tokens.count).filter { name($0)?.isEmpty == false }
        }
        if begins("CREATE", "DATABASE") || begins("ALTER", "DATABASE") {
            let outer = outer
            guard let place = outer.first(where: { word($0) == "TABLESPACE" }) else { return [] }
            return [isSymbol(place + 1, "=") ? place + 2 : place + 1]
        }
        return []
    }

    /// The roles that own something by this statement, or are spoken for.
    var ownerNames: [String] {
        // Settings belong to roles, and name some, but make them no owners.
        if begins("ALTER", "ROLE") || begins("ALTER", "DATABASE") && setting != nil { return [] }
        return word(0) == "ALTER" || begins("CREATE", "SCHEMA") ? roleNames : []
    }

    /// What a setting of a role or a database makes of its user: `SET role TO …`.
    private var roleSetting: [Int] {
        guard let setting, ["role", "session_authorization"].contains(setting.name),
            name(setting.place)?.lowercased() != "none"
        else { return [] }
        return role(setting.place)
    }

    private var isRoutine: Bool {
        ["FUNCTION", "PROCEDURE"].contains(begins("CREATE", "OR") ? word(3) : word(1))
    }

    /// The same for a routine, in front of its body.
    private var routineRoles: [Int] {
        let head = outer.prefix {
            word($0) != "AS" && !(word($0) == "BEGIN" && word($0 + 1) == "ATOMIC")
        }
        return head.filter {
            word($0 - 2) == "SET" && word($0 - 1) == "ROLE"
                && (word($0) == "TO" || isSymbol($0, "="))
                && name($0 + 1)?.lowercased() != "none"
        }.flatMap { role($0 + 1) }
    }

    private var owner: [Int] {
        outer.filter { word($0 - 2) == "OWNER" && word($0 - 1) == "TO" }.suffix(1)
            .flatMap { role($0) }
    }

    private var granted: [Int] {
        let outer = outer
        let isGrant = outer.contains { word($0) == "TO" } && word(0) == "GRANT"
        guard let mark = outer.last(where: { word($0) == (isGrant ? "TO" : "FROM") }) else {
            return []
        }
        var found = roles(from: mark + 1)
        if !outer.contains(where: { $0 < mark && word($0) == "ON" }) {
            // Membership: what is granted are roles, too.
            found += outer.filter { $0 > 0 && $0 < mark }.filter {
                tokens[$0].kind == .quotedName
                    || tokens[$0].kind == .word
                        && !["ADMIN", "OPTION", "FOR", "INHERIT", "SET"].contains(word($0))
            }
        }
        return found + grantor
    }

    private var grantor: [Int] {
        outer.filter { word($0 - 2) == "GRANTED" && word($0 - 1) == "BY" }.flatMap { role($0) }
    }

    private var defaultPrivileges: [Int] {
        let outer = outer
        var found: [Int] = []
        if word(3) == "FOR" { found += roles(from: 5) }
        let isGrant = outer.contains { word($0) == "GRANT" && word($0 + 1) != "OPTION" }
        if let mark = outer.last(where: { word($0) == (isGrant ? "TO" : "FROM") }) {
            found += roles(from: mark + 1)
        }
        return found
    }

    private var policyRoles: [Int] {
        guard let mark = outer.first(where: { $0 > 3 && word($0) == "TO" }) else { return [] }
        return roles(from: mark + 1)
    }

    /// A list of roles, up to the first token that cannot go on with it.
    private func roles(from start: Int) -> [Int] {
        var found: [Int] = []
        var index = start
        while tokens.indices.contains(index) {
            if word(index) == "GROUP" { index += 1 }
            found += role(index)
            guard isSymbol(index + 1, ",") else { break }
            index += 2
        }
        return found
    }

    private func role(_ index: Int) -> [Int] {
        guard tokens.indices.contains(index), name(index) != nil,
            !["PUBLIC", "DEFAULT", "CURRENT_USER", "SESSION_USER", "CURRENT_ROLE"].contains(
                word(index))
        else { return [] }
        return [index]
    }
}
