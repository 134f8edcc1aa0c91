import Basics

/// A `CREATE TABLE` taken apart: what rows need, and what is faster made once they are there.
///
/// Source: MariaDB documentation, "CREATE TABLE", and the form that SHOW CREATE TABLE gives it.
struct TableStatement: Sendable {
    /// Without the keys and references below.
    let create: [UInt8]
    /// Clauses of keys, as `ADD` takes them, with their names.
    let keys: [(name: String, clause: [UInt8])]
    let references: [Reference]
    /// Conditions of CHECKs of the table and of its columns.
    let checks: [(name: String, condition: [UInt8])]

    /// A foreign key.
    struct Reference: Sendable {
        let name: String
        let clause: [UInt8]
        let columns: [String]
        /// nil: in the table's own.
        let database: String?
        let table: String
        let parentColumns: [String]

        init(_ range: ClosedRange<Int>, _ sql: SQLStatement) {
            name = sql.name(range.lowerBound + 1) ?? ""
            clause = sql.slice(range)
            func list(from open: Int) -> (names: [String], end: Int) {
                var names: [String] = []
                var index = open + 1
                while range.contains(index), !sql.isSymbol(index, ")") {
                    if let name = sql.name(index) { names.append(name) }
                    index += 1
                }
                return (names, index)
            }
            // CONSTRAINT name FOREIGN KEY (…) REFERENCES [database.]table (…)
            let own = list(from: range.lowerBound + 4)
            columns = own.names
            let isQualified = sql.isSymbol(own.end + 3, ".")
            database = isQualified ? sql.name(own.end + 2) : nil
            table = sql.name(own.end + (isQualified ? 4 : 2)) ?? ""
            parentColumns = list(from: own.end + (isQualified ? 5 : 3)).names
        }
    }

    /// - Parameter deferring: whether keys may be taken out; foreign keys always are.
    init(_ definition: Definition, deferring: Bool) {
        let sql = definition.sql
        guard let open = sql.tokens.indices.first(where: { sql.isSymbol($0, "(") }),
            let close = Self.closing(open, in: sql)
        else {
            create = definition.statement
            (keys, references, checks) = ([], [], [])
            return
        }
        let clauses = Self.clauses(open, close, in: sql)
        let automatic = clauses.first { range in
            range.contains { sql.word($0) == "AUTO_INCREMENT" }
        }.flatMap { sql.name($0.lowerBound) }
        let hasPrimary = clauses.contains { sql.word($0.lowerBound) == "PRIMARY" }
        var kept: [[UInt8]] = []
        var keys: [(name: String, clause: [UInt8])] = []
        var references: [Reference] = []
        var checks: [(name: String, condition: [UInt8])] = []
        var isFirstUnique = true
        for range in clauses {
            let bytes = sql.slice(range)
            let first = sql.word(range.lowerBound)
            let isQuoted = sql.tokens[range.lowerBound].kind == .quotedName
            if !isQuoted, first == "CONSTRAINT", sql.word(range.lowerBound + 2) == "FOREIGN" {
                references.append(Reference(range, sql))
                continue
            }
            if let check = Self.check(range, sql) { checks.append(check) }
            let isUnique = !isQuoted && first == "UNIQUE"
            let isKey = !isQuoted && (first == "KEY" || isUnique)
            let name = isKey ? sql.name(range.lowerBound + (isUnique ? 2 : 1)) ?? "" : ""
            let leads = isKey && Self.firstColumn(range, sql) == automatic && automatic != nil
            // Rows lie in the order of the first unique key where there is no primary one.
            let isOrder = isUnique && !hasPrimary && isFirstUnique
            if isUnique { isFirstUnique = false }
            let isHash = range.contains { sql.word($0) == "HASH" || sql.word($0) == "OVERLAPS" }
            if deferring, isKey, !leads, !isOrder, !isHash {
                keys.append((name, bytes))
            } else {
                kept.append(bytes)
            }
        }
        self.keys = keys
        self.references = references
        self.checks = checks
        let head = definition.statement[..<sql.tokens[open].range.upperBound]
        let tail = definition.statement[sql.tokens[close].range.lowerBound...]
        create = Array(head) + [0x0a] + Array(kept.joined(separator: [0x2c, 0x0a])) + [0x0a] + tail
    }

    private static func closing(_ open: Int, in sql: SQLStatement) -> Int? {
        var depth = 0
        for index in open..<sql.tokens.count {
            if sql.isSymbol(index, "(") { depth += 1 }
            if sql.isSymbol(index, ")") {
                depth -= 1
                if depth == 0 { return index }
            }
        }
        return nil
    }

    private static func clauses(_ open: Int, _ close: Int, in sql: SQLStatement) -> [ClosedRange<
        Int
    >] {
        var clauses: [ClosedRange<Int>] = []
        var depth = 0
        var start = open + 1
        for index in open + 1...close {
            if depth == 0, sql.isSymbol(index, ",") || index == close {
                if start < index { clauses.append(start...index - 1) }
                start = index + 1
            } else if sql.isSymbol(index, "(") {
                depth += 1
            } else if sql.isSymbol(index, ")") {
                depth -= 1
            }
        }
        return clauses
    }

    private static func firstColumn(_ range: ClosedRange<Int>, _ sql: SQLStatement) -> String? {
        range.first { sql.isSymbol($0, "(") }.flatMap { sql.name($0 + 1) }
    }

    /// `CHECK (…)` of a constraint or a column.
    private static func check(
        _ range: ClosedRange<Int>, _ sql: SQLStatement
    ) -> (name: String, condition: [UInt8])? {
        guard
            let mark = range.last(where: { sql.word($0) == "CHECK" && sql.isSymbol($0 + 1, "(") }),
            let close = closing(mark + 1, in: sql), range.contains(close)
        else { return nil }
        let name =
            sql.word(range.lowerBound) == "CONSTRAINT"
            ? sql.name(range.lowerBound + 1) : sql.name(range.lowerBound)
        return (name ?? "", sql.slice(mark + 1...close))
    }
}

extension Definition {
    /// The statement without what changes by use: the next AUTO_INCREMENT of a table, and the names of
    /// its own database in a view, which a server prints where it cannot open what the view names.
    var comparable: [UInt8] {
        if kind == .view { return withoutOwnDatabase }
        guard kind == .table else { return statement }
        let sql = sql
        guard let open = sql.tokens.indices.first(where: { sql.isSymbol($0, "(") }) else {
            return statement
        }
        var depth = 0
        for index in open..<sql.tokens.count {
            if sql.isSymbol(index, "(") { depth += 1 }
            if sql.isSymbol(index, ")") { depth -= 1 }
            if depth == 0, sql.word(index) == "AUTO_INCREMENT", sql.isSymbol(index + 1, "=") {
                var result = statement
                let end = sql.tokens[index + 2].range.upperBound
                result.removeSubrange(
                    sql.tokens[index].range.lowerBound..<min(end + 1, result.count))
                return result
            }
        }
        return statement
    }

    private var withoutOwnDatabase: [UInt8] {
        let sql = sql
        var result: [UInt8] = []
        var end = 0
        for index in sql.tokens.indices
        where sql.isSymbol(index + 1, ".") && !sql.isSymbol(index - 1, ".")
            && sql.tokens[index].kind == .quotedName && sql.name(index) == database
        {
            result += statement[end..<sql.tokens[index].range.lowerBound]
            end = sql.tokens[index + 1].range.upperBound
        }
        return result + statement[end...]
    }

    /// Of an event: as it is made where the plan does not enable events.
    var disabled: Definition {
        guard kind == .event else { return self }
        var sql = sql
        // The first ENABLE behind ON COMPLETION; the body comes behind DO.
        guard let end = sql.tokens.indices.first(where: { sql.word($0) == "DO" }),
            let place = sql.tokens.indices.prefix(end).first(where: { sql.word($0) == "ENABLE" })
        else { return self }
        sql.replace([(place, "DISABLE")])
        var definition = self
        definition.statement = sql.bytes
        return definition
    }
}
