import Basics
import Databases

/// What must hold of a target before anything is written to it.
struct TargetCheck {
    let stored: StoredServer
    let settings: MariaDBTarget
    let server: ServerFacts
    let pool: SessionPool<Session>

    func check() throws(Failure) {
        if server.isReadOnly, !server.has("SUPER"), !server.has("READ_ONLY ADMIN") {
            throw Failure(
                .databaseUnsuitable, "the target is read-only",
                hint: "SET GLOBAL read_only = OFF there, or choose another target.")
        }
        try checkFamily()
        try checkHistory()
        try checkEngines()
        try checkCollations()
        try checkNames()
    }

    /// What the other family of servers does not know.
    private func checkFamily() throws(Failure) {
        guard server.family != stored.family, server.family == .mysql else { return }
        func refuse(_ definition: Definition, _ what: String, _ proposal: String) -> Failure {
            Failure(
                .databaseUnsuitable, "\(definition.title) has \(what), which MySQL does not know",
                hint: "\(proposal), exclude it from the export, or import to MariaDB.")
        }
        if let first = stored.definitions(.sequence).first {
            throw refuse(first, "a sequence", "Use a column with AUTO_INCREMENT on the source")
        }
        if let first = stored.definitions(.package, .packageBody).first {
            throw refuse(first, "a package", "Make routines of it on the source")
        }
        for definition in stored.definitions(.table) {
            let sql = definition.sql
            for index in sql.tokens.indices {
                switch sql.word(index) {
                case "UUID" where sql.tokens[max(0, index - 1)].kind == .quotedName:
                    throw refuse(
                        definition, "a column of type UUID", "Make it CHAR(36) on the source")
                case "INET4", "INET6":
                    throw refuse(
                        definition, "a column of type INET", "Make it VARBINARY(16) on the source")
                case "COMPRESSED" where sql.word(index - 1) != "=" && !sql.isSymbol(index - 1, "="):
                    throw refuse(
                        definition, "a compressed column", "Take COMPRESSED off on the source")
                case "PERIOD" where sql.word(index + 1) == "FOR":
                    throw refuse(definition, "a period", "Take the period off on the source")
                default: continue
                }
            }
        }
    }

    private func checkHistory() throws(Failure) {
        let tables = stored.tables.filter(\.hasHistory)
        guard let first = tables.first else { return }
        guard server.family == .mariadb else {
            throw Failure(
                .databaseUnsuitable,
                "\(first.title) is a table with history, which MySQL does not know",
                hint: "Import it to MariaDB 10.11 or later, or exclude it from the export.")
        }
        guard server.version < 101_100, settings.history == .keep else { return }
        throw Failure(
            .databaseUnsuitable,
            "the target is of version \(server.versionText), which cannot take the history of "
                + "\(first.title)\(tables.count > 1 ? " and \(tables.count - 1) more" : "")",
            hint: "Import to MariaDB 10.11 or later, or say history: drop for this target.")
    }

    private func checkEngines() throws(Failure) {
        for table in stored.tables where server.engines[table.engine] == nil {
            throw Failure(
                .databaseUnsuitable,
                "the target has no engine \"\(table.engine)\", which \(table.title) needs",
                hint:
                    "Install its plugin on the target, or change the table's engine on the source.")
        }
    }

    private func checkCollations() throws(Failure) {
        let known = Set(
            try pool.with { (session) throws(Failure) in
                try session.query(
                    server.family == .mariadb
                        ? "SELECT COALESCE(FULL_COLLATION_NAME, COLLATION_NAME) FROM "
                            + "information_schema.COLLATION_CHARACTER_SET_APPLICABILITY"
                        : "SELECT COLLATION_NAME FROM information_schema.COLLATIONS")
            }.compactMap { $0[0] })
        for definition in stored.definitions
        where ![.user, .role, .grant, .defaultRole].contains(definition.kind) {
            let sql = definition.sql
            var names = [definition.connection, definition.databaseCollation].filter { !$0.isEmpty }
            for index in sql.tokens.indices where sql.word(index) == "COLLATE" {
                if let name = sql.name(sql.isSymbol(index + 1, "=") ? index + 2 : index + 1) {
                    names.append(name)
                }
            }
            for name in names
            where settings.mapping.collations[name] == nil && !known.contains(name.lowercased()) {
                throw Failure(
                    .databaseUnsuitable,
                    "the target does not know the collation \"\(name)\" of \(definition.title)",
                    hint:
                        "Name another under map.collations, such as \(name): \(proposal(name, known)). "
                        + "It may sort otherwise, and find values equal that were not.")
            }
        }
    }

    /// What comes nearest: of the same character set, as strict, of the latest Unicode there is.
    private func proposal(_ name: String, _ known: Set<String>) -> String {
        let set = name.prefix { $0 != "_" }
        let candidates = [
            "uca1400_ai_ci", "0900_ai_ci", "unicode_520_ci", "unicode_ci", "general_ci",
        ]
        let suffixes =
            name.hasSuffix("_bin")
            ? ["bin"]
            : name.contains("_as_cs")
                ? ["uca1400_as_cs", "0900_as_cs", "bin"]
                : name.contains("_as_ci")
                    ? ["uca1400_as_ci", "0900_as_ci"] + candidates : candidates
        return suffixes.map { "\(set)_\($0)" }.first(where: known.contains) ?? "utf8mb4_general_ci"
    }

    /// A server that ignores case would call tables otherwise, or not tell two of them apart.
    private func checkNames() throws(Failure) {
        guard server.lowerCaseNames != 0, stored.lowerCaseNames == 0 else { return }
        for definition in stored.definitions(.table, .view, .sequence) {
            let title = "\(settings.mapping.database(definition.database)).\(definition.name)"
            guard title == title.lowercased() else {
                throw Failure(
                    .databaseUnsuitable,
                    "the target does not keep the capitals of \(title) (lower_case_table_names = "
                        + "\(server.lowerCaseNames))",
                    hint: "Import to a server with lower_case_table_names = 0.")
            }
        }
    }
}
