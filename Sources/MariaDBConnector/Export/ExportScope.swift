import Basics
import Connectors
import Databases
import Manifests

/// What of a server is exported and what is not, as the plan and the catalog say.
struct ExportScope: Sendable {
    let databases: [String]
    let settings: MariaDBSettings
    /// Tables whose rows are exported.
    var tables: [Table] = []
    /// Everything whose definition is exported: these tables, others, views and sequences.
    var defined: [Table] = []
    var excluded: [(table: Table, reason: String)] = []
    /// Transactions that are prepared for two-phase commit.
    let prepared: [String]
    /// Kinds of objects that the account might not see, with their database.
    let hidden: [String]
    private(set) var unmatchedIncludes: [String] = []
    private(set) var unmatchedExcludes: [String] = []

    init(
        _ session: Session, _ server: ServerFacts, _ settings: MariaDBSettings
    ) throws(Failure) {
        self.settings = settings
        databases = try Self.names(session, server, settings)
        // Some servers ask for a right that nothing else needs.
        prepared = ((try? session.query("XA RECOVER")) ?? []).map { $0.last.flatMap { $0 } ?? "" }
        hidden = databases.flatMap { database in
            server.hidden(in: database).map { "\($0) of \(database)" }
        }
        let catalog = try TableCatalog(session, server, databases: databases)
        for table in catalog.all {
            if let reason = settings.exclusion(of: table) {
                excluded.append((table, reason))
            } else {
                defined.append(table)
                if table.hasOwnRows { tables.append(table) }
            }
        }
        let fitsNothing: (NamePattern) -> Bool = { pattern in
            !catalog.all.contains { pattern.matches(schema: $0.database, name: $0.name) }
        }
        unmatchedIncludes = settings.included.filter(fitsNothing).map(\.text)
        unmatchedExcludes = settings.excluded.map(\.pattern).filter(fitsNothing).map(\.text)
    }

    /// The databases that the plan means, as they are there now.
    static func names(
        _ session: Session, _ server: ServerFacts, _ settings: MariaDBSettings
    ) throws(Failure) -> [String] {
        let there = try session.query(
            "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA ORDER BY BINARY SCHEMA_NAME"
        ).compactMap { $0[0] }.filter { !ServerFacts.systemDatabases.contains($0.lowercased()) }
        if let named = settings.databases {
            if let missing = named.first(where: { !there.contains($0) }) {
                throw Failure(
                    .notFound,
                    "there is no database \"\(missing)\", or \(server.user) may not see it",
                    hint: there.isEmpty
                        ? "Grant the account rights in it."
                        : "Those that it sees: \(there.prefix(20).joined(separator: ", ")).")
            }
            return there.filter { named.contains($0) }
        }
        return there
    }

    var bytes: Int64 { tables.reduce(0) { $0 + $1.bytes } }
    var sequences: [Table] { defined.filter { $0.kind == .sequence } }
    var views: [Table] { defined.filter { $0.kind == .view } }
    /// Tables that no snapshot covers.
    var nonTransactional: [Table] { tables.filter { !$0.isTransactional } }

    /// Objects that are exported and cannot be without what is not.
    func brokenReferences(_ session: Session) throws(Failure) -> [String] {
        if excluded.isEmpty { return [] }
        let without = Set(excluded.map(\.table.title))
        return try references(session) { without.contains("\($0).\($1)") }.filter {
            !without.contains($0.child)
        }.map(\.text)
    }

    /// Objects that are exported and need what is in databases that are not.
    func outsideReferences(_ session: Session) throws(Failure) -> [String] {
        let outside = Set(
            try session.query("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA").compactMap {
                $0[0]
            }
        ).subtracting(databases).subtracting(ServerFacts.systemDatabases)
        if outside.isEmpty { return [] }
        return try references(session) { database, _ in outside.contains(database) }.map(\.text)
    }

    /// Foreign keys and views that name a table that `isMeant`.
    private func references(
        _ session: Session, to isMeant: (_ database: String, _ name: String) -> Bool
    ) throws(Failure) -> [(child: String, text: String)] {
        var found: [(child: String, text: String)] = []
        for row in try session.query(
            "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, UNIQUE_CONSTRAINT_SCHEMA, "
                + "REFERENCED_TABLE_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS "
                + "WHERE " + InDatabases.condition("CONSTRAINT_SCHEMA", databases)
                + " ORDER BY 1, 2, 3")
        {
            let child = "\(row[0] ?? "").\(row[1] ?? "")"
            let (database, name) = (row[3] ?? "", row[4] ?? "")
            if isMeant(database, name) {
                found.append(
                    (child, "foreign key \(row[2] ?? "") of \(child) needs \(database).\(name)"))
            }
        }
        // Defaults that take the next value of a sequence.
        for row in try session.bytes(
            "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_DEFAULT FROM "
                + "information_schema.COLUMNS WHERE COLUMN_DEFAULT LIKE '%nextval(%' AND "
                + InDatabases.condition("TABLE_SCHEMA", databases) + " ORDER BY 1, 2, 3")
        {
            let names = row.prefix(3).map { String(decoding: $0 ?? [], as: UTF8.self) }
            let child = "\(names[0]).\(names[1])"
            for (database, name) in SQLStatement(row[3] ?? []).qualifiedNames
            where isMeant(database, name) {
                found.append(
                    (child, "column \(names[2]) of \(child) needs the sequence \(database).\(name)")
                )
            }
        }
        for view in views {
            for needed in try ViewOrder.references(view, session)
            where isMeant(needed.database, needed.name) {
                found.append(
                    (view.title, "view \(view.title) needs \(needed.database).\(needed.name)"))
            }
        }
        return found
    }

    func omissions(_ accounts: Accounts) -> OmissionSummary {
        var list = OmissionList<MariaDBOmission>(accepted: settings.accepted)
        for (table, reason) in excluded { list.addExcluded(table.title, reason: reason) }
        for table in defined where table.isRemote || table.engine == "mrg_myisam" {
            if table.isRemote { list.add(.foreignTables, table.title) }
        }
        if settings.nonTransactional != .lock {
            for table in nonTransactional {
                list.add(
                    .nonTransactional, table.title, covered: settings.nonTransactional == .accept)
            }
        }
        for table in tables {
            if table.versioning == .transaction { list.add(.transactionHistory, table.title) }
            for column in table.volatile {
                list.add(.changingColumns, "\(table.title).\(column)", covered: true)
            }
        }
        for transaction in prepared {
            list.add(.preparedTransactions, "transaction \(transaction)")
        }
        for kind in hidden { list.add(.hidden, kind) }
        if !accounts.areVisible { list.add(.accounts, "accounts and their rights") }
        if settings.secrets != .sealed, !accounts.holders.isEmpty {
            let names = settings.secrets == .omit ? ["passwords of accounts"] : accounts.holders
            for name in names { list.add(.secrets, name, covered: settings.secrets != nil) }
        }
        return list.summary
    }
}

/// Whether a view can be read at all: what it stands on may be gone, or its definer lack rights.
enum ViewTest {
    /// What the server says; nil where nothing is in the way.
    static func obstacle(_ qualified: String, _ session: Session) throws(Failure) -> String? {
        do throws(Failure) {
            _ = try session.query("SELECT 1 FROM \(qualified) LIMIT 0")
            return nil
        } catch {
            guard error.code == .databaseRefused || error.code == .databaseRights else {
                throw error
            }
            return MariaDBImporter.reason(error)
        }
    }
}

/// Views in an order in which each finds what it stands on.
enum ViewOrder {
    /// The tables and views that a view names, as far as names with their database tell.
    static func references(
        _ view: Table, _ session: Session
    ) throws(Failure) -> [(database: String, name: String)] {
        let text =
            try session.bytes(
                "SELECT VIEW_DEFINITION FROM information_schema.VIEWS WHERE TABLE_SCHEMA = "
                    + "\(view.database.quotedString) AND TABLE_NAME = \(view.name.quotedString)"
            ).first?.first ?? nil
        return SQLStatement(text ?? []).qualifiedNames
    }

    static func sorted(_ views: [Table], _ session: Session) throws(Failure) -> [Table] {
        let places = Dictionary(
            views.enumerated().map { ($0.element.title, $0.offset) }, uniquingKeysWith: { $1 })
        var needs: [[Int]] = []
        for view in views {
            needs.append(
                try references(view, session).compactMap { places["\($0.database).\($0.name)"] })
        }
        var order: [Int] = []
        var seen: Set<Int> = []
        func visit(_ place: Int) {
            guard seen.insert(place).inserted else { return }
            for other in needs[place] { visit(other) }
            order.append(place)
        }
        for place in views.indices { visit(place) }
        return order.map { views[$0] }
    }
}

extension SQLStatement {
    /// All names that stand behind another and a dot.
    fileprivate var qualifiedNames: [(database: String, name: String)] {
        tokens.indices.compactMap { index in
            guard isSymbol(index, "."), let database = name(index - 1), let name = name(index + 1)
            else { return nil }
            return (database, name)
        }
    }
}
