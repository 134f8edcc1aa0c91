import Basics
import Connectors
import Databases
import Plans
import Streams
import Synchronization

/// The server that an import fills: its databases are made where they are not there, and a table of
/// ours in the first of them says what is done, in the transaction that did it.
final class TargetServer: Sendable {
    let pool: SessionPool<Session>
    let settings: MariaDBTarget
    private let progress: Progress
    let shortfalls = Mutex<[JSON]>([])
    private let known = Mutex<ServerFacts?>(nil)

    /// Gone when an import has ended.
    static let marks = "exeat_import_marks"

    init(_ settings: MariaDBTarget, progress: Progress) {
        self.settings = settings
        self.progress = progress
        let options = settings.options
        pool = SessionPool { () throws(Failure) in
            let session = try Session(options, progress: progress, mayLoad: true)
            for statement in Self.pins { try session.execute(statement) }
            for statement in Self.optionalPins { try session.executeIfKnown(statement) }
            return session
        }
    }

    /// Rows arrive as they were, whatever the target would check; what must hold is looked at after. But
    /// keys are held against them: another collation may find values equal that were not. And without
    /// unique_checks InnoDB inserts in bulk, and empties the table when it takes that back after a crash.
    private static let pins = [
        "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', "
            + "SESSION foreign_key_checks = 0, SESSION unique_checks = 1, "
            + "SESSION innodb_lock_wait_timeout = 86400, SESSION lock_wait_timeout = 86400"
    ]
    private static let optionalPins = [
        "SET SESSION check_constraint_checks = 0",
        "SET SESSION system_versioning_insert_history = 1",
        "SET SESSION system_versioning_alter_history = KEEP",
        "SET SESSION innodb_strict_mode = 0", "SET SESSION idle_write_transaction_timeout = 0",
    ]

    func note(shortfall object: String, _ reason: String) {
        shortfalls.withLock {
            $0.append(["object": .string(object), "reason": .string(reason)])
        }
    }

    func server() throws(Failure) -> ServerFacts {
        if let facts = known.withLock({ $0 }) { return facts }
        let facts = try pool.with { (session) throws(Failure) in try ServerFacts(session) }
        known.withLock { $0 = facts }
        return facts
    }

    func name(_ database: String) -> String { settings.mapping.database(database) }

    func qualified(_ table: StoredServer.Table) -> String {
        "\(name(table.database).quotedName).\(table.name.quotedName)"
    }

    // MARK: - Making it

    /// Checks the server, and refuses databases that hold something, unless this import has begun
    /// them. Changes nothing.
    func check(_ stored: StoredServer, _ claim: ImportClaim) throws(Failure) {
        let server = try server()
        try TargetCheck(stored: stored, settings: settings, server: server, pool: pool).check()
        noteCase(stored, server)
        try pool.with { (session) throws(Failure) in _ = try isBegun(stored, claim, session) }
    }

    /// Whether this import has begun already. Refuses databases that hold something else.
    private func isBegun(
        _ stored: StoredServer, _ claim: ImportClaim, _ session: Session
    ) throws(Failure) -> Bool {
        let names = stored.databases.map { name($0) }
        if let found = try claimOfMarks(session, names),
            settings.existing != .replace || claim.owns(found)
        {
            try claim.check(found, on: names[0])
            return true
        }
        for name in names { try checkOccupied(name, stored, session) }
        return false
    }

    /// Finds or makes the databases, once they are checked.
    func prepare(_ stored: StoredServer, _ claim: ImportClaim) throws(Failure) {
        let names = stored.databases.map { name($0) }
        try pool.with { (session) throws(Failure) in
            if try isBegun(stored, claim, session) { return }
            for (database, name) in zip(stored.databases, names) {
                if settings.existing == .replace {
                    try session.execute("DROP DATABASE IF EXISTS \(name.quotedName)")
                }
                guard
                    let definition = stored.definitions(.database).first(where: {
                        $0.name == database
                    })
                else { throw StoredServer.malformed("nothing makes the database \(database)") }
                let mapped = settings.mapping.applied(to: definition)
                if try !isThere(name, session) {
                    try session.execute(mapped.statement)
                } else if settings.existing != .add {
                    try adapt(mapped, session)
                }
            }
            if let first = names.first {
                try claim.keep()
                try session.execute(
                    "CREATE TABLE \(first.quotedName).\(Self.marks) (unit VARCHAR(500) CHARACTER SET "
                        + "utf8mb4 COLLATE utf8mb4_bin PRIMARY KEY) ENGINE = InnoDB COMMENT '\(claim.name)'"
                )
                markTable.withLock { $0 = "\(first.quotedName).\(Self.marks)" }
            }
        }
    }

    /// Gives a database that is there and empty what the archive's has: its character set before all.
    /// Where the account may not, the comparison tells.
    private func adapt(_ definition: Definition, _ session: Session) throws(Failure) {
        var sql = definition.sql
        sql.replace([(0, "ALTER")])
        do throws(Failure) { try session.execute(sql.bytes) } catch {
            guard error.code == .databaseRefused || error.code == .databaseRights else {
                throw error
            }
        }
    }

    private let markTable = Mutex("")

    private func noteCase(_ stored: StoredServer, _ server: ServerFacts) {
        guard stored.lowerCaseNames != 0, server.lowerCaseNames == 0 else { return }
        let names = CaseOfNames(stored.definitions, settings.mapping)
        for definition in stored.definitions(
            .function, .procedure, .packageBody, .trigger, .event)
        {
            guard let stray = names.strays(in: settings.mapping.applied(to: definition)).first
            else { continue }
            note(
                shortfall: definition.title,
                "it writes \(stray) with other capitals than its name has, which this server does not find"
            )
        }
    }

    private func isThere(_ name: String, _ session: Session) throws(Failure) -> Bool {
        try session.value(
            "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = \(name.quotedString)")
            != nil
    }

    /// Whose marks are there; nil where there are none.
    private func claimOfMarks(
        _ session: Session, _ names: [String]
    ) throws(Failure) -> String? {
        guard let first = names.first else { return nil }
        let found = try session.value(
            "SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = "
                + "\(first.quotedString) AND TABLE_NAME = '\(Self.marks)'")
        if found != nil { markTable.withLock { $0 = "\(first.quotedName).\(Self.marks)" } }
        return found
    }

    private func checkOccupied(
        _ name: String, _ stored: StoredServer, _ session: Session
    ) throws(Failure) {
        if settings.existing == .replace { return }
        let there = try session.query(
            """
            SELECT 'table', TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = \(name.quotedString)
            UNION ALL SELECT 'routine', ROUTINE_NAME FROM information_schema.ROUTINES
                WHERE BINARY ROUTINE_SCHEMA = \(name.quotedString)
            UNION ALL SELECT 'event', EVENT_NAME FROM information_schema.EVENTS
                WHERE BINARY EVENT_SCHEMA = \(name.quotedString)
            """
        ).map { ($0[0] ?? "", $0[1] ?? "") }
        if there.isEmpty { return }
        guard settings.existing == .add else {
            throw Failure(
                .targetOccupied,
                "the database \"\(name)\" holds objects already, \(there[0].0) \(there[0].1) among them",
                hint:
                    "Give it another name under map.databases, or say existing: replace to drop it."
            )
        }
        let ours = Set(
            stored.definitions.filter { self.name($0.database) == name }.map {
                $0.name.lowercased()
            })
        if let twin = there.first(where: { ours.contains($0.1.lowercased()) }) {
            throw Failure(
                .targetOccupied,
                "the database \"\(name)\" has \(twin.0) \(twin.1) already, which the archive has as well",
                hint: "Rename it, or give the database another name under map.databases.")
        }
    }

    // MARK: - Units

    func isDone(_ unit: String, _ session: Session) throws(Failure) -> Bool {
        let marks = markTable.withLock { $0 }
        return try session.value("SELECT 1 FROM \(marks) WHERE unit = \(unit.quotedString)") != nil
    }

    func mark(_ unit: String, _ session: Session) throws(Failure) {
        let marks = markTable.withLock { $0 }
        try session.execute("INSERT IGNORE INTO \(marks) VALUES (\(unit.quotedString))")
    }

    func unmark(_ unit: String, _ session: Session) throws(Failure) {
        let marks = markTable.withLock { $0 }
        try session.execute("DELETE FROM \(marks) WHERE unit = \(unit.quotedString)")
    }

    /// Units that begin with these words and are done.
    func done(_ prefix: String) throws(Failure) -> [String] {
        let marks = markTable.withLock { $0 }
        return try pool.with { (session) throws(Failure) in
            try session.query(
                "SELECT unit FROM \(marks) WHERE LEFT(unit, \(prefix.count)) = \(prefix.quotedString)"
            )
        }.compactMap { $0[0].map { String($0.dropFirst(prefix.count)) } }
    }

    /// Runs `body` and marks the unit in one transaction; a unit that has its mark is left alone.
    func once(
        _ unit: String, _ body: (Session) throws(Failure) -> Void
    ) throws(Failure) {
        var attempt = 0
        while true {
            var mayRepeat = false
            do throws(Failure) {
                return try pool.with { (session) throws(Failure) in
                    if try isDone(unit, session) { return }
                    do throws(Failure) {
                        try session.execute("START TRANSACTION")
                        try body(session)
                        try mark(unit, session)
                        try session.execute("COMMIT")
                    } catch {
                        mayRepeat = session.lastError == ServerError.Number.deadlock
                        throw error
                    }
                }
            } catch {
                attempt += 1
                guard mayRepeat, attempt < 10, !progress.isCancelled else { throw error }
            }
        }
    }

    /// Runs `body`, which commits by itself and may be done again, and then marks the unit.
    ///
    /// - Parameter body: tells whether it is done; what is not is asked for again on resuming.
    func atLeastOnce(
        _ unit: String, _ body: (Session) throws(Failure) -> Bool
    ) throws(Failure) {
        try pool.with { (session) throws(Failure) in
            if try isDone(unit, session) { return }
            if try body(session) { try mark(unit, session) }
        }
    }

    /// Makes an object in its database and in the session that it needs, and puts the session back.
    ///
    /// - Parameter replacing: what has its name is a rest of the time before an interruption.
    func make(
        _ definition: Definition, replacing: Bool = false, _ session: Session
    ) throws(Failure) {
        let collation = definition.databaseCollation
        var own: String?
        if !definition.database.isEmpty {
            try session.execute("USE \(definition.database.quotedName)")
            if !collation.isEmpty {
                own = try session.value("SELECT @@collation_database")
            }
        }
        let changes = own != nil && own != collation
        if changes {
            try session.execute(
                "ALTER DATABASE \(definition.database.quotedName) COLLATE \(collation)")
        }
        for setting in definition.settings { try session.execute(setting) }
        do throws(Failure) {
            if replacing {
                try session.execute(
                    "DROP \(definition.kind.words) IF EXISTS \(definition.name.quotedName)")
            }
            try session.execute(definition.statement)
        } catch {
            let failure = error.during("cannot make \(definition.title)")
            try? restore(session)
            if changes, let own {
                try? session.execute(
                    "ALTER DATABASE \(definition.database.quotedName) COLLATE \(own)")
            }
            throw failure
        }
        try restore(session)
        if changes, let own {
            try session.execute("ALTER DATABASE \(definition.database.quotedName) COLLATE \(own)")
        }
    }

    private func restore(_ session: Session) throws(Failure) {
        try session.execute(
            "SET character_set_client = utf8mb4, collation_connection = utf8mb4_general_ci, "
                + "SESSION time_zone = '+00:00', SESSION timestamp = DEFAULT")
        for statement in Self.pins { try session.execute(statement) }
    }

    /// Brings everything that was committed to the disk, whatever the server does at each commit: a
    /// change of a definition waits for it.
    func flush(_ claim: ImportClaim) throws(Failure) {
        let marks = markTable.withLock { $0 }
        try pool.with { (session) throws(Failure) in
            // Another text each time, or there would be no change.
            let moment = try session.value("SELECT NOW(6)") ?? ""
            try session.execute(
                "ALTER TABLE \(marks) COMMENT = '\(claim.name) finished \(moment)'")
        }
    }

    /// Takes our table away once everything is there; from then on the databases are only read.
    func end(_ stored: StoredServer) throws(Failure) {
        guard let first = stored.databases.first else { return }
        try pool.with { (session) throws(Failure) in
            try session.execute("DROP TABLE IF EXISTS \(name(first).quotedName).\(Self.marks)")
        }
    }
}
