/// Programs of a server that ignores the case of names, on one that does not: what they write
/// otherwise is not found there, which nobody sees before they run.
struct CaseOfNames {
    /// As the server keeps them: in small letters.
    private let tables: Set<String>
    /// As the target has them.
    private let databases: Set<String>

    init(_ definitions: [Definition], _ mapping: NameMapping) {
        tables = Set(
            definitions.filter { [.table, .view, .sequence].contains($0.kind) }.map(\.name))
        databases = Set(
            definitions.filter { $0.kind == .database }.map { mapping.database($0.name) })
    }

    private static let opening: Set<String> = ["FROM", "JOIN", "INTO", "UPDATE", "TABLE", "ON"]

    /// Names of tables and databases in a program that are not spelled as they are kept.
    func strays(in definition: Definition) -> [String] {
        let sql = definition.sql
        func isStray(_ name: String, _ kept: Set<String>) -> Bool {
            !kept.contains(name) && kept.contains(name.lowercased())
        }
        return sql.tokens.indices.compactMap { index in
            guard sql.tokens[index].kind != .string, let name = sql.name(index) else { return nil }
            if sql.isSymbol(index + 1, "."), isStray(name, databases) { return name }
            let database = sql.isSymbol(index - 1, ".") ? sql.name(index - 2) ?? "" : ""
            let isTable =
                Self.opening.contains(sql.word(index - 1)) || databases.contains(database)
                || databases.contains(database.lowercased())
            return isTable && isStray(name, tables) ? name : nil
        }
    }
}
