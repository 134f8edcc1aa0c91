import Basics

/// The accounts that the exported databases need, with their rights.
struct Accounts: Sendable {
    /// Roles and users without their secrets, then rights.
    var definitions: [Definition] = []
    /// The same users with what proves who they are.
    var secrets: [Definition] = []
    /// Accounts that have a secret.
    var holders: [String] = []
    /// Authentication plugins in use, with one account of each.
    var plugins: [String: String] = [:]
    /// False: the account may not see them.
    var areVisible = true

    static func quoted(_ user: String, _ host: String) -> String {
        "\(user.quotedString)@\(host.quotedString)"
    }

    /// Accounts of the server itself, which every server makes for itself.
    private static let own: Set<String> = [
        "mariadb.sys@localhost", "mysql@localhost", "root@localhost", "mysql.sys@localhost",
        "mysql.session@localhost", "mysql.infoschema@localhost",
    ]
    /// What is granted to all accounts, of MariaDB from 10.11 on; it is there on every server.
    private static let everyone = "PUBLIC@"

    static func read(
        _ session: Session, _ server: ServerFacts, databases: [String], definers: Set<String>,
        all: Bool
    ) throws(Failure) -> Accounts {
        var accounts = Accounts()
        let columns = server.family == .mariadb ? "User, Host, is_role" : "User, Host, 'N'"
        let rows: [[String?]]
        do throws(Failure) {
            rows = try session.query("SELECT \(columns) FROM mysql.user ORDER BY 3 DESC, 1, 2")
        } catch {
            guard error.code == .databaseRights else { throw error }
            accounts.areVisible = false
            return accounts
        }
        let local = ["localhost", "127.0.0.1", "::1", try session.value("SELECT @@hostname") ?? ""]
        var found: [(name: String, isRole: Bool, key: String, grants: [[UInt8]], roles: [String])] =
            []
        for row in rows {
            guard let user = row[0], let host = row[1] else { continue }
            let isRole = row[2] == "Y"
            let key = "\(user)@\(host)"
            if key == Self.everyone {
                accounts.definitions += try session.bytes("SHOW GRANTS FOR PUBLIC")
                    .compactMap { $0[0] }
                    .compactMap { grant in
                        guard let scope = GrantScope(SQLStatement(grant)),
                            let pattern = scope.database,
                            databases.contains(where: { scope.covers($0, pattern) })
                        else { return nil }
                        return Definition(
                            kind: .grant, database: pattern, name: "PUBLIC", statement: grant)
                    }
                continue
            }
            if own.contains(key) || user == "root" && local.contains(host) { continue }
            let name = isRole ? user.quotedName : quoted(user, host)
            // Rights in other databases, or in some that are no longer, are not of this archive.
            let grants = try session.bytes("SHOW GRANTS FOR \(name)").compactMap { $0[0] }.filter {
                guard let scope = GrantScope(SQLStatement($0)), let pattern = scope.database else {
                    return true
                }
                return databases.contains { scope.covers($0, pattern) }
            }
            let roles = grants.compactMap { grant -> String? in
                guard case .role(let role)? = GrantScope(SQLStatement(grant))?.kind else {
                    return nil
                }
                return role
            }
            found.append((name, isRole, isRole ? user : key, grants, roles))
        }
        // Those that have rights in these databases or define something there, and their roles.
        var needed: Set<String> = []
        for account in found {
            let touches = account.grants.contains { GrantScope(SQLStatement($0))?.database != nil }
            if all || touches || definers.contains(account.key) { needed.insert(account.key) }
        }
        // Whoever has such a role has its rights; and the roles of all these are needed.
        spread(&needed) { needed in
            for account in found where account.roles.contains(where: needed.contains) {
                needed.insert(account.key)
            }
        }
        spread(&needed) { needed in
            for account in found where needed.contains(account.key) {
                needed.formUnion(account.roles)
            }
        }
        for account in found where needed.contains(account.key) {
            try accounts.add(
                (account.name, account.isRole, account.key, account.grants), session)
        }
        return accounts
    }

    /// Repeats until nothing more comes.
    private static func spread(_ names: inout Set<String>, _ body: (inout Set<String>) -> Void) {
        var size = -1
        while size != names.count {
            size = names.count
            body(&names)
        }
    }

    private mutating func add(
        _ account: (name: String, isRole: Bool, key: String, grants: [[UInt8]]),
        _ session: Session
    ) throws(Failure) {
        if account.isRole {
            definitions.append(
                Definition(
                    kind: .role, database: "", name: account.key,
                    statement: Array("CREATE ROLE IF NOT EXISTS \(account.name)".utf8)))
        } else {
            let rows = try session.bytes("SHOW CREATE USER \(account.name)")
            guard let whole = rows.first?.first ?? nil else { return }
            let user = UserStatement(SQLStatement(whole))
            // Of one whose password has expired by hand, a second statement has how long others last.
            let lasting = rows.dropFirst().first?.first ?? nil
            if let plugin = user.plugin { plugins[plugin] = account.name }
            if user.hasSecret { holders.append("account \(account.name)") }
            definitions.append(
                Definition(
                    kind: .user, database: "", name: account.key,
                    statement: Array(user.withoutSecret(lasting: lasting).utf8)))
            secrets.append(
                Definition(
                    kind: .user, database: "", name: account.key,
                    statement: Array(user.givingSecret.utf8)))
        }
        for grant in account.grants {
            let statement = SQLStatement(grant)
            if statement.begins("GRANT") {
                definitions.append(
                    Definition(
                        kind: .grant, database: GrantScope(statement)?.database ?? "",
                        name: account.key, statement: UserStatement.withoutIdentity(statement)))
            } else if statement.begins("SET", "DEFAULT", "ROLE") {
                definitions.append(
                    Definition(
                        kind: .defaultRole, database: "", name: account.key, statement: grant))
            }
        }
    }
}

/// What a GRANT is about.
struct GrantScope: Sendable {
    enum Kind: Sendable {
        /// `ON *.*`
        case global
        case database
        case role(String)
    }

    let kind: Kind
    /// As the grant has it, where `%` and `_` may stand for any letters.
    let database: String?
    /// Whether it is about the whole database, whose name then is a pattern.
    let isWhole: Bool
    /// The token of the database.
    let token: Int?

    init?(_ statement: SQLStatement) {
        guard statement.begins("GRANT") else { return nil }
        var depth = 0
        for index in statement.tokens.indices {
            if statement.isSymbol(index, "(") { depth += 1 }
            if statement.isSymbol(index, ")") { depth -= 1 }
            guard depth == 0 else { continue }
            if statement.word(index) == "ON" {
                var place = index + 1
                if ["PROCEDURE", "FUNCTION", "PACKAGE", "TABLE"].contains(statement.word(place)) {
                    place += 1
                }
                if statement.word(place) == "BODY" { place += 1 }
                // A proxy is an account, whatever database anyone works in.
                if statement.isSymbol(place, "*") || statement.word(1) == "PROXY" {
                    (kind, database, isWhole, token) = (.global, nil, false, nil)
                    return
                }
                guard let name = statement.name(place) else { return nil }
                (kind, database, token) = (.database, name, place)
                isWhole = statement.isSymbol(place + 2, "*")
                return
            }
            if statement.word(index) == "TO" {
                guard let role = statement.name(1) else { return nil }
                (kind, database, isWhole, token) = (.role(role), nil, false, nil)
                return
            }
        }
        return nil
    }

    /// Whether a grant on `pattern` is one on the database.
    func covers(_ name: String, _ pattern: String) -> Bool {
        Self.unescaped(pattern) == name
            || isWhole && NameLike.matches(Array(pattern), Array(name))
    }

    /// `\_` and `\%` made single letters.
    static func unescaped(_ pattern: String) -> String {
        var result = ""
        var isEscaped = false
        for character in pattern {
            if character == "\\", !isEscaped {
                isEscaped = true
                continue
            }
            result.append(character)
            isEscaped = false
        }
        return result
    }
}

/// LIKE with `%`, `_` and backslashes.
enum NameLike {
    static func matches(_ pattern: [Character], _ name: [Character]) -> Bool {
        guard let first = pattern.first else { return name.isEmpty }
        let rest = Array(pattern.dropFirst())
        switch first {
        case "%": return (0...name.count).contains { matches(rest, Array(name.dropFirst($0))) }
        case "_": return !name.isEmpty && matches(rest, Array(name.dropFirst()))
        case "\\" where !rest.isEmpty:
            return name.first == rest[0]
                && matches(Array(rest.dropFirst()), Array(name.dropFirst()))
        default: return name.first == first && matches(rest, Array(name.dropFirst()))
        }
    }
}

/// A `CREATE USER`, with and without what proves who somebody is.
struct UserStatement {
    private let statement: SQLStatement
    /// The tokens from IDENTIFIED to the end of that clause.
    private let identity: ClosedRange<Int>?
    let plugin: String?
    let hasSecret: Bool

    init(_ statement: SQLStatement) {
        self.statement = statement
        (identity, plugin, hasSecret) = Self.identity(statement)
    }

    /// Gives an account that is there what proves who it is, and unlocks it.
    var givingSecret: String {
        var statement = statement
        let isLocked = isLocked
        statement.replace([(0, "ALTER")])
        return statement.text + (isLocked ? "" : " ACCOUNT UNLOCK")
    }

    private var isLocked: Bool {
        statement.tokens.indices.contains {
            statement.word($0) == "ACCOUNT" && statement.word($0 + 1) == "LOCK"
        }
    }

    /// The account locked: without its secret anyone could enter. One that is there is left alone.
    ///
    /// - Parameter other: an `ALTER USER` that ends with how long passwords last.
    func withoutSecret(lasting other: [UInt8]? = nil) -> String {
        var text = statement.text
        if let identity, hasSecret {
            let (first, last) = (
                statement.tokens[identity.lowerBound].range.lowerBound,
                statement.tokens[identity.upperBound].range.upperBound
            )
            text =
                String(decoding: statement.bytes[..<first], as: UTF8.self)
                + String(decoding: statement.bytes[last...], as: UTF8.self)
        }
        if let other = other.map({ SQLStatement($0) }), text.hasSuffix(" PASSWORD EXPIRE"),
            let mark = other.tokens.indices.first(where: { other.word($0) == "EXPIRE" })
        {
            text +=
                " "
                + String(
                    decoding: other.slice(mark + 1...other.tokens.count - 1), as: UTF8.self)
        }
        let head = "CREATE USER "
        if text.hasPrefix(head) { text = head + "IF NOT EXISTS " + text.dropFirst(head.count) }
        return hasSecret && !isLocked ? text + " ACCOUNT LOCK" : text
    }

    /// A grant without `IDENTIFIED …`, which older servers write into it.
    static func withoutIdentity(_ statement: SQLStatement) -> [UInt8] {
        guard let identity = Self.identity(statement).0 else { return statement.bytes }
        let (first, last) = (
            statement.tokens[identity.lowerBound].range.lowerBound,
            statement.tokens[identity.upperBound].range.upperBound
        )
        return Array(statement.bytes[..<first]) + Array(statement.bytes[last...])
    }

    /// `IDENTIFIED BY PASSWORD '…'`, `IDENTIFIED VIA plugin [USING '…'] [OR …]`,
    /// `IDENTIFIED WITH 'plugin' [AS '…']`.
    private static func identity(
        _ statement: SQLStatement
    ) -> (ClosedRange<Int>?, String?, Bool) {
        guard
            let mark = statement.tokens.indices.first(where: { statement.word($0) == "IDENTIFIED" })
        else { return (nil, nil, false) }
        var last = mark
        var plugin: String?
        var hasSecret = false
        var index = mark + 1
        loop: while index < statement.tokens.count {
            switch statement.word(index) {
            case "BY", "OR", "AS", "USING": break
            // The words stand in other clauses as well.
            case "PASSWORD" where statement.word(index - 1) == "BY": break
            case "VIA" where index == mark + 1, "WITH" where index == mark + 1:
                plugin = statement.name(index + 1)
                index += 1
            case "":
                guard statement.tokens[index].kind == .string else { break loop }
                hasSecret = true
            default:
                if statement.word(index - 1) == "OR" { break }
                break loop
            }
            last = index
            index += 1
        }
        return (mark...last, plugin, hasSecret)
    }
}
