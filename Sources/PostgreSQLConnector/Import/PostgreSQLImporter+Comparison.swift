public import Basics
public import Connectors
import Databases
import Manifests
import Plans
import Primitives
import Streams
import Synchronization

// What is on the target, held against what the archive says.
extension PostgreSQLImporter {
    enum Slice {
        case table(Int, part: Int, of: Int)
        case largeObjects(Int)
        case view(Int)
        case sequences, objects
    }

    func slices(_ stored: StoredDatabase) -> [Slice] {
        var slices: [Slice] = []
        let order = stored.tables.indices.sorted {
            source.artifacts[stored.tables[$0].artifact].plainBytes
                > source.artifacts[stored.tables[$1].artifact].plainBytes
        }
        for place in order {
            let parts = max(1, source.artifacts[stored.tables[place].artifact].segments.count)
            slices += (0..<parts).map { .table(place, part: $0, of: parts) }
        }
        return slices + stored.largeObjects.indices.map { .largeObjects($0) }
            + stored.views.indices.map { .view($0) } + [
                .sequences, .objects,
            ]
    }

    public func compare(_ number: Int) throws(Failure) {
        let stored = try prepared().stored
        let comparer = try comparer(stored)
        switch state.withLock({ $0.slices[number] }) {
        case .table(let place, let part, let count):
            let table = stored.tables[place]
            let canCut = state.withLock { $0.canCut }
            guard let pieces = comparer.pieces(of: table, canCut: canCut) else {
                state.withLock { _ = $0.missing.insert(place) }
                return
            }
            let mine = pieces.indices.filter { $0 % count == part }.map { pieces[$0] }
            let digest: MultisetDigest
            do throws(Failure) {
                digest = try comparer.digest(
                    of: mine.map { $0.copy(columns: table.columns, encoding: stored.encoding) })
            } catch {
                guard error.code == .databaseRights else { throw error }
                let user = try target.pool.with { (connection) throws(Failure) in
                    try connection.value("SELECT current_user") ?? ""
                }
                throw error.during(
                    "cannot read \(table.qualified) again to compare it",
                    hint:
                        "As a superuser: ALTER ROLE \(user.quotedName) BYPASSRLS; then run the same "
                        + "command again.")
            }
            state.withLock { $0.found[place, default: MultisetDigest()].add(digest) }
        case .largeObjects(let batch):
            let range = stored.largeObjects[batch]
            let digest = try comparer.digest(
                of: [LargeObjects.copy(from: range.first, to: range.last)])
            state.withLock { $0.found[-1, default: MultisetDigest()].add(digest) }
        case .view(let place): try compareView(place, stored)
        case .sequences: try compareSequences(stored)
        case .objects: try compareObjects(stored)
        }
    }

    func comparer(_ stored: StoredDatabase) throws(Failure) -> TableComparer {
        if let comparer = state.withLock({ $0.comparer }) { return comparer }
        let (relations, version) = try target.pool.with { (connection) throws(Failure) in
            (try RelationCatalog(connection), connection.serverVersion)
        }
        let made = TableComparer(
            target: target, stored: stored, relations: relations, progress: room.progress)
        return state.withLock {
            if let first = $0.comparer { return first }
            $0.comparer = made
            $0.canCut = version >= 140_000
            return made
        }
    }

    private func compareSequences(_ stored: StoredDatabase) throws(Failure) {
        var behind: Int64 = 0
        for sequence in stored.sequences {
            let name = "\(sequence.schema.quotedName).\(sequence.name.quotedName)"
            let row: [String?]
            do throws(Failure) {
                row =
                    try target.pool.with { (connection) throws(Failure) in
                        try connection.query(
                            "SELECT s.last_value, s.is_called, (SELECT seqincrement > 0 FROM "
                                + "pg_sequence WHERE seqrelid = \(name.quotedString)::regclass) FROM \(name) s"
                        )
                    }.first ?? []
            } catch {
                if error.code == .cancelled || error.code == .databaseUnreachable { throw error }
                row = []
            }
            let last = row.first?.flatMap { Int64($0) }
            let isCalled = row.count > 1 && row[1] == "t"
            let ascends = row.count > 2 && row[2] == "t"
            // The source may have gone on after the moment; the target must not be behind.
            let isGood =
                last.map {
                    $0 == sequence.last
                        ? isCalled || !sequence.isCalled
                        : ascends ? $0 > sequence.last : $0 < sequence.last
                } ?? false
            if isGood { continue }
            behind += 1
            note(
                difference: "sequence \(name)", "last value",
                "\(sequence.last)\(sequence.isCalled ? "" : " (not called)")",
                last.map { "\($0)\(isCalled ? "" : " (not called)")" } ?? "missing")
        }
        let count = Int64(stored.sequences.count)
        let found = count - behind
        state.withLock {
            $0.comparisons.append(
                .init(name: "sequences", expected: String(count), found: String(found)))
        }
    }

    func note(
        difference object: String, _ attribute: String, _ expected: String, _ found: String
    ) {
        state.withLock {
            $0.differences.append([
                "object": .string(object), "attribute": .string(attribute),
                "expected": .string(expected), "found": .string(found),
            ])
        }
    }

    // MARK: - Conclusion

    public func conclude(counting: Bool) throws(Failure) -> ImportResult {
        let stored = try prepared().stored
        let compared = state.withLock { ($0.found, $0.missing, $0.comparisons) }
        var comparisons: [ImportResult.Comparison] = []
        if !compared.2.isEmpty {
            comparisons += try rowComparisons(stored, compared.0, compared.1)
            comparisons += compared.2
        }
        if counting { comparisons += try counts(stored) }
        let (differences, shortfalls) = (
            state.withLock { $0.differences }, target.shortfalls.withLock { $0 }
        )
        let remarks = state.withLock { $0.remarks }
        return ImportResult(
            comparisons: comparisons, differences: Array(differences.prefix(1000)),
            differenceCount: Int64(differences.count), shortfalls: Array(shortfalls.prefix(1000)),
            shortfallCount: Int64(shortfalls.count),
            counts: [
                .init("tables", .integer(Int64(stored.tables.count))),
                .init("rows", .integer(stored.tables.reduce(0) { $0 + $1.digest.count })),
                .init("sequences", .integer(Int64(stored.sequences.count))),
            ],
            mappings: [
                "roles": .object(
                    settings.mapping.roles.sorted { $0.key < $1.key }
                        .map { .init($0.key, .string($0.value)) }),
                "tablespaces": .object(
                    settings.mapping.tablespaces.sorted { $0.key < $1.key }
                        .map { .init($0.key, .string($0.value)) }),
            ],
            reservations: reservations(remarks.count),
            remarks: Array(remarks.prefix(1000)))
    }

    private func reservations(_ remarks: Int) -> [Reservation] {
        var reservations: [Reservation] = []
        if remarks > 0 {
            reservations.append(Reservation(.definitionsDiffer, count: remarks))
        }
        let merged = Dictionary(grouping: settings.mapping.roles.values) { $0 }
            .values.filter { $0.count > 1 }.count
        if merged > 0 {
            reservations.append(Reservation(.mergedRoles, count: merged))
        }
        return reservations
    }

    private func rowComparisons(
        _ stored: StoredDatabase, _ found: [Int: MultisetDigest], _ missing: Set<Int>
    ) throws(Failure) -> [ImportResult.Comparison] {
        var tally = TableTally()
        for (place, table) in stored.tables.enumerated() {
            let digest = missing.contains(place) ? nil : found[place] ?? MultisetDigest()
            guard
                let difference = tally.add(
                    table.qualified, expected: table.digest, found: digest)
            else { continue }
            note(
                difference: "table \(table.qualified)", "rows", counted(table.digest.count, "row"),
                difference)
            if digest != nil, tally.unequalCount <= Self.tablesLookedInto,
                !artifacts.lacks(source.artifacts[table.artifact])
            {
                try noteRows(of: table, stored)
            }
        }
        var comparisons = tally.comparisons
        if let place = stored.place("postgresql-large-objects"),
            let expected = source.artifacts[place].rows
        {
            let digest = found[-1] ?? MultisetDigest()
            comparisons.append(
                .init(
                    name: "large-objects", expected: "\(expected.count) \(expected.sum.hex)",
                    found: "\(digest.count) \(digest.sum.hex)"))
            if digest != expected {
                note(
                    difference: "large objects", "content", "\(expected.count) pieces",
                    "\(digest.count) pieces")
            }
        }
        return comparisons
    }

    /// Both sides of so many unequal tables are read again for the rows that differ.
    private static let tablesLookedInto = 10

    /// Names the rows that differ by their keys.
    private func noteRows(
        of table: StoredDatabase.Table, _ stored: StoredDatabase
    ) throws(Failure) {
        let difference = try RowDifference.between(
            columns: table.columns, key: table.key, salt: stored.salt
        ) { (side, look) throws(Failure) in try rows(of: table, stored, side, look) }
        for line in difference.lines(hasKey: !table.key.isEmpty) {
            note(
                difference: line.row.isEmpty
                    ? "rows of \(table.qualified)" : "row of \(table.qualified): \(line.row)",
                line.row.isEmpty ? "rows" : "row", line.expected, line.found)
        }
    }

    private func rows(
        of table: StoredDatabase.Table, _ stored: StoredDatabase, _ side: RowDifference.Side,
        _ body: ([UInt8]) -> Void
    ) throws(Failure) {
        switch side {
        case .archive:
            try StoredRows.each(
                of: source.artifacts[table.artifact], from: artifacts, room.progress, body)
        case .target:
            var splitter = RowSplitter()
            var chunk = Chunk()
            let pieces = try comparer(stored).pieces(of: table, canCut: false) ?? []
            try target.pool.with { (connection) throws(Failure) in
                for piece in pieces {
                    _ = try unsafe connection.copyOut(
                        piece.copy(columns: table.columns, encoding: stored.encoding), into: &chunk,
                        row: { (bytes) throws(Failure) in unsafe splitter.split(bytes, body) },
                        full: { (_) throws(Failure) in })
                }
            }
        }
    }

    private func counts(_ stored: StoredDatabase) throws(Failure) -> [ImportResult.Comparison] {
        var comparisons: [ImportResult.Comparison] = []
        for table in stored.tables {
            let filter = table.condition.isEmpty ? "" : " " + table.condition
            let isRoot = try target.pool.with { (connection) throws(Failure) in
                try connection.value(
                    "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass($1)",
                    [table.qualified])
            }
            let only = isRoot == "t" ? "" : "ONLY "
            let found = try target.pool.with { (connection) throws(Failure) in
                isRoot == nil
                    ? nil
                    : try connection.value(
                        "SELECT count(*) FROM \(only)\(table.qualified)\(filter)")
            }
            comparisons.append(
                .init(
                    "row count", of: .init("table", table.qualified),
                    expected: String(table.digest.count),
                    found: found ?? "missing"))
        }
        return comparisons
    }
}

extension SQLStatement {
    /// The token that names the database, in statements about it.
    var databaseToken: Int? {
        if begins("ALTER", "DATABASE") { return 2 }
        if begins("COMMENT", "ON", "DATABASE") { return 3 }
        let outer = outer
        return outer.first {
            word($0 - 1) == "DATABASE" && (word($0 - 2) == "ON" || word($0 - 2) == "IN")
        }
    }
}
