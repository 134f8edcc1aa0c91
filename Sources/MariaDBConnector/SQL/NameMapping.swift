import Basics

/// Other names for databases, definers, accounts and collations, put into parsed statements: never
/// into text.
struct NameMapping: Sendable {
    var databases: [String: String] = [:]
    /// Accounts as `user@host`.
    var definers: [String: String] = [:]
    var users: [String: String] = [:]
    var collations: [String: String] = [:]

    func database(_ name: String) -> String { databases[name] ?? name }
    func account(_ name: String) -> String { users[name] ?? name }

    var isEmpty: Bool {
        databases.isEmpty && definers.isEmpty && users.isEmpty && collations.isEmpty
    }

    /// An account of a plan, `user@host` or a role, in SQL.
    static func quoted(_ account: String) -> String {
        guard let mark = account.lastIndex(of: "@") else { return account.quotedName }
        return
            "\(String(account[..<mark]).quotedName)@\(String(account[account.index(after: mark)...]).quotedName)"
    }

    func applied(to definition: Definition) -> Definition {
        if isEmpty { return definition }
        var sql = definition.sql
        sql.replace(changes(in: sql, of: definition))
        return Definition(
            kind: definition.kind,
            database: definition.database.isEmpty ? "" : database(definition.database),
            name: definition.kind == .database
                ? database(definition.name)
                : [.user, .role, .grant, .defaultRole].contains(definition.kind)
                    ? account(definition.name) : definition.name,
            table: definition.table, mode: definition.mode, client: definition.client,
            connection: collations[definition.connection] ?? definition.connection,
            databaseCollation: collations[definition.databaseCollation]
                ?? definition.databaseCollation,
            timeZone: definition.timeZone, statement: sql.bytes)
    }

    private func changes(
        in sql: SQLStatement, of definition: Definition
    ) -> [(token: Int, text: String)] {
        var changes: [(token: Int, text: String)] = []
        switch definition.kind {
        case .database:
            changes.append((2, database(definition.name).quotedName))
        case .grant:
            if let scope = GrantScope(sql), let token = scope.token, let pattern = scope.database,
                let other = databases[GrantScope.unescaped(pattern)]
            {
                let isPattern = pattern.contains("\\")
                changes.append((token, (isPattern ? Self.escaped(other) : other).quotedName))
            }
            changes += accounts(in: sql)
        case .user, .role, .defaultRole: changes += accounts(in: sql)
        default:
            changes += Qualifiers(sql, of: definition, databases).changes
            if let definer = sql.definer { changes += self.definer(definer, in: sql) }
        }
        for index in sql.tokens.indices where sql.word(index) == "COLLATE" && !collations.isEmpty {
            let place = sql.isSymbol(index + 1, "=") ? index + 2 : index + 1
            if let other = sql.name(place).flatMap({ collations[$0] }) {
                changes.append((place, other))
            }
        }
        return changes
    }

    private func definer(
        _ definer: (user: Int, host: Int?), in sql: SQLStatement
    ) -> [(token: Int, text: String)] {
        guard let user = sql.name(definer.user) else { return [] }
        let host = definer.host.flatMap { sql.name($0) }
        let key = host.map { "\(user)@\($0)" } ?? user
        guard let other = definers[key] ?? users[key] else { return [] }
        return replacement(of: (definer.user, definer.host), with: other, in: sql)
    }

    /// All `user@host` that the mapping knows, and roles.
    private func accounts(in sql: SQLStatement) -> [(token: Int, text: String)] {
        if users.isEmpty { return [] }
        var changes: [(token: Int, text: String)] = []
        for index in sql.tokens.indices {
            guard let user = sql.name(index), !sql.isSymbol(index - 1, "@") else { continue }
            if sql.isSymbol(index + 1, "@"), let host = sql.name(index + 2) {
                if let other = users["\(user)@\(host)"] {
                    changes += replacement(of: (index, index + 2), with: other, in: sql)
                }
            } else if sql.tokens[index].kind == .quotedName, let other = users[user] {
                changes.append((index, other.quotedName))
            }
        }
        return changes
    }

    private func replacement(
        of place: (user: Int, host: Int?), with other: String, in sql: SQLStatement
    ) -> [(token: Int, text: String)] {
        guard let mark = other.lastIndex(of: "@"), let host = place.host else {
            return [(place.user, other.quotedName)]
        }
        // In the quotes that the statement itself uses.
        let quote: (String) -> String = { text in
            switch sql.spelling(place.user).first {
            case "\"": text.quotedName("\"")
            case "'": text.quotedString
            default: text.quotedName
            }
        }
        return [
            (place.user, quote(String(other[..<mark]))),
            (host, quote(String(other[other.index(after: mark)...]))),
        ]
    }

    private static func escaped(_ name: String) -> String {
        name.reduce(into: "") { $0 += $1 == "_" || $1 == "%" ? "\\\($1)" : String($1) }
    }
}
