import Basics

/// The statements that make the database itself, and what roles need beside pg_dumpall's text.
enum DatabaseStatements {
    /// CREATE DATABASE with its owner, comment, settings and rights.
    static func database(_ facts: DatabaseFacts, _ connection: Connection) throws(Failure) -> String
    {
        let name = Quoting.name(facts.name)
        var create = "CREATE DATABASE \(name) WITH TEMPLATE = template0 "
        create += "ENCODING = \(Quoting.literal(facts.encoding))"
        if facts.version >= 150000 { create += " LOCALE_PROVIDER = \(facts.provider)" }
        create += " LC_COLLATE = \(Quoting.literal(facts.collate))"
        create += " LC_CTYPE = \(Quoting.literal(facts.ctype))"
        if let locale = facts.locale {
            let word = facts.provider == "icu" ? "ICU_LOCALE" : "BUILTIN_LOCALE"
            create += " \(word) = \(Quoting.literal(locale))"
        }
        if facts.tablespace != "pg_default" {
            create += " TABLESPACE = \(Quoting.name(facts.tablespace))"
        }
        if facts.connectionLimit != -1 { create += " CONNECTION LIMIT = \(facts.connectionLimit)" }
        var lines = [create, "ALTER DATABASE \(name) OWNER TO \(Quoting.name(facts.owner))"]
        if let comment = facts.comment {
            lines.append("COMMENT ON DATABASE \(name) IS \(Quoting.literal(comment))")
        }
        lines += try settings(name, connection)
        lines += try rights(name, connection)
        return lines.map { $0 + ";\n" }.joined()
    }

    private static func settings(
        _ database: String, _ connection: Connection
    ) throws(Failure) -> [String] {
        let result = try connection.query(
            """
            SELECT r.rolname, pg_catalog.split_part(c.item, '=', 1),
                pg_catalog.substr(c.item, pg_catalog.strpos(c.item, '=') + 1)
            FROM pg_catalog.pg_db_role_setting s
            JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
            LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole,
                pg_catalog.unnest(s.setconfig) AS c(item)
            WHERE d.datname = pg_catalog.current_database()
            ORDER BY r.rolname COLLATE "C" NULLS FIRST, 2
            """)
        return (0..<result.count).map { row in
            let subject =
                result.text(row, 0).map {
                    "ALTER ROLE \(Quoting.name($0)) IN DATABASE \(database)"
                } ?? "ALTER DATABASE \(database)"
            let key = result.string(row, 1)
            let value = result.string(row, 2)
            let parts = lists.contains(key.lowercased()) ? names(in: value) : [value]
            let name = key.split(separator: ".").map { Quoting.name(String($0)) }
                .joined(separator: ".")
            return "\(subject) SET \(name) TO "
                + parts.map(Quoting.literal).joined(separator: ", ")
        }
    }

    /// Settings whose value is a list of names, each quoted for itself (guc.h, GUC_LIST_QUOTE).
    private static let lists: Set<String> = [
        "local_preload_libraries", "search_path", "session_preload_libraries",
        "shared_preload_libraries", "temp_tablespaces", "unix_socket_directories",
    ]

    /// The names of `"$user", public`.
    static func names(in list: String) -> [String] {
        var names: [String] = []
        var current = ""
        var quoted = false
        var characters = Array(list)[...]
        while let character = characters.popFirst() {
            if character == "\"" {
                if quoted, characters.first == "\"" {
                    characters.removeFirst()
                    current.append("\"")
                } else {
                    quoted.toggle()
                }
            } else if character == ",", !quoted {
                names.append(current)
                current = ""
            } else if quoted || character != " " {
                current.append(character)
            }
        }
        return names + [current]
    }

    private static func rights(
        _ database: String, _ connection: Connection
    ) throws(Failure) -> [String] {
        let result = try connection.query(
            """
            SELECT a.privilege_type, COALESCE(pg_catalog.quote_ident(r.rolname), 'PUBLIC'),
                a.is_grantable
            FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a
            LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
            WHERE d.datname = pg_catalog.current_database() AND d.datacl IS NOT NULL
            ORDER BY 2, 1
            """)
        let isSet = try connection.value(
            """
            SELECT d.datacl IS NOT NULL FROM pg_catalog.pg_database d
            WHERE d.datname = pg_catalog.current_database()
            """)
        guard isSet == "t" else { return [] }
        return ["REVOKE ALL ON DATABASE \(database) FROM PUBLIC"]
            + (0..<result.count).map { row in
                "GRANT \(result.string(row, 0)) ON DATABASE \(database) TO "
                    + result.string(row, 1) + (result.flag(row, 2) ? " WITH GRANT OPTION" : "")
            }
    }

    /// Verifiers of role passwords; reading them needs pg_authid.
    static func passwords(_ connection: Connection) throws(Failure) -> String {
        let result = try connection.query(
            """
            SELECT rolname, rolpassword FROM pg_catalog.pg_authid
            WHERE rolpassword IS NOT NULL AND rolname !~ '^pg_' ORDER BY rolname COLLATE "C"
            """)
        return (0..<result.count).map { row in
            "ALTER ROLE \(Quoting.name(result.string(row, 0))) PASSWORD "
                + "\(Quoting.literal(result.string(row, 1)));\n"
        }.joined()
    }

    /// What makes the large objects, empty, with owners, rights and comments.
    static func largeObjects(_ connection: Connection) throws(Failure) -> String {
        let result = try connection.query(
            """
            SELECT m.oid, pg_catalog.pg_get_userbyid(m.lomowner),
                pg_catalog.obj_description(m.oid, 'pg_largeobject'), m.lomacl IS NOT NULL
            FROM pg_catalog.pg_largeobject_metadata m ORDER BY m.oid
            """)
        var lines: [String] = []
        for row in 0..<result.count {
            let oid = result.string(row, 0)
            lines.append("SELECT pg_catalog.lo_create('\(oid)');\n")
            lines.append(
                "ALTER LARGE OBJECT \(oid) OWNER TO \(Quoting.name(result.string(row, 1)));\n")
            if let comment = result.text(row, 2) {
                lines.append("COMMENT ON LARGE OBJECT \(oid) IS \(Quoting.literal(comment));\n")
            }
            if result.flag(row, 3) {
                lines.append("REVOKE ALL ON LARGE OBJECT \(oid) FROM PUBLIC;\n")
                lines.append(
                    "REVOKE ALL ON LARGE OBJECT \(oid) FROM "
                        + "\(Quoting.name(result.string(row, 1)));\n")
            }
        }
        let grants = try connection.query(
            """
            SELECT m.oid, a.privilege_type, COALESCE(pg_catalog.quote_ident(r.rolname), 'PUBLIC'),
                a.is_grantable
            FROM pg_catalog.pg_largeobject_metadata m, pg_catalog.aclexplode(m.lomacl) a
            LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee ORDER BY 1, 3, 2
            """)
        for row in 0..<grants.count {
            lines.append(
                "GRANT \(grants.string(row, 1)) ON LARGE OBJECT \(grants.string(row, 0)) TO "
                    + grants.string(row, 2) + (grants.flag(row, 3) ? " WITH GRANT OPTION" : "")
                    + ";\n")
        }
        return lines.joined()
    }
}
