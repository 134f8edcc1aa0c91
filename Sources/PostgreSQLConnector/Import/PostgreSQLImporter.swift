public import Basics
public import Connectors
import Databases
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

    let source: SourceRecord
    let artifacts: any ArtifactSource
    let room: Room
    let settings: PostgreSQLTarget
    private let claim: ImportClaim
    let target: TargetDatabase
    let state = Mutex(State())

    struct State {
        var stored: StoredDatabase?
        var tables: [Int: StoredDatabase.Table] = [:]
        var slices: [Slice] = []
        /// The units of the definitions behind the rows.
        var units: [[Int]] = []
        /// Artifacts of tables that a crash of the server empties.
        var unlogged: Set<Int> = []
        var plan: PostDataPlan?
        var comparer: TableComparer?
        var canCut = false
        var found: [Int: MultisetDigest] = [:]
        var missing: Set<Int> = []
        var differences: [JSON] = []
        var comparisons: [ImportResult.Comparison] = []
        /// Differences that another major version explains.
        var remarks: [JSON] = []
        /// Who asks probes, once one was asked.
        var asker: Conninfo?
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
        claim = try ImportClaim(in: room, resuming: resuming)
        self.target = try TargetDatabase(settings, progress: room.progress)
    }

    // MARK: - Before

    /// Which roles this import makes.
    var rolesPath: String { room.directory + "/roles" }
    /// What was there before the import, and stays as it is.
    private var keptPath: String { room.directory + "/kept" }
    func kept() throws(Failure) -> Set<String> {
        guard Files.exists(keptPath) else { return [] }
        return Set((try JSON(parsing: Files.read(keptPath)).array ?? []).compactMap(\.string))
    }
    private var finishedPath: String { room.directory + "/finished" }
    private var shortfallPath: String { room.directory + "/not-set" }

    public func prepare() throws(Failure) -> ImportOutline {
        let stored = try StoredDatabase(source, from: artifacts)
        // All scripts are looked through before anything is written.
        for kind in ScriptKind.allCases { _ = try stored.statements(kind.rawValue) }
        let plan = PostDataPlan(try stored.statements("postgresql-post-data"))
        if !Files.exists(finishedPath) {
            try target.check(stored, claim)
        } else {
            try target.end()
            let told = try JSON(parsing: Files.read(shortfallPath)).array ?? []
            target.shortfalls.withLock { $0 = told }
        }
        let names = Set(
            stored.objects.filter { $0.kind == "table" && $0.state.contains("unlogged") }
                .map(\.identity))
        let slices = slices(stored)
        state.withLock {
            $0.stored = stored
            $0.plan = plan
            $0.slices = slices
            $0.units = plan.rounds.flatMap { $0 }
            $0.tables = Dictionary(
                stored.tables.map { ($0.artifact, $0) }, uniquingKeysWith: { first, _ in first })
            $0.unlogged = Set(
                stored.tables.filter { names.contains($0.identity) }.map(\.artifact))
        }
        return ImportOutline(
            rounds: rounds(stored, plan), slices: slices.count,
            bytes: source.artifacts.reduce(0) { $0 + $1.plainBytes })
    }

    public func begin() throws(Failure) {
        guard !Files.exists(finishedPath), let stored = state.withLock({ $0.stored }) else {
            return
        }
        try target.prepare(stored, claim) { (kept) throws(Failure) in
            let keys = JSON.array(kept.sorted().map { .string($0) })
            try Files.write(keys.canonical, to: keptPath, mode: 0o600)
        }
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

    func prepared() throws(Failure) -> (stored: StoredDatabase, plan: PostDataPlan) {
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
            let entries = state.withLock { $0.units[unit.segment] }
            for place in entries { try replay(plan.entries[place], place) }
        default: throw StoredDatabase.malformed("an artifact of kind \(artifact.kind)")
        }
    }

    private func replayRoles(_ stored: StoredDatabase, _ plan: PostDataPlan) throws(Failure) {
        let scripts =
            try stored.statements("postgresql-database") + stored.statements("postgresql-pre-data")
            + plan.entries.flatMap(\.statements)
        let roles = try stored.statements("postgresql-roles")
        try target.pool.with { (connection) throws(Failure) in
            try RoleMaker(
                target: target, mapping: settings.mapping, connection: connection,
                record: rolesPath
            ).make(roles, for: scripts)
            let rights = TemporaryRights(mapping: settings.mapping, connection: connection)
            if try rights.isNeeded() { try rights.join(rights.owners(scripts)) }
        }
    }

    /// Owner, comment, rights and settings of the database; it may have another name here.
    private func replaySettings(_ stored: StoredDatabase) throws(Failure) {
        let name = try target.pool.with { (connection) throws(Failure) in
            try connection.value("SELECT current_database()") ?? stored.database
        }
        let isKept = try kept().contains("database ")
        for statement in try stored.statements("postgresql-database") {
            if isKept {
                if let setting = statement.setting {
                    target.note(
                        shortfall: "database \(name)",
                        "it held objects before: its settings stay, without \(setting.name)")
                }
                continue
            }
            if statement.begins("CREATE", "DATABASE") || statement.word(0) == "SET"
                || statement.word(0) == "SELECT"
            {
                continue
            }
            var statement = settings.mapping.applied(to: statement)
            if let place = statement.databaseToken { statement.replace([(place, name.quotedName)]) }
            try target.pool.with { (connection) throws(Failure) in
                do throws(Failure) { try connection.execute(one: statement.bytes) } catch {
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
        let kept = try kept()
        try target.once(unit) { (connection) throws(Failure) in
            let rights = TemporaryRights(mapping: settings.mapping, connection: connection)
            let owners = try rights.isNeeded() ? rights.owners(statements) : []
            if !owners.isEmpty { try rights.open("public", to: owners) }
            defer { room.progress.add(objects: Int64(statements.count)) }
            for statement in statements {
                try room.progress.checkCancelled()
                // The whole transaction would see it, and our pins do the same.
                if statement.word(0) == "SELECT", statement.name(3) == "set_config" { continue }
                let isKept = statement.changedSchema.map { kept.contains("schema \($0)") } ?? false
                if !isKept { try run(statement, on: connection) }
                if statement.begins("CREATE", "SCHEMA"), let schema = statement.name(2),
                    !owners.isEmpty
                {
                    try rights.open(schema, to: owners)
                }
            }
        }
    }

    private func replay(_ entry: DumpEntry, _ place: Int) throws(Failure) {
        do throws(Failure) {
            try target.once("post-data \(place)") { (connection) throws(Failure) in
                try connection.execute(
                    "SET LOCAL default_tablespace = ''; SET LOCAL default_table_access_method = 'heap'"
                )
                for statement in entry.settings { try run(statement, on: connection) }
                for statement in entry.statements { try run(statement, on: connection) }
            }
        } catch {
            // A reference to rows that are lost; the comparison misses the constraint.
            guard error.code == .databaseRefused, artifacts.lacksAny(of: source) else {
                throw error
            }
        }
    }

    private func run(_ statement: SQLStatement, on connection: Connection) throws(Failure) {
        let mapped = settings.mapping.applied(to: statement)
        do throws(Failure) { try connection.execute(one: mapped.bytes) } catch {
            let title = statement.notes.last { $0.contains("; Type: ") }
            guard let title else { throw error }
            throw error.during("cannot restore \(title)")
        }
    }

    private func replayPasswords(_ artifact: ArtifactRecord) throws(Failure) {
        let stored = try prepared().stored
        let statements = try stored.statements(artifact.kind)
        let made = try RoleMaker.recorded(rolesPath) ?? []
        try target.pool.with { (connection) throws(Failure) in
            // Roles that were here before stay as they are, with a password or without one.
            for statement in statements
            where statement.roleNames.first.map(made.contains) ?? false {
                let name = statement.roleNames.first.map { settings.mapping.roles[$0] ?? $0 } ?? "?"
                let isFree = try connection.value(
                    "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = $1", [name])
                guard isFree == "t" else { continue }
                try connection.execute(one: settings.mapping.applied(to: statement).bytes)
            }
        }
    }

    private func load(_ unit: SegmentNumber, _ stored: StoredDatabase) throws(Failure) {
        guard let table = state.withLock({ $0.tables[unit.artifact] }) else {
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
        let scripts = try prepared().stored.statements("postgresql-pre-data")
        try target.pool.with { (connection) throws(Failure) in
            try TemporaryRights(mapping: settings.mapping, connection: connection).end(scripts)
        }
        // What the target did not take is told again by whoever only compares.
        let shortfalls = target.shortfalls.withLock { $0 }
        try Files.write(JSON.array(shortfalls).canonical, to: shortfallPath, mode: 0o600)
        // In this order, so that a process killed in between goes on: first all is on the server's
        // disk, then it is written down that only comparing is left, then our schema goes.
        try target.flush()
        try Files.write([], to: finishedPath, mode: 0o600)
        try target.end()
    }

    public func phase(of unit: SegmentNumber) -> ImportPhase {
        if unit.artifact == Step.analyze { return .analyse }
        return source.artifacts[unit.artifact].kind == "postgresql-post-data" ? .index : .load
    }

    /// In a session of its own: those of the pool began before the settings of the database were there.
    public func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        let connection = try Connection(asker(), progress: room.progress)
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return try connection.answer(question)
    }

    /// As whom to ask; the same for all questions.
    private func asker() throws(Failure) -> Conninfo {
        if let asker = state.withLock({ $0.asker }) { return asker }
        let connection = try Connection(target.conninfo, progress: room.progress)
        let asker =
            try ProbeRole(connection: connection).make()
            .map { target.conninfo.with(user: $0) } ?? target.conninfo
        state.withLock { $0.asker = asker }
        return asker
    }
}
