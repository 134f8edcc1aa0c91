import Basics

/// The statements that pg_dump writes for one object, with the settings that must hold for them.
struct DumpEntry: Sendable {
    /// As pg_dump says: "INDEX", "FK CONSTRAINT", "TRIGGER", …; "" for the settings at the start.
    let kind: String
    /// The object's name, for messages.
    let name: String
    let settings: [SQLStatement]
    let statements: [SQLStatement]

    /// Groups statements by the comments in front of them.
    static func entries(of statements: [SQLStatement]) -> [DumpEntry] {
        var entries: [DumpEntry] = []
        var kind = ""
        var name = ""
        var current: [SQLStatement] = []
        /// The last value of each setting that changes between entries.
        var settings: [String: SQLStatement] = [:]
        func close() {
            if !current.isEmpty {
                entries.append(
                    DumpEntry(
                        kind: kind, name: name,
                        settings: settings.sorted { $0.key < $1.key }.map(\.value),
                        statements: current))
            }
            current = []
        }
        for statement in statements {
            let setting = statement.word(1)
            // pg_dump sets these in front of the comment of the entry that they are for.
            if statement.word(0) == "SET",
                setting == "DEFAULT_TABLESPACE" || setting == "DEFAULT_TABLE_ACCESS_METHOD"
            {
                close()
                settings[setting] = statement
                continue
            }
            if let title = statement.notes.last(where: { $0.contains("; Type: ") }) {
                close()
                let parts = title.split(separator: ";").map { $0.drop { $0 == " " } }
                name = String(parts.first?.dropFirst("Name: ".count) ?? "")
                kind = String(
                    parts.first { $0.hasPrefix("Type: ") }?.dropFirst("Type: ".count) ?? "")
            }
            current.append(statement)
        }
        close()
        return entries
    }
}

/// The entries behind the rows in the order of their doing: rounds of units, a unit being entries
/// one after the other.
struct PostDataPlan: Sendable {
    let entries: [DumpEntry]
    /// Each unit holds places in `entries`.
    let rounds: [[[Int]]]
    /// Done last of all, since they fire on definitions.
    let eventTriggers: [Int]

    init(_ statements: [SQLStatement]) {
        let entries = DumpEntry.entries(of: statements)
        func places(_ isMeant: (String) -> Bool) -> [Int] {
            entries.indices.filter { isMeant(entries[$0].kind) }
        }
        let first = ["INDEX", "CONSTRAINT"]
        let attached = ["INDEX ATTACH"]
        let keys = ["FK CONSTRAINT"]
        let triggers = ["TRIGGER"]
        let refreshed = ["MATERIALIZED VIEW DATA"]
        let last = ["EVENT TRIGGER"]
        let known = first + attached + keys + triggers + refreshed + last + [""]
        let isLast: (Int) -> Bool = { place in
            entries[place].kind == "COMMENT" && entries[place].name.hasPrefix("EVENT TRIGGER")
        }
        // Views that need a primary key come behind the rows; what is about them keeps its order.
        let late = Set(entries.flatMap(\.statements).compactMap(\.createdView))
        let isLate: (Int) -> Bool = { place in
            entries[place].statements.contains { $0.indexedRelation.map(late.contains) ?? false }
        }
        let others = entries.indices.filter { !known.contains(entries[$0].kind) || isLate($0) }
        rounds = [
            // Indexes in parallel, several of a table at once; the longest statements first is what
            // nobody can know, so they go in the order of the dump.
            places(first.contains).filter { !isLate($0) }.map { [$0] },
            places(attached.contains).isEmpty ? [] : [places(attached.contains)],
            others.filter { !isLast($0) }.isEmpty ? [] : [others.filter { !isLast($0) }],
            places(keys.contains).map { [$0] },
            places(triggers.contains).isEmpty ? [] : [places(triggers.contains)],
            places(refreshed.contains).isEmpty ? [] : [places(refreshed.contains)],
        ]
        eventTriggers = places(last.contains) + others.filter(isLast)
        self.entries = entries
    }
}

extension SQLStatement {
    /// What a CREATE VIEW or CREATE MATERIALIZED VIEW makes, by its qualified name.
    var createdView: String? {
        guard word(0) == "CREATE",
            let place = tokens.indices.prefix(6).first(where: { word($0) == "VIEW" })
        else { return nil }
        return qualifiedName(place + 1)
    }

    /// What a CREATE INDEX is about.
    var indexedRelation: String? {
        guard word(0) == "CREATE", word(1) == "INDEX" || word(2) == "INDEX",
            let mark = outer.first(where: { word($0) == "ON" })
        else { return nil }
        return qualifiedName(word(mark + 1) == "ONLY" ? mark + 2 : mark + 1)
    }

    private func qualifiedName(_ place: Int) -> String? {
        guard let schema = name(place), isSymbol(place + 1, "."), let relation = name(place + 2)
        else { return nil }
        return "\(schema.quotedName).\(relation.quotedName)"
    }
}
