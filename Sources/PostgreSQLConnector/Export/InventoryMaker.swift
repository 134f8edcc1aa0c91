import Basics
import Databases
import Manifests
import Streams

/// Takes the inventory of a database inside the snapshot that its export reads, and writes the
/// definitions to the room.
struct InventoryMaker {
    let connection: Connection
    let conninfo: Conninfo
    let settings: PostgreSQLSettings
    let room: String
    let progress: Progress
    let salt: [UInt8]
    let snapshot: String
    let isEncrypted: Bool

    func make() throws(Failure) -> ExportContents<ExportedBody> {
        let server = try ServerFacts(connection)
        let scope = ExportScope(
            try RelationCatalog(connection), settings, isInRecovery: server.isInRecovery)
        try check(server, scope)
        let tools = try ClientTools(for: server, room: room)
        let secrets = try SecretFacts(connection, server)
        // An archive that was to hold all secrets, and has none, would not show it.
        if settings.secrets == .sealed, let obstacle = secrets.obstacle(to: server) {
            throw Failure(
                .databaseRights, obstacle,
                hint: "Export as a superuser, or say secrets: omit.")
        }
        let encoding = server.encoding
        var artifacts: [ExportContents<ExportedBody>.Artifact] = []

        let shell = "PGOPTIONS='-c lc_monetary=C -c datestyle=iso,ymd -c intervalstyle=postgres' "
        func psql(_ database: String, _ rest: String = "", stopping: Bool = true) -> String {
            "PGDATABASE=\(shellQuoted(database)) \(shell)psql -X -q "
                + (stopping ? "-v ON_ERROR_STOP=1 " : "") + rest
        }
        func add(
            file name: String, _ bytes: [UInt8], slug: String, kind: String, format: String = "sql",
            objects: Int64 = 1, restoring: String?
        ) throws(Failure) {
            try Files.write(bytes, to: room + "/" + name, mode: 0o600)
            artifacts.append(
                .init(
                    name: name, slug: slug, kind: kind, format: format, bytes: Int64(bytes.count),
                    objects: objects, body: .file(name), restoring: restoring))
        }

        let dump = Definitions(
            tools: tools, conninfo: conninfo, room: room, snapshot: snapshot, server: server,
            scope: scope, progress: progress, keepsSecrets: settings.secrets == .sealed)
        try add(
            file: "roles.sql", try dump.roles(), slug: "roles", kind: "postgresql-roles",
            restoring: psql("postgres", "> /dev/null", stopping: false))
        let (database, before) = try dump.beforeData()
        try add(
            file: "database.sql", database, slug: "database", kind: "postgresql-database",
            restoring: psql("postgres", stopping: false))
        try add(
            file: "pre-data.sql", before, slug: "pre-data", kind: "postgresql-pre-data",
            restoring: psql(server.database))
        let contents = artifacts.count
        let sequences = try sequenceStates(scope)
        for table in scope.tables { artifacts.append(self.table(table, scope, server, psql)) }
        let objects = try largeObjects()
        if !objects.isEmpty {
            artifacts.append(
                .init(
                    name: "large objects", slug: "large-objects",
                    kind: "postgresql-large-objects", format: "copy", bytes: 0,
                    objects: Int64(objects.count), body: .largeObjects(objects),
                    restoring: psql(
                        server.database,
                        "-c \(shellQuoted(LargeObjects.loadingTable)) "
                            + "-c \(shellQuoted(LargeObjects.loading)) "
                            + "-c \(shellQuoted(LargeObjects.storing)) > /dev/null")))
        }
        try add(
            file: "sequences.sql", Array(sequences.sql.utf8), slug: "sequences",
            kind: "postgresql-sequences", objects: Int64(scope.sequences.count),
            restoring: psql(server.database, "> /dev/null"))
        try add(
            file: "post-data.sql", try dump.afterData(), slug: "post-data",
            kind: "postgresql-post-data", restoring: psql(server.database))
        if settings.secrets == .sealed, !secrets.verifiers.isEmpty {
            try add(
                file: "role-passwords.sql", Array(secrets.statements.utf8), slug: "role-passwords",
                kind: "postgresql-role-passwords",
                restoring: psql("postgres", stopping: false))
        }
        let lines = try contentLines(
            server, scope, sequences.lines, objectsOf: objects, tables: artifacts, shift: contents)
        try Files.write(lines, to: room + "/contents.jsonl", mode: 0o600)
        artifacts.insert(
            .init(
                name: "contents.jsonl", slug: "contents", kind: "postgresql-contents",
                format: "jsonl", bytes: Int64(lines.count), body: .file("contents.jsonl"),
                restoring: nil), at: contents)

        return ExportContents<ExportedBody>(
            moment: try moment(server),
            facts: [
                "server": .string(server.versionText), "database": .string(server.database),
                "encoding": .string(encoding), "salt": .string(Hex.encode(salt)),
                "tool": .string("pg_dump \(tools.major)"), "snapshot": .string(snapshot),
            ],
            salt: salt,
            counts: [
                .init("tables", .integer(Int64(scope.tables.count))),
                .init("sequences", .integer(Int64(scope.sequences.count))),
                .init("large-object-batches", .integer(Int64(objects.count))),
                .init("bytes", .integer(scope.bytes)),
            ],
            artifacts: artifacts,
            omissions: try DatabaseOmissions.list(
                connection, settings, server, scope, secrets))
    }

    private func check(_ server: ServerFacts, _ scope: ExportScope) throws(Failure) {
        if let first = scope.unreadable(server).first {
            throw Failure(
                .databaseRights,
                "cannot read \(first.relation.qualified) whole: \(first.obstacle.text)",
                hint: first.obstacle.remedy(first.relation, server.user))
        }
        if let object = try ServerFacts.unreadableLargeObjects(connection).first {
            throw Failure(
                .databaseRights, "\(server.user) may not read the large object \(object)",
                hint: "GRANT SELECT ON LARGE OBJECT \(object) TO \(server.user.quotedName); and so "
                    + "for each; or export as a superuser.")
        }
        if let pattern = scope.unmatchedIncludes.first {
            throw Failure(
                .planInvalidValue, "nothing in the database fits \"\(pattern)\" of include",
                hint: "Correct the pattern, or leave it out.")
        }
        if let reference = try scope.brokenReferences(connection).first {
            throw Failure(
                .planInvalidValue,
                "the plan leaves out what something else cannot be without: \(reference)",
                hint: "Exclude both, or neither.")
        }
        if settings.secrets == .sealed, !isEncrypted {
            throw Failure(
                .planInvalidValue, "\"secrets: sealed\" needs an archive that is encrypted",
                hint: "Name recipients with encrypt-to, or write \"secrets: omit\".")
        }
    }

    private func moment(_ server: ServerFacts) throws(Failure) -> Moment {
        let position = try connection.value(
            server.isInRecovery ? "SELECT pg_last_wal_replay_lsn()" : "SELECT pg_current_wal_lsn()")
        return Moment(kind: "lsn", value: position ?? "unknown")
    }

    private func table(
        _ table: Relation, _ scope: ExportScope, _ server: ServerFacts,
        _ psql: (String, String, Bool) -> String
    ) -> ExportContents<ExportedBody>.Artifact {
        let leaves = scope.leaves(of: table)
        let segments = TablePiece.segments(
            of: leaves, canCut: server.version >= 140_000)
        return .init(
            name: table.qualified, slug: "table", kind: "postgresql-table", format: "copy",
            bytes: leaves.reduce(0) { $0 + $1.bytes },
            body: .table(columns: table.columns, segments: segments),
            restoring: psql(
                server.database,
                "-c "
                    + shellQuoted(
                        TableLoad.statement(
                            table.qualified, columns: table.columns, encoding: server.encoding)),
                true))
    }

    // MARK: - Sequences and large objects

    private func sequenceStates(
        _ scope: ExportScope
    ) throws(Failure) -> (sql: String, lines: [JSON]) {
        var sql = ""
        var lines: [JSON] = []
        for sequence in scope.sequences {
            guard
                let row = try connection.query(
                    "SELECT last_value, is_called FROM \(sequence.qualified)"
                ).first, let last = row[0]
            else { continue }
            let isCalled = row[1] == "t"
            sql +=
                "SELECT pg_catalog.setval(\(sequence.qualified.quotedString), \(last), \(isCalled));\n"
            lines.append([
                "type": "sequence", "schema": .string(sequence.schema),
                "name": .string(sequence.name), "last": .string(last), "called": .bool(isCalled),
            ])
        }
        return (sql, lines)
    }

    private func largeObjects() throws(Failure) -> [(first: Int64, last: Int64)] {
        try connection.query(
            """
            SELECT min(oid), max(oid) FROM (SELECT oid, (row_number() OVER (ORDER BY oid) - 1)
                / \(LargeObjects.batch) AS batch FROM pg_largeobject_metadata) n
            GROUP BY batch ORDER BY batch
            """
        ).compactMap { row in
            guard let first = row[0].flatMap({ Int64($0) }),
                let last = row[1].flatMap({ Int64($0) })
            else { return nil }
            return (first, last)
        }
    }

    // MARK: - What importers read

    private func contentLines(
        _ server: ServerFacts, _ scope: ExportScope, _ sequences: [JSON],
        objectsOf batches: [(first: Int64, last: Int64)],
        tables: [ExportContents<ExportedBody>.Artifact],
        shift: Int
    ) throws(Failure) -> [UInt8] {
        var lines: [JSON] = [
            [
                "type": "database", "name": .string(server.database),
                "encoding": .string(server.encoding), "collate": .string(server.collate),
                "ctype": .string(server.ctype), "provider": .string(server.provider),
                "icu-locale": server.icuLocale.map { .string($0) } ?? .null,
                "version": .integer(Int64(server.version)),
            ]
        ]
        for row in try connection.query(
            """
            SELECT e.extname, e.extversion, n.nspname FROM pg_extension e
            JOIN pg_namespace n ON n.oid = e.extnamespace ORDER BY e.extname COLLATE "C"
            """)
        {
            lines.append([
                "type": "extension", "name": .string(row[0] ?? ""),
                "version": .string(row[1] ?? ""),
                "schema": .string(row[2] ?? ""),
            ])
        }
        for row in try connection.query(
            "SELECT spcname FROM pg_tablespace WHERE spcname !~ '^pg_' AND (oid IN (SELECT "
                + "reltablespace FROM pg_class) OR oid = (SELECT dattablespace FROM pg_database "
                + "WHERE datname = current_database()))")
        {
            lines.append(["type": "tablespace", "name": .string(row[0] ?? "")])
        }
        let places = Dictionary(
            tables.enumerated().map { ($0.element.name, $0.offset + ($0.offset < shift ? 0 : 1)) },
            uniquingKeysWith: { first, _ in first })
        for table in scope.tables {
            lines.append([
                "type": "table", "artifact": .integer(Int64(places[table.qualified] ?? -1)),
                "schema": .string(table.schema), "name": .string(table.name),
                "kind": .string(
                    table.configuration != nil
                        ? "configuration"
                        : table.kind == .partitioned
                            ? "partitioned" : "table"),
                "condition": .string(table.configuration ?? ""),
                "columns": .array(table.columns.map { .string($0) }),
                "key": .array(table.key.map { .string($0) }),
            ])
        }
        lines += sequences
        for batch in batches {
            lines.append([
                "type": "large-objects", "first": .integer(batch.first),
                "last": .integer(batch.last),
            ])
        }
        lines += try MaterializedView.lines(
            connection, scope, encoding: server.encoding, salt: salt)
        let excluded = Set(scope.excluded.map(\.relation.oid))
        for object in try ObjectInventory.read(connection, excluding: excluded)
            .sorted(by: { ($0.kind, $0.identity) < ($1.kind, $1.identity) })
        {
            lines.append(object.json)
        }
        return lines.reduce(into: []) { $0 += $1.canonical + [0x0a] }
    }
}

/// The statement that loads a table's rows.
enum TableLoad {
    static func statement(_ qualified: String, columns: [String], encoding: String) -> String {
        let list =
            columns.isEmpty ? "" : " (" + columns.map(\.quotedName).joined(separator: ", ") + ")"
        return
            "COPY \(qualified)\(list) FROM STDIN WITH (FORMAT text, ENCODING \(encoding.quotedString))"
    }
}
