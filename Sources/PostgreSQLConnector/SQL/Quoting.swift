/// Names and texts as parts of a statement.
enum Quoting {
    /// An identifier, always in double quotes.
    static func name(_ text: String) -> String { "\"" + text.replacing("\"", with: "\"\"") + "\"" }

    static func name(_ schema: String, _ name: String) -> String {
        Self.name(schema) + "." + Self.name(name)
    }

    /// A literal; one with backslashes is written so that no setting changes its meaning.
    static func literal(_ text: String) -> String {
        let quoted = "'" + text.replacing("'", with: "''") + "'"
        guard text.contains("\\") else { return quoted }
        return "E" + quoted.replacing("\\", with: "\\\\")
    }
}
