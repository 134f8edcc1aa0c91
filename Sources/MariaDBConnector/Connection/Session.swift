import Basics
import CMariaDB
import Databases
import Glibc
import Streams

/// One session on a server.
///
/// Calls block, and belong to one lane at a time. While a statement runs, an interruption of the run
/// is looked for ten times a second and passed on to the server. Stands on libmariadb.
final class Session: @unchecked Sendable {
    // Sendable: whoever takes it out of a pool is its only user until it is put back.
    let handle: SessionHandle
    private let options: ConnectionOptions
    let progress: Progress
    /// The number of the last statement's error.
    private(set) var lastError = 0

    /// Connects and pins what the form of a value and the end of a session depend on.
    init(
        _ options: ConnectionOptions, progress: Progress, mayLoad: Bool = false
    ) throws(Failure) {
        self.options = options
        self.progress = progress
        handle = try SessionHandle(options, mayLoad: mayLoad)
        guard unsafe mysql_set_character_set(handle.raw, "utf8mb4") == 0 else {
            throw failed("cannot choose a character set")
        }
        for statement in SessionPins.statements { try execute(statement) }
        for statement in SessionPins.optional { try executeIfKnown(statement) }
    }

    /// As the server counts: 101119 is 10.11.19.
    var serverVersion: Int { Int(unsafe mysql_get_server_version(handle.raw)) }
    var serverText: String { unsafe String(cString: mysql_get_server_info(handle.raw)) }
    var isMariaDB: Bool { serverText.contains("MariaDB") }

    // MARK: - Statements

    func execute(_ sql: String) throws(Failure) { try execute(Array(sql.utf8)) }

    /// Runs one statement and drops what it answers.
    func execute(_ sql: [UInt8]) throws(Failure) {
        try run(sql)
        try drain()
    }

    /// A setting that only some servers have.
    func executeIfKnown(_ sql: String) throws(Failure) {
        do throws(Failure) { try execute(sql) } catch {
            guard lastError == ServerError.Number.unknownVariable else { throw error }
        }
    }

    /// The rows of a statement, all columns as bytes, nil for NULL.
    func bytes(_ sql: String) throws(Failure) -> [[[UInt8]?]] {
        try run(Array(sql.utf8))
        guard let result = unsafe mysql_store_result(handle.raw) else {
            throw failed("no rows of \"\(Self.excerpt(sql))\"")
        }
        defer { unsafe mysql_free_result(result) }
        let width = Int(unsafe mysql_num_fields(result))
        var rows: [[[UInt8]?]] = []
        while let row = unsafe mysql_fetch_row(result) {
            guard let lengths = unsafe mysql_fetch_lengths(result) else { break }
            rows.append(
                (0..<width).map { column in
                    guard let value = unsafe row[column] else { return nil }
                    return unsafe Array(
                        UnsafeRawBufferPointer(start: value, count: Int(lengths[column])))
                })
        }
        return rows
    }

    /// The rows of a statement as text.
    func query(_ sql: String) throws(Failure) -> [[String?]] {
        try bytes(sql).map { $0.map { $0.map { String(decoding: $0, as: UTF8.self) } } }
    }

    /// The first column of the first row.
    func value(_ sql: String) throws(Failure) -> String? { try query(sql).first?.first ?? nil }

    /// Sends a statement and waits for its answer.
    func run(_ sql: [UInt8]) throws(Failure) {
        let raw = unsafe handle.raw
        let failed = try unsafe sql.withUnsafeBufferPointer { (bytes) throws(Failure) in
            let text = unsafe UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(
                to: CChar.self)
            return try wait(
                start: { unsafe mysql_real_query_start(&$0, raw, text, UInt(bytes.count)) },
                go: { unsafe mysql_real_query_cont(&$0, raw, $1) })
        }
        guard failed == 0 else {
            throw self.failed(
                "cannot run \"\(Self.excerpt(String(decoding: sql.prefix(4096), as: UTF8.self)))\"")
        }
    }

    /// Runs one of the library's non-blocking calls to its end and gives back its result, so that an
    /// interruption is noticed while the server works.
    func wait(
        start: (inout Int32) -> Int32, go: (inout Int32, Int32) -> Int32
    ) throws(Failure) -> Int32 {
        lastError = 0
        try progress.checkCancelled()
        let socket = unsafe mysql_get_socket(handle.raw)
        var result: Int32 = 0
        var wasStopped = false
        var status = start(&result)
        while status != 0 {
            var descriptor = pollfd(
                fd: socket,
                events: Int16(
                    (status & MYSQL_WAIT_READ != 0 ? POLLIN : 0)
                        | (status & MYSQL_WAIT_WRITE != 0 ? POLLOUT : 0)), revents: 0)
            let count = unsafe poll(&descriptor, 1, 100)
            if count == 0 || count < 0 && errno == EINTR {
                if progress.isCancelled, !wasStopped {
                    wasStopped = true
                    stopStatement()
                }
                continue
            }
            // Whatever poll says beyond that, an error of the socket is found by going on.
            let happened =
                (descriptor.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 ? MYSQL_WAIT_READ : 0)
                | (descriptor.revents & Int16(POLLOUT) != 0 ? MYSQL_WAIT_WRITE : 0)
            status = go(&result, happened & status)
        }
        if wasStopped { throw Failure(.cancelled, "interrupted") }
        return result
    }

    /// Takes answers off the line until there are no more.
    func drain() throws(Failure) {
        while true {
            if let result = unsafe mysql_use_result(handle.raw) {
                while unsafe mysql_fetch_row(result) != nil {}
                unsafe mysql_free_result(result)
            }
            let next = unsafe mysql_next_result(handle.raw)
            if next > 0 { throw failed("an answer of the server is cut off") }
            if next < 0 { return }
        }
    }

    /// Ends the statement that this session runs, through another session.
    private func stopStatement() {
        let number = unsafe mysql_thread_id(handle.raw)
        // A progress of its own: the run's is cancelled.
        guard let other = try? Session(options, progress: Progress()) else { return }
        try? other.execute("KILL QUERY \(number)")
    }

    /// - Parameter error: the connection's own, unless given.
    func failed(_ what: String, _ error: ServerError? = nil) -> Failure {
        let error = error ?? (unsafe ServerError(handle.raw))
        lastError = error.number
        return error.failure(what)
    }

    static func excerpt(_ sql: String) -> String {
        let line = sql.split { $0 == "\n" }.joined(separator: " ")
        return line.count > 160 ? line.prefix(160) + "…" : line
    }
}

/// Settings on which the form of values, the text of definitions and the end of a session depend.
enum SessionPins {
    static let statements = [
        "SET SESSION sql_mode = '', SESSION time_zone = '+00:00', SESSION sql_quote_show_create = 1, "
            + "SESSION net_write_timeout = 86400, SESSION net_read_timeout = 86400, "
            + "SESSION wait_timeout = 2147483, SESSION sql_select_limit = DEFAULT",
        "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        // What the server sends has the bytes that are stored, whatever character set a column has.
        "SET character_set_results = NULL",
    ]
    /// Each in some versions of one family only.
    static let optional = [
        "SET SESSION max_statement_time = 0", "SET SESSION max_execution_time = 0",
        "SET SESSION idle_transaction_timeout = 0",
        "SET SESSION idle_readonly_transaction_timeout = 0",
        "SET SESSION information_schema_stats_expiry = 0",
        "SET SESSION system_versioning_asof = DEFAULT",
        "SET SESSION show_create_table_skip_secondary_engine = 0",
        "SET SESSION sql_generate_invisible_primary_key = 0",
    ]
}
