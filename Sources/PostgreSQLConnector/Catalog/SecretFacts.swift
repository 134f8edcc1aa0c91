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
    /// User mappings with options: passwords for other servers.
    let mappings: [String]

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
        mappings = try connection.query(
            "SELECT srvname, usename FROM pg_user_mappings ORDER BY 1, 2"
        ).map { "user mapping of \($0[1] ?? "public") on \($0[0] ?? "")" }
    }

    /// Who has a secret that stays behind. Without names, one line for all roles.
    func holders(named: Bool) -> [String] {
        if !mayRead { return ["passwords of roles (not readable by this user)"] + mappings }
        if verifiers.isEmpty { return mappings }
        return (named ? verifiers.map { "password of role \($0.role)" } : ["passwords of roles"])
            + mappings
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
