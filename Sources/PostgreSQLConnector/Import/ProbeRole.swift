import Basics

/// The role that asks the questions of a server which a rehearsal throws away.
///
/// Whoever restores there is a superuser, and a superuser reads files of the machine and runs programs
/// on it (`pg_read_file`, `COPY … TO PROGRAM`), also in a transaction that only reads. What is asked comes
/// from an archive, so the one who asks may read all of the database and nothing else: a session of its
/// own, since a role that is only set can be set back.
struct ProbeRole {
    /// The `cluster_name` of servers that are thrown away. It is given when a server starts, so nothing in
    /// an archive can take it on or off.
    static let cluster = "exeat-rehearsal"

    /// Roles of the server that reach beyond it.
    private static let beyond =
        "'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'"

    let connection: Connection

    /// Makes the role where the server is one to be thrown away.
    ///
    /// - Returns: its name; nil on other servers, where the plan says who asks.
    func make() throws(Failure) -> String? {
        guard try connection.value("SELECT current_setting('cluster_name')") == Self.cluster else {
            return nil
        }
        let taken = Set(try connection.query("SELECT rolname FROM pg_roles").map { $0[0] ?? "" })
        var name = "exeat_probe"
        while taken.contains(name) { name += "_" }
        let role = name.quotedName
        try connection.transaction { () throws(Failure) in
            // Event triggers of the archive have no say in this.
            try connection.execute("SET LOCAL session_replication_role = replica")
            try connection.execute("CREATE ROLE \(role) LOGIN BYPASSRLS")
            try readTables(role)
            try readAsOthers(role, named: name)
            try callFunctions(role)
        }
        return name
    }

    private func readTables(_ role: String) throws(Failure) {
        let database = try connection.value("SELECT current_database()") ?? ""
        try connection.execute("GRANT CONNECT ON DATABASE \(database.quotedName) TO \(role)")
        if connection.serverVersion >= 140_000 {
            return try connection.execute("GRANT pg_read_all_data, pg_monitor TO \(role)")
        }
        try connection.execute("GRANT pg_monitor TO \(role)")
        for schema in try schemas() {
            try connection.execute(
                "GRANT USAGE ON SCHEMA \(schema) TO \(role); "
                    + "GRANT SELECT ON ALL TABLES IN SCHEMA \(schema) TO \(role); "
                    + "GRANT SELECT ON ALL SEQUENCES IN SCHEMA \(schema) TO \(role)")
        }
    }

    /// What roles of the archive may do, this one may as well; but for those that reach beyond the server.
    private func readAsOthers(_ role: String, named name: String) throws(Failure) {
        let others = try connection.query(
            """
            SELECT rolname FROM pg_roles AS r
            WHERE NOT rolsuper AND rolname !~ '^pg_' AND rolname <> $1
                AND NOT EXISTS (
                    SELECT FROM pg_roles AS b WHERE (b.rolname IN (\(Self.beyond)) OR b.rolsuper)
                        AND pg_has_role(r.oid, b.oid, 'MEMBER'))
            """, [name])
        for other in others.compactMap(\.[0]) {
            try connection.execute("GRANT \(other.quotedName) TO \(role)")
        }
    }

    /// Functions of the archive that not everybody may call; those of extensions stay as they are, for
    /// some reach beyond the server.
    private func callFunctions(_ role: String) throws(Failure) {
        let functions = try connection.query(
            """
            SELECT p.oid::regprocedure::text FROM pg_proc AS p
            WHERE p.pronamespace::regnamespace::text !~ '^(pg_|information_schema$)'
                AND to_jsonb(p)->>'prokind' IS DISTINCT FROM 'p'
                AND NOT has_function_privilege('public', p.oid, 'EXECUTE')
                AND NOT EXISTS (
                    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass
                        AND d.objid = p.oid AND d.deptype = 'e')
            """)
        for function in functions.compactMap(\.[0]) {
            try connection.execute("GRANT EXECUTE ON FUNCTION \(function) TO \(role)")
        }
    }

    private func schemas() throws(Failure) -> [String] {
        try connection.query(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema$)'"
        ).compactMap { $0[0]?.quotedName }
    }
}
