/// What a server notes for itself among the options of a column.
enum ServerNotes {
    /// Since November 2026 (15.20). The pg_dump of that server leaves it out, an older one writes it, and no
    /// older server takes it.
    static let options: Set<String> = ["pg_attver"]
}

extension SQLStatement {
    /// The statement without such notes in `ALTER TABLE … ALTER COLUMN … SET (…)`; nil where nothing of it is
    /// left.
    func withoutServerNotes() -> SQLStatement? {
        guard
            begins("ALTER", "TABLE") || begins("ALTER", "FOREIGN", "TABLE")
                || begins("ALTER", "MATERIALIZED"),
            let mark = outer.first(where: { $0 > 2 && word($0) == "SET" && isSymbol($0 + 1, "(") }),
            word(mark - 2) == "COLUMN"
        else { return self }
        let first = mark + 2
        guard let end = tokens.indices.first(where: { $0 >= first && isSymbol($0, ")") }),
            end > first
        else { return self }
        let options = (first..<end).split { isSymbol($0, ",") }
        let kept = options.filter { !ServerNotes.options.contains(name($0.first ?? first) ?? "") }
        if kept.count == options.count { return self }
        if kept.isEmpty {
            // pg_dump writes one change in a statement; where somebody else has put more into it, nothing is lost.
            let isAll = end == tokens.count - 1 || end == tokens.count - 2 && isSymbol(end + 1, ";")
            return isAll ? nil : self
        }
        var statement = self
        let texts = kept.map { $0.map(spelling).joined() }
        statement.replace(first...end - 1, with: texts.joined(separator: ", "))
        return statement
    }
}
