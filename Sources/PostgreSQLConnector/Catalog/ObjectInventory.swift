import Basics

/// All objects of a database by class and identity, with the states that a copy must keep.
///
/// The exporter writes it into the archive, the importer reads the target with it: one query, so
/// that the two can be compared.
enum ObjectInventory {
    struct Object: Sendable, Hashable {
        /// Such as `table`, `function`, `table constraint`.
        let kind: String
        /// The schema-qualified identity, as `pg_identify_object` writes it.
        let identity: String
        let owner: String?
        /// What else must be the same: `not valid`, `disabled`, …; empty where nothing is special.
        let state: String
        /// The table it belongs to, if it does.
        let relation: Int64

        var json: JSON {
            var members: [JSON.Member] = [
                .init("type", "object"), .init("class", .string(kind)),
                .init("identity", .string(identity)),
            ]
            if let owner { members.append(.init("owner", .string(owner))) }
            if !state.isEmpty { members.append(.init("state", .string(state))) }
            return .object(members)
        }
    }

    static func read(_ connection: Connection) throws(Failure) -> [Object] {
        let result = try connection.query(statement(connection.serverVersion))
        return (0..<result.count).map { row in
            Object(
                kind: result.string(row, 0), identity: result.string(row, 1),
                owner: result.text(row, 2), state: result.string(row, 3),
                relation: result.integer(row, 4))
        }
    }

    /// A catalog, the column of its owner, the state worth keeping, its relation, and which rows count.
    private static func statement(_ version: Int32) -> String {
        var catalogs:
            [(name: String, owner: String?, state: String, relation: String, rows: String)]
        catalogs = [
            ("pg_namespace", "nspowner", "''", "0", "x.nspname !~ '^pg_'"),
            (
                "pg_class", "relowner",
                """
                pg_catalog.concat_ws(', ',
                    CASE WHEN x.relkind = 'm' AND NOT x.relispopulated THEN 'unpopulated' END,
                    CASE WHEN x.relrowsecurity THEN 'row security' END,
                    CASE WHEN x.relforcerowsecurity THEN 'forced row security' END,
                    CASE WHEN x.relpersistence = 'u' THEN 'unlogged' END,
                    CASE x.relreplident WHEN 'f' THEN 'replica identity full'
                        WHEN 'n' THEN 'replica identity nothing' WHEN 'i' THEN
                        'replica identity index' END)
                """, "x.oid",
                "x.relpersistence <> 't' AND x.relkind <> 't' AND x.relnamespace IN "
                    + "(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' "
                    + "AND nspname <> 'information_schema')"
            ),
            (
                "pg_type", "typowner", "''", "0",
                "x.typelem = 0 AND x.typtype <> 'p' AND (x.typrelid = 0 OR EXISTS (SELECT FROM "
                    + "pg_catalog.pg_class c WHERE c.oid = x.typrelid AND c.relkind = 'c')) "
                    + "OR x.typtype = 'd'"
            ),
            ("pg_proc", "proowner", "''", "0", "true"),
            ("pg_operator", "oprowner", "''", "0", "true"),
            ("pg_opclass", "opcowner", "''", "0", "true"),
            ("pg_opfamily", "opfowner", "''", "0", "true"),
            ("pg_cast", nil, "x.castcontext::text", "0", "true"),
            ("pg_collation", "collowner", "''", "0", "true"),
            ("pg_conversion", "conowner", "''", "0", "true"),
            (
                "pg_constraint", nil,
                "pg_catalog.concat_ws(', ', CASE WHEN NOT x.convalidated THEN 'not valid' END, "
                    + "CASE WHEN x.condeferred THEN 'initially deferred' "
                    + "WHEN x.condeferrable THEN 'deferrable' END)",
                "x.conrelid", "x.contype <> 't'"
            ),
            (
                "pg_trigger", nil,
                "CASE x.tgenabled WHEN 'D' THEN 'disabled' "
                    + "WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' ELSE '' END",
                "x.tgrelid", "NOT x.tgisinternal"
            ),
            (
                "pg_rewrite", nil,
                "CASE x.ev_enabled WHEN 'D' THEN 'disabled' "
                    + "WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' ELSE '' END",
                "x.ev_class", "x.rulename <> '_RETURN'"
            ),
            ("pg_policy", nil, "''", "x.polrelid", "true"),
            ("pg_attrdef", nil, "''", "x.adrelid", "true"),
            (
                "pg_event_trigger", "evtowner",
                "CASE x.evtenabled WHEN 'D' THEN 'disabled' "
                    + "WHEN 'R' THEN 'replica' WHEN 'A' THEN 'always' ELSE '' END", "0", "true"
            ),
            ("pg_ts_config", "cfgowner", "''", "0", "true"),
            ("pg_ts_dict", "dictowner", "''", "0", "true"),
            ("pg_ts_parser", nil, "''", "0", "true"),
            ("pg_ts_template", nil, "''", "0", "true"),
            ("pg_language", "lanowner", "''", "0", "true"),
            ("pg_foreign_data_wrapper", "fdwowner", "''", "0", "true"),
            ("pg_foreign_server", "srvowner", "''", "0", "true"),
            ("pg_extension", "extowner", "''", "0", "x.extname <> 'plpgsql'"),
            ("pg_publication", "pubowner", "''", "0", "true"),
            ("pg_publication_rel", nil, "''", "x.prrelid", "true"),
            ("pg_statistic_ext", "stxowner", "''", "x.stxrelid", "true"),
            ("pg_default_acl", nil, "x.defaclacl::text", "0", "true"),
            ("pg_transform", nil, "''", "0", "true"),
            ("pg_am", nil, "''", "0", "true"),
        ]
        if version >= 150000 {
            catalogs.append(("pg_publication_namespace", nil, "''", "0", "true"))
        }
        let parts = catalogs.map { catalog in
            let owner = catalog.owner.map { "pg_catalog.pg_get_userbyid(x.\($0))::text" } ?? "NULL"
            return """
                SELECT 'pg_catalog.\(catalog.name)'::regclass AS class, x.oid AS id,
                    \(owner) AS owner, (\(catalog.state))::text AS state,
                    (\(catalog.relation))::oid::bigint AS relation
                FROM pg_catalog.\(catalog.name) x
                WHERE x.oid >= 16384 AND (\(catalog.rows))
                """
        }
        // A partition of an index has no life of its own, and a member of an extension comes with it.
        return """
            SELECT i.type, i.identity, o.owner, o.state, o.relation
            FROM (\(parts.joined(separator: " UNION ALL "))) o,
                LATERAL pg_catalog.pg_identify_object(o.class, o.id, 0) i
            WHERE i.identity IS NOT NULL AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                WHERE d.classid = o.class AND d.objid = o.id AND d.deptype = 'e')
            ORDER BY i.type COLLATE "C", i.identity COLLATE "C"
            """
    }
}
