import Basics
import Primitives
import Streams

/// Reads the definitions of a database's objects, as the server itself would make them again.
struct DefinitionReader {
    let session: Session
    let server: ServerFacts

    func database(_ name: String) throws(Failure) -> Definition {
        try definition(.database, name, name, statement: 1)
    }

    /// Tables and sequences. The session must be in the database: names of the same database then
    /// stand without it, and need no change where it gets another name.
    func table(_ table: Table) throws(Failure) -> Definition {
        try definition(
            table.kind == .sequence ? .sequence : .table, table.database, table.name, statement: 1)
    }

    func view(_ table: Table) throws(Failure) -> Definition {
        try definition(.view, table.database, table.name, statement: 1, client: 2)
    }

    func use(_ database: String) throws(Failure) {
        try session.execute("USE \(database.quotedName)")
    }

    /// Routines, packages before the rest; triggers in the order in which they fire; events.
    func programs(_ database: String) throws(Failure) -> [Definition] {
        var found: [Definition] = []
        for row in try session.query(
            """
            SELECT ROUTINE_TYPE, ROUTINE_NAME FROM information_schema.ROUTINES
            WHERE ROUTINE_SCHEMA = \(database.quotedString) AND BINARY ROUTINE_SCHEMA = \(database.quotedString)
            ORDER BY FIELD(ROUTINE_TYPE, 'PACKAGE', 'PACKAGE BODY', 'FUNCTION', 'PROCEDURE'), ROUTINE_NAME
            """)
        {
            guard let kind = Definition.Kind(rawValue: (row[0] ?? "").lowercased()),
                let name = row[1]
            else { continue }
            found.append(
                try definition(
                    kind, database, name, statement: 2, mode: 1, client: 3, collation: 5))
        }
        for row in try session.query(
            """
            SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS
            WHERE TRIGGER_SCHEMA = \(database.quotedString) AND BINARY TRIGGER_SCHEMA = \(database.quotedString)
            ORDER BY BINARY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER
            """)
        {
            guard let name = row[0], let table = row[1] else { continue }
            var trigger = try definition(
                .trigger, database, name, statement: 2, mode: 1, client: 3, collation: 5)
            trigger.table = table
            found.append(trigger)
        }
        for row in try session.query(
            "SELECT EVENT_NAME FROM information_schema.EVENTS "
                + "WHERE EVENT_SCHEMA = \(database.quotedString) AND BINARY EVENT_SCHEMA = "
                + "\(database.quotedString) ORDER BY EVENT_NAME")
        {
            guard let name = row[0] else { continue }
            found.append(
                try definition(
                    .event, database, name, statement: 3, mode: 1, client: 4, collation: 6, zone: 2)
            )
        }
        return found
    }

    /// - Parameter statement: the place of the statement in the row, and so on for the others.
    private func definition(
        _ kind: Definition.Kind, _ database: String, _ name: String, statement: Int,
        mode: Int? = nil, client: Int? = nil, collation: Int? = nil, zone: Int? = nil
    ) throws(Failure) -> Definition {
        let object =
            kind == .database
            ? name.quotedName
            : kind == .view || kind == .table || kind == .sequence
                ? name.quotedName : "\(database.quotedName).\(name.quotedName)"
        let row = try session.bytes("SHOW CREATE \(kind.words) \(object)").first ?? []
        func text(_ place: Int?) -> String? {
            guard let place, row.indices.contains(place) else { return nil }
            return row[place].map { String(decoding: $0, as: UTF8.self) }
        }
        guard row.indices.contains(statement), let bytes = row[statement], !bytes.isEmpty else {
            throw Failure(
                .databaseRights,
                "the definition of \(kind.rawValue) \(database).\(name) cannot be seen",
                hint: "GRANT SELECT ON mysql.* (MariaDB before 11.3: mysql.proc) or SHOW CREATE "
                    + "ROUTINE to the account, or export as the definer.")
        }
        return Definition(
            kind: kind, database: database, name: name, mode: text(mode) ?? "",
            client: text(client) ?? "utf8mb4",
            connection: text(client.map { $0 + 1 }) ?? "utf8mb4_general_ci",
            databaseCollation: text(collation) ?? "", timeZone: text(zone) ?? "", statement: bytes)
    }

    /// A digest of all definitions as the catalog sees them: it is another one once something was
    /// created, dropped or changed.
    func fingerprint(_ databases: [String]) throws(Failure) -> MultisetDigest {
        var hasher = RowHasher(salt: [])
        var chunk = Chunk()
        for (columns, view, schema) in [
            (
                "TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, CREATE_TIME, CREATE_OPTIONS, TABLE_COLLATION, TABLE_COMMENT",
                "TABLES", "TABLE_SCHEMA"
            ),
            (
                "TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_DEFAULT, IS_NULLABLE, COLUMN_TYPE, COLLATION_NAME, EXTRA, GENERATION_EXPRESSION",
                "COLUMNS", "TABLE_SCHEMA"
            ),
            (
                "TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE, SUB_PART, INDEX_TYPE",
                "STATISTICS", "TABLE_SCHEMA"
            ),
            (
                "TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION, DEFINER, SECURITY_TYPE", "VIEWS",
                "TABLE_SCHEMA"
            ),
            (
                "ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, LAST_ALTERED, DEFINER, ROUTINE_DEFINITION",
                "ROUTINES",
                "ROUTINE_SCHEMA"
            ),
            (
                "TRIGGER_SCHEMA, TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_ORDER, CREATED, DEFINER, ACTION_STATEMENT",
                "TRIGGERS", "TRIGGER_SCHEMA"
            ),
            (
                "EVENT_SCHEMA, EVENT_NAME, LAST_ALTERED, STATUS, DEFINER, EVENT_DEFINITION",
                "EVENTS",
                "EVENT_SCHEMA"
            ),
            ("SCHEMA_NAME, DEFAULT_COLLATION_NAME", "SCHEMATA", "SCHEMA_NAME"),
        ] {
            _ = try unsafe session.stream(
                "SELECT '\(view)', \(columns) FROM information_schema.\(view) WHERE "
                    + InDatabases.condition(schema, databases),
                into: &chunk, row: { (row) throws(Failure) in unsafe hasher.update(row: row) },
                full: { (_) throws(Failure) in })
        }
        return hasher.digest
    }
}
