/// Why a user cannot read a table or a sequence whole.
enum ReadObstacle: Sendable {
    case schema, select, rowSecurity

    /// nil where nothing is in the way.
    init?(_ relation: Relation, for server: ServerFacts) {
        if !relation.maySeeSchema {
            self = .schema
        } else if !relation.mayRead {
            self = .select
        } else if relation.hasRowSecurity, !server.bypassesRowSecurity,
            !relation.isOwned || relation.isForced
        {
            // The owner passes unless it is forced on him.
            self = .rowSecurity
        } else {
            return nil
        }
    }

    /// The code of a finding.
    var code: String {
        switch self {
        case .schema: "no-schema-right"
        case .select: "no-select-right"
        case .rowSecurity: "row-level-security"
        }
    }

    var text: String {
        switch self {
        case .schema: "no USAGE right on its schema"
        case .select: "no SELECT right"
        case .rowSecurity: "row-level security"
        }
    }

    /// What an administrator does about it.
    func remedy(_ relation: Relation, _ user: String) -> String {
        let everything = "or GRANT pg_read_all_data TO \(user.quotedName);"
        let object = relation.kind == .sequence ? "SEQUENCE " : ""
        return switch self {
        case .schema:
            "GRANT USAGE ON SCHEMA \(relation.schema.quotedName) TO \(user.quotedName); \(everything)"
        case .select:
            "GRANT SELECT ON \(object)\(relation.qualified) TO \(user.quotedName); \(everything)"
        case .rowSecurity: "ALTER ROLE \(user.quotedName) BYPASSRLS; or exclude the table."
        }
    }
}
