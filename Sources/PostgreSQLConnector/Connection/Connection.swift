import Basics
import CPQ
import Glibc
import Streams

/// A session of a server, with its settings pinned; owns a `PGconn`.
///
/// All calls block, so make them on a lane; a connection belongs to one lane at a time. While it
/// waits it looks at `progress`: when the run is cancelled, so is the statement.
@safe final class Connection: @unchecked Sendable {
    // Sendable: one lane at a time uses it; the reference crosses, the calls do not overlap.
    let raw: OpaquePointer
    let progress: Progress
    /// What the server said last when it refused something.
    private(set) var lastError: ServerError?
    private(set) var serverVersion: Int32 = 0
    private var isCancelling = false
    /// Something was left half done on it: it is good for dropping only.
    var isSpent = false

    /// How long one wait lasts before the run's wishes are looked at again.
    private static let patience: Int32 = 200

    /// Connects and pins the session.
    init(_ info: ConnectionInfo, progress: Progress) throws(Failure) {
        let parameters = info.parameters
        let keywords = TextList(parameters.map(\.keyword))
        let values = TextList(parameters.map(\.value))
        let connection = unsafe withExtendedLifetime((keywords, values)) {
            unsafe PQconnectdbParams(keywords.pointers, values.pointers, 1)
        }
        guard let raw = unsafe connection else {
            throw Failure(.failed, "out of memory")
        }
        unsafe self.raw = raw
        self.progress = progress
        guard unsafe PQstatus(raw) == CONNECTION_OK else { throw connectionFailure() }
        unsafe _ = PQsetNoticeProcessor(raw, { _, _ in }, nil)
        unsafe PQsetnonblocking(raw, 1)
        serverVersion = unsafe PQserverVersion(raw)
        try query(Pins.statement)
    }

    deinit { unsafe PQfinish(raw) }

    // MARK: - What the session knows

    /// A setting the server reports by itself, such as `server_encoding`.
    func parameter(_ name: String) -> String? {
        unsafe PQparameterStatus(raw, name).map { unsafe String(cString: $0) }
    }

    var database: String { unsafe PQdb(raw).map { unsafe String(cString: $0) } ?? "" }
    var user: String { unsafe PQuser(raw).map { unsafe String(cString: $0) } ?? "" }
    var processID: Int32 { unsafe PQbackendPID(raw) }
    var isOpen: Bool { unsafe !isSpent && PQstatus(raw) == CONNECTION_OK }
    var isInTransaction: Bool { unsafe PQtransactionStatus(raw) != PQTRANS_IDLE }

    // MARK: - Statements

    /// Runs one statement with parameters and gives its rows.
    @discardableResult
    func query(_ sql: String, _ values: [String?] = []) throws(Failure) -> QueryResult {
        if values.isEmpty {
            try sent(unsafe PQsendQuery(raw, sql))
        } else {
            let list = TextList(values)
            try sent(
                withExtendedLifetime(list) {
                    unsafe PQsendQueryParams(
                        raw, sql, Int32(values.count), nil, list.pointers, nil, nil, 0)
                })
        }
        return try lastResult()
    }

    /// Runs one or more statements that are UTF-8 text without a NUL.
    @discardableResult
    func execute(_ sql: [UInt8]) throws(Failure) -> QueryResult {
        guard !sql.contains(0) else {
            throw Failure(.invalidValue, "a statement holds a NUL byte")
        }
        let terminated = (sql + [0]).map { CChar(bitPattern: $0) }
        try sent(unsafe PQsendQuery(raw, terminated))
        return try lastResult()
    }

    @discardableResult
    func execute(_ sql: String) throws(Failure) -> QueryResult { try query(sql) }

    /// The one value of a query that gives one row.
    func value(_ sql: String, _ values: [String?] = []) throws(Failure) -> String? {
        let result = try query(sql, values)
        return result.isEmpty ? nil : result.text(0, 0)
    }

    func sent(_ accepted: Int32) throws(Failure) {
        lastError = nil
        isCancelling = false
        guard accepted == 1 else { throw connectionFailure() }
        try flush()
    }

    /// Waits for all results of what was sent; the last one, or the first error.
    func lastResult() throws(Failure) -> QueryResult {
        var last: OpaquePointer?
        var failure: Failure?
        while let result = try unsafe nextResult() {
            switch unsafe PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY:
                unsafe PQclear(last)
                unsafe last = result
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                unsafe PQclear(result)
                unsafe PQclear(last)
                // Not expected here; the session is of no use after it.
                isSpent = true
                throw Failure(.statementFailed, "a statement began a COPY where none may be")
            default:
                if failure == nil { failure = unsafe note(result) }
                unsafe PQclear(result)
            }
        }
        if isCancelling { progressCancelled(&failure) }
        if let failure {
            unsafe PQclear(last)
            throw failure
        }
        guard let last = unsafe last else { throw connectionFailure() }
        return unsafe QueryResult(last)
    }

    private func progressCancelled(_ failure: inout Failure?) {
        if lastError?.state == "57014" { failure = Failure(.cancelled, "interrupted") }
    }

    /// Remembers a refusal and makes a failure of it.
    func note(_ result: OpaquePointer?) -> Failure {
        let error = unsafe ServerError(result)
        lastError = error
        if !isOpen { return connectionFailure(cause: error.failure) }
        return error.failure
    }

    /// The next result, waiting for it; nil when there is no more.
    func nextResult() throws(Failure) -> OpaquePointer? {
        while unsafe PQisBusy(raw) == 1 {
            try wait()
            guard unsafe PQconsumeInput(raw) == 1 else { break }
        }
        return unsafe PQgetResult(raw)
    }

    // MARK: - Waiting

    /// Waits until there is something to read, or a while; cancels the statement if the run is.
    func wait(toWrite: Bool = false) throws(Failure) {
        if progress.isCancelled, !isCancelling {
            isCancelling = true
            cancel()
        }
        let number = unsafe PQsocket(raw)
        guard number >= 0 else { throw connectionFailure() }
        let events = Int16(POLLIN) | (toWrite ? Int16(POLLOUT) : 0)
        var entry = pollfd(fd: number, events: events, revents: 0)
        if unsafe poll(&entry, 1, Self.patience) < 0, errno != EINTR {
            throw Failure(errno: errno, "cannot wait for the server")
        }
    }

    /// Sends what libpq still holds, reading meanwhile so that neither side waits for the other.
    func flush() throws(Failure) {
        while true {
            let state = unsafe PQflush(raw)
            if state == 0 { return }
            guard state > 0 else { throw connectionFailure() }
            try wait(toWrite: true)
            guard unsafe PQconsumeInput(raw) == 1 else { throw connectionFailure() }
        }
    }

    /// Asks the server to stop the running statement; stands on `PQcancel`.
    func cancel() {
        guard let handle = unsafe PQgetCancel(raw) else { return }
        var text = [CChar](repeating: 0, count: 256)
        unsafe PQcancel(handle, &text, Int32(text.count))
        unsafe PQfreeCancel(handle)
    }

    // MARK: - Failures of the connection itself

    func connectionFailure(cause: Failure? = nil) -> Failure {
        let text = unsafe PQerrorMessage(raw).map { unsafe String(cString: $0) } ?? ""
        let error = ServerError(libpq: text)
        if lastError == nil { lastError = error }
        if progress.isCancelled { return Failure(.cancelled, "interrupted") }
        if serverVersion == 0 {
            let refused = ["password", "authentication", "role \"", "pg_hba", "certificate"]
                .contains { text.contains($0) }
            return Failure(
                refused ? .loginRefused : .serverUnreachable,
                "cannot connect: \(error.message)",
                hint: refused
                    ? "Check user, password, pg_hba.conf and TLS settings of the connection."
                    : "Check host, port and database name, and that the server runs.")
        }
        return Failure(
            .serverLost, "the connection to database \"\(database)\" is lost: \(error.message)",
            hint: "See the server's log; then run the same command again.", mayRetry: true,
            cause: cause)
    }
}
