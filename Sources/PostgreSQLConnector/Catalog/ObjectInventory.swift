import Basics
import Primitives

/// A right on an object, or a role that it names.
struct ObjectRight: Sendable, Hashable, Comparable {
    /// "" for everybody.
    var role: String
    /// As PostgreSQL calls it.
    let privilege: String
    /// "" for the whole object.
    let column: String
    /// Whether it may be passed on.
    let isGrantable: Bool

    init(role: String, privilege: String, column: String) {
        self.role = role
        isGrantable = privilege.hasSuffix("*")
        self.privilege = isGrantable ? String(privilege.dropLast()) : privilege
        self.column = column
    }

    init?(_ json: JSON) {
        guard let parts = json.array?.compactMap(\.string), parts.count == 3 else { return nil }
        self.init(role: parts[0], privilege: parts[1], column: parts[2])
    }

    var json: JSON {
        .array([
            .string(role), .string(privilege + (isGrantable ? "*" : "")), .string(column),
        ])
    }

    var text: String {
        (role.isEmpty ? "everybody" : role) + " " + privilege
            + (column.isEmpty ? "" : " (\(column))") + (isGrantable ? " with grant option" : "")
    }

    static func < (left: Self, right: Self) -> Bool {
        (left.column, left.role, left.privilege, left.isGrantable ? 0 : 1)
            < (right.column, right.role, right.privilege, right.isGrantable ? 0 : 1)
    }
}

/// An object of a database by kind and name, with the state that a copy must keep.
struct DatabaseObject: Sendable, Hashable {
    /// As `pg_identify_object` calls it: "table", "function", "trigger", …
    let kind: String
    /// Its full name, as `pg_identify_object` writes it.
    let identity: String
    /// Of a constraint whether it is validated, of a trigger whether it fires, and so on; else "".
    let state: String
    let owner: String
    /// See `ObjectDefinition`; "" where the user may not see it.
    var definition = ""
    var rights: [ObjectRight] = []

    var key: String { "\(kind) \(identity)" }

    var json: JSON {
        [
            "type": "object", "class": .string(kind), "identity": .string(identity),
            "state": .string(state), "owner": .string(owner), "definition": .string(definition),
            "rights": .array(rights.map(\.json)),
        ]
    }

    init?(_ json: JSON) {
        guard json["type"]?.string == "object", let kind = json["class"]?.string,
            let identity = json["identity"]?.string, let state = json["state"]?.string,
            let owner = json["owner"]?.string, let definition = json["definition"]?.string,
            let rights = json["rights"]?.array
        else { return nil }
        self.init(
            kind: kind, identity: identity, state: state, owner: owner, definition: definition,
            rights: rights.compactMap { ObjectRight($0) })
        guard self.rights.count == rights.count else { return nil }
    }

    init(
        kind: String, identity: String, state: String, owner: String, definition: String = "",
        rights: [ObjectRight] = []
    ) {
        self.kind = kind
        self.identity = identity
        self.state = state
        self.owner = owner
        self.definition = definition
        self.rights = rights
    }
}

/// Lists all objects of a database that are its users' own, extensions as wholes; read alike from
/// the source and from the target.
enum ObjectInventory {
    /// - Parameters:
    ///   - excluded: the oids of relations and schemas that stay behind.
    ///   - largeObjects: ranges of numbers, where others are none of ours.
    static func read(
        _ connection: Connection, excluding excluded: Set<String> = [],
        largeObjects: [(first: Int64, last: Int64)]? = nil
    ) throws(Failure) -> [DatabaseObject] {
        var objects: [DatabaseObject] = []
        for row in try connection.query(query(connection.serverVersion, largeObjects)) {
            guard let kind = row[0], let identity = row[1] else { continue }
            if let relation = row[4], excluded.contains(relation) { continue }
            if let schema = row[5], excluded.contains(schema) { continue }
            let options = try json(row[7]).compactMap(\.string)
            // Settings that hold secrets stay behind.
            if kind == "settings", options.allSatisfy(SecretOptions.holds(option:)) { continue }
            let text = row[6] ?? ""
            let isDefined = !text.isEmpty || !options.isEmpty
            objects.append(
                DatabaseObject(
                    kind: kind, identity: identity, state: row[2] ?? "", owner: row[3] ?? "",
                    definition: isDefined
                        ? ObjectDefinition.digest(text, options: options).hex : "",
                    rights: Set(try json(row[8]).compactMap { ObjectRight($0) }).sorted()))
        }
        return objects
    }

    private static func json(_ text: String?) throws(Failure) -> [JSON] {
        guard let text else { return [] }
        return try JSON(parsing: Array(text.utf8)).array ?? []
    }

    private static func query(
        _ version: Int, _ largeObjects: [(first: Int64, last: Int64)]?
    ) -> String {
        let sql = DefinitionSQL.self
        let numbers =
            largeObjects.map { ranges in
                "WHERE false"
                    + ranges.map { " OR m.oid BETWEEN \($0.first) AND \($0.last)" }.joined()
            } ?? ""
        let parts = [
            part(
                "pg_namespace",
                "o.nspname !~ '^pg_' AND o.nspname NOT IN ('information_schema', 'exeat_import')",
                owner: "o.nspowner", schema: "o.oid",
                rights: sql.rights("o.nspacl", "n", owner: "o.nspowner"), lowest: 0),
            part(
                "pg_class",
                "o.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND o.relpersistence <> 't'",
                owner: "o.relowner", relation: "o.oid", schema: "o.relnamespace",
                state:
                    "concat_ws(' ', CASE WHEN o.relkind = 'm' THEN CASE WHEN o.relispopulated THEN 'populated' "
                    + "ELSE 'unpopulated' END END, CASE WHEN o.relrowsecurity THEN 'row-security' END, "
                    + "CASE WHEN o.relforcerowsecurity THEN 'forced' END, "
                    + "CASE o.relpersistence WHEN 'u' THEN 'unlogged' END)",
                definition: sql.relation(version), options: sql.relationOptions,
                rights: sql.relationRights),
            part(
                "pg_class", "o.relkind IN ('i', 'I') AND o.relpersistence <> 't'",
                relation: "(SELECT x.indrelid FROM pg_index x WHERE x.indexrelid = o.oid)",
                schema: "o.relnamespace",
                state: "(SELECT concat_ws(' ', CASE WHEN NOT x.indisvalid THEN 'invalid' END, "
                    + "CASE WHEN x.indisclustered THEN 'clustered' END, "
                    + "CASE WHEN x.indisreplident THEN 'replica-identity' END) FROM pg_index x "
                    + "WHERE x.indexrelid = o.oid)",
                definition: sql.index(version)),
            part(
                "pg_type", "o.typtype IN ('e', 'd', 'r', 'b') AND o.typelem = 0",
                owner: "o.typowner", schema: "o.typnamespace", definition: sql.type,
                rights: sql.rights("o.typacl", "T", owner: "o.typowner")),
            // The constructors of a range come with its type, and belong to the system's own user.
            part(
                "pg_proc",
                "NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass "
                    + "AND d.objid = o.oid AND d.deptype = 'i')", owner: "o.proowner",
                schema: "o.pronamespace", definition: sql.routine,
                rights: sql.rights("o.proacl", "f", owner: "o.proowner") + " UNION ALL "
                    + sql.routineRoles),
            part(
                "pg_operator", owner: "o.oprowner", schema: "o.oprnamespace",
                definition: sql.operators),
            part(
                "pg_opclass", owner: "o.opcowner", schema: "o.opcnamespace",
                definition: sql.operatorClass),
            part(
                "pg_opfamily", owner: "o.opfowner", schema: "o.opfnamespace",
                definition: sql.operatorFamily),
            part("pg_cast", "o.oid >= 16384", definition: sql.cast),
            part(
                "pg_conversion", owner: "o.conowner", schema: "o.connamespace",
                definition: sql.conversion),
            part(
                "pg_collation", owner: "o.collowner", schema: "o.collnamespace",
                definition: sql.collation(version)),
            part(
                "pg_ts_config", owner: "o.cfgowner", schema: "o.cfgnamespace",
                definition: sql.searchConfiguration),
            part(
                "pg_ts_dict", owner: "o.dictowner", schema: "o.dictnamespace",
                definition: sql.searchDictionary),
            part("pg_ts_parser", schema: "o.prsnamespace", definition: sql.searchParser),
            part("pg_ts_template", schema: "o.tmplnamespace", definition: sql.searchTemplate),
            part(
                "pg_constraint", "o.contype IN ('c', 'f', 'p', 'u', 'x')",
                relation: "nullif(o.conrelid, 0)", schema: "o.connamespace",
                state: "concat_ws(' ', CASE WHEN NOT o.convalidated THEN 'not-valid' END, "
                    + "CASE WHEN o.condeferrable THEN 'deferrable' END, "
                    + "CASE WHEN o.condeferred THEN 'deferred' END)",
                definition: "pg_get_constraintdef(o.oid)"),
            part(
                "pg_trigger", "NOT o.tgisinternal", relation: "o.tgrelid",
                state: "o.tgenabled::text", definition: "pg_get_triggerdef(o.oid)"),
            part(
                "pg_rewrite", "o.rulename <> '_RETURN'", relation: "o.ev_class",
                state: "o.ev_enabled::text", definition: "pg_get_ruledef(o.oid)"),
            part(
                "pg_policy", relation: "o.polrelid", definition: sql.policy, rights: sql.policyRoles
            ),
            part(
                "pg_attrdef", relation: "o.adrelid",
                definition: "pg_get_expr(o.adbin, o.adrelid)"),
            part(
                "pg_event_trigger", owner: "o.evtowner", state: "o.evtenabled::text",
                definition: sql.eventTrigger),
            part("pg_publication", owner: "o.pubowner", definition: sql.publication(version)),
            part(
                "pg_publication_rel", relation: "o.prrelid",
                definition: sql.publicationTable(version)),
            version >= 150_000
                ? part("pg_publication_namespace", schema: "o.pnnspid") : nil,
            part("pg_extension", "o.extname <> 'plpgsql'"),
            part(
                "pg_foreign_data_wrapper", owner: "o.fdwowner", definition: sql.wrapper,
                options: "(SELECT json_agg(x ORDER BY x) FROM unnest(o.fdwoptions) x)",
                rights: sql.rights("o.fdwacl", "F", owner: "o.fdwowner")),
            part(
                "pg_foreign_server", owner: "o.srvowner", definition: sql.server,
                options: "(SELECT json_agg(x ORDER BY x) FROM unnest(o.srvoptions) x)",
                rights: sql.rights("o.srvacl", "S", owner: "o.srvowner")),
            // Not everybody may read the catalog, which holds passwords; the view holds them back.
            part(
                "pg_user_mapping", reading: "(SELECT umid AS oid, umoptions FROM pg_user_mappings)",
                definition: "CASE WHEN o.umoptions IS NOT NULL THEN 'visible' END",
                options: "(SELECT json_agg(x ORDER BY x) FROM unnest(o.umoptions) x)"),
            part(
                "pg_statistic_ext", owner: "o.stxowner", relation: "o.stxrelid",
                schema: "o.stxnamespace", definition: "pg_get_statisticsobjdef(o.oid)"),
            part(
                "pg_default_acl", owner: "o.defaclrole", schema: "nullif(o.defaclnamespace, 0)",
                rights:
                    "SELECT CASE WHEN x.grantee = 0 THEN '' ELSE pg_get_userbyid(x.grantee) END, "
                    + "x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, '' "
                    + "FROM aclexplode(o.defaclacl) x"),
            part(
                "pg_language", "o.oid >= 16384", owner: "o.lanowner", definition: sql.language,
                rights: sql.rights("o.lanacl", "l", owner: "o.lanowner")),
            part("pg_am", "o.oid >= 16384", definition: sql.accessMethod),
            part("pg_transform", definition: sql.transform),
            // One for all objects with the same owner and rights.
            """
            SELECT 'large objects', '', count(*) || ' '
                    || sum(('x' || substr(md5(m.oid::text), 1, 8))::bit(32)::bigint),
                pg_get_userbyid(m.lomowner), NULL::oid, NULL::oid, '', NULL::json,
                (SELECT json_agg(json_build_array(r, p, c)) FROM (\(sql.rights("m.lomacl", "L", owner: "m.lomowner"))) f(r, p, c))
            FROM pg_largeobject_metadata m \(numbers) GROUP BY m.lomowner, m.lomacl
            """,
            """
            SELECT 'database', '', '', pg_get_userbyid(o.datdba), NULL::oid, NULL::oid,
                'LIMIT ' || o.datconnlimit, NULL::json, (SELECT json_agg(json_build_array(r, p, c)) FROM (\(sql.rights("o.datacl", "d", owner: "o.datdba"))) f(r, p, c))
            FROM pg_database o WHERE o.datname = current_database()
            """,
            // Of the database, and of roles in it; those that name roles or tablespaces, which may have
            // other names elsewhere, are left out.
            """
            SELECT 'settings', coalesce(quote_ident(r.rolname), ''), '', NULL, NULL::oid, NULL::oid, '',
                (SELECT json_agg(x ORDER BY x) FROM unnest(o.setconfig) x WHERE split_part(x, '=', 1) NOT IN
                    ('role', 'session_authorization', 'default_tablespace', 'temp_tablespaces')), NULL::json
            FROM pg_db_role_setting o LEFT JOIN pg_roles r ON r.oid = o.setrole
            WHERE o.setdatabase = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
            """,
        ]
        return parts.compactMap { $0 }.joined(separator: "\nUNION ALL ")
    }

    /// One catalog. What belongs to an extension, to the system or to this import is left out.
    private static func part(
        _ catalog: String, _ condition: String = "true", owner: String = "NULL::oid",
        relation: String = "NULL::oid", schema: String = "NULL::oid", state: String = "''",
        reading: String? = nil, definition: String = "''", options: String = "NULL::json",
        rights: String? = nil, lowest: Int = 16384
    ) -> String {
        let rights = rights.map {
            "(SELECT json_agg(json_build_array(r, p, c)) FROM (\($0)) f(r, p, c))"
        }
        return """
            SELECT i.type, i.identity, \(state), (SELECT rolname FROM pg_roles WHERE oid = \(owner)),
                \(relation), \(schema), concat_ws(E'\\n', \(definition), CASE WHEN i.identity <> 'public'
                    THEN 'COMMENT ' || quote_literal(obj_description(o.oid, '\(catalog)')) END),
                \(options), \(rights ?? "NULL::json")
            FROM \(reading ?? catalog) o CROSS JOIN LATERAL pg_identify_object('\(catalog)'::regclass, o.oid, 0) i
            WHERE (\(condition)) AND coalesce(\(schema), 0) NOT IN (SELECT n.oid FROM pg_namespace n
                    WHERE n.nspname ~ '^pg_' OR n.nspname IN ('information_schema', 'exeat_import'))
                AND o.oid >= \(lowest)
                AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = '\(catalog)'::regclass
                    AND d.objid = o.oid AND d.deptype = 'e')
                AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = \(relation) AND d.deptype = 'e')
            """
    }
}
