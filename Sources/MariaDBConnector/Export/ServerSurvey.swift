import Basics
import Connectors
import Databases
import Manifests

/// What `exeat plan` tells of a server: rights, risks, volumes, and what stays behind.
struct ServerSurvey {
    let session: Session
    let settings: MariaDBSettings
    let isEncrypted: Bool

    func make() throws(Failure) -> Survey {
        let server = try ServerFacts(session)
        let scope = try ExportScope(session, server, settings)
        let reader = DefinitionReader(session: session, server: server)
        var findings: [Finding] = []
        var accounts = Accounts()
        do throws(Failure) {
            let definitions = try StoredDefinitions(scope, reader, session, server)
            accounts = definitions.accounts
            findings += try risks(of: definitions, scope, server)
        } catch {
            guard error.code == .databaseRights else { throw error }
            findings.append(
                Finding("definition-rights", .decision, error.what, decision: error.hint))
        }
        findings += try tableFindings(scope, server)
        findings += rights(server, accounts)
        for kind in scope.hidden {
            findings.append(
                Finding(
                    "rights", .warning,
                    "\(server.user) might not see all \(kind): the server shows only what one has "
                        + "rights in"))
        }
        for reference in try scope.brokenReferences(session).prefix(50) {
            findings.append(
                Finding(
                    reference.hasPrefix("foreign key")
                        ? "filter-breaks-foreign-key" : "filter-breaks-reference", .decision,
                    "the plan leaves out what something else cannot be without: \(reference)",
                    decision: "Exclude both, or neither."))
        }
        for reference in try scope.outsideReferences(session).prefix(50) {
            findings.append(
                Finding(
                    "reference-outside", .warning,
                    "\(reference), in a database that is not exported: the target needs it as well",
                    decision: "Add that database, or see to it on the target."))
        }
        for (patterns, key, severity) in [
            (scope.unmatchedIncludes, "include", Finding.Severity.decision),
            (scope.unmatchedExcludes, "exclude", .warning),
        ] {
            for pattern in patterns {
                findings.append(
                    Finding(
                        "filter-fits-nothing", severity,
                        "nothing on the server fits \"\(pattern)\" of \(key)",
                        decision: "Correct the pattern, or leave it out."))
            }
        }
        let omissions = scope.omissions(accounts)
        for count in omissions.counts where !count.accepted {
            findings.append(
                Finding(
                    count.reason, .decision, "\(count.count) × \(count.reason) would be left out",
                    decision: Self.decision(count.reason)))
        }
        return Survey(
            bytes: scope.bytes,
            counts: [
                .init("databases", .integer(Int64(scope.databases.count))),
                .init("tables", .integer(Int64(scope.tables.count))),
                .init(
                    "largest",
                    .array(
                        scope.tables.sorted { $0.bytes > $1.bytes }.prefix(10).map { table in
                            ["table": .string(table.title), "bytes": .integer(table.bytes)]
                        })),
            ], findings: findings, omissions: omissions)
    }

    private static func decision(_ reason: String) -> String {
        switch reason {
        case MariaDBOmission.secrets.rawValue:
            "Say secrets: omit, reference or sealed in this source."
        case MariaDBOmission.nonTransactional.rawValue:
            "Say non-transactional: lock (nobody can write these tables for the time of the "
                + "export), or accept (they are read at another time than the rest)."
        case MariaDBOmission.hidden.rawValue:
            "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT on the databases, and SELECT on mysql.* (for "
                + "routines), to the account; or add \(reason) to accept."
        default: "Add \(reason) to accept of this source; else the run ends with status 2."
        }
    }

    private func rights(_ server: ServerFacts, _ accounts: Accounts) -> [Finding] {
        var findings: [Finding] = []
        if !server.has("RELOAD") {
            findings.append(
                Finding(
                    "lock-tables", server.has("LOCK TABLES") ? .note : .warning,
                    "\(server.user) lacks RELOAD: all tables are locked for reading while "
                        + "the moment is taken, for which LOCK TABLES is needed",
                    decision: "GRANT RELOAD ON *.* to the account."))
        }
        if !accounts.areVisible {
            findings.append(
                Finding(
                    "account-rights", .warning, "\(server.user) may not read the accounts",
                    decision: "GRANT SELECT ON mysql.* to the account."))
        }
        if settings.secrets == .sealed, !isEncrypted {
            findings.append(
                Finding(
                    "secrets-in-clear", .decision, "sealed secrets need an encrypted archive",
                    decision: "Name recipients with encrypt-to, or say secrets: omit."))
        }
        let usual = ["mysql_native_password", "unix_socket", "caching_sha2_password", ""]
        for (plugin, account) in accounts.plugins.sorted(by: { $0.key < $1.key })
        where !usual.contains(plugin) {
            findings.append(
                Finding(
                    "authentication-plugin", .warning,
                    "\(account) signs in through the plugin \(plugin), which the target needs"))
        }
        return findings
    }

    private func tableFindings(
        _ scope: ExportScope, _ server: ServerFacts
    ) throws(Failure) -> [Finding] {
        var findings: [Finding] = []
        func note(_ code: String, _ severity: Finding.Severity, _ tables: [Table], _ what: String) {
            if tables.isEmpty { return }
            let names = tables.prefix(20).map(\.title).joined(separator: ", ")
            findings.append(
                Finding(code, severity, "\(what): \(names)\(tables.count > 20 ? ", …" : "")"))
        }
        if settings.nonTransactional != nil {
            note(
                "non-transactional", .warning, scope.nonTransactional,
                settings.nonTransactional == .lock
                    ? "no snapshot covers these tables; nobody can write them during the export"
                    : "no snapshot covers these tables; they are read at another time than the rest"
            )
        }
        note(
            "encrypted", .warning,
            scope.tables.filter {
                $0.options.lowercased().contains("encrypted")
                    && !$0.options.lowercased().contains("encrypted=no")
            },
            "encrypted on the source; on the target only if it has keys as well")
        note(
            "no-key", .note, scope.tables.filter { $0.key == nil },
            "without a key: read as a whole, and differing rows are named by their digest")
        note(
            "history", .warning, scope.tables.filter { $0.versioning == .timestamp },
            "with history: the target must be MariaDB 10.11 or later")
        let foreign = scope.defined.filter {
            let name = $0.collation.lowercased()
            return name.contains("uca1400") || name.contains("0900") || name.contains("_nopad_")
        }
        note(
            "collation", .warning, foreign,
            "with a collation that the other family of servers does not know; the import maps it under "
                + "map.collations, for example to utf8mb4_unicode_520_ci")
        for view in scope.views {
            guard let obstacle = try ViewTest.obstacle(view.qualified, session) else { continue }
            findings.append(
                Finding(
                    "view-invalid", .warning, "the view \(view.title) cannot be read: \(obstacle)",
                    decision:
                        "Mend it on the source or exclude it: nothing can read it on the target either."
                ))
        }
        return findings
    }

    private func risks(
        of definitions: StoredDefinitions, _ scope: ExportScope, _ server: ServerFacts
    ) throws(Failure) -> [Finding] {
        var findings: [Finding] = []
        if definitions.accounts.areVisible {
            let accounts = Set(
                try session.query("SELECT CONCAT(User, '@', Host) FROM mysql.user").compactMap {
                    $0[0]
                })
            var missing: [String: [String]] = [:]
            for definition in definitions.views + definitions.programs {
                let sql = definition.sql
                guard let definer = sql.definer, let user = sql.name(definer.user) else { continue }
                let account = "\(user)@\(definer.host.flatMap { sql.name($0) } ?? "")"
                if !accounts.contains(account) {
                    missing[account, default: []].append(definition.title)
                }
            }
            for (account, objects) in missing.sorted(by: { $0.key < $1.key }) {
                findings.append(
                    Finding(
                        "definer-missing", .warning,
                        "the definer \(account) does not exist; it is that of "
                            + objects.prefix(10).joined(separator: ", "),
                        decision: "Map it to another account: map.definers of the import plan."))
            }
        }
        let modes = Set(definitions.programs.map(\.mode)).subtracting([""])
        if modes.count > 1 {
            findings.append(
                Finding(
                    "sql-mode", .note,
                    "programs of \(modes.count) different sql_mode; each is made again in its own"))
        }
        let events = definitions.list(.events)
        if !events.isEmpty {
            findings.append(
                Finding(
                    "events", .note,
                    "\(events.count) events will be disabled on the target unless its plan says "
                        + "events: enable"))
        }
        return findings
    }
}
