import Basics

/// Rows that one SELECT reads: a whole table, or those with a key from one value to another.
struct TablePiece: Sendable, Equatable {
    let database: String
    let table: String
    /// As ` FORCE INDEX (…) WHERE …`, or "".
    let condition: String
    /// When the table was made that had the name in the moment; "" where nothing tells.
    let created: String

    var json: JSON {
        .array([.string(database), .string(table), .string(condition), .string(created)])
    }

    init(_ table: Table, condition: String = "") {
        database = table.database
        self.table = table.name
        self.condition = condition
        created = table.isTransactional ? table.created : ""
    }

    init?(_ json: JSON) {
        guard let parts = json.array, parts.count == 4, let database = parts[0].string,
            let table = parts[1].string, let condition = parts[2].string,
            let created = parts[3].string
        else { return nil }
        self.database = database
        self.table = table
        self.condition = condition
        self.created = created
    }

    /// Whether the name now is that of a table that was made or named after the moment. Snapshots go
    /// with tables, not with names: `RENAME TABLE a TO x, b TO a` would give the rows of the other.
    func isAnother(_ session: Session) throws(Failure) -> Bool {
        guard !created.isEmpty else { return false }
        return try session.value(
            "SELECT CREATE_TIME FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
                + "\(database.quotedString) AND TABLE_NAME = \(table.quotedString)") != created
    }

    var qualified: String { "\(database.quotedName).\(table.quotedName)" }
}

/// Cuts tables into pieces of about the same work, by the key in whose order their rows lie.
struct TableCutter {
    /// In the moment whose rows are cut.
    let session: Session

    /// The pieces of a table, about `target` bytes each.
    func pieces(of table: Table, target: Int64) throws(Failure) -> [TablePiece] {
        let wanted = table.bytes / max(1, target)
        // Other engines find rows by a key one by one, which is slower than to read them all.
        guard wanted > 1, table.engine == "innodb", table.versioning == .none,
            let key = table.keys.first(where: { $0.name == "PRIMARY" && $0.names })
                ?? table.keys.first(where: \.names),
            let column = key.columns.first,
            let facts = table.facts.first(where: { $0.name == column }), !facts.isGenerated
        else { return [TablePiece(table)] }
        let bounds: [String]
        switch facts.type {
        case "tinyint", "smallint", "mediumint", "int", "bigint":
            bounds = try integerBounds(table, key.name, column, rows: table.rows / wanted)
        case "char", "varchar", "binary", "varbinary", "date", "datetime", "timestamp", "decimal",
            "uuid", "inet6", "inet4", "time", "year":
            bounds = try steppedBounds(table, key.name, facts, rows: max(1, table.rows / wanted))
        default: return [TablePiece(table)]
        }
        if bounds.isEmpty { return [TablePiece(table)] }
        let name = column.quotedName
        let force = " FORCE INDEX (\(key.name.quotedName)) WHERE "
        return (0...bounds.count).map { place in
            let lower = place == 0 ? nil : "\(name) >= \(bounds[place - 1])"
            let upper = place == bounds.count ? nil : "\(name) < \(bounds[place])"
            return TablePiece(
                table,
                condition: force + [lower, upper].compactMap { $0 }.joined(separator: " AND "))
        }
    }

    /// Halves the range of values until the server expects no more than so many rows in a piece.
    private func integerBounds(
        _ table: Table, _ key: String, _ column: String, rows: Int64
    ) throws(Failure) -> [String] {
        let name = column.quotedName
        let row = try session.query("SELECT MIN(\(name)), MAX(\(name)) FROM \(table.qualified)")
            .first
        guard let row, let least = row[0].flatMap({ Int128($0) }),
            let most = row[1].flatMap({ Int128($0) })
        else { return [] }
        var bounds: [Int128] = []
        func cut(_ from: Int128, _ end: Int128, _ depth: Int) throws(Failure) {
            guard end - from > 1, depth < 70, bounds.count < 100_000 else { return }
            let plan = try session.query(
                "EXPLAIN SELECT 1 FROM \(table.qualified) FORCE INDEX (\(key.quotedName)) "
                    + "WHERE \(name) >= \(from) AND \(name) < \(end)")
            var estimate = plan.first.flatMap { rowsEstimate($0) } ?? 0
            // InnoDB says half of the table for every range that has more than that.
            if estimate >= table.rows * 49 / 100 { estimate = table.rows }
            if estimate <= rows + rows / 2 { return }
            let middle = from + (end - from) / 2
            try cut(from, middle, depth + 1)
            bounds.append(middle)
            try cut(middle, end, depth + 1)
        }
        try cut(least, most + 1, 0)
        return bounds.sorted().map { String($0) }
    }

    /// MariaDB has `rows` at place 8; MySQL has `partitions` and `filtered` in addition.
    private func rowsEstimate(_ row: [String?]) -> Int64? {
        let place = row.count >= 12 ? 9 : 8
        return row.indices.contains(place) ? row[place].flatMap { Int64($0) } : nil
    }

    /// Walks along the key, so many rows at a time.
    private func steppedBounds(
        _ table: Table, _ key: String, _ facts: ColumnFacts, rows: Int64
    ) throws(Failure) -> [String] {
        let name = facts.name.quotedName
        var bounds: [String] = []
        var condition = ""
        while bounds.count < 100_000 {
            let rows = try session.bytes(
                "SELECT \(name) FROM \(table.qualified) FORCE INDEX (\(key.quotedName))\(condition) "
                    + "ORDER BY \(name) LIMIT 1 OFFSET \(rows)")
            guard let value = rows.first?.first ?? nil else { break }
            let literal = Self.literal(value, facts)
            bounds.append(literal)
            condition = " WHERE \(name) > \(literal)"
        }
        return bounds
    }

    static func literal(_ value: [UInt8], _ facts: ColumnFacts) -> String {
        switch facts.type {
        case "char", "varchar":
            // Of the column's character set, and compared as the column is.
            let set = (facts.collation ?? "utf8mb4").prefix { $0 != "_" }
            return "_\(set) X'\(Hex.encode(value))' COLLATE \(facts.collation ?? "utf8mb4_bin")"
        // Without quotes: a string would be compared as a DOUBLE.
        case "decimal": return String(decoding: value, as: UTF8.self)
        case "binary", "varbinary": return "X'\(Hex.encode(value))'"
        default: return String(decoding: value, as: UTF8.self).quotedString
        }
    }
}
