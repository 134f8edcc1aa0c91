import Basics

/// What an importing user who is no superuser needs to give objects to their owners: to be a member of
/// them, and that they may create in the schemas. The second is granted for the time of the import,
/// with a mark in our schema, and taken back at its end; without the first nobody could read the
/// tables again for the comparison, so it stays.
struct TemporaryRights {
    let mapping: NameMapping
    let connection: Connection

    private static let creator = "creator in "

    func isNeeded() throws(Failure) -> Bool {
        try connection.value("SELECT rolsuper FROM pg_roles WHERE rolname = current_user") != "t"
    }

    /// The roles that will own something, by their names here.
    func owners(_ scripts: [SQLStatement]) -> [String] {
        Set(scripts.flatMap(\.ownerNames).map { mapping.roles[$0] ?? $0 }).sorted()
    }

    /// Before any definition.
    func join(_ owners: [String]) throws(Failure) {
        for role in owners {
            let isNeeded = try connection.value(
                "SELECT NOT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = $1", [role])
            guard isNeeded == "t" else { continue }
            do throws(Failure) {
                try connection.execute("GRANT \(role.quotedName) TO CURRENT_USER")
            } catch {
                guard error.code == .databaseRights else { throw error }
                throw Failure(
                    .databaseRights, "cannot give objects to the role \(role.quotedName)",
                    hint:
                        "GRANT \(role.quotedName) to the importing user, import as a superuser, or map "
                        + "the role under map.roles.", cause: error)
            }
        }
    }

    /// Once a schema is there; `public` always is.
    func open(_ schema: String, to owners: [String]) throws(Failure) {
        for role in owners {
            let isNeeded = try connection.value(
                "SELECT NOT has_schema_privilege($1, $2, 'CREATE')", [role, schema])
            guard isNeeded == "t" else { continue }
            try connection.execute(
                "GRANT CREATE ON SCHEMA \(schema.quotedName) TO \(role.quotedName)")
            try mark("\(Self.creator)\(role.quotedName) \(schema.quotedName)")
        }
    }

    private func mark(_ unit: String) throws(Failure) {
        _ = try connection.query(
            "INSERT INTO \(TargetDatabase.schema).done VALUES ($1) ON CONFLICT DO NOTHING", [unit])
    }

    /// Takes everything back but what the definitions themselves have granted since.
    func end(_ scripts: [SQLStatement]) throws(Failure) {
        let granted = Set(
            scripts.filter { statement in
                statement.word(0) == "GRANT"
                    && statement.outer.contains { ["CREATE", "ALL"].contains(statement.word($0)) }
            }.flatMap { statement -> [String] in
                guard
                    let place = statement.outer.first(where: {
                        statement.word($0 - 1) == "SCHEMA" && statement.word($0 - 2) == "ON"
                    }), let schema = statement.name(place)
                else { return [] }
                return statement.roleNames.map {
                    "\((mapping.roles[$0] ?? $0).quotedName) \(schema.quotedName)"
                }
            })
        for row in try connection.query(
            "SELECT unit FROM \(TargetDatabase.schema).done WHERE unit LIKE $1",
            [Self.creator + "%"])
        {
            guard let pair = row[0]?.dropFirst(Self.creator.count), !granted.contains(String(pair))
            else { continue }
            let statement = SQLStatement(Array("SELECT \(pair);".utf8))
            guard let role = statement.name(1), let schema = statement.name(2) else { continue }
            // What was granted to a role that became the owner since is the owner's own.
            let owner = try connection.value(
                "SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = $1", [schema])
            if owner == role { continue }
            try connection.execute(
                "REVOKE CREATE ON SCHEMA \(schema.quotedName) FROM \(role.quotedName)")
        }
    }
}
