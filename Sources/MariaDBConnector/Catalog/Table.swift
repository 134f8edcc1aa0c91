import Basics

/// A table, view or sequence of the catalog with what its export needs.
struct Table: Sendable {
    enum Kind: Sendable {
        case table, view, sequence
    }

    /// How a table keeps its history.
    enum Versioning: String, Sendable {
        case none
        /// Two times in each row.
        case timestamp
        /// Numbers of transactions, which mean nothing on another server.
        case transaction
    }

    struct Key: Sendable {
        let name: String
        let columns: [String]
        let isUnique: Bool
        /// Unique, none of its columns nullable, none cut to a prefix: its values name a row.
        let names: Bool
    }

    let database: String
    let name: String
    let kind: Kind
    /// In small letters.
    let engine: String
    let isTransactional: Bool
    let rows: Int64
    let bytes: Int64
    let autoIncrement: String?
    /// Of InnoDB of MariaDB, another one once the table got another name as well.
    let created: String
    let options: String
    let collation: String
    var versioning: Versioning
    var facts: [ColumnFacts] = []
    var keys: [Key] = []
    var columns: [Column] = []
    /// Generated columns that change by themselves, and so are in no row.
    var volatile: [String] = []

    var qualified: String { "\(database.quotedName).\(name.quotedName)" }
    /// For people.
    var title: String { "\(database).\(name)" }

    /// The key that names a row, the primary one if there is one.
    var key: Key? { keys.first { $0.name == "PRIMARY" } ?? keys.first { $0.names } }

    /// Whether its rows are its own: not those of other tables or of another server.
    var hasOwnRows: Bool {
        kind == .table && !isRemote
            && !["mrg_myisam", "blackhole", "performance_schema"].contains(engine)
    }

    var isRemote: Bool {
        ["federated", "connect", "spider", "oqgraph", "s3", "sphinx"].contains(engine)
    }

    /// The SELECT of rows of a table, in the order in which they are stored.
    static func select(
        _ columns: [Column], of qualified: String, hasHistory: Bool, _ condition: String = ""
    ) -> String {
        "SELECT " + columns.map(\.selected).joined(separator: ", ") + " FROM \(qualified)"
            + (hasHistory ? " FOR SYSTEM_TIME ALL" : "") + condition
    }
}

/// The tables, views and sequences of some databases.
struct TableCatalog: Sendable {
    let all: [Table]

    init(_ session: Session, _ server: ServerFacts, databases: [String]) throws(Failure) {
        let isThere = InDatabases.condition("TABLE_SCHEMA", databases)
        guard !databases.isEmpty else {
            all = []
            return
        }
        let wanted = Set(databases)
        var tables: [Table] = []
        var places: [String: Int] = [:]
        for row in try session.query(
            """
            SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS, DATA_LENGTH,
                AUTO_INCREMENT, CREATE_OPTIONS, TABLE_COLLATION, CREATE_TIME
            FROM information_schema.TABLES WHERE \(isThere)
                AND TABLE_TYPE <> 'TEMPORARY' ORDER BY BINARY TABLE_SCHEMA, BINARY TABLE_NAME
            """)
        {
            guard let database = row[0], let name = row[1] else { continue }
            // Other databases, whose names compare as equal without case.
            guard wanted.contains(database) else { continue }
            let engine = (row[3] ?? "").lowercased()
            if let other = places[Self.key(database, name)] {
                throw Failure(
                    .databaseUnsuitable,
                    "\(tables[other].title) and another table differ only in how their accents are "
                        + "composed",
                    hint: "Rename one of them, or exclude their database.")
            }
            places[Self.key(database, name)] = tables.count
            tables.append(
                Table(
                    database: database, name: name,
                    kind: row[2] == "VIEW" ? .view : row[2] == "SEQUENCE" ? .sequence : .table,
                    engine: engine, isTransactional: server.engines[engine] ?? false,
                    rows: row[4].flatMap { Int64($0) } ?? 0,
                    bytes: row[5].flatMap { Int64($0) } ?? 0, autoIncrement: row[6],
                    created: row[9] ?? "",
                    options: row[7] ?? "", collation: row[8] ?? "",
                    versioning: row[2] == "SYSTEM VERSIONED" ? .timestamp : .none))
        }
        for row in try session.query(
            """
            SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, COLLATION_NAME,
                EXTRA, GENERATION_EXPRESSION
            FROM information_schema.COLUMNS WHERE \(isThere)
            ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION
            """)
        {
            guard let place = places[Self.key(row[0] ?? "", row[1] ?? "")] else { continue }
            tables[place].facts.append(
                ColumnFacts(
                    name: row[2] ?? "", type: (row[3] ?? "").lowercased(), fullType: row[4] ?? "",
                    collation: row[5], extra: (row[6] ?? "").lowercased(), expression: row[7] ?? "")
            )
        }
        for row in try session.query(
            """
            SELECT MIN(TABLE_SCHEMA), MIN(TABLE_NAME), INDEX_NAME, MIN(NON_UNIQUE),
                MAX(NULLABLE = 'YES' OR SUB_PART IS NOT NULL OR COLUMN_NAME IS NULL),
                GROUP_CONCAT(HEX(COLUMN_NAME) ORDER BY SEQ_IN_INDEX)
            FROM information_schema.STATISTICS WHERE \(isThere)
            GROUP BY BINARY TABLE_SCHEMA, BINARY TABLE_NAME, INDEX_NAME
            """)
        {
            guard let place = places[Self.key(row[0] ?? "", row[1] ?? "")], let name = row[2] else {
                continue
            }
            let columns = (row[5] ?? "").split(separator: ",").map {
                String(decoding: Hex.decode($0.lowercased()) ?? [], as: UTF8.self)
            }
            tables[place].keys.append(
                .init(
                    name: name, columns: columns, isUnique: row[3] == "0",
                    names: row[3] == "0" && row[4] == "0"))
        }
        for place in tables.indices { Self.complete(&tables[place], server.family) }
        all = tables
    }

    private static func key(_ database: String, _ name: String) -> String {
        "\(database.utf8.count):\(database)\(name)"
    }

    /// Decides how each column travels.
    private static func complete(_ table: inout Table, _ family: ServerFacts.Family) {
        var columns: [Column] = []
        let period = table.facts.filter(\.isPeriodOfSystem)
        if period.contains(where: { $0.type == "bigint" }) { table.versioning = .transaction }
        for facts in table.facts {
            if facts.isPeriodOfSystem, table.versioning == .transaction { continue }
            if let column = facts.column(family) {
                columns.append(column)
            } else {
                table.volatile.append(facts.name)
            }
        }
        if table.versioning == .timestamp, period.isEmpty {
            columns += ["row_start", "row_end"].map { Column(name: $0, transport: .plain) }
        }
        // Of InnoDB, rows lie in the order of the primary key, or of the first unique one.
        table.keys.sort {
            ($0.name != "PRIMARY" ? 1 : 0, $0.name) < ($1.name != "PRIMARY" ? 1 : 0, $1.name)
        }
        table.columns = columns
    }
}
