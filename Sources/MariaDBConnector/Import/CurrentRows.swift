import Basics
import Databases
import Primitives
import Streams
import Synchronization

/// Of a table with history: which stored rows are current, where only these are imported.
struct CurrentRows: Sendable {
    /// Places of the two times among the columns.
    private let start: Int
    private let end: Int

    /// The end of what has not ended: of times in 32 bits with a sign, and without.
    private static let never = [
        Array("2038-01-19 03:14:07.999999".utf8), Array("2106-02-07 06:28:15.999999".utf8),
    ]

    init(_ table: StoredServer.Table, _ stored: StoredServer) throws(Failure) {
        let definition = stored.definitions(.table).first {
            $0.database == table.database && $0.name == table.name
        }
        var names = ("row_start", "row_end")
        if let sql = definition?.sql,
            let mark = sql.tokens.indices.first(where: {
                sql.word($0) == "PERIOD" && sql.word($0 + 1) == "FOR"
                    && sql.word($0 + 2) == "SYSTEM_TIME"
            }), let start = sql.name(mark + 4), let end = sql.name(mark + 6)
        {
            names = (start, end)
        }
        guard let start = table.columns.firstIndex(where: { $0.name == names.0 }),
            let end = table.columns.firstIndex(where: { $0.name == names.1 })
        else { throw StoredServer.malformed("\(table.title) has history and no times") }
        self.start = start
        self.end = end
    }

    /// The columns with the times as something that is not loaded.
    func loaded(_ columns: [Column]) -> [Column] {
        columns.enumerated().map { place, column in
            place == start || place == end
                ? Column(name: column.name, transport: .generated) : column
        }
    }

    /// The columns without the times, which are others where history begins anew.
    func compared(_ columns: [Column]) -> [Column] {
        columns.enumerated().filter { $0.offset != start && $0.offset != end }.map(\.element)
    }

    /// The row as it is, with its line feed; nil for one that is history.
    func line(_ row: [UInt8]) -> [UInt8]? { isCurrent(row) ? row + [0x0a] : nil }

    /// The row without its times; nil for one that is history.
    func compared(_ row: [UInt8]) -> [UInt8]? {
        guard isCurrent(row) else { return nil }
        let values = row.split(separator: 0x09, omittingEmptySubsequences: false)
        let kept = values.indices.filter { $0 != start && $0 != end }.map { values[$0] }
        return Array(kept.joined(separator: [0x09]))
    }

    private func isCurrent(_ row: [UInt8]) -> Bool {
        let values = row.split(separator: 0x09, omittingEmptySubsequences: false)
        return values.indices.contains(end) && Self.never.contains(Array(values[end]))
    }
}

extension MariaDBImporter {
    func isDroppingHistory(of table: StoredServer.Table) -> Bool {
        table.hasHistory && settings.history == .drop
    }

    /// Count and digest of what is current among the stored rows, as it must be on the target.
    func noteCurrentRows(_ place: Int, _ stored: StoredServer) throws(Failure) {
        let table = stored.tables[place]
        var hasher = RowHasher(salt: stored.salt)
        try rows(of: table, .archive) { row in
            unsafe (row + [0x0a]).withUnsafeBytes { unsafe hasher.update(lines: $0) }
        }
        let digest = hasher.digest
        state.withLock { $0.current[place] = digest }
    }
}
