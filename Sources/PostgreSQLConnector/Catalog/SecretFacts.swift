import Basics

/// Password verifiers of the roles, as far as this user may see them, and who else has secrets.
struct SecretFacts: Sendable {
    struct Verifier: Sendable {
        let role: String
        let value: Secret
    }

    let verifiers: [Verifier]
    /// False when only a superuser could tell.
    let mayRead: Bool
    /// Options and settings with secrets, and user mappings whose options this user cannot see.
    let options: [String]
    /// Whether all options of user mappings were seen, and so are in what pg_dump writes.
    let seesMappings: Bool

    init(_ connection: Connection, _ server: ServerFacts) throws(Failure) {
        mayRead = try connection.value("SELECT has_table_privilege('pg_authid', 'SELECT')") == "t"
        var verifiers: [Verifier] = []
        if mayRead {
            for row in try connection.query(
                "SELECT rolname, rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL "
                    + "AND rolname !~ '^pg_' ORDER BY rolname COLLATE \"C\"")
            {
                if let role = row[0], let value = row[1] {
                    verifiers.append(Verifier(role: role, value: Secret(value)))
                }
            }
        }
        self.verifiers = verifiers
        // The view shows options to superusers, and to the user itself where it is the mapping's.
        let isSuperuser = server.isSuperuser
        let rows = try connection.query(
            "SELECT srvname, usename, umoptions IS NULL, to_json(umoptions) FROM pg_user_mappings "
                + "ORDER BY 1, 2")
        seesMappings = isSuperuser || rows.allSatisfy { $0[2] != "t" }
        let mappings = rows.filter {
            $0[2] == "t" ? !isSuperuser : !Self.secrets(in: $0[3]).isEmpty
        }.map { "user mapping of \($0[1] ?? "public") on \($0[0] ?? "")" }
        options = try mappings + Self.options(connection)
    }

    /// Where else a secret is kept: anybody may read these catalogs.
    private static func options(_ connection: Connection) throws(Failure) -> [String] {
        var found: [String] = []
        for row in try connection.query(
            """
            SELECT 'option', 'foreign-data wrapper ' || quote_ident(fdwname), to_json(fdwoptions)
            FROM pg_foreign_data_wrapper WHERE fdwoptions IS NOT NULL
            UNION ALL
            SELECT 'option', 'server ' || quote_ident(srvname), to_json(srvoptions)
            FROM pg_foreign_server WHERE srvoptions IS NOT NULL
            UNION ALL
            SELECT 'option', 'foreign table ' || ftrelid::regclass, to_json(ftoptions)
            FROM pg_foreign_table WHERE ftoptions IS NOT NULL
            UNION ALL
            SELECT 'option', 'column ' || attrelid::regclass || '.' || quote_ident(attname),
                to_json(attfdwoptions)
            FROM pg_attribute WHERE attfdwoptions IS NOT NULL AND NOT attisdropped
            UNION ALL
            SELECT 'setting', concat_ws(' in ', 'role ' || quote_ident(r.rolname),
                'database ' || quote_ident(d.datname)), to_json(s.setconfig)
            FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
                LEFT JOIN pg_database d ON d.oid = s.setdatabase
            WHERE s.setdatabase = 0 OR d.datname = current_database()
            """)
        {
            let isSetting = row[0] == "setting"
            for name in secrets(in: row[2], areSettings: isSetting) {
                found.append("\(isSetting ? "setting" : "option") \(name) of \(row[1] ?? "")")
            }
        }
        return found.sorted()
    }

    /// The names of the secrets in a JSON array of options.
    private static func secrets(in options: String?, areSettings: Bool = false) -> [String] {
        let json = options.flatMap { try? JSON(parsing: Array($0.utf8)) }
        return (json?.array ?? []).compactMap(\.string).map(SecretOptions.parts).filter {
            areSettings
                ? SecretOptions.holds(setting: $0.name, $0.value)
                : SecretOptions.holds($0.name, $0.value)
        }.map(\.name)
    }

    /// Why nothing can be sealed; nil where this user sees all there is.
    func obstacle(to server: ServerFacts) -> String? {
        if !mayRead { return "\(server.user) may not read the password verifiers of roles" }
        if !seesMappings { return "\(server.user) may not read the options of all user mappings" }
        return nil
    }

    /// Who has a secret that stays behind. Without names, one line for all roles.
    func holders(named: Bool) -> [String] {
        if !mayRead { return ["passwords of roles (not readable by this user)"] + options }
        if verifiers.isEmpty { return options }
        return (named ? verifiers.map { "password of role \($0.role)" } : ["passwords of roles"])
            + options
    }

    /// SQL that gives the roles their passwords.
    var statements: String {
        verifiers.map {
            "ALTER ROLE \($0.role.quotedName) PASSWORD \($0.value.revealed().quotedString);\n"
        }.joined()
    }
}

/// What a logical copy of one database cannot carry.
enum ClusterFacts {
    static func read(
        _ connection: Connection
    ) throws(Failure) -> [(reason: DatabaseOmission, name: String)] {
        var facts: [(reason: DatabaseOmission, name: String)] = []
        for row in try connection.query(
            "SELECT slot_name FROM pg_replication_slots WHERE database = current_database() "
                + "OR database IS NULL ORDER BY 1")
        {
            facts.append((.replicationSlots, row[0] ?? ""))
        }
        for row in try connection.query(
            "SELECT subname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database "
                + "WHERE datname = current_database()) ORDER BY 1")
        {
            facts.append((.subscriptions, row[0] ?? ""))
        }
        for row in try connection.query(
            "SELECT gid FROM pg_prepared_xacts WHERE database = current_database() ORDER BY 1")
        {
            facts.append((.preparedTransactions, row[0] ?? ""))
        }
        return facts
    }
}
