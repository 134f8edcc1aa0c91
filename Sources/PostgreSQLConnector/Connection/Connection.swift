import Basics
import CPQ
import Glibc
import Streams

/// One session on a server.
///
/// Calls block, and belong to one lane at a time. While a statement runs, an interruption of the
/// run is looked for ten times a second and passed on to the server. Stands on libpq's asynchronous
/// calls.
final class Connection: @unchecked Sendable {
    // Sendable: whoever takes it out of a pool is its only user until it is put back.
    private let handle: ConnectionHandle
    private let progress: Progress
    /// The SQLSTATE of the last statement that failed.
    private(set) var lastState = ""

    /// Connects and pins everything that the text form of a value depends on.
    init(_ conninfo: Conninfo, progress: Progress) throws(Failure) {
        handle = try ConnectionHandle(conninfo)
        self.progress = progress
        try execute(SessionPins.statements)
        if serverVersion >= 120_000 { try execute("SET tcp_user_timeout = 60000") }
        if serverVersion >= 140_000 { try execute("SET idle_session_timeout = 0") }
        if serverVersion >= 170_000 { try execute("SET transaction_timeout = 0") }
    }

    /// As `server_version_num`: 150018 is 15.18.
    var serverVersion: Int { Int(unsafe PQserverVersion(handle.raw)) }

    /// Runs one or more statements that return nothing of interest.
    func execute(_ sql: String) throws(Failure) {
        try drain(unsafe PQsendQuery(handle.raw, sql), sql)
    }

    /// Runs one statement of an archive, given as bytes. The extended protocol takes no more than one,
    /// so nothing that the server would cut otherwise than we do comes along.
    func execute(one sql: [UInt8]) throws(Failure) {
        let text = sql.map { CChar(bitPattern: $0) } + [0]
        let sent = unsafe PQsendQueryParams(handle.raw, text, 0, nil, nil, nil, nil, 0)
        try drain(sent, String(decoding: sql, as: UTF8.self))
    }

    private func drain(_ sent: Int32, _ sql: String) throws(Failure) {
        guard sent == 1 else { throw lost("cannot send a statement") }
        var failure: Failure?
        while let result = try nextResult() {
            switch unsafe PQresultStatus(result.raw) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: break
            default:
                let error = unsafe ServerError(result.raw, handle.raw)
                lastState = error.state
                failure =
                    failure
                    ?? error.failure("cannot run \"\(Self.excerpt(sql))\"", statement: sql)
            }
        }
        if let failure { throw failure }
    }

    /// Runs one statement and gives back its rows, all columns as text, nil for NULL.
    func query(_ sql: String, _ values: [String?] = []) throws(Failure) -> [[String?]] {
        let sent = unsafe CStrings.with(values) { pointers in
            unsafe PQsendQueryParams(
                handle.raw, sql, Int32(values.count), nil, pointers, nil, nil, 0)
        }
        guard sent == 1 else { throw lost("cannot send a query") }
        var rows: [[String?]] = []
        var failure: Failure?
        while let result = try nextResult() {
            guard
                unsafe PQresultStatus(result.raw) == PGRES_TUPLES_OK
                    || PQresultStatus(result.raw) == PGRES_COMMAND_OK
            else {
                let error = unsafe ServerError(result.raw, handle.raw)
                lastState = error.state
                failure =
                    failure
                    ?? error.failure(
                        "cannot run \"\(Self.excerpt(sql))\"", statement: sql)
                continue
            }
            rows += result.rows
        }
        if let failure { throw failure }
        return rows
    }

    /// The first column of the first row.
    func value(_ sql: String, _ values: [String?] = []) throws(Failure) -> String? {
        try query(sql, values).first?.first ?? nil
    }

    /// Runs `body` in a transaction; what it throws rolls it back.
    func transaction(
        _ opening: String = "BEGIN", _ body: () throws(Failure) -> Void
    ) throws(Failure) {
        try execute(opening)
        do throws(Failure) {
            try body()
            try execute("COMMIT")
        } catch {
            let state = lastState
            try? execute("ROLLBACK")
            lastState = state
            throw error
        }
    }

    // MARK: - COPY

    /// Runs a `COPY … TO STDOUT` and lets `body` have its rows, in pieces as long as the buffer at most.
    ///
    /// `row` gets each piece where it lies, in memory that is valid for the call; `full` gets the
    /// buffer when it is full, and at the end. Gives back how many rows the server says it has sent.
    /// Stands on `PQgetlineAsync`, which needs no allocation per row.
    func copyOut(
        _ sql: String, into chunk: inout Chunk,
        row: (UnsafeRawBufferPointer) throws(Failure) -> Void,
        full: (borrowing Chunk) throws(Failure) -> Void
    ) throws(Failure) -> Int64 {
        try begin(sql, PGRES_COPY_OUT)
        let raw = unsafe handle.raw
        do throws(Failure) {
            chunk.removeAll()
            while true {
                var count: Int32 = 0
                try unsafe chunk.append { (free) throws(Failure) in
                    count = unsafe PQgetlineAsync(
                        raw, free.baseAddress?.assumingMemoryBound(to: CChar.self),
                        Int32(clamping: free.count))
                    let taken = max(0, Int(count))
                    try unsafe row(UnsafeRawBufferPointer(rebasing: free[..<taken]))
                    return taken
                }
                if count < 0 { break }
                if count == 0 { try wait(reading: true) }
                // A piece of one byte could be all of a row's end: a full buffer is passed on first.
                if chunk.capacity - chunk.count < 2 {
                    try progress.checkCancelled()
                    try full(chunk)
                    chunk.removeAll()
                }
            }
            if !chunk.isEmpty { try full(chunk) }
            chunk.removeAll()
        } catch {
            // A lost session has nothing to cancel, and asking a network that is cut takes minutes.
            if error.code != .databaseUnreachable { cancelAndDrain() }
            throw error
        }
        return try end(sql)
    }

    /// Runs a `COPY … FROM STDIN` with what `next` puts into the chunk, until it leaves it empty.
    func copyIn(
        _ sql: String, through chunk: inout Chunk,
        next: (inout Chunk) throws(Failure) -> Void
    ) throws(Failure) {
        try begin(sql, PGRES_COPY_IN)
        let raw = unsafe handle.raw
        do throws(Failure) {
            while true {
                try progress.checkCancelled()
                try next(&chunk)
                if chunk.isEmpty { break }
                let sent = try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    unsafe PQputCopyData(
                        raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                        Int32(clamping: bytes.count))
                }
                guard sent == 1 else { throw lost("cannot send rows") }
            }
        } catch {
            unsafe PQputCopyEnd(raw, "interrupted")
            while let result = try? nextResult(cancelling: false) { _ = consume result }
            throw error
        }
        guard unsafe PQputCopyEnd(raw, nil) == 1 else { throw lost("cannot end the rows") }
        _ = try end(sql)
    }

    private func begin(_ sql: String, _ status: ExecStatusType) throws(Failure) {
        guard unsafe PQsendQuery(handle.raw, sql) == 1 else { throw lost("cannot send a COPY") }
        guard let result = try nextResult() else { throw lost("no answer to a COPY") }
        guard unsafe PQresultStatus(result.raw) == status else {
            let error = unsafe ServerError(result.raw, handle.raw)
            lastState = error.state
            while let rest = try nextResult() { _ = consume rest }
            throw error.failure("cannot run \"\(Self.excerpt(sql))\"", statement: sql)
        }
    }

    /// The rows that the server counted.
    private func end(_ sql: String) throws(Failure) -> Int64 {
        var failure: Failure?
        var count: Int64 = -1
        while let result = try nextResult() {
            if unsafe PQresultStatus(result.raw) == PGRES_COMMAND_OK {
                count = Int64(unsafe String(cString: PQcmdTuples(result.raw))) ?? -1
                continue
            }
            let error = unsafe ServerError(result.raw, handle.raw)
            lastState = error.state
            failure = failure ?? error.failure("cannot run \"\(Self.excerpt(sql))\"")
        }
        if let failure { throw failure }
        return count
    }

    // MARK: - Waiting

    private func nextResult(cancelling: Bool = true) throws(Failure) -> ConnectionResult? {
        while unsafe PQisBusy(handle.raw) == 1 {
            do throws(Failure) { try wait(reading: true, looking: cancelling) } catch {
                if error.code == .cancelled { cancelAndDrain() }
                throw error
            }
        }
        return unsafe ConnectionResult(PQgetResult(handle.raw))
    }

    /// Until the server has sent something; throws when the run is to stop or the session is lost.
    private func wait(reading: Bool, looking: Bool = true) throws(Failure) {
        while true {
            if looking { try progress.checkCancelled() }
            var descriptor = unsafe pollfd(
                fd: PQsocket(handle.raw), events: Int16(POLLIN), revents: 0)
            let count = unsafe poll(&descriptor, 1, 100)
            if count < 0, errno != EINTR {
                throw Failure(errno: errno, "cannot wait for the server")
            }
            if count > 0 { break }
        }
        guard unsafe PQconsumeInput(handle.raw) == 1 else {
            throw lost("the connection to the server is lost")
        }
    }

    private func cancelAndDrain() {
        if let cancel = unsafe PQgetCancel(handle.raw) {
            var message = [CChar](repeating: 0, count: 256)
            _ = unsafe PQcancel(cancel, &message, Int32(message.count))
            unsafe PQfreeCancel(cancel)
        }
    }

    private func lost(_ what: String) -> Failure {
        let error = unsafe ServerError(lost: handle.raw)
        lastState = error.state
        return error.failure(what)
    }

    private static func excerpt(_ sql: String) -> String {
        let line = sql.replacing(of: "\n", with: " ")
        return line.count > 160 ? line.prefix(160) + "…" : line
    }
}

/// Settings on which the text form of values, the meaning of names and the end of a session depend.
///
/// The server notices within a minute that a network was cut, as we do (`Conninfo`); else a session
/// that nobody has any more would keep its locks for hours, and the same command would wait for it.
enum SessionPins {
    static let statements = """
        SET client_encoding = 'UTF8';
        SET search_path = '';
        SET DateStyle = 'ISO, YMD';
        SET IntervalStyle = 'postgres';
        SET TimeZone = 'UTC';
        SET extra_float_digits = 3;
        SET bytea_output = 'hex';
        SET xmloption = 'content';
        SET lc_monetary = 'C';
        SET lc_numeric = 'C';
        SET standard_conforming_strings = on;
        SET row_security = off;
        SET synchronize_seqscans = off;
        SET quote_all_identifiers = off;
        SET statement_timeout = 0;
        SET lock_timeout = 0;
        SET idle_in_transaction_session_timeout = 0;
        SET tcp_keepalives_idle = 30;
        SET tcp_keepalives_interval = 10;
        SET tcp_keepalives_count = 3;
        SET default_transaction_read_only = off;
        SET default_transaction_isolation = 'read committed'
        """
}
