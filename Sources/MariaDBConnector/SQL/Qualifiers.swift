/// The names of databases before others in a statement, `db.object`, with what they are on the target.
struct Qualifiers {
    private let sql: SQLStatement
    private let isTrigger: Bool
    private let ignoresCase: Bool
    private let databases: [String: String]

    init(_ sql: SQLStatement, of definition: Definition, _ databases: [String: String]) {
        self.sql = sql
        isTrigger = definition.kind == .trigger
        ignoresCase = definition.ignoresCase
        self.databases = databases
    }

    var changes: [(token: Int, text: String)] {
        if databases.isEmpty { return [] }
        // A name that also stands alone may be an alias or a variable: then only places where a
        // table or a routine must stand are sure.
        let alone = Set(
            sql.tokens.indices.compactMap { index -> String? in
                guard let name = sql.name(index), sql.tokens[index].kind != .string,
                    let other = other(name), !sql.isSymbol(index + 1, "."),
                    !sql.isSymbol(index - 1, "."), sql.word(index - 1) != "USE"
                else { return nil }
                return other
            })
        return sql.tokens.indices.compactMap { index in
            guard sql.isSymbol(index + 1, "."), !sql.isSymbol(index - 1, "."),
                sql.tokens[index].kind == .word || sql.tokens[index].kind == .quotedName,
                let name = sql.name(index), let other = other(name)
            else { return nil }
            let isThreePart = sql.isSymbol(index + 3, ".")
            let isCall = sql.isSymbol(index + 3, "(")
            guard !alone.contains(other) || isThreePart || isCall || isTable(index) else {
                return nil
            }
            return (index, other.quotedName)
        }
    }

    private func other(_ name: String) -> String? {
        databases[name]
            ?? (ignoresCase
                ? databases.first { $0.key.lowercased() == name.lowercased() }?.value : nil)
    }

    private static let opening: Set<String> = [
        "FROM", "JOIN", "STRAIGHT_JOIN", "INTO", "UPDATE", "INSERT", "REPLACE", "IGNORE",
        "LOW_PRIORITY", "DELAYED", "QUICK", "TABLE", "EXISTS", "REFERENCES", "CALL", "TRIGGER",
        "PROCEDURE", "FUNCTION", "EVENT", "VIEW", "PACKAGE", "BODY", "SEQUENCE", "FOR", "DO",
        "TRUNCATE",
    ]
    private static let clauses: Set<String> = [
        "SELECT", "FROM", "JOIN", "ON", "USING", "WHERE", "SET", "BY", "HAVING", "VALUES", "LIMIT",
        "UPDATE", "RETURN", "CALL", "INTO",
    ]

    /// Whether a table or a routine must stand at that place.
    private func isTable(_ index: Int) -> Bool {
        let before = sql.word(index - 1)
        if Self.opening.contains(before) { return true }
        switch before {
        // `DELETE alias.* FROM …`
        case "DELETE": return !sql.isSymbol(index + 2, "*")
        case "OF": return sql.word(index - 2) == "TYPE" && sql.word(index - 3) == "ROW"
        case "ON":
            return isTrigger && index < 30 || sql.word(index - 3) == "INDEX"
        default: break
        }
        guard sql.isSymbol(index - 1, ",") || sql.isSymbol(index - 1, "(") else { return false }
        // In a list of tables: behind the clause in which that list is, whatever is in parentheses.
        var depth = 0
        for place in stride(from: index - 1, through: 0, by: -1) {
            if sql.isSymbol(place, ";") { return false }
            if sql.isSymbol(place, ")") { depth += 1 }
            if sql.isSymbol(place, "("), depth > 0 { depth -= 1 }
            if depth == 0, Self.clauses.contains(sql.word(place)) {
                return ["FROM", "JOIN", "UPDATE"].contains(sql.word(place))
            }
        }
        return false
    }
}
