public import Basics
public import Connectors
import Databases
public import Manifests
public import Plans
import Primitives
import Streams
import Synchronization

/// Replays databases on a server: accounts, tables, rows on many sessions at once, then keys and
/// programs; and reads every table again.
///
/// Statements are run one by one through libmariadb; nothing in an archive can be a command of a client.
public final class MariaDBImporter: Importer {
    public static let kind = "mariadb"
    public static let targetRemembers = true

    let source: SourceRecord
    let artifacts: any ArtifactSource
    let room: Room
    let settings: MariaDBTarget
    let target: TargetServer
    private let claim: ImportClaim
    let state = Mutex(State())

    struct State {
        var stored: StoredServer?
        var work: ImportWork?
        var slices: [Slice] = []
        /// By the artifact: how the target's table is cut for reading.
        var pieces: [Int: [TablePiece]] = [:]
        var catalog: [String: Table]?
        var found: [Int: MultisetDigest] = [:]
        /// By the table: what is current among its stored rows, where history is dropped.
        var current: [Int: MultisetDigest] = [:]
        var missing: Set<Int> = []
        var differences: [JSON] = []
        var comparisons: [ImportResult.Comparison] = []
        /// Accounts that were there, and stay as they are.
        var kept: [String] = []
        /// Whether the target refused LOAD DATA LOCAL.
        var inserts = false
    }

    public static func check(_ target: TargetPlan, _ problems: PlanProblems) {
        _ = MariaDBTarget(target, problems)
    }

    public init(
        _ target: TargetPlan, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        let problems = PlanProblems()
        settings = MariaDBTarget(target, problems)
        try problems.check()
        self.source = source
        self.artifacts = artifacts
        self.room = room
        claim = try ImportClaim(in: room, resuming: resuming)
        self.target = TargetServer(settings, progress: room.progress)
    }

    // MARK: - Before

    private var finishedPath: String { room.directory + "/finished" }
    private var shortfallPath: String { room.directory + "/not-set" }

    public func prepare() throws(Failure) -> ImportOutline {
        let stored = try StoredServer(source, from: artifacts)
        let isFinished = Files.exists(finishedPath)
        if isFinished {
            try target.end(stored)
            let told = try JSON(parsing: Files.read(shortfallPath)).array ?? []
            target.shortfalls.withLock { $0 = told }
        } else {
            try target.check(stored, claim)
        }
        let work = ImportWork(stored, settings)
        let slices = slices(stored)
        state.withLock {
            $0.stored = stored
            $0.work = work
            $0.slices = slices
            $0.inserts = settings.load == .insert
        }
        return ImportOutline(
            rounds: isFinished ? [] : work.rounds, slices: slices.count,
            bytes: source.artifacts.reduce(0) { $0 + $1.plainBytes })
    }

    public func begin() throws(Failure) {
        if Files.exists(finishedPath) { return }
        try target.prepare(try prepared().stored, claim)
    }

    func prepared() throws(Failure) -> (stored: StoredServer, work: ImportWork) {
        guard let stored = state.withLock({ $0.stored }), let work = state.withLock({ $0.work })
        else { throw Failure(.failed, "an import that is not prepared") }
        return (stored, work)
    }

    // MARK: - Replay

    public func replay(_ unit: SegmentNumber) throws(Failure) {
        let (stored, work) = try prepared()
        guard let step = ImportWork.Step(rawValue: unit.artifact - ImportWork.firstStep) else {
            guard let place = stored.tables.firstIndex(where: { $0.artifact == unit.artifact })
            else {
                throw StoredServer.malformed("rows of a table that the contents do not list")
            }
            let table = stored.tables[place]
            return try describing(table) { () throws(Failure) in
                try target.once("rows \(unit.artifact) \(unit.segment)") {
                    (session) throws(Failure) in
                    try pour(table, unit.segment, session)
                }
            }
        }
        switch step {
        case .accounts: try makeAccounts(stored)
        case .table: try makeTable(work.tables[unit.segment])
        case .wholeTable:
            let table = stored.tables[unit.segment]
            try describing(table) { () throws(Failure) in
                // No transaction holds these rows: what an interrupted import left is taken out first,
                // with the table, since rows that are deleted from one with history stay in it.
                let made = work.tables.first {
                    $0.definition.title == "table \(target.name(table.database)).\(table.name)"
                }
                try target.atLeastOnce("table rows \(table.artifact)") {
                    (session) throws(Failure) in
                    if let made { try target.make(made.bare, replacing: true, session) }
                    for segment in source.artifacts[table.artifact].segments.indices {
                        try pour(table, segment, session)
                    }
                    return true
                }
            }
        case .keys: try addKeys(work.tables[unit.segment])
        case .conditions: try checkConditions(of: work.tables[unit.segment])
        case .references: for table in work.tables { try addReferences(table) }
        case .states: try setStates(stored)
        case .programs:
            for definition in work.programs { try makeProgram(definition) }
        case .rights: try grantRights(stored)
        }
    }

    private func describing(
        _ table: StoredServer.Table, _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        do throws(Failure) { try body() } catch {
            throw error.during("cannot load rows into \(target.qualified(table))")
        }
    }

    private func pour(
        _ table: StoredServer.Table, _ segment: Int, _ session: Session
    ) throws(Failure) {
        var loader = RowLoader(
            session: session, table: table, qualified: target.qualified(table),
            progress: room.progress)
        if isDroppingHistory(of: table) {
            loader.current = try CurrentRows(table, try prepared().stored)
        }
        let record = source.artifacts[table.artifact]
        let maxPacket = try target.server().maxPacket
        // LOAD DATA takes a time that grows with the square of a value's length.
        let isLong =
            settings.load == .auto && table.longestRow > Self.longForLoad
            && 2 * table.longestRow + 4096 < maxPacket
        if !isLong, loader.current == nil, !state.withLock({ $0.inserts }) {
            do throws(Failure) {
                return try loader.load(try artifacts.open(record, segment: segment))
            } catch {
                guard settings.load == .auto,
                    ServerError.Number.localInfile.contains(session.lastError)
                else { throw error }
                state.withLock { $0.inserts = true }
            }
        }
        try loader.insert(try artifacts.open(record, segment: segment), maxPacket: maxPacket)
    }

    private static let longForLoad = 4 << 20

    private func makeTable(_ table: ImportWork.Table) throws(Failure) {
        let definition = table.definition
        try target.atLeastOnce("made \(definition.title)") { (session) throws(Failure) in
            try target.make(table.bare, replacing: true, session)
            return true
        }
    }

    private func addKeys(_ table: ImportWork.Table) throws(Failure) {
        let definition = table.definition
        try target.atLeastOnce("keys \(definition.title)") { (session) throws(Failure) in
            let there = Set(
                try session.query(
                    "SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = "
                        + "\(definition.database.quotedString) AND TABLE_NAME = \(definition.name.quotedString)"
                ).compactMap { $0[0] })
            let missing = table.parts.keys.filter { !there.contains($0.name) }
            if !missing.isEmpty { try alter(definition, missing.map(\.clause), session) }
            return true
        }
    }

    private func addReferences(_ table: ImportWork.Table) throws(Failure) {
        let definition = table.definition
        if table.parts.references.isEmpty { return }
        try target.atLeastOnce("references \(definition.title)") { (session) throws(Failure) in
            let there = Set(
                try session.query(
                    "SELECT CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE "
                        + "CONSTRAINT_SCHEMA = \(definition.database.quotedString) AND TABLE_NAME = "
                        + "\(definition.name.quotedString)"
                ).compactMap { $0[0] })
            let missing = table.parts.references.filter { !there.contains($0.name) }
            if !missing.isEmpty { try alter(definition, missing.map(\.clause), session) }
            return true
        }
    }

    private func alter(
        _ definition: Definition, _ clauses: [[UInt8]], _ session: Session
    ) throws(Failure) {
        let added = clauses.map { Array("ADD ".utf8) + $0 }.joined(separator: Array(", ".utf8))
        var change = definition
        change.statement = Array("ALTER TABLE \(definition.name.quotedName) ".utf8) + added
        try target.make(change, session)
    }

    private func setStates(_ stored: StoredServer) throws(Failure) {
        try target.pool.with { (session) throws(Failure) in
            for sequence in stored.sequences {
                let name =
                    "\(target.name(sequence.database).quotedName).\(sequence.name.quotedName)"
                try session.execute(
                    "SELECT SETVAL(\(name), \(sequence.next), 0, \(sequence.round))")
            }
            for table in stored.tables {
                guard let next = table.autoIncrement.flatMap({ UInt64($0) }) else { continue }
                let here = try AutoIncrement.read(target.name(table.database), table.name, session)
                if (here ?? 0) < next {
                    try session.execute(
                        "ALTER TABLE \(target.qualified(table)) AUTO_INCREMENT = \(next)")
                }
            }
        }
    }

    /// Views, routines, triggers and events, one by one: what one of them needs and does not find is
    /// told, and the others are made.
    private func makeProgram(_ definition: Definition) throws(Failure) {
        try target.atLeastOnce("made \(definition.title)") { (session) throws(Failure) in
            do throws(Failure) {
                try target.make(definition, replacing: true, session)
            } catch {
                guard error.code == .databaseRefused || error.code == .databaseRights,
                    definition.kind != .package
                else { throw error }
                // Not marked: it is told again, and tried again, when the import is resumed.
                target.note(shortfall: definition.title, Self.reason(error))
                return false
            }
            return true
        }
    }

    static func reason(_ failure: Failure) -> String {
        var last = failure
        while let cause = last.cause { last = cause }
        return last.what
    }

    // MARK: - Accounts

    /// Accounts that are there are kept as they are.
    private func makeAccounts(_ stored: StoredServer) throws(Failure) {
        for original in stored.definitions(.role, .user) where original.table != StoredServer.secret
        {
            var definition = settings.mapping.applied(to: original)
            // To know who was here before.
            var sql = definition.sql
            if sql.word(2) == "IF" { sql.replace([(2, ""), (3, ""), (4, "")]) }
            definition.statement = sql.bytes
            let name = NameMapping.quoted(definition.name)
            let unit = "account \(definition.name)"
            try target.pool.with { (session) throws(Failure) in
                if try target.isDone(unit, session) { return }
                // Marked before it is made: killed in between, an import would take its own account for
                // one that was here, and leave it locked and without its rights.
                let isAbsent = try Self.isAbsent(name, session)
                if isAbsent { try target.mark(unit, session) }
                do throws(Failure) {
                    try session.execute(definition.statement)
                    try target.mark(unit, session)
                } catch {
                    let number = session.lastError
                    if isAbsent { try target.unmark(unit, session) }
                    // 1396: it is there already.
                    if number == 1396 {
                        state.withLock { $0.kept.append(definition.name) }
                        return
                    }
                    guard error.code == .databaseRefused || error.code == .databaseRights else {
                        throw error
                    }
                    target.note(
                        shortfall: "\(definition.kind.rawValue) \(name)", Self.reason(error))
                }
            }
        }
    }

    /// Whether there is surely no such account; false where that cannot be seen.
    private static func isAbsent(_ name: String, _ session: Session) throws(Failure) -> Bool {
        do throws(Failure) {
            _ = try session.query("SHOW GRANTS FOR \(name)")
            return false
        } catch {
            guard error.code == .databaseRefused || error.code == .databaseRights else {
                throw error
            }
            // 1141: there is no such grant defined, for want of the account.
            return session.lastError == 1141
        }
    }

    private func grantRights(_ stored: StoredServer) throws(Failure) {
        let made = Set(try target.done("account "))
        let databases = Set(stored.databases)
        for original in stored.definitions(.grant, .defaultRole, .user) {
            if original.kind == .user, original.table != StoredServer.secret { continue }
            let definition = settings.mapping.applied(to: original)
            // Who was here before gets rights in the databases that came, and no others.
            let isOfDatabase =
                original.kind == .grant && !original.database.isEmpty
                && databases.contains(GrantScope.unescaped(original.database))
            if original.kind == .grant, !original.database.isEmpty, !isOfDatabase,
                !made.contains(definition.name) || !settings.mapping.databases.isEmpty
            {
                target.note(
                    shortfall: "rights of \(definition.name)",
                    "on \(original.database), which stands for other databases as well: "
                        + (made.contains(definition.name)
                            ? "granted without mapping it" : "not granted to one who was there"))
            }
            guard made.contains(definition.name) || isOfDatabase else { continue }
            try target.pool.with { (session) throws(Failure) in
                do throws(Failure) { try session.execute(definition.statement) } catch {
                    guard error.code == .databaseRefused || error.code == .databaseRights else {
                        throw error
                    }
                    target.note(
                        shortfall: "rights of \(definition.name)", Self.reason(error))
                }
            }
        }
    }

    public func finish() throws(Failure) {
        if Files.exists(finishedPath) { return }
        // What the target did not take is told again by whoever only compares.
        let shortfalls = target.shortfalls.withLock { $0 }
        try Files.write(JSON.array(shortfalls).canonical, to: shortfallPath, mode: 0o600)
        // In this order, so that a process killed in between goes on: first all is on the server's
        // disk, then it is written down that only comparing is left, then our table goes.
        try target.flush(claim)
        try Files.write([], to: finishedPath, mode: 0o600)
        try target.end(try prepared().stored)
    }
}

enum AutoIncrement {
    static func read(
        _ database: String, _ table: String, _ session: Session
    ) throws(Failure) -> UInt64? {
        try session.value(
            "SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
                + "\(database.quotedString) AND TABLE_NAME = \(table.quotedString)"
        ).flatMap { UInt64($0) }
    }
}
