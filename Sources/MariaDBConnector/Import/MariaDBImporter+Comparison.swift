public import Basics
public import Connectors
import Databases
import Manifests
import Plans
import Primitives
import Streams
import Synchronization

// What is on the target, held against what the archive says.
extension MariaDBImporter {
    enum Slice: Sendable {
        case table(Int, part: Int, of: Int)
        case states, objects
    }

    func slices(_ stored: StoredServer) -> [Slice] {
        var slices: [Slice] = []
        let order = stored.tables.indices.sorted {
            source.artifacts[stored.tables[$0].artifact].plainBytes
                > source.artifacts[stored.tables[$1].artifact].plainBytes
        }
        for place in order {
            let parts = max(1, source.artifacts[stored.tables[place].artifact].segments.count)
            slices += (0..<parts).map { .table(place, part: $0, of: parts) }
        }
        return slices + [.states, .objects]
    }

    public func compare(_ number: Int) throws(Failure) {
        let stored = try prepared().stored
        switch state.withLock({ $0.slices[number] }) {
        case .table(let place, let part, let count):
            let table = stored.tables[place]
            do throws(Failure) {
                let digest = try target.pool.with { (session) throws(Failure) -> MultisetDigest in
                    try self.digest(of: table, part: part, of: count, session)
                }
                state.withLock { $0.found[place, default: MultisetDigest()].add(digest) }
                // Nobody can tell which rows are current where some are lost: then no table equals what was sealed.
                if part == 0, isDroppingHistory(of: table),
                    !artifacts.lacks(source.artifacts[table.artifact])
                {
                    try noteCurrentRows(place, stored)
                }
            } catch {
                guard error.code == .databaseRefused else { throw error }
                state.withLock { _ = $0.missing.insert(place) }
            }
        case .states: try compareStates(stored)
        case .objects: try compareObjects(stored)
        }
    }

    /// One part of a table's pieces, which are cut once for all parts.
    private func digest(
        of table: StoredServer.Table, part: Int, of count: Int, _ session: Session
    ) throws(Failure) -> MultisetDigest {
        let stored = try prepared().stored
        let pieces = try pieces(of: table, count: count, session)
        var hasher = RowHasher(salt: stored.salt)
        var chunk = Chunk()
        let progress = room.progress
        for place in pieces.indices where place % count == part {
            _ = try unsafe session.stream(
                try select(table, pieces[place].condition), into: &chunk,
                row: { (piece) throws(Failure) in unsafe hasher.update(row: piece) },
                full: { (chunk) throws(Failure) in progress.add(bytes: Int64(chunk.count)) })
        }
        return hasher.digest
    }

    private func select(
        _ table: StoredServer.Table, _ condition: String
    ) throws(Failure) -> String {
        let isDropping = isDroppingHistory(of: table)
        let columns =
            isDropping
            ? try CurrentRows(table, try prepared().stored).compared(table.columns) : table.columns
        return Table.select(
            columns, of: target.qualified(table), hasHistory: table.hasHistory && !isDropping,
            condition)
    }

    private func pieces(
        of table: StoredServer.Table, count: Int, _ session: Session
    ) throws(Failure) -> [TablePiece] {
        if let pieces = state.withLock({ $0.pieces[table.artifact] }) { return pieces }
        let catalog = try catalog(session)
        let name = target.name(table.database)
        guard let here = catalog["\(name).\(table.name)"] else {
            throw Failure(.databaseRefused, "there is no table \(name).\(table.name)")
        }
        let pieces = try TableCutter(session: session).pieces(
            of: here, target: max(1, here.bytes / Int64(count)))
        return state.withLock {
            if let first = $0.pieces[table.artifact] { return first }
            $0.pieces[table.artifact] = pieces
            return pieces
        }
    }

    /// The tables of the target by their titles.
    private func catalog(_ session: Session) throws(Failure) -> [String: Table] {
        if let catalog = state.withLock({ $0.catalog }) { return catalog }
        let names = try prepared().stored.databases.map { target.name($0) }
        let tables = try TableCatalog(session, try target.server(), databases: names).all
        let catalog = Dictionary(tables.map { ($0.title, $0) }, uniquingKeysWith: { $1 })
        state.withLock { $0.catalog = catalog }
        return catalog
    }

    // MARK: - Sequences, counters, definitions

    private func compareStates(_ stored: StoredServer) throws(Failure) {
        var behind = 0
        var count = stored.sequences.count
        try target.pool.with { (session) throws(Failure) in
            for sequence in stored.sequences {
                let name =
                    "\(target.name(sequence.database).quotedName).\(sequence.name.quotedName)"
                var next: Int64?
                var round: Int64 = 0
                do throws(Failure) {
                    let row = try session.query(
                        "SELECT next_not_cached_value, cycle_count FROM \(name)"
                    ).first
                    next = row?[0].flatMap { Int64($0) }
                    round = row?[1].flatMap { Int64($0) } ?? 0
                } catch {
                    guard error.code == .databaseRefused else { throw error }
                }
                // The source may have gone on after the moment; the target must not be behind.
                if let next,
                    round > sequence.round
                        || round == sequence.round
                            && (sequence.increment < 0
                                ? next <= sequence.next : next >= sequence.next)
                {
                    continue
                }
                behind += 1
                note(
                    difference: "sequence \(sequence.database).\(sequence.name)", "next value",
                    String(sequence.next), next.map { String($0) } ?? "missing")
            }
            for table in stored.tables {
                guard let expected = table.autoIncrement.flatMap({ UInt64($0) }) else { continue }
                count += 1
                let next = try AutoIncrement.read(target.name(table.database), table.name, session)
                if let next, next >= expected { continue }
                behind += 1
                note(
                    difference: "table \(table.title)", "AUTO_INCREMENT", String(expected),
                    next.map { String($0) } ?? "missing")
            }
        }
        let found = count - behind
        state.withLock { [count] in
            $0.comparisons.append(
                .init(
                    name: "sequences and counters", expected: String(count), found: String(found)))
        }
    }

    private func compareObjects(_ stored: StoredServer) throws(Failure) {
        let server = try target.server()
        let names = stored.databases.map { target.name($0) }
        let here = try target.pool.with { (session) throws(Failure) in
            try Self.definitions(in: names, session, server)
        }
        let found = Dictionary(here.map { ($0.title, $0) }, uniquingKeysWith: { $1 })
        let expected = stored.definitions.filter {
            ![.user, .role, .grant, .defaultRole].contains($0.kind)
        }.map { definition in
            let mapped = settings.mapping.applied(to: definition)
            return settings.events == .enable ? mapped : mapped.disabled
        }
        // Another server may print the same definition otherwise.
        let isSameServer =
            server.family == stored.family && server.version / 100 == stored.version / 100
        let readable = Set(
            stored.readableViews.map { "view \(target.name($0.database)).\($0.name)" })
        let unreadable = Set(expected.filter { $0.kind == .view }.map(\.title)).subtracting(
            readable)
        var wrong = 0
        for definition in expected {
            guard let other = found[definition.title] else {
                // What the source itself could not read is told already, and is no difference.
                if unreadable.contains(definition.title) { continue }
                wrong += 1
                note(difference: definition.title, "object", "there", "missing")
                continue
            }
            guard let difference = definition.difference(from: other) else { continue }
            if definition.kind == .database, settings.existing == .add {
                // It is not ours, and what is made in it says what it needs.
                target.note(
                    shortfall: definition.title,
                    "was there, with another definition: \(difference.found)")
            } else if isSameServer {
                wrong += 1
                note(
                    difference: definition.title, difference.what, difference.expected,
                    difference.found)
            } else {
                target.note(
                    shortfall: definition.title,
                    "the target prints its definition otherwise: \(difference.found)")
            }
        }
        let titles = Set(expected.map(\.title))
        for definition in here
        where !titles.contains(definition.title) && settings.existing != .add {
            wrong += 1
            note(difference: definition.title, "object", "missing", "there")
        }
        try testViews(stored)
        let (count, bad) = (expected.count, wrong)
        state.withLock {
            $0.comparisons.append(
                .init(name: "objects", expected: String(count), found: String(count - bad)))
        }
    }

    /// A view that is there may still be of no use, for want of its definer or of the definer's rights.
    private func testViews(_ stored: StoredServer) throws(Failure) {
        try target.pool.with { (session) throws(Failure) in
            for view in stored.readableViews {
                let name = "\(target.name(view.database).quotedName).\(view.name.quotedName)"
                if let obstacle = try ViewTest.obstacle(name, session) {
                    target.note(
                        shortfall: "view \(view.database).\(view.name)",
                        "it cannot be read on the target, as it could on the source: \(obstacle)")
                }
            }
        }
    }

    private static func definitions(
        in names: [String], _ session: Session, _ server: ServerFacts
    ) throws(Failure) -> [Definition] {
        let reader = DefinitionReader(session: session, server: server)
        var definitions: [Definition] = []
        for table in try TableCatalog(session, server, databases: names).all
        where table.name != TargetServer.marks {
            try reader.use(table.database)
            definitions.append(
                try table.kind == .view ? reader.view(table) : reader.table(table))
        }
        for name in names {
            definitions.append(try reader.database(name))
            definitions += try reader.programs(name)
        }
        return definitions
    }

    private func note(
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
        let (found, missing, compared) = state.withLock { ($0.found, $0.missing, $0.comparisons) }
        var comparisons: [ImportResult.Comparison] = []
        if !compared.isEmpty {
            comparisons += try rowComparisons(stored, found, missing)
            comparisons += compared
        }
        if counting { comparisons += try counts(stored) }
        if settings.history == .drop {
            for table in stored.tables where table.hasHistory {
                target.note(
                    shortfall: "table \(table.title)", "its history was left out, as the plan says")
            }
        }
        let (differences, shortfalls, inserts) = (
            state.withLock { $0.differences }, target.shortfalls.withLock { $0 },
            state.withLock { $0.inserts }
        )
        return ImportResult(
            comparisons: comparisons, differences: Array(differences.prefix(1000)),
            differenceCount: Int64(differences.count), shortfalls: Array(shortfalls.prefix(1000)),
            shortfallCount: Int64(shortfalls.count),
            counts: [
                .init("tables", .integer(Int64(stored.tables.count))),
                .init("rows", .integer(stored.tables.reduce(0) { $0 + $1.rows.count })),
                .init("sequences", .integer(Int64(stored.sequences.count))),
                .init("loaded-by", .string(inserts ? "INSERT" : "LOAD DATA LOCAL")),
                .init("accounts-kept", .array(state.withLock { $0.kept }.map { .string($0) })),
            ], mappings: settings.mapping.json)
    }

    private func rowComparisons(
        _ stored: StoredServer, _ found: [Int: MultisetDigest], _ missing: Set<Int>
    ) throws(Failure) -> [ImportResult.Comparison] {
        var tally = TableTally()
        for (place, table) in stored.tables.enumerated() {
            let digest = missing.contains(place) ? nil : found[place] ?? MultisetDigest()
            // What was left out on purpose cannot be equal.
            let expected = state.withLock { $0.current[place] } ?? table.rows
            guard let difference = tally.add(table.title, expected: expected, found: digest)
            else { continue }
            note(
                difference: "table \(table.title)", "rows", counted(expected.count, "row"),
                difference)
            if digest != nil, tally.unequalCount <= Self.tablesLookedInto,
                !artifacts.lacks(source.artifacts[table.artifact])
            {
                try noteRows(of: table, stored)
            }
        }
        return tally.comparisons
    }

    /// Both sides of so many unequal tables are read again for the rows that differ.
    private static let tablesLookedInto = 10

    /// Names the rows that differ by their keys.
    private func noteRows(
        of table: StoredServer.Table, _ stored: StoredServer
    ) throws(Failure) {
        let columns =
            isDroppingHistory(of: table)
            ? try CurrentRows(table, stored).compared(table.columns) : table.columns
        let key = table.key.filter { name in columns.contains { $0.name == name } }
        let difference = try RowDifference.between(
            columns: columns.map(\.name), key: key, salt: stored.salt
        ) { (side, look) throws(Failure) in try rows(of: table, side, look) }
        for line in difference.lines(hasKey: !key.isEmpty) {
            note(
                difference: line.row.isEmpty
                    ? "rows of \(table.title)" : "row of \(table.title): \(line.row)",
                line.row.isEmpty ? "rows" : "row", line.expected, line.found)
        }
    }

    func rows(
        of table: StoredServer.Table, _ side: RowDifference.Side, _ body: ([UInt8]) -> Void
    ) throws(Failure) {
        switch side {
        case .archive:
            let current =
                isDroppingHistory(of: table)
                ? try CurrentRows(table, try prepared().stored) : nil
            try StoredRows.each(
                of: source.artifacts[table.artifact], from: artifacts, room.progress
            ) { row in
                guard let current else { return body(row) }
                if let row = current.compared(row) { body(row) }
            }
        case .target:
            var splitter = RowSplitter()
            var chunk = Chunk()
            try target.pool.with { (session) throws(Failure) in
                _ = try unsafe session.stream(
                    try select(table, ""), into: &chunk,
                    row: { (bytes) throws(Failure) in unsafe splitter.split(bytes, body) },
                    full: { (_) throws(Failure) in })
            }
        }
    }

    private func counts(_ stored: StoredServer) throws(Failure) -> [ImportResult.Comparison] {
        var comparisons: [ImportResult.Comparison] = []
        for table in stored.tables where !table.hasHistory || settings.history == .keep {
            let found = try target.pool.with { (session) throws(Failure) -> String? in
                do throws(Failure) {
                    return try session.value(
                        "SELECT COUNT(*) FROM \(target.qualified(table))"
                            + (table.hasHistory ? " FOR SYSTEM_TIME ALL" : ""))
                } catch {
                    guard error.code == .databaseRefused else { throw error }
                    return nil
                }
            }
            comparisons.append(
                .init(
                    "row count", of: .init("table", table.title),
                    expected: String(table.rows.count),
                    found: found ?? "missing"))
        }
        return comparisons
    }
}
