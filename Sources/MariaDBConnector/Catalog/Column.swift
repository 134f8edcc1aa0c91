import Basics

/// A column of a table with how its values travel as bytes of a row.
struct Column: Sendable, Equatable {
    /// How a value is read and written so that the very bits arrive.
    enum Transport: String, Sendable {
        /// The bytes that are stored, or the server's text of a number or a time.
        case plain
        /// An `ENUM` that knows the empty string: its number tells that from the error value.
        case number
        /// Types that take text, but read binary strings as their inner form: UUID, INET4, INET6,
        /// and JSON of MySQL.
        case converted
        /// Computed by the server. In the rows, so that the target's can be held against it, but
        /// never loaded.
        case generated
    }

    let name: String
    let transport: Transport
    /// What CONVERT makes of `converted`.
    let characterSet: String

    init(name: String, transport: Transport, characterSet: String = "") {
        self.name = name
        self.transport = transport
        self.characterSet = characterSet
    }

    /// In the list of a SELECT.
    var selected: String {
        switch transport {
        case .number: "\(name.quotedName) + 0"
        case .plain, .converted, .generated: name.quotedName
        }
    }

    /// In the list of a LOAD DATA: the column, or a variable.
    func listed(at place: Int) -> String {
        switch transport {
        case .plain: name.quotedName
        case .number, .converted, .generated: "@v\(place)"
        }
    }

    /// The assignment that makes the column out of its variable.
    func assignment(at place: Int) -> String? {
        assigned("@v\(place)").map { "\(name.quotedName) = \($0)" }
    }

    /// What is stored, made of an expression that has the bytes of the row; nil for nothing.
    func assigned(_ value: String) -> String? {
        switch transport {
        case .plain, .generated: nil
        case .number: "CAST(\(value) AS UNSIGNED)"
        case .converted: "CONVERT(\(value) USING \(characterSet))"
        }
    }

    var json: JSON {
        .array([.string(name), .string(transport.rawValue), .string(characterSet)])
    }

    init?(_ json: JSON) {
        guard let parts = json.array, parts.count == 3, let name = parts[0].string,
            let transport = parts[1].string.flatMap({ Transport(rawValue: $0) }),
            let characterSet = parts[2].string,
            characterSet.utf8.allSatisfy({
                (0x30...0x39).contains($0) || (0x61...0x7a).contains($0)
            })
        else { return nil }
        self.init(name: name, transport: transport, characterSet: characterSet)
    }
}

/// A column as information_schema describes it.
struct ColumnFacts: Sendable {
    let name: String
    /// In small letters, without lengths: "varchar".
    let type: String
    /// The whole type: "enum('a','b')".
    let fullType: String
    let collation: String?
    let extra: String
    let expression: String

    var isGenerated: Bool { !expression.isEmpty }
    var isAutoIncrement: Bool { extra.contains("auto_increment") }
    /// ROW START and ROW END of a system-versioned table.
    var isPeriodOfSystem: Bool { expression == "ROW START" || expression == "ROW END" }

    /// Nil where the server computes another value each time that it is asked.
    func column(_ family: ServerFacts.Family) -> Column? {
        if isGenerated, !isPeriodOfSystem {
            return Self.changesByItself(expression)
                ? nil : Column(name: name, transport: .generated)
        }
        switch type {
        case "enum" where fullType.contains("''") && Self.hasEmptyMember(fullType):
            return Column(name: name, transport: .number)
        case "uuid", "inet4", "inet6":
            return Column(name: name, transport: .converted, characterSet: "ascii")
        case "json" where family == .mysql:
            return Column(name: name, transport: .converted, characterSet: "utf8mb4")
        default: return Column(name: name, transport: .plain)
        }
    }

    static func hasEmptyMember(_ type: String) -> Bool {
        var lexer = SQLLexer(Array(type.utf8), ansiQuotes: false, backslashes: false)
        while let token = lexer.next() {
            if token.kind == .string, token.range.count == 2 { return true }
        }
        return false
    }

    /// Functions whose value depends on the moment, the session or chance.
    private static let changing: Set<String> = [
        "NOW", "CURDATE", "CURTIME", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP",
        "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP",
        "UNIX_TIMESTAMP", "RAND", "UUID", "UUID_SHORT", "SYS_GUID", "USER", "CURRENT_USER",
        "SESSION_USER", "SYSTEM_USER", "CURRENT_ROLE", "CONNECTION_ID", "DATABASE", "SCHEMA",
        "VERSION", "LAST_INSERT_ID", "FOUND_ROWS", "ROW_COUNT", "RANDOM_BYTES", "ENCRYPT",
    ]

    static func changesByItself(_ expression: String) -> Bool {
        let statement = SQLStatement(Array(expression.utf8))
        return statement.tokens.indices.contains { changing.contains(statement.word($0)) }
    }
}
