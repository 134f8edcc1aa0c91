/// The scripts of an archive, and what may stand in each.
enum ScriptKind: String, CaseIterable {
    case roles = "postgresql-roles"
    case database = "postgresql-database"
    case preData = "postgresql-pre-data"
    case sequences = "postgresql-sequences"
    case postData = "postgresql-post-data"
    case passwords = "postgresql-role-passwords"

    /// For messages.
    var title: String { String(rawValue.dropFirst("postgresql-".count)) }
}

extension SQLStatement {
    /// Whether it is of a kind that pg_dump writes into definitions. Everything else, above all what
    /// runs programs or reads files on the server, is refused whoever signed it.
    var isOfDump: Bool {
        // A command of psql within a statement: no operator has a backslash.
        if tokens.indices.contains(where: { isSymbol($0, "\\") }) { return false }
        return switch word(0) {
        case "CREATE", "ALTER": word(1) != "SYSTEM"
        case "COMMENT", "GRANT", "REVOKE", "SET", "RESET", "REFRESH", "SECURITY": true
        case "SELECT":
            name(1) == "pg_catalog" && isSymbol(2, ".")
                && ["set_config", "setval", "lo_create"].contains(name(3) ?? "")
        default: false
        }
    }

    /// Whether it may stand in that script. What belongs to the whole server has a script of its own, in
    /// which an importer looks at each statement: nothing of it hides among definitions.
    func belongs(in kind: ScriptKind) -> Bool {
        guard isOfDump else { return false }
        if word(0) == "SET" || word(0) == "SELECT" && name(3) == "set_config" { return true }
        let isAbout = serverObject
        switch kind {
        case .roles:
            return ["ROLE", "TABLESPACE", "PARAMETER", "MEMBERSHIP"].contains(isAbout)
        case .database:
            return isAbout == "DATABASE" || begins("ALTER", "ROLE") && word(3) == "IN"
        case .sequences: return word(0) == "SELECT" && name(3) == "setval"
        case .passwords:
            return begins("ALTER", "ROLE") && word(3) == "PASSWORD" && tokens.count == 6
                && tokens[4].kind == .string
        case .preData, .postData:
            return isAbout == nil && (word(0) != "SELECT" || name(3) != "setval")
        }
    }

    /// What of the whole server the statement makes, changes or grants; nil for an object of a database.
    private var serverObject: String? {
        let kinds = [
            "ROLE", "USER", "GROUP", "DATABASE", "TABLESPACE", "SUBSCRIPTION", "PARAMETER",
        ]
        func known(_ place: Int) -> String? {
            let word = word(place)
            if word == "USER", self.word(place + 1) == "MAPPING" { return nil }
            if word == "USER" || word == "GROUP" { return "ROLE" }
            return kinds.contains(word) ? word : nil
        }
        switch word(0) {
        case "CREATE", "ALTER": return known(1)
        case "COMMENT": return known(2)
        case "SECURITY":
            return outer.first { word($0) == "ON" }.flatMap { known($0 + 1) }
        case "GRANT", "REVOKE":
            guard let mark = outer.first(where: { word($0) == "ON" }) else { return "MEMBERSHIP" }
            // A table may have such a name without quotes: then no name comes behind it.
            return ["TO", "FROM"].contains(word(mark + 2)) || isSymbol(mark + 2, ".")
                || isSymbol(mark + 2, ",") ? nil : known(mark + 1)
        default: return nil
        }
    }
}
