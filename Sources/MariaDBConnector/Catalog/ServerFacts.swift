import Basics

/// What matters of a server and of the account that reads it.
struct ServerFacts: Sendable {
    enum Family: String, Sendable {
        case mariadb, mysql
    }

    let family: Family
    /// As the server counts: 101119 is 10.11.19.
    let version: Int
    let versionText: String
    let user: String
    /// What the account and its active roles are granted.
    let grants: [Grant]
    let hasBinaryLog: Bool
    let isReadOnly: Bool
    /// 0: names as they are written; 1: in lower case; 2: compared without case.
    let lowerCaseNames: Int
    let maxPacket: Int
    let mayLoadLocal: Bool
    /// Storage engines that the server has, with whether they know transactions.
    let engines: [String: Bool]

    /// Older servers lack what the export stands on.
    static let oldest = [Family.mariadb: 100_400, .mysql: 80_000]

    /// Databases of the server itself.
    static let systemDatabases = ["information_schema", "performance_schema", "mysql", "sys"]

    init(_ session: Session) throws(Failure) {
        family = session.isMariaDB ? .mariadb : .mysql
        version = session.serverVersion
        versionText = session.serverText
        guard version >= Self.oldest[family] ?? 0 else {
            throw Failure(
                .databaseUnsuitable, "the server is of version \(versionText)",
                hint: "MariaDB 10.4 and MySQL 8.0 are the oldest that can be read.")
        }
        let row =
            try session.query(
                "SELECT CURRENT_USER(), @@log_bin, @@read_only, @@lower_case_table_names, "
                    + "@@max_allowed_packet, @@local_infile"
            ).first ?? []
        user = row.first?.flatMap { $0 } ?? ""
        func number(_ place: Int) -> Int {
            row.indices.contains(place) ? Int(row[place] ?? "") ?? 0 : 0
        }
        hasBinaryLog = number(1) == 1
        isReadOnly = number(2) == 1
        lowerCaseNames = number(3)
        maxPacket = number(4)
        mayLoadLocal = number(5) == 1
        var engines: [String: Bool] = [:]
        for row in try session.query(
            "SELECT ENGINE, TRANSACTIONS FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')"
        ) {
            if let name = row[0] { engines[name.lowercased()] = row[1] == "YES" }
        }
        self.engines = engines
        grants = try session.bytes("SHOW GRANTS").compactMap { $0[0].flatMap { Grant($0) } }
    }

    /// Whether the privilege is granted on everything.
    func has(_ privilege: String) -> Bool {
        grants.contains { $0.isGlobal && $0.has(privilege) }
    }

    /// Whether the privilege is granted on a whole database.
    func has(_ privilege: String, in database: String) -> Bool {
        has(privilege) || grants.contains { $0.isWhole(database) && $0.has(privilege) }
    }

    /// Kinds of objects that a database may have without this account seeing them: the server leaves
    /// them out of its catalog, in silence.
    func hidden(in database: String) -> [String] {
        var hidden: [String] = []
        if !has("SELECT", in: database) { hidden.append("tables") }
        if !has("TRIGGER", in: database) { hidden.append("triggers") }
        if !has("EVENT", in: database) { hidden.append("events") }
        let seesRoutines =
            has("SELECT", in: "mysql") || has("SHOW CREATE ROUTINE", in: database)
            || grants.contains { $0.isTable("mysql", "proc") && $0.has("SELECT") }
            || family == .mysql && has("SHOW_ROUTINE")
        if !seesRoutines { hidden.append("routines") }
        return hidden
    }
}

/// A grant of privileges.
struct Grant: Sendable {
    private let privileges: Set<String>
    private let scope: GrantScope
    /// The table or routine; nil for all of a database.
    private let object: String?

    init?(_ bytes: [UInt8]) {
        let statement = SQLStatement(bytes)
        guard let scope = GrantScope(statement) else { return nil }
        if case .role = scope.kind { return nil }
        self.scope = scope
        let end = scope.token.map { $0 + 2 }
        object = end.flatMap { statement.isSymbol($0, "*") ? nil : statement.name($0) ?? "" }
        var names: Set<String> = []
        var words: [String] = []
        var depth = 0
        // A privilege on some columns is none on the table.
        var isPartial = false
        for index in statement.tokens.indices.dropFirst() {
            if statement.isSymbol(index, "(") { depth += 1 }
            if depth == 0, statement.isSymbol(index, ",") || statement.word(index) == "ON" {
                if !isPartial { names.insert(words.joined(separator: " ")) }
                words = []
                isPartial = false
                if statement.word(index) == "ON" { break }
            } else if depth == 0 {
                words.append(statement.word(index))
            } else {
                isPartial = true
            }
            if statement.isSymbol(index, ")") { depth -= 1 }
        }
        privileges = names
    }

    var isGlobal: Bool { if case .global = scope.kind { true } else { false } }

    func has(_ privilege: String) -> Bool {
        privileges.contains(privilege) || privileges.contains("ALL PRIVILEGES")
            || privileges.contains("ALL")
    }

    func isWhole(_ database: String) -> Bool {
        object == nil && (scope.database.map { scope.covers(database, $0) } ?? false)
    }

    func isTable(_ database: String, _ table: String) -> Bool {
        object == table && scope.database == database
    }
}
