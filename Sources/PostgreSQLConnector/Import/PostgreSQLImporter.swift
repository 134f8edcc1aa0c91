public import Basics
public import Connectors
public import Manifests
public import Plans
import Primitives
import Streams
import Synchronization

/// Replays a database on a server: roles, definitions, rows on many sessions at once, then indexes
/// and constraints; and reads every table again.
///
/// Statements are run one by one through libpq. No psql takes part, so nothing in an archive can be
/// one of its commands.
public final class PostgreSQLImporter: Importer {
    public static let kind = "postgresql"
    public static let targetRemembers = true

    private let source: SourceRecord
    private let artifacts: any ArtifactSource
    private let room: Room
    private let settings: PostgreSQLTarget
    private let resuming: Bool
    private let target: TargetDatabase
    private let state = Mutex(State())

    private struct State {
        var stored: StoredDatabase?
        /// Artifacts of tables that a crash of the server empties.
        var unlogged: Set<Int> = []
        var plan: PostDataPlan?
        var comparer: TableComparer?
        var canCut = false
        var found: [Int: MultisetDigest] = [:]
        var missing: Set<Int> = []
        var differences: [JSON] = []
        var comparisons: [ImportResult.Comparison] = []
    }

    /// Units that are no segments of the archive, by an artifact number that none has.
    private enum Step {
        static let analyze = 1 << 20
    }

    public static func check(_ target: TargetPlan, _ problems: PlanProblems) {
        _ = PostgreSQLTarget(target, problems)
    }

    public init(
        _ target: TargetPlan, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        let problems = PlanProblems()
        settings = PostgreSQLTarget(target, problems)
        try problems.check()
        self.source = source
        self.artifacts = artifacts
        self.room = room
        self.resuming = resuming && Files.exists(room.directory + "/begun")
        self.target = try TargetDatabase(settings, progress: room.progress)
    }

    // MARK: - Before

    private var finishedPath: String { room.directory + "/finished" }

    public func prepare() throws(Failure) -> ImportOutline {
        let stored = try StoredDatabase(source, from: artifacts)
        let plan = PostDataPlan(try stored.statements("postgresql-post-data"))
        if !Files.exists(finishedPath) {
            try target.prepare(stored, resuming: resuming)
            try Files.write([], to: room.directory + "/begun", mode: 0o600)
        }
        let names = Set(
            stored.objects.filter { $0.kind == "table" && $0.state.contains("unlogged") }
                .map(\.identity))
        state.withLock {
            $0.stored = stored
            $0.plan = plan
            $0.unlogged = Set(
                stored.tables.filter { names.contains($0.identity) }.map(\.artifact))
        }
        return ImportOutline(
            rounds: rounds(stored, plan), slices: slices(stored).count,
            bytes: source.artifacts.reduce(0) { $0 + $1.plainBytes })
    }

    private func rounds(_ stored: StoredDatabase, _ plan: PostDataPlan) -> [[SegmentNumber]] {
        // From then on the database is only compared: what anyone changes in it is found.
        if Files.exists(finishedPath) { return [] }
        func script(_ kind: String) -> [SegmentNumber] {
            stored.place(kind).map { [SegmentNumber(artifact: $0, segment: 0)] } ?? []
        }
        let rows = source.artifacts.indices.filter { source.artifacts[$0].rows != nil }
            .sorted { source.artifacts[$0].plainBytes > source.artifacts[$1].plainBytes }
            .flatMap { place in
                source.artifacts[place].segments.indices.map {
                    SegmentNumber(artifact: place, segment: $0)
                }
            }
        var rounds = [
            script("postgresql-roles"), script("postgresql-database"),
            script("postgresql-pre-data"),
            rows, script("postgresql-sequences"), script("postgresql-role-passwords"),
        ]
        if let place = stored.place("postgresql-post-data") {
            var unit = 0
            for round in plan.rounds {
                rounds.append(
                    round.indices.map { SegmentNumber(artifact: place, segment: unit + $0) })
                unit += round.count
            }
        }
        rounds.append(
            stored.tables.indices.map { SegmentNumber(artifact: Step.analyze, segment: $0) })
        return rounds.filter { !$0.isEmpty }
    }

    private func prepared() throws(Failure) -> (stored: StoredDatabase, plan: PostDataPlan) {
        guard let stored = state.withLock({ $0.stored }), let plan = state.withLock({ $0.plan })
        else { throw Failure(.failed, "an import that is not prepared") }
        return (stored, plan)
    }

    // MARK: - Replay

    public func replay(_ unit: SegmentNumber) throws(Failure) {
        let (stored, plan) = try prepared()
        if unit.artifact == Step.analyze {
            let table = stored.tables[unit.segment]
            return try target.pool.with { (connection) throws(Failure) in
                try connection.execute("ANALYZE \(table.qualified)")
            }
        }
        let artifact = source.artifacts[unit.artifact]
        switch artifact.kind {
        case "postgresql-roles": try replayRoles(stored, plan)
        case "postgresql-database": try replaySettings(stored)
        case "postgresql-pre-data":
            try replay(try stored.statements(artifact.kind), as: "pre-data")
        case "postgresql-table": try load(unit, stored)
        case "postgresql-large-objects": try loadLargeObjects(unit)
        case "postgresql-sequences":
            try replay(try stored.statements(artifact.kind), as: "sequences")
        case "postgresql-role-passwords": try replayPasswords(artifact)
        case "postgresql-post-data":
            let units = plan.rounds.joined().map(\.self)
            for place in units[unit.segment] { try replay(plan.entries[place], place) }
        default: throw StoredDatabase.malformed("an artifact of kind \(artifact.kind)")
        }
    }

    private func replayRoles(_ stored: StoredDatabase, _ plan: PostDataPlan) throws(Failure) {
        let scripts =
            try stored.statements("postgresql-database") + stored.statements("postgresql-pre-data")
            + plan.entries.flatMap(\.statements)
        let roles = try stored.statements("postgresql-roles")
        try target.pool.with { (connection) throws(Failure) in
            try RoleMaker(target: target, mapping: settings.mapping, connection: connection)
                .make(roles, for: scripts)
        }
    }

    /// Owner, comment, rights and settings of the database; it may have another name here.
    private func replaySettings(_ stored: StoredDatabase) throws(Failure) {
        let name = target.conninfo.database ?? stored.database
        for statement in try stored.statements("postgresql-database") {
            if statement.begins("CREATE", "DATABASE") || statement.word(0) == "SET"
                || statement.word(0) == "SELECT"
            {
                continue
            }
            var statement = settings.mapping.applied(to: statement)
            if let place = statement.databaseToken { statement.replace([(place, name.quotedName)]) }
            try target.pool.with { (connection) throws(Failure) in
                do throws(Failure) { try connection.execute(statement.bytes) } catch {
                    guard error.code == .databaseRights || error.code == .databaseRefused else {
                        throw error
                    }
                    target.note(shortfall: "database \(name)", error.cause?.what ?? error.what)
                }
            }
        }
    }

    /// All statements in one transaction.
    private func replay(_ statements: [SQLStatement], as unit: String) throws(Failure) {
        try target.once(unit) { (connection) throws(Failure) in
            for statement in statements {
                try room.progress.checkCancelled()
                // The whole transaction would see it, and our pins do the same.
                if statement.word(0) == "SELECT", statement.name(3) == "set_config" { continue }
                try run(statement, on: connection)
            }
        }
    }

    private func replay(_ entry: DumpEntry, _ place: Int) throws(Failure) {
        try target.once("post-data \(place)") { (connection) throws(Failure) in
            try connection.execute(
                "SET LOCAL default_tablespace = ''; SET LOCAL default_table_access_method = 'heap'")
            for statement in entry.settings { try run(statement, on: connection) }
            for statement in entry.statements { try run(statement, on: connection) }
        }
    }

    private func run(_ statement: SQLStatement, on connection: Connection) throws(Failure) {
        let mapped = settings.mapping.applied(to: statement)
        do throws(Failure) { try connection.execute(mapped.bytes) } catch {
            let title = statement.notes.last { $0.contains("; Type: ") }
            guard let title else { throw error }
            throw error.during("cannot restore \(title)")
        }
    }

    private func replayPasswords(_ artifact: ArtifactRecord) throws(Failure) {
        let stored = try prepared().stored
        let made = try stored.statements(artifact.kind)
        try target.pool.with { (connection) throws(Failure) in
            for statement in made {
                let name = statement.roleNames.first.map { settings.mapping.roles[$0] ?? $0 } ?? "?"
                // Roles that had a password of their own here keep it.
                let isFree = try connection.value(
                    "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = $1", [name])
                guard isFree == "t" else { continue }
                try connection.execute(settings.mapping.applied(to: statement).bytes)
            }
        }
    }

    private func load(_ unit: SegmentNumber, _ stored: StoredDatabase) throws(Failure) {
        guard let table = stored.tables.first(where: { $0.artifact == unit.artifact }) else {
            throw StoredDatabase.malformed("rows of a table that the contents do not list")
        }
        let statement = TableLoad.statement(
            table.qualified, columns: table.columns, encoding: stored.encoding)
        do throws(Failure) {
            try target.once(
                "rows \(unit.artifact) \(unit.segment)",
                isUnlogged: state.withLock { $0.unlogged.contains(table.artifact) }
            ) { (connection) throws(Failure) in try pour(unit, statement, connection) }
        } catch { throw error.during("cannot load rows into \(table.qualified)") }
    }

    private func pour(
        _ unit: SegmentNumber, _ statement: String, _ connection: Connection
    ) throws(Failure) {
        let stream = try artifacts.open(source.artifacts[unit.artifact], segment: unit.segment)
        var chunk = Chunk()
        try connection.copyIn(statement, through: &chunk) { (chunk) throws(Failure) in
            try stream.read(into: &chunk)
            room.progress.add(bytes: Int64(chunk.count))
        }
    }

    private func loadLargeObjects(_ unit: SegmentNumber) throws(Failure) {
        try target.once("rows \(unit.artifact) \(unit.segment)") { (connection) throws(Failure) in
            try connection.execute(LargeObjects.loadingTable + " ON COMMIT DROP")
            try pour(unit, LargeObjects.loading, connection)
            try connection.execute(LargeObjects.storing)
        }
    }

    public func finish() throws(Failure) {
        if Files.exists(finishedPath) { return }
        let plan = try prepared().plan
        for place in plan.eventTriggers { try replay(plan.entries[place], place) }
        try target.end()
        try Files.write([], to: finishedPath, mode: 0o600)
    }

    // MARK: - Comparison

    private enum Slice {
        case table(Int, part: Int, of: Int)
        case largeObjects(Int)
        case sequences, objects
    }

    private func slices(_ stored: StoredDatabase) -> [Slice] {
        var slices: [Slice] = []
        let order = stored.tables.indices.sorted {
            source.artifacts[stored.tables[$0].artifact].plainBytes
                > source.artifacts[stored.tables[$1].artifact].plainBytes
        }
        for place in order {
            let parts = max(1, source.artifacts[stored.tables[place].artifact].segments.count)
            slices += (0..<parts).map { .table(place, part: $0, of: parts) }
        }
        return slices + stored.largeObjects.indices.map { .largeObjects($0) } + [
            .sequences, .objects,
        ]
    }

    public func compare(_ number: Int) throws(Failure) {
        let stored = try prepared().stored
        let comparer = try comparer(stored)
        switch slices(stored)[number] {
        case .table(let place, let part, let count):
            let table = stored.tables[place]
            let canCut = state.withLock { $0.canCut }
            guard let pieces = comparer.pieces(of: table, canCut: canCut) else {
                state.withLock { _ = $0.missing.insert(place) }
                return
            }
            let mine = pieces.indices.filter { $0 % count == part }.map { pieces[$0] }
            let digest = try comparer.digest(
                of: mine.map { $0.copy(columns: table.columns, encoding: stored.encoding) })
            state.withLock { $0.found[place, default: MultisetDigest()].add(digest) }
        case .largeObjects(let batch):
            let range = stored.largeObjects[batch]
            let digest = try comparer.digest(
                of: [LargeObjects.copy(from: range.first, to: range.last)])
            state.withLock { $0.found[-1, default: MultisetDigest()].add(digest) }
        case .sequences: try compareSequences(stored)
        case .objects: try compareObjects(stored)
        }
    }

    private func comparer(_ stored: StoredDatabase) throws(Failure) -> TableComparer {
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

    private func compareObjects(_ stored: StoredDatabase) throws(Failure) {
        let found = try target.pool.with { (connection) throws(Failure) in
            try ObjectInventory.read(connection).map { $0.mapped([:]) }
        }
        let mapping = settings.mapping.roles
        let expected = Set(stored.objects.map { $0.mapped(mapping) })
        let here = Set(found)
        var wrong: Int64 = 0
        let byName = Dictionary(grouping: found) { "\($0.kind) \($0.identity)" }
        for object in expected.subtracting(here).sorted(by: { $0.identity < $1.identity }) {
            wrong += 1
            let other = byName["\(object.kind) \(object.identity)"]?.first
            note(
                difference: "\(object.kind) \(object.identity)", "object",
                "owner \(object.owner) \(object.state)",
                other.map { "owner \($0.owner) \($0.state)" } ?? "missing")
        }
        let expectedNames = Set(expected.map { "\($0.kind) \($0.identity)" })
        for object in found where !expectedNames.contains("\(object.kind) \(object.identity)") {
            // A public schema without anything may be there on one side only.
            if settings.existing == .add || object.identity == "public" { continue }
            wrong += 1
            note(difference: "\(object.kind) \(object.identity)", "object", "missing", "there")
        }
        let (count, bad) = (Int64(expected.count), wrong)
        state.withLock {
            $0.comparisons.append(
                .init(
                    name: "objects", expected: String(count),
                    found: bad == 0 ? String(count) : "\(count - bad)"))
        }
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
        let compared = state.withLock { ($0.found, $0.missing, $0.comparisons) }
        var comparisons: [ImportResult.Comparison] = []
        if !compared.2.isEmpty {
            comparisons += rowComparisons(stored, compared.0, compared.1)
            comparisons += compared.2
        }
        if counting { comparisons += try counts(stored) }
        let (differences, shortfalls) = (
            state.withLock { $0.differences }, target.shortfalls.withLock { $0 }
        )
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
            ])
    }

    /// One line for all tables that are equal, and one for each that is not.
    private func rowComparisons(
        _ stored: StoredDatabase, _ found: [Int: MultisetDigest], _ missing: Set<Int>
    ) -> [ImportResult.Comparison] {
        var unequal: [ImportResult.Comparison] = []
        var rows: (expected: Int64, found: Int64) = (0, 0)
        for (place, table) in stored.tables.enumerated() {
            let digest = found[place] ?? MultisetDigest()
            rows = (rows.expected + table.digest.count, rows.found + digest.count)
            if digest == table.digest, !missing.contains(place) { continue }
            let text = missing.contains(place) ? "missing" : "\(digest.count) \(digest.sum.hex)"
            unequal.append(
                .init(
                    name: "rows of \(table.qualified)",
                    expected: "\(table.digest.count) \(table.digest.sum.hex)", found: text))
            note(
                difference: "table \(table.qualified)", "rows", "\(table.digest.count) rows",
                missing.contains(place) ? "missing" : "\(digest.count) rows, not the same")
        }
        let count = stored.tables.count
        var comparisons: [ImportResult.Comparison] = [
            .init(name: "tables", expected: String(count), found: String(count - unequal.count)),
            .init(name: "rows", expected: String(rows.expected), found: String(rows.found)),
        ]
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
        return comparisons + unequal
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
                    name: "row count of \(table.qualified)", expected: String(table.digest.count),
                    found: found ?? "missing"))
        }
        return comparisons
    }
}

extension DatabaseObject {
    /// With the roles of the target, as owner and in the names that hold a role.
    func mapped(_ roles: [String: String]) -> DatabaseObject {
        var name = SQLStatement(Array(identity.utf8))
        let place = kind == "user mapping" ? 0 : kind == "default acl" ? 2 : nil
        if let place, let role = name.name(place) {
            name.replace([(place, (roles[role] ?? role).quotedName)])
        }
        return DatabaseObject(
            kind: kind, identity: place == nil ? identity : name.text, state: state,
            owner: roles[owner] ?? owner)
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
