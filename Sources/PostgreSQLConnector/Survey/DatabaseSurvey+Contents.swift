import Basics
import Connectors

// What a logical copy cannot carry, or carries with a warning.
extension DatabaseSurvey {
    mutating func lookAtConsumers(_ connection: Connection) throws(Failure) {
        let slots = try connection.query(
            """
            SELECT slot_name, slot_type FROM pg_catalog.pg_replication_slots
            WHERE database = pg_catalog.current_database() ORDER BY 1
            """)
        for row in 0..<slots.count {
            omit(
                .replicationSlots, "replication slot", Quoting.name(slots.string(row, 0)),
                "a \(slots.string(row, 1)) slot is a place in this server's log, and means "
                    + "nothing to another")
        }
        // subconninfo is for superusers; the other columns are for all.
        let subscriptions = try connection.query(
            """
            SELECT s.subname, s.subenabled FROM pg_catalog.pg_subscription s
            JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
            WHERE d.datname = pg_catalog.current_database() ORDER BY 1
            """)
        for row in 0..<subscriptions.count {
            omit(
                .subscriptions, "subscription", Quoting.name(subscriptions.string(row, 0)),
                "two subscribers would consume the same changes"
                    + (subscriptions.flag(row, 1) ? "; it is enabled" : ""))
        }
        let prepared = try connection.query(
            """
            SELECT gid, owner FROM pg_catalog.pg_prepared_xacts
            WHERE database = pg_catalog.current_database() ORDER BY 1
            """)
        for row in 0..<prepared.count {
            omit(
                .preparedTransactions, "prepared transaction", prepared.string(row, 0),
                "of role \(prepared.string(row, 1)): its changes are not committed, so they are "
                    + "not in the archive")
        }
        for omission in Set(selection.omissions.filter { !$0.isAccepted }.map(\.reason)).sorted() {
            let count = selection.omissions.count { $0.reason == omission }
            find(
                omission, .decision, "\(count) objects would be left out: \(omission)",
                decision: "Add \(omission) to accept of this source, or exclude them; else the run "
                    + "ends with status 2.")
        }
    }

    mutating func lookAtSecrets(_ connection: Connection) throws(Failure) {
        let count: Int64
        if catalog.facts.readsVerifiers {
            count =
                Int64(
                    try connection.value(
                        """
                        SELECT pg_catalog.count(*) FROM pg_catalog.pg_authid
                        WHERE rolpassword IS NOT NULL AND rolname !~ '^pg_'
                        """) ?? "") ?? 0
        } else {
            count = -1
        }
        switch settings.secrets {
        case .sealed where count < 0:
            refuse(
                .rightsMissing, "passwords-unreadable",
                "role \"\(catalog.facts.role)\" cannot read the verifiers of passwords",
                "GRANT SELECT ON pg_authid to it, export as a superuser, or choose secrets: omit.")
        case .sealed, .omit, .reference: break
        case nil where count != 0:
            omit(
                .passwords, "role passwords", "pg_authid",
                count < 0
                    ? "verifiers of passwords, as far as there are any, stay behind"
                    : "\(count) verifiers of passwords stay behind")
            find(
                "passwords", .decision,
                "what becomes of the passwords of roles is not decided",
                decision: "Say secrets: omit, reference or sealed in the plan of this source; else "
                    + "they stay behind and the run ends with status 2.")
        case nil: break
        }
    }

    mutating func lookAtCollations(_ connection: Connection) throws(Failure) {
        let result = try connection.query(
            """
            SELECT n.nspname, c.collname, c.collversion,
                pg_catalog.pg_collation_actual_version(c.oid)
            FROM pg_catalog.pg_collation c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
            WHERE c.oid >= 16384 AND c.collversion IS DISTINCT FROM
                pg_catalog.pg_collation_actual_version(c.oid) ORDER BY 1, 2
            """)
        for row in 0..<result.count {
            find(
                "collation-version", .warning,
                "collation \(Quoting.name(result.string(row, 0), result.string(row, 1))) was made "
                    + "with version \(result.string(row, 2)), the system has "
                    + "\(result.string(row, 3))")
        }
        let extensions = try connection.query(
            """
            SELECT e.extname, e.extversion, a.default_version FROM pg_catalog.pg_extension e
            LEFT JOIN pg_catalog.pg_available_extensions a ON a.name = e.extname
            WHERE e.extname <> 'plpgsql' ORDER BY 1
            """)
        for row in 0..<extensions.count {
            let name = extensions.string(row, 0)
            find(
                "extension", .note,
                "extension \"\(name)\" \(extensions.string(row, 1)): the target needs it"
                    + (extensions.isNull(row, 2)
                        ? "; its files are gone from this server" : ""))
        }
    }

    mutating func lookAtLargeObjects(_ connection: Connection) throws(Failure) {
        let count =
            Int64(
                try connection.value(
                    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata") ?? "")
            ?? 0
        guard count > 0 else { return }
        let readable = try connection.value(
            "SELECT pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'SELECT')")
        if readable != "t" {
            refuse(
                .rightsMissing, "large-objects-unreadable",
                "role \"\(catalog.facts.role)\" cannot read the \(count) large objects",
                "GRANT SELECT ON pg_catalog.pg_largeobject TO "
                    + "\(Quoting.name(catalog.facts.role)).")
        }
    }

    /// Foreign keys and views that lead to what a filter leaves out.
    mutating func lookAtReferences(_ connection: Connection) throws(Failure) {
        guard !selection.excluded.isEmpty else { return }
        let list = selection.excluded.sorted().map(String.init).joined(separator: ",")
        let result = try connection.query(
            """
            SELECT DISTINCT 'foreign key', k.conname || ' on ' || k.conrelid::regclass::text,
                k.confrelid::regclass::text
            FROM pg_catalog.pg_constraint k
            WHERE k.contype = 'f' AND k.confrelid IN (\(list)) AND k.conrelid NOT IN (\(list))
            UNION
            SELECT DISTINCT CASE v.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
                ELSE 'rule' END, v.oid::regclass::text, d.refobjid::regclass::text
            FROM pg_catalog.pg_depend d
            JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
            JOIN pg_catalog.pg_class v ON v.oid = r.ev_class
            WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass
                AND d.refclassid = 'pg_catalog.pg_class'::regclass
                AND d.refobjid IN (\(list)) AND v.oid NOT IN (\(list))
            UNION
            SELECT DISTINCT 'child', i.inhrelid::regclass::text, i.inhparent::regclass::text
            FROM pg_catalog.pg_inherits i
            WHERE i.inhparent IN (\(list)) AND i.inhrelid NOT IN (\(list))
            ORDER BY 1, 2
            """)
        guard !result.isEmpty else { return }
        var names: [String] = []
        for row in 0..<result.count {
            names.append(
                "\(result.string(row, 0)) \(result.string(row, 1)) → \(result.string(row, 2))")
            if settings.accepted.contains(DatabaseOmission.brokenReferences.rawValue) {
                omit(
                    .brokenReferences, result.string(row, 0), result.string(row, 1),
                    "needs \(result.string(row, 2)), which the plan excludes")
            }
        }
        if !settings.accepted.contains(DatabaseOmission.brokenReferences.rawValue) {
            refuse(
                .planInvalidValue, "broken-references",
                "the filters of the plan break \(Self.list(names))",
                "Exclude both sides or none, or add broken-references to accept: then these "
                    + "objects are left out as well.")
        }
    }

    /// Columns whose values mean something only here.
    mutating func lookAtTypes(_ connection: Connection) throws(Failure) {
        let result = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname, a.attname, pg_catalog.format_type(a.atttypid, NULL)
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p')
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname !~ '^pg_'
                AND n.nspname <> 'information_schema' AND NOT c.relispartition
                AND a.atttypid IN ('oid'::regtype, 'xid'::regtype, 'cid'::regtype, 'tid'::regtype)
            ORDER BY 2, 3, 4
            """)
        for row in 0..<result.count where !selection.excluded.contains(result.integer(row, 0)) {
            find(
                "server-bound-values", .note,
                "column \(Quoting.name(result.string(row, 3))) of "
                    + "\(Quoting.name(result.string(row, 1), result.string(row, 2))) is of type "
                    + "\(result.string(row, 4)): its values are copied, and may mean nothing on "
                    + "another server (numbers of large objects do)")
        }
    }
}
