import Basics
import Connectors

/// The definitions of an export in the order in which they can be made again.
struct StoredDefinitions: Sendable {
    enum Part: String, Sendable {
        case databases, accounts, tables, routines, views, triggers, events, rights, secrets
    }

    var databases: [Definition] = []
    var tables: [Definition] = []
    var views: [Definition] = []
    var programs: [Definition] = []
    let accounts: Accounts

    init(
        _ scope: ExportScope, _ reader: DefinitionReader, _ session: Session, _ server: ServerFacts
    ) throws(Failure) {
        let excluded = Set(scope.excluded.map(\.table.title))
        for database in scope.databases {
            databases.append(try reader.database(database))
            try reader.use(database)
            for table in scope.defined where table.database == database && table.kind != .view {
                tables.append(try reader.table(table))
            }
            programs += try reader.programs(database).filter {
                $0.kind != .trigger || !excluded.contains("\($0.database).\($0.table)")
            }
        }
        for view in try ViewOrder.sorted(scope.views, session) {
            try reader.use(view.database)
            views.append(try reader.view(view))
        }
        let definers = Set(
            (views + programs).compactMap { definition -> String? in
                let sql = definition.sql
                guard let definer = sql.definer, let user = sql.name(definer.user) else {
                    return nil
                }
                return definer.host.flatMap { sql.name($0) }.map { "\(user)@\($0)" } ?? user
            })
        accounts = try Accounts.read(
            session, server, databases: scope.databases, definers: definers,
            all: scope.settings.databases == nil)
    }

    var identities: [Definition] {
        accounts.definitions.filter { $0.kind == .role || $0.kind == .user }
    }

    func list(_ part: Part) -> [Definition] {
        switch part {
        case .databases: databases
        case .accounts: identities
        // Defaults of tables may take the next value of a sequence.
        case .tables: tables.filter { $0.kind == .sequence } + tables.filter { $0.kind == .table }
        case .routines:
            programs.filter { ![.trigger, .event].contains($0.kind) }
        case .views: views
        case .triggers: programs.filter { $0.kind == .trigger }
        case .events: programs.filter { $0.kind == .event }
        case .rights: accounts.definitions.filter { $0.kind == .grant || $0.kind == .defaultRole }
        case .secrets: accounts.secrets
        }
    }

    /// A script for the `mariadb` client, which the importer reads as well.
    func script(_ part: Part) -> [UInt8] {
        var script = Array(
            ("SET NAMES utf8mb4;\nSET SESSION foreign_key_checks = 0, unique_checks = 0, "
                + "time_zone = '+00:00' /*M! , innodb_strict_mode = 0 */;\n").utf8)
        let collations = Dictionary(
            databases.map { ($0.name, $0.databaseCollationOfItself) }, uniquingKeysWith: { $1 })
        for definition in list(part) {
            var before: [String] = []
            var after: [String] = []
            if !definition.database.isEmpty, definition.kind != .database, part != .rights {
                let database = definition.database.quotedName
                before.append("USE \(database)")
                if let own = collations[definition.database] ?? nil,
                    !definition.databaseCollation.isEmpty,
                    own != definition.databaseCollation
                {
                    before.append(
                        "ALTER DATABASE \(database) COLLATE \(definition.databaseCollation)")
                    after.append("ALTER DATABASE \(database) COLLATE \(own)")
                }
            }
            definition.append(to: &script, before: before, after: after)
        }
        return script
    }

    /// The head of the contents: the server, and what its databases are.
    func lines(_ scope: ExportScope, _ server: ServerFacts) -> [JSON] {
        var lines: [JSON] = [
            [
                "type": "server", "family": .string(server.family.rawValue),
                "version": .integer(Int64(server.version)), "text": .string(server.versionText),
                "lower-case-names": .integer(Int64(server.lowerCaseNames)),
            ]
        ]
        for database in databases {
            lines.append([
                "type": "database", "name": .string(database.name),
                "collation": .string(database.databaseCollationOfItself ?? ""),
            ])
        }
        return lines
    }
}

extension Definition {
    /// Of a `CREATE DATABASE`: its default collation.
    var databaseCollationOfItself: String? {
        let sql = sql
        guard let mark = sql.tokens.indices.first(where: { sql.word($0) == "COLLATE" }) else {
            return nil
        }
        return sql.name(sql.isSymbol(mark + 1, "=") ? mark + 2 : mark + 1)
    }
}
