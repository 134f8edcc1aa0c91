import Basics

/// Creates the roles that a database needs and the target lacks; those that are there are kept as
/// they are.
struct RoleMaker {
    let target: TargetDatabase
    let mapping: NameMapping
    let connection: Connection
    /// Keeps from the first try to the last which roles are made by this import.
    let record: String

    /// - Parameter scripts: the statements that name the roles which are needed.
    func make(_ roles: [SQLStatement], for scripts: [SQLStatement]) throws(Failure) {
        let needed = Self.needed(roles, scripts)
        var existing = Set(
            try connection.query("SELECT rolname FROM pg_roles").compactMap(\.first?.self))
        var made = try Self.recorded(record)
        if made == nil {
            let absent = needed.filter { !existing.contains(mapping.roles[$0] ?? $0) }
            try Files.write(
                JSON.array(absent.sorted().map { .string($0) }).canonical, to: record, mode: 0o600)
            made = absent
        }
        let mine = made ?? []
        var refused: Set<String> = []
        for statement in roles {
            let names = statement.roleNames
            guard let name = names.first, names.contains(where: needed.contains) else { continue }
            let here = mapping.roles[name] ?? name
            if statement.begins("CREATE", "ROLE") {
                // Two roles of the source may be one here.
                if existing.insert(here).inserted, try !run(statement, "role \(here)") {
                    refused.insert(name)
                }
            } else if refused.contains(name) {
                continue
            } else if statement.begins("ALTER", "ROLE") || statement.begins("COMMENT", "ON", "ROLE")
            {
                if mine.contains(name) {
                    _ = try run(Self.withoutDefaults(statement), "role \(here)")
                }
            } else if statement.word(0) == "GRANT",
                !statement.outer.contains(where: { statement.word($0) == "ON" })
            {
                // Between roles that were both here already, memberships are the target's own matter.
                if names.contains(where: mine.contains) {
                    _ = try run(Self.withoutGrantor(statement), "membership of \(here)")
                }
            }
        }
    }

    /// The roles that an import made, by their names at the source; nil before it has begun to.
    static func recorded(_ record: String) throws(Failure) -> Set<String>? {
        guard Files.exists(record) else { return nil }
        let names = try JSON(parsing: Files.read(record)).array ?? []
        return Set(names.compactMap(\.string))
    }

    /// A statement that the target refuses is a shortfall: what depends on it fails by itself.
    private func run(_ statement: SQLStatement, _ object: String) throws(Failure) -> Bool {
        do throws(Failure) {
            try connection.execute(one: mapping.applied(to: statement).bytes)
            return true
        } catch {
            guard error.code == .databaseRights || error.code == .databaseRefused else {
                throw error
            }
            target.note(shortfall: object, error.cause?.what ?? error.what)
            return false
        }
    }

    /// The roles that definitions name, and those that are members of them or that they are members of.
    static func needed(_ roles: [SQLStatement], _ scripts: [SQLStatement]) -> Set<String> {
        var needed = Set(scripts.flatMap(\.roleNames))
        let memberships = roles.filter { $0.word(0) == "GRANT" }.map(\.roleNames)
        let settings = roles.filter { $0.begins("ALTER", "ROLE") }.map(\.roleNames)
        var size = -1
        while size != needed.count {
            size = needed.count
            for names in memberships where names.contains(where: needed.contains) {
                needed.formUnion(names)
            }
            // Whom a role becomes by its settings.
            for names in settings where names.first.map(needed.contains) ?? false {
                needed.formUnion(names)
            }
        }
        return needed.filter { !$0.hasPrefix("pg_") }
    }

    /// A new role has none of these; only a superuser may say so.
    private static func withoutDefaults(_ statement: SQLStatement) -> SQLStatement {
        guard statement.word(3) == "WITH" else { return statement }
        var statement = statement
        let words = ["NOSUPERUSER", "NOREPLICATION", "NOBYPASSRLS"]
        statement.replace(
            statement.tokens.indices.filter { words.contains(statement.word($0)) }.map { ($0, "") })
        return statement
    }

    /// Only a superuser may grant in another's name.
    private static func withoutGrantor(_ statement: SQLStatement) -> SQLStatement {
        guard let mark = statement.tokens.indices.first(where: { statement.word($0) == "GRANTED" })
        else { return statement }
        var statement = statement
        statement.replace(mark...(mark + 2), with: "")
        return statement
    }
}
