import Basics
import Streams
import Synchronization

/// The one moment of a source: a transaction that stays open, and the connections that share it.
final class Snapshot: Sendable {
    let identifier: String
    private let info: ConnectionInfo
    private let progress: Progress
    private let holder: Mutex<Connection>
    private let free = Mutex<[Connection]>([])

    /// How long somebody else's schema change may keep a table locked.
    static let lockPatience = "60s"

    /// Locks the tables of the database against changes of their shape, then takes the moment.
    init(_ info: ConnectionInfo, progress: Progress) throws(Failure) {
        self.info = info
        self.progress = progress
        let connection = try Connection(info, progress: progress)
        let before = try Relation.readAll(connection)
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try connection.execute("SET LOCAL lock_timeout = '\(Self.lockPatience)'")
        try Self.lock(before, connection)
        identifier = try connection.value("SELECT pg_catalog.pg_export_snapshot()") ?? ""
        let known = Set(before.map(\.oid))
        let after = try Relation.readAll(connection)
        try Self.lock(after.filter { !known.contains($0.oid) }, connection)
        try connection.execute("SET LOCAL lock_timeout = 0")
        holder = Mutex(connection)
    }

    private static func lock(_ relations: [Relation], _ connection: Connection) throws(Failure) {
        var rest = relations.filter {
            ($0.kind == "r" || $0.kind == "p") && ($0.isReadable || $0.isOwned)
        }[...]
        while !rest.isEmpty {
            let names = rest.prefix(500).map { "ONLY " + $0.quoted }.joined(separator: ", ")
            rest = rest.dropFirst(500)
            do throws(Failure) {
                try connection.execute("LOCK TABLE \(names) IN ACCESS SHARE MODE")
            } catch {
                throw error.during(
                    "cannot keep the tables as they are for the time of the export",
                    hint: error.code == .objectsLocked
                        ? "A schema change is under way; run the export when it is done." : nil)
            }
        }
    }

    /// One use of the connection that holds the moment.
    func withHolder<Value: Sendable>(
        _ body: (Connection) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        let result = holder.withLock { connection -> Result<Value, Failure> in
            do throws(Failure) { return .success(try body(connection)) } catch {
                return .failure(connection.isOpen ? error : Self.lost(error))
            }
        }
        return try result.get()
    }

    /// Throws unless the moment is still held.
    func check() throws(Failure) {
        _ = try withHolder { (connection) throws(Failure) in try connection.value("SELECT 1") }
    }

    private static func lost(_ cause: Failure) -> Failure {
        cause.code == .cancelled
            ? cause
            : Failure(
                .snapshotLost, "the consistent moment of the export is lost",
                hint: "Run the same command again: the source is begun anew in a new epoch.",
                cause: cause)
    }

    /// Lends a connection that sees the moment; it comes back with `giveBack`, unless it failed.
    func borrow() throws(Failure) -> Connection {
        if let waiting = free.withLock({ $0.popLast() }) { return waiting }
        do throws(Failure) { return try join() } catch {
            try check()
            throw error
        }
    }

    func giveBack(_ connection: Connection) { free.withLock { $0.append(connection) } }

    /// What a failure of a lent connection means: if the moment itself is lost, that is what matters.
    func failed(_ failure: Failure) -> Failure {
        guard failure.code == .serverLost else { return failure }
        do throws(Failure) { try check() } catch { return error }
        return failure
    }

    private func join() throws(Failure) -> Connection {
        let connection = try Connection(info, progress: progress)
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try connection.execute("SET TRANSACTION SNAPSHOT \(Quoting.literal(identifier))")
        return connection
    }
}
