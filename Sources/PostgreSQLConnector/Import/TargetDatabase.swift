import Basics
import Connectors
import Databases
import Plans
import Streams
import Synchronization

/// The database that an import fills: made where it is not there, and watched over by a schema of
/// ours in which everything done leaves its mark in the transaction that did it.
final class TargetDatabase: Sendable {
    let conninfo: Conninfo
    let pool: SessionPool<Connection>
    private let progress: Progress
    private let settings: PostgreSQLTarget
    let shortfalls = Mutex<[JSON]>([])

    /// Its tables are gone when an import has ended.
    static let schema = "exeat_import"

    init(_ settings: PostgreSQLTarget, progress: Progress) throws(Failure) {
        self.settings = settings
        self.progress = progress
        let conninfo = try Conninfo(
            settings.connection ?? Secret(""), password: settings.password)
        self.conninfo = conninfo
        pool = SessionPool { () throws(Failure) in
            let connection = try Connection(conninfo, progress: progress)
            // What a crash of the server may take away is done again: `end` waits for the disk.
            try connection.execute(
                "SET synchronous_commit = off; SET maintenance_work_mem = '256MB'; "
                    + "SET check_function_bodies = off; SET client_min_messages = error")
            return connection
        }
    }

    func note(shortfall object: String, _ reason: String) {
        shortfalls.withLock {
            $0.append(["object": .string(object), "reason": .string(reason)])
        }
    }

    // MARK: - Making it

    /// Refuses what `prepare` would refuse, and changes nothing.
    func check(_ stored: StoredDatabase, _ claim: ImportClaim) throws(Failure) {
        let replaces = settings.existing == .replace && !claim.isEarlier
        if try !isThere() || replaces {
            return try checkServer(namedMaintenance().connection, stored)
        }
        try pool.with { (connection) throws(Failure) in
            try checkServer(connection, stored)
            let name = try checkDatabase(connection, stored)
            _ = try keepable(connection, stored, claim, name)
        }
    }

    /// The name of the database that must be made, and a connection to another one.
    private func namedMaintenance() throws(Failure) -> (name: String, connection: Connection) {
        guard let name = conninfo.database else {
            throw Failure(
                .planInvalidValue, "the connection of the target names no database",
                hint: "Add dbname=… to it.")
        }
        return (name, try maintenance())
    }

    /// Finds the database, or creates it; refuses one that holds something, unless this import has
    /// begun it.
    ///
    /// - Parameter keep: called before the first mark with what was there already and stays as it is:
    ///   schemas, and the database itself where it held anything. Not called where that was said before.
    func prepare(
        _ stored: StoredDatabase, _ claim: ImportClaim,
        keep: (Set<String>) throws(Failure) -> Void
    ) throws(Failure) {
        let replaces = settings.existing == .replace && !claim.isEarlier
        if try !isThere() || replaces {
            let (name, maintenance) = try namedMaintenance()
            // Before anything is dropped or made.
            try checkServer(maintenance, stored)
            pool.close()
            if replaces { try maintenance.execute("DROP DATABASE IF EXISTS \(name.quotedName)") }
            try create(name, stored, maintenance)
        }
        try pool.with { (connection) throws(Failure) in
            try checkServer(connection, stored)
            let name = try checkDatabase(connection, stored)
            try noteLocale(connection, stored)
            guard let kept = try keepable(connection, stored, claim, name) else { return }
            try keep(kept)
            try claim.keep()
            try connection.transaction { () throws(Failure) in
                try connection.execute(
                    "CREATE SCHEMA \(Self.schema); "
                        + "COMMENT ON SCHEMA \(Self.schema) IS '\(claim.name)'; "
                        + "CREATE TABLE \(Self.schema).done (unit text PRIMARY KEY); "
                        // A crash of the server empties unlogged tables, and these marks with them.
                        + "CREATE UNLOGGED TABLE \(Self.schema).done_unlogged (unit text PRIMARY KEY)"
                )
            }
        }
    }

    /// What may stay as it is; nil where this import has begun already. Refuses a database that holds
    /// something else.
    private func keepable(
        _ connection: Connection, _ stored: StoredDatabase, _ claim: ImportClaim, _ name: String
    ) throws(Failure) -> Set<String>? {
        let begun = try connection.value(
            "SELECT coalesce(obj_description(oid, 'pg_namespace'), '') FROM pg_namespace "
                + "WHERE nspname = $1", [Self.schema])
        if let begun {
            try claim.check(begun, on: name)
            return nil
        }
        let objects = try ObjectInventory.read(connection)
            .filter {
                !["database", "settings"].contains($0.kind) && $0.key != "schema public"
            }
        guard objects.isEmpty || settings.existing == .add else {
            throw Failure(
                .targetOccupied,
                "the database \"\(name)\" holds objects already, \(objects[0].kind) "
                    + "\(objects[0].identity) among them",
                hint: "Name another database, or say existing: replace to drop this one.")
        }
        return try keepable(objects, stored, connection)
    }

    /// What may stay as it is; everything else that is in the archive as well is refused, before
    /// anything is written.
    private func keepable(
        _ objects: [DatabaseObject], _ stored: StoredDatabase, _ connection: Connection
    ) throws(Failure) -> Set<String> {
        if objects.isEmpty { return [] }
        let expected = Set(stored.objects.map { $0.mapped(settings.mapping.roles).key })
        let both = objects.map { $0.mapped([:]) }.filter { expected.contains($0.key) }
        // CREATE EXTENSION of a dump takes what is there, and default privileges are added to.
        let clashing = both.filter {
            !["schema", "extension", "default acl", "large objects", "settings"].contains($0.kind)
        }
        guard clashing.isEmpty else {
            throw Failure(
                .targetOccupied,
                "the database and the archive both hold \(clashing[0].kind) \(clashing[0].identity)"
                    + (clashing.count > 1 ? " and \(clashing.count - 1) more" : ""),
                hint: "Rename or drop them, or import into another database.")
        }
        for batch in stored.largeObjects {
            let number = try connection.value(
                "SELECT oid FROM pg_largeobject_metadata WHERE oid BETWEEN $1::int8 AND $2::int8 LIMIT 1",
                [String(batch.first), String(batch.last)])
            guard let number else { continue }
            throw Failure(
                .targetOccupied,
                "the database holds the large object \(number), and the archive's have the numbers "
                    + "\(batch.first) to \(batch.last)",
                hint: "Large objects keep their numbers: import into another database.")
        }
        let set = stored.objects.filter { $0.kind == "settings" }
            .map { $0.mapped(settings.mapping.roles).key }
        return Set(both.filter { $0.kind == "schema" }.map(\.key) + set + ["database "])
    }

    private func isThere() throws(Failure) -> Bool {
        do throws(Failure) {
            try pool.with { (_) throws(Failure) in }
            return true
        } catch {
            guard error.code == .notFound else { throw error }
            return false
        }
    }

    private func maintenance() throws(Failure) -> Connection {
        do throws(Failure) {
            return try Connection(conninfo.with(database: "postgres"), progress: progress)
        } catch {
            guard error.code == .notFound else { throw error }
            return try Connection(conninfo.with(database: "template1"), progress: progress)
        }
    }

    private func create(
        _ name: String, _ stored: StoredDatabase, _ maintenance: Connection
    ) throws(Failure) {
        guard
            let statement = try stored.statements("postgresql-database").first(where: {
                $0.begins("CREATE", "DATABASE")
            })
        else { throw StoredDatabase.malformed("nothing creates the database") }
        var create = settings.mapping.applied(to: statement)
        create.replace([(2, name.quotedName)])
        do throws(Failure) { try maintenance.execute(one: create.bytes) } catch {
            throw Failure(
                .databaseUnsuitable, "cannot create the database \"\(name)\"",
                hint:
                    "Create it by hand, empty, with encoding \(stored.encoding) and a locale that "
                    + "this server has in place of \(stored.collate).", cause: error)
        }
    }

    /// What holds for every database of the server.
    private func checkServer(
        _ connection: Connection, _ stored: StoredDatabase
    ) throws(Failure) {
        let server = try ServerFacts(connection)
        guard server.version / 10_000 >= stored.version / 10_000 else {
            throw Failure(
                .databaseUnsuitable,
                "the target is of version \(server.major), older than the source's "
                    + "\(stored.version / 10_000)",
                hint: "Import to a server of the same or a later version.")
        }
        let available = Set(
            try connection.query("SELECT name FROM pg_available_extensions").compactMap(
                \.first?.self))
        let missing = stored.extensions.map(\.name).filter { !available.contains($0) }
        guard missing.isEmpty else {
            throw Failure(
                .databaseUnsuitable,
                "the target does not offer these extensions: \(missing.joined(separator: ", "))",
                hint: "Install their packages on the target server (many are in "
                    + "postgresql-contrib).")
        }
        let spaces = Set(
            try connection.query("SELECT spcname FROM pg_tablespace").compactMap(\.first?.self))
        let absent = stored.tablespaces.filter {
            !spaces.contains(settings.mapping.tablespaces[$0] ?? $0)
        }
        guard absent.isEmpty else {
            throw Failure(
                .databaseUnsuitable,
                "the target has no tablespaces \(absent.joined(separator: ", "))",
                hint: "Create them there, or name others under map.tablespaces.")
        }
    }

    /// Gives back the database's name.
    private func checkDatabase(
        _ connection: Connection, _ stored: StoredDatabase
    ) throws(Failure) -> String {
        let server = try ServerFacts(connection)
        guard server.encoding == stored.encoding else {
            throw Failure(
                .databaseUnsuitable,
                "the database \"\(server.database)\" has encoding \(server.encoding), the source "
                    + "\(stored.encoding)",
                hint: "Create it with the source's encoding, or name one that does not exist yet.")
        }
        return server.database
    }

    private func noteLocale(
        _ connection: Connection, _ stored: StoredDatabase
    ) throws(Failure) {
        let server = try ServerFacts(connection)
        if server.collate != stored.collate || server.ctype != stored.ctype {
            note(
                shortfall: "database \(server.database)",
                "its locale is \(server.collate) / \(server.ctype), not \(stored.collate) / "
                    + "\(stored.ctype): rows may sort differently")
        }
    }

    // MARK: - Units

    /// Runs `body` and marks the unit in one transaction; a unit that has its mark is left alone. A
    /// deadlock, and what the server asks to try again, is tried again.
    func once(
        _ unit: String, isUnlogged: Bool = false, _ body: (Connection) throws(Failure) -> Void
    ) throws(Failure) {
        let marks = "\(Self.schema).done" + (isUnlogged ? "_unlogged" : "")
        var attempt = 0
        while true {
            var mayRepeat = false
            do throws(Failure) {
                return try pool.with { (connection) throws(Failure) in
                    if try connection.value("SELECT 1 FROM \(marks) WHERE unit = $1", [unit]) != nil
                    {
                        return
                    }
                    do throws(Failure) {
                        try connection.transaction { () throws(Failure) in
                            try body(connection)
                            _ = try connection.query(
                                "INSERT INTO \(marks) VALUES ($1)", [unit])
                        }
                    } catch {
                        mayRepeat = ["40P01", "40001", "55P03"].contains(connection.lastState)
                        throw error
                    }
                }
            } catch {
                attempt += 1
                guard mayRepeat, attempt < 10, !progress.isCancelled else { throw error }
            }
        }
    }

    /// Brings everything that was committed to the disk: a commit that waits for it takes the earlier
    /// ones along.
    func flush() throws(Failure) {
        try waitingForTheDisk(
            "INSERT INTO \(Self.schema).done VALUES ('flushed ' || clock_timestamp())")
    }

    /// Takes our schema away once everything is there; from then on the database is only read.
    func end() throws(Failure) {
        try waitingForTheDisk("DROP SCHEMA IF EXISTS \(Self.schema) CASCADE")
    }

    /// Statements sent together would be one transaction, which the last setting decides about.
    private func waitingForTheDisk(_ statement: String) throws(Failure) {
        try pool.with { (connection) throws(Failure) in
            try connection.execute("SET synchronous_commit = on")
            try connection.execute(statement)
            try connection.execute("SET synchronous_commit = off")
        }
    }
}
