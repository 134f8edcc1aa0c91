import Basics
import Connectors
import Databases
import Manifests
import Streams

/// One moment over many sessions.
///
/// MariaDB has no snapshot that a session could hand to another: all are opened while nothing can be
/// committed, for which commits are held back for the time that opening takes.
struct ConsistentMoment: Sendable {
    let sessions: [Session]
    /// Keeps tables without transactions from being written; nil where there is no need.
    let tableLock: Session?
    let moment: Moment
    let facts: [JSON.Member]

    static func take(
        _ options: ConnectionOptions, _ server: ServerFacts, tables: [Table], locking: [Table],
        count: Int, timeout: Int64, progress: Progress
    ) throws(Failure) -> ConsistentMoment {
        var sessions: [Session] = []
        for _ in 0..<count { sessions.append(try Session(options, progress: progress)) }
        var tableLock: Session?
        if !locking.isEmpty {
            let session = try Session(options, progress: progress)
            try session.execute("SET SESSION lock_wait_timeout = \(timeout)")
            try lock(locking, session, timeout)
            tableLock = session
        }
        let lock = CommitLock(
            session: try Session(options, progress: progress), server: server, timeout: timeout)
        let method = try lock.take(tables: tables)
        for session in sessions {
            try session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        }
        let (moment, facts) = try position(lock.session, server)
        // A lock that was lost in between would show here: the server ends it with the session.
        try lock.release()
        return ConsistentMoment(
            sessions: sessions, tableLock: tableLock, moment: moment,
            facts: facts + [.init("lock", .string(method))])
    }

    static func lock(
        _ tables: [Table], _ session: Session, _ timeout: Int64
    ) throws(Failure) {
        do throws(Failure) {
            try session.execute(
                "LOCK TABLES " + tables.map { $0.qualified + " READ" }.joined(separator: ", "))
        } catch {
            throw error.during(
                "cannot lock tables for reading",
                hint: session.lastError == ServerError.Number.lockTimeout
                    ? "A statement or transaction used them for \(timeout) s; try again, at a "
                        + "quieter time or with a longer lock-timeout." : nil)
        }
    }

    private static func position(
        _ session: Session, _ server: ServerFacts
    ) throws(Failure) -> (Moment, [JSON.Member]) {
        var facts: [JSON.Member] = []
        if server.hasBinaryLog {
            let statement =
                server.family == .mysql && server.version >= 80_200
                ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS"
            // A right that an export does not need otherwise.
            if let row = try? session.query(statement).first, row.count >= 2, let file = row[0] {
                facts.append(.init("binlog", .string("\(file):\(row[1] ?? "")")))
            }
        }
        let gtid = try session.value(
            server.family == .mariadb
                ? "SELECT IF(@@gtid_binlog_pos <> '', @@gtid_binlog_pos, @@gtid_current_pos)"
                : "SELECT @@gtid_executed")
        if let gtid, !gtid.isEmpty { return (Moment(kind: "gtid", value: gtid), facts) }
        if let file = facts.first?.value.string {
            return (Moment(kind: "binlog", value: file), facts)
        }
        let time = try session.value("SELECT UTC_TIMESTAMP(6)") ?? "unknown"
        return (Moment(kind: "time", value: time), facts)
    }
}

/// Holds commits back while snapshots are taken; never ends what others do.
struct CommitLock {
    let session: Session
    let server: ServerFacts
    let timeout: Int64

    enum Method: String {
        case backupStage = "BACKUP STAGE BLOCK_COMMIT"
        case globalRead = "FLUSH TABLES WITH READ LOCK"
        case tables = "LOCK TABLES … READ"
    }

    /// Takes the gentlest lock that server and rights allow, and says which.
    func take(tables: [Table]) throws(Failure) -> String {
        try session.execute("SET SESSION lock_wait_timeout = \(timeout)")
        if server.family == .mariadb, server.has("RELOAD") {
            try attempt { () throws(Failure) in
                for stage in ["START", "FLUSH", "BLOCK_DDL", "BLOCK_COMMIT"] {
                    try session.execute("BACKUP STAGE \(stage)")
                }
            }
            return Method.backupStage.rawValue
        }
        if server.has("RELOAD") {
            if server.has("BACKUP_ADMIN") {
                try attempt { () throws(Failure) in try session.execute("LOCK INSTANCE FOR BACKUP")
                }
            }
            try attempt { () throws(Failure) in try session.execute("FLUSH TABLES WITH READ LOCK") }
            return Method.globalRead.rawValue
        }
        let base = tables.filter { $0.kind == .table && !$0.isRemote }
        if !base.isEmpty { try ConsistentMoment.lock(base, session, timeout) }
        return Method.tables.rawValue
    }

    private func attempt(_ body: () throws(Failure) -> Void) throws(Failure) {
        do throws(Failure) { try body() } catch {
            throw error.during(
                "cannot hold back commits for the moment of the export",
                hint: session.lastError == ServerError.Number.lockTimeout
                    ? "Something ran for longer than \(timeout) s, and is not ended by exeat. Try "
                        + "again at a quieter time, with a longer lock-timeout, or on a replica."
                    : nil)
        }
    }

    func release() throws(Failure) {
        if server.family == .mariadb, server.has("RELOAD") {
            try session.execute("BACKUP STAGE END")
        } else {
            try session.execute("UNLOCK TABLES")
            if server.has("RELOAD"), server.has("BACKUP_ADMIN") {
                try session.execute("UNLOCK INSTANCE")
            }
        }
    }
}
