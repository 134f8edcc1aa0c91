import Basics

/// The statement that makes an object, with the session in which it must be made.
///
/// Source: MariaDB documentation, "SHOW CREATE …".
struct Definition: Sendable, Equatable {
    enum Kind: String, Sendable {
        case database, sequence, table, view, trigger, procedure, function, event, package
        case packageBody = "package body"
        case role, user, grant
        case defaultRole = "default role"

        /// As SHOW CREATE, DROP and CREATE call it.
        var words: String { rawValue.uppercased() }
    }

    let kind: Kind
    let database: String
    let name: String
    /// Of a trigger: its table.
    var table = ""
    var mode = ""
    var client = "utf8mb4"
    var connection = "utf8mb4_general_ci"
    var databaseCollation = ""
    var timeZone = ""
    /// Whether its server finds names of databases and tables without regard to case.
    var ignoresCase = false
    /// In the character set `client`.
    var statement: [UInt8]

    var sql: SQLStatement { SQLStatement(statement, mode: mode) }

    /// For messages.
    var title: String {
        switch kind {
        case .database, .user, .role: "\(kind.rawValue) \(name)"
        case .grant: "rights of \(name)"
        default: "\(kind.rawValue) \(database).\(name)"
        }
    }

    /// What the session must be set to.
    var settings: [String] {
        var settings = [
            "SET SESSION sql_mode = \(mode.quotedString)",
            "SET character_set_client = \(client), collation_connection = \(connection)",
        ]
        if !timeZone.isEmpty { settings.append("SET SESSION time_zone = \(timeZone.quotedString)") }
        // The server drops at once what is made with an end in the past.
        if endsSomeday { settings.append("SET SESSION timestamp = 1") }
        return settings
    }

    /// Of an event: whether it has a last time.
    private var endsSomeday: Bool {
        guard kind == .event else { return false }
        let sql = sql
        let end = sql.tokens.indices.first { sql.word($0) == "DO" } ?? 0
        return (0..<end).contains { ["AT", "ENDS"].contains(sql.word($0)) }
    }

    // MARK: - In a script

    private var header: JSON {
        [
            "kind": .string(kind.rawValue), "database": .string(database), "name": .string(name),
            "table": .string(table), "sql-mode": .string(mode), "client": .string(client),
            "connection": .string(connection), "database-collation": .string(databaseCollation),
            "time-zone": .string(timeZone), "bytes": .integer(Int64(statement.count)),
        ]
    }

    static let mark = Array("-- exeat ".utf8)

    /// The statement in a script for the `mariadb` client, behind a comment that says what it is.
    func append(to script: inout [UInt8], before: [String] = [], after: [String] = []) {
        var delimiter = ";;"
        while Self.contains(statement, Array(delimiter.utf8)) { delimiter += ";" }
        script += Self.mark + header.canonical + [0x0a]
        for line in before + settings { script += Array((line + ";\n").utf8) }
        script += Array("DELIMITER \(delimiter)\n".utf8)
        script += statement
        script += Array("\n\(delimiter)\nDELIMITER ;\n".utf8)
        if endsSomeday { script += Array("SET SESSION timestamp = DEFAULT;\n".utf8) }
        for line in after { script += Array((line + ";\n").utf8) }
    }

    private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
        guard bytes.count >= part.count else { return false }
        return (0...bytes.count - part.count).contains {
            bytes[$0] == part[0] && bytes[$0..<$0 + part.count].elementsEqual(part)
        }
    }

    /// All definitions of a script that `append` has made.
    static func parse(_ script: [UInt8]) throws(Failure) -> [Definition] {
        var definitions: [Definition] = []
        var position = 0
        func line() -> ArraySlice<UInt8>? {
            guard position < script.count else { return nil }
            let end = script[position...].firstIndex(of: 0x0a) ?? script.count
            defer { position = end + 1 }
            return script[position..<end]
        }
        while let head = line() {
            guard head.starts(with: mark) else { continue }
            let json = try JSON(parsing: Array(head.dropFirst(mark.count)))
            while let next = line(), !next.starts(with: Array("DELIMITER ".utf8)) {}
            guard let count = json["bytes"]?.integer, count > 0,
                position + Int(count) <= script.count,
                let definition = Definition(
                    json, Array(script[position..<position + Int(count)]))
            else {
                throw Failure(.databaseContent, "a definition of the archive is malformed")
            }
            position += Int(count)
            definitions.append(definition)
        }
        return definitions
    }

    private init?(_ json: JSON, _ statement: [UInt8]) {
        func text(_ key: String) -> String? { json[key]?.string }
        guard let kind = text("kind").flatMap({ Kind(rawValue: $0) }),
            let database = text("database"), let name = text("name"), let table = text("table"),
            let mode = text("sql-mode"), let client = text("client"),
            let connection = text("connection"), let collation = text("database-collation"),
            let zone = text("time-zone"),
            [mode, client, connection, collation, zone].allSatisfy({
                $0.utf8.allSatisfy { byte in
                    (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                        || (0x30...0x3a).contains(byte)
                        || [0x5f, 0x2c, 0x2b, 0x2d, 0x2f].contains(byte)
                }
            })
        else { return nil }
        self.init(
            kind: kind, database: database, name: name, table: table, mode: mode, client: client,
            connection: connection, databaseCollation: collation, timeZone: zone,
            statement: statement)
    }

    init(
        kind: Kind, database: String, name: String, table: String = "", mode: String = "",
        client: String = "utf8mb4", connection: String = "utf8mb4_general_ci",
        databaseCollation: String = "", timeZone: String = "", statement: [UInt8]
    ) {
        self.kind = kind
        self.database = database
        self.name = name
        self.table = table
        self.mode = mode
        self.client = client
        self.connection = connection
        self.databaseCollation = databaseCollation
        self.timeZone = timeZone
        self.statement = statement
    }
}
