import Basics
import Connectors
import Manifests

/// What `exeat plan` tells of a database: rights, risks, volumes, and what stays behind.
struct DatabaseSurvey {
    let connection: Connection
    let settings: PostgreSQLSettings
    let room: String
    let isEncrypted: Bool

    private static let mostFindings = 200

    func make() throws(Failure) -> Survey {
        let server = try ServerFacts(connection)
        let scope = ExportScope(
            try RelationCatalog(connection), settings, isInRecovery: server.isInRecovery)
        let secrets = try SecretFacts(connection, server)
        var findings: [Finding] = []
        findings += rights(server, scope, secrets)
        findings += try risks(server, scope)
        do throws(Failure) { _ = try ClientTools(for: server, room: room) } catch {
            findings.append(
                Finding("client-tools", .decision, error.what, decision: error.hint))
        }
        let objects = try ServerFacts.unreadableLargeObjects(connection)
        if let first = objects.first {
            findings.append(
                Finding(
                    "large-object-rights", .decision,
                    "\(server.user) may not read \(objects.count)\(objects.count == 20 ? " or more" : "") "
                        + "large objects, \(first) the first",
                    decision:
                        "GRANT SELECT ON LARGE OBJECT … TO \(server.user.quotedName) for each; or "
                        + "export as a superuser."))
        }
        for reference in try scope.brokenReferences(connection).prefix(50) {
            let isKey = reference.hasPrefix("foreign key")
            findings.append(
                Finding(
                    isKey ? "filter-breaks-foreign-key" : "filter-breaks-reference", .decision,
                    "the plan leaves out what something else cannot be without: \(reference)",
                    decision: "Exclude both, or neither."))
        }
        for (patterns, key, severity) in [
            (scope.unmatchedIncludes, "include", Finding.Severity.decision),
            (scope.unmatchedExcludes, "exclude", .warning),
        ] {
            for pattern in patterns {
                findings.append(
                    Finding(
                        "filter-fits-nothing", severity,
                        "nothing in the database fits \"\(pattern)\" of \(key)",
                        decision: "Correct the pattern, or leave it out."))
            }
        }
        let omissions = try omissions(server, scope, secrets)
        for count in omissions.counts where !count.accepted {
            findings.append(
                Finding(
                    count.reason, .decision,
                    "\(count.count) × \(count.reason) would be left out",
                    decision: count.reason == DatabaseOmission.secrets.rawValue
                        ? "Say secrets: omit, reference or sealed in this source."
                        : "Add \(count.reason) to accept of this source; else the run ends with "
                            + "status 2."))
        }
        return Survey(
            bytes: scope.bytes,
            counts: [
                .init("tables", .integer(Int64(scope.tables.count))),
                .init("sequences", .integer(Int64(scope.sequences.count))),
                .init(
                    "largest",
                    .array(
                        scope.tables.map { table in
                            (table, scope.leaves(of: table).reduce(0) { $0 + $1.bytes })
                        }.sorted { $0.1 > $1.1 }.prefix(10).map { table, bytes in
                            ["table": .string(table.qualified), "bytes": .integer(bytes)]
                        })),
            ], findings: findings, omissions: omissions)
    }

    private func rights(
        _ server: ServerFacts, _ scope: ExportScope, _ secrets: SecretFacts
    ) -> [Finding] {
        var findings: [Finding] = []
        let unreadable = scope.unreadable(server)
        for (relation, obstacle) in unreadable.prefix(Self.mostFindings) {
            findings.append(
                Finding(
                    obstacle.code, .decision,
                    "\(server.user) cannot read \(relation.qualified) whole: \(obstacle.text)",
                    decision: obstacle.remedy(relation, server.user)))
        }
        if unreadable.count > Self.mostFindings {
            findings.append(
                Finding(
                    "no-select-right", .decision,
                    "\(unreadable.count) tables and sequences in all cannot be read whole"))
        }
        if settings.secrets == .sealed, let obstacle = secrets.obstacle(to: server) {
            findings.append(
                Finding(
                    "role-passwords", .decision, obstacle,
                    decision: "Export as a superuser, or say secrets: omit."))
        }
        if settings.secrets == .sealed, !isEncrypted {
            findings.append(
                Finding(
                    "secrets-in-clear", .decision, "sealed secrets need an encrypted archive",
                    decision: "Name recipients with encrypt-to, or say secrets: omit."))
        }
        return findings
    }

    private func risks(_ server: ServerFacts, _ scope: ExportScope) throws(Failure) -> [Finding] {
        var findings: [Finding] = []
        func note(_ code: String, _ severity: Finding.Severity, _ what: String) {
            findings.append(Finding(code, severity, what))
        }
        if server.isInRecovery {
            note(
                "standby", .note,
                "the server is a standby: long reads may be cancelled by recovery (see "
                    + "max_standby_streaming_delay), and unlogged tables are empty there")
        }
        if server.version < 120_000 {
            note(
                "float-text", .warning,
                "servers before 12 print floats in another form: digests taken on a later server differ"
            )
        }
        if server.version < 140_000 {
            note("whole-tables", .note, "servers before 14 cannot read a table in ranges")
        }
        if server.encoding == "SQL_ASCII" {
            note(
                "sql-ascii", .warning,
                "the encoding is SQL_ASCII: bytes are kept as they are, whatever they mean")
        }
        if server.version >= 150_000,
            try connection.value(
                "SELECT datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid) "
                    + "FROM pg_database WHERE datname = current_database()") == "t"
        {
            note(
                "collation-version", .warning,
                "the collation of the database changed its version: its indexes may be out of order"
            )
        }
        let extensions = try connection.query(
            "SELECT extname || ' ' || extversion FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1"
        ).compactMap(\.first?.self)
        if !extensions.isEmpty {
            note(
                "extensions", .note,
                "the target must offer these extensions: \(extensions.joined(separator: ", "))")
        }
        let identifiers = try connection.query(
            """
            SELECT a.attrelid::regclass || '.' || quote_ident(a.attname) FROM pg_attribute a
            JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
                AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND a.atttypid IN
                ('oid'::regtype, 'regclass'::regtype, 'regproc'::regtype, 'regtype'::regtype,
                 'regoper'::regtype, 'regrole'::regtype, 'regnamespace'::regtype)
            ORDER BY 1 LIMIT 20
            """
        ).compactMap(\.first?.self)
        if !identifiers.isEmpty {
            note(
                "object-identifiers", .warning,
                "columns of object identifiers, which may mean another object on the target unless "
                    + "they are large objects: \(identifiers.joined(separator: ", "))")
        }
        return findings
    }

    private func omissions(
        _ server: ServerFacts, _ scope: ExportScope, _ secrets: SecretFacts
    ) throws(Failure) -> OmissionSummary {
        try DatabaseOmissions.list(connection, settings, server, scope, secrets)
    }
}
