import Basics

/// An object of a database by kind and name, with the state that a copy must keep.
struct DatabaseObject: Sendable, Hashable {
    /// As `pg_identify_object` calls it: "table", "function", "trigger", …
    let kind: String
    /// Its full name, as `pg_identify_object` writes it.
    let identity: String
    /// Of a constraint whether it is validated, of a trigger whether it fires, and so on; else "".
    let state: String
    let owner: String

    var json: JSON {
        [
            "type": "object", "class": .string(kind), "identity": .string(identity),
            "state": .string(state), "owner": .string(owner),
        ]
    }

    init(kind: String, identity: String, state: String, owner: String) {
        self.kind = kind
        self.identity = identity
        self.state = state
        self.owner = owner
    }

    init?(_ json: JSON) {
        guard json["type"]?.string == "object", let kind = json["class"]?.string,
            let identity = json["identity"]?.string, let state = json["state"]?.string,
            let owner = json["owner"]?.string
        else { return nil }
        self.init(kind: kind, identity: identity, state: state, owner: owner)
    }
}

/// Lists all objects of a database that are its users' own, extensions as wholes; read alike from
/// the source and from the target.
enum ObjectInventory {
    /// - Parameter excluded: the oids of relations and schemas that stay behind.
    static func read(
        _ connection: Connection, excluding excluded: Set<String> = []
    ) throws(Failure) -> [DatabaseObject] {
        var objects: [DatabaseObject] = []
        for row in try connection.query(query()) {
            guard let kind = row[0], let identity = row[1] else { continue }
            if let relation = row[4], excluded.contains(relation) { continue }
            if let schema = row[5], excluded.contains(schema) { continue }
            objects.append(
                DatabaseObject(
                    kind: kind, identity: identity, state: row[2] ?? "", owner: row[3] ?? ""))
        }
        return objects
    }

    private static func query() -> String {
        let parts = [
            part(
                "pg_namespace",
                "o.nspname !~ '^pg_' AND o.nspname NOT IN ('information_schema', 'exeat_import')",
                owner: "o.nspowner", schema: "o.oid"),
            part(
                "pg_class",
                "o.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND o.relpersistence <> 't'",
                owner: "o.relowner", relation: "o.oid", schema: "o.relnamespace",
                state:
                    "concat_ws(' ', CASE WHEN o.relkind = 'm' THEN CASE WHEN o.relispopulated THEN 'populated' "
                    + "ELSE 'unpopulated' END END, CASE WHEN o.relrowsecurity THEN 'row-security' END, "
                    + "CASE WHEN o.relforcerowsecurity THEN 'forced' END, "
                    + "CASE o.relpersistence WHEN 'u' THEN 'unlogged' END)"),
            part(
                "pg_class", "o.relkind IN ('i', 'I') AND o.relpersistence <> 't'",
                relation: "(SELECT x.indrelid FROM pg_index x WHERE x.indexrelid = o.oid)",
                schema: "o.relnamespace",
                state: "(SELECT concat_ws(' ', CASE WHEN NOT x.indisvalid THEN 'invalid' END, "
                    + "CASE WHEN x.indisclustered THEN 'clustered' END, "
                    + "CASE WHEN x.indisreplident THEN 'replica-identity' END) FROM pg_index x "
                    + "WHERE x.indexrelid = o.oid)"),
            part(
                "pg_type", "o.typtype IN ('e', 'd', 'r', 'b') AND o.typelem = 0",
                owner: "o.typowner", schema: "o.typnamespace"),
            part("pg_proc", owner: "o.proowner", schema: "o.pronamespace"),
            part("pg_operator", owner: "o.oprowner", schema: "o.oprnamespace"),
            part("pg_opclass", owner: "o.opcowner", schema: "o.opcnamespace"),
            part("pg_opfamily", owner: "o.opfowner", schema: "o.opfnamespace"),
            part("pg_cast", "o.oid >= 16384"),
            part("pg_conversion", owner: "o.conowner", schema: "o.connamespace"),
            part("pg_collation", owner: "o.collowner", schema: "o.collnamespace"),
            part("pg_ts_config", owner: "o.cfgowner", schema: "o.cfgnamespace"),
            part("pg_ts_dict", owner: "o.dictowner", schema: "o.dictnamespace"),
            part("pg_ts_parser", schema: "o.prsnamespace"),
            part("pg_ts_template", schema: "o.tmplnamespace"),
            part(
                "pg_constraint", "o.contype IN ('c', 'f', 'p', 'u', 'x')",
                relation: "nullif(o.conrelid, 0)", schema: "o.connamespace",
                state: "concat_ws(' ', CASE WHEN NOT o.convalidated THEN 'not-valid' END, "
                    + "CASE WHEN o.condeferrable THEN 'deferrable' END, "
                    + "CASE WHEN o.condeferred THEN 'deferred' END)"),
            part(
                "pg_trigger", "NOT o.tgisinternal", relation: "o.tgrelid",
                state: "o.tgenabled::text"),
            part(
                "pg_rewrite", "o.rulename <> '_RETURN'", relation: "o.ev_class",
                state: "o.ev_enabled::text"),
            part("pg_policy", relation: "o.polrelid"),
            part("pg_attrdef", relation: "o.adrelid"),
            part("pg_event_trigger", owner: "o.evtowner", state: "o.evtenabled::text"),
            part("pg_publication", owner: "o.pubowner"),
            part("pg_extension", "o.extname <> 'plpgsql'"),
            part("pg_foreign_data_wrapper", owner: "o.fdwowner"),
            part("pg_foreign_server", owner: "o.srvowner"),
            // Not everybody may read the catalog, which holds passwords; the view holds them back.
            part("pg_user_mapping", reading: "(SELECT umid AS oid FROM pg_user_mappings)"),
            part(
                "pg_statistic_ext", owner: "o.stxowner", relation: "o.stxrelid",
                schema: "o.stxnamespace"),
            part("pg_default_acl", owner: "o.defaclrole", schema: "nullif(o.defaclnamespace, 0)"),
            part("pg_language", "o.oid >= 16384", owner: "o.lanowner"),
            part("pg_am", "o.oid >= 16384"),
            part("pg_transform"),
        ]
        return parts.joined(separator: "\nUNION ALL ")
    }

    /// One catalog. What belongs to an extension, to the system or to this import is left out.
    private static func part(
        _ catalog: String, _ condition: String = "true", owner: String = "NULL::oid",
        relation: String = "NULL::oid", schema: String = "NULL::oid", state: String = "''",
        reading: String? = nil
    ) -> String {
        """
        SELECT i.type, i.identity, \(state), (SELECT rolname FROM pg_roles WHERE oid = \(owner)),
            \(relation), \(schema)
        FROM \(reading ?? catalog) o CROSS JOIN LATERAL pg_identify_object('\(catalog)'::regclass, o.oid, 0) i
        WHERE (\(condition)) AND coalesce(\(schema), 0) NOT IN (SELECT n.oid FROM pg_namespace n
                WHERE n.nspname ~ '^pg_' OR n.nspname IN ('information_schema', 'exeat_import'))
            AND o.oid >= 16384
            AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = '\(catalog)'::regclass
                AND d.objid = o.oid AND d.deptype = 'e')
            AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                AND d.objid = \(relation) AND d.deptype = 'e')
        """
    }
}
