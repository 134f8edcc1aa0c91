import Basics
import CMariaDB
import Glibc
import Streams

// Rows as lines: values apart by tabs, each line with a line feed, `\N` for NULL; backslash, tab and
// line feed within a value have a backslash before them (MariaDB documentation, "LOAD DATA INFILE").
extension Session {
    /// Runs a SELECT and lets `body` have its rows as lines, which need no more memory than the
    /// buffer and the longest row.
    ///
    /// `row` gets each row, or a piece of a long one, where it lies in memory that is valid for the
    /// call; `full` gets the buffer when it is full, and at the end. Gives back how many rows came.
    func stream(
        _ sql: String, into chunk: inout Chunk,
        row: (UnsafeRawBufferPointer) throws(Failure) -> Void,
        full: (borrowing Chunk) throws(Failure) -> Void
    ) throws(Failure) -> Int64 {
        let statement = try PreparedStatement(sql, self)
        let values = try statement.execute()
        var count: Int64 = 0
        chunk.removeAll()
        do throws(Failure) {
            while try statement.fetch() {
                let most = values.mostBytes
                if chunk.capacity - chunk.count < most, !chunk.isEmpty {
                    try progress.checkCancelled()
                    try full(chunk)
                    chunk.removeAll()
                }
                if most <= chunk.capacity {
                    try unsafe chunk.append { (free) throws(Failure) in
                        guard let base = free.baseAddress else { return 0 }
                        let count = unsafe values.write(to: base) - base
                        try unsafe row(UnsafeRawBufferPointer(rebasing: free[..<count]))
                        return count
                    }
                } else {
                    try unsafe writeLong(values, into: &chunk, row: row, full: full)
                }
                count += 1
            }
            if !chunk.isEmpty { try full(chunk) }
            chunk.removeAll()
        } catch {
            // What the server has still to send would be waited for otherwise.
            statement.abandon()
            throw error
        }
        return count
    }

    /// A row that is longer than the buffer, in pieces.
    private func writeLong(
        _ values: RowValues, into chunk: inout Chunk,
        row: (UnsafeRawBufferPointer) throws(Failure) -> Void,
        full: (borrowing Chunk) throws(Failure) -> Void
    ) throws(Failure) {
        let most = 64 << 10
        for column in 0..<values.width {
            var place = 0
            let length = values.length(of: column)
            repeat {
                // Room for an escaped piece, or a number, and what ends the value.
                if chunk.capacity - chunk.count < 2 * most + 64 {
                    try progress.checkCancelled()
                    try full(chunk)
                    chunk.removeAll()
                }
                let part = min(most, length - place)
                try unsafe chunk.append { (free) throws(Failure) in
                    guard let base = free.baseAddress else { return 0 }
                    var end = unsafe values.write(column, from: place, count: part, to: base)
                    if place + part >= length { unsafe end = values.end(of: column, at: end) }
                    let count = unsafe end - base
                    try unsafe row(UnsafeRawBufferPointer(rebasing: free[..<count]))
                    return count
                }
                place += part
            } while place < length
        }
    }
}

/// Owns a `MYSQL_STMT` that reads rows.
@safe final class PreparedStatement {
    private let raw: UnsafeMutablePointer<MYSQL_STMT>
    private let session: Session
    private let sql: String
    private var values: RowValues?
    private var isAbandoned = false

    init(_ sql: String, _ session: Session) throws(Failure) {
        guard let raw = unsafe mysql_stmt_init(session.handle.raw) else {
            throw session.failed("cannot make a statement")
        }
        unsafe self.raw = raw
        self.session = session
        self.sql = sql
        let text = Array(sql.utf8)
        // The text must stay where it is until the call is at its end.
        let failed = try unsafe text.withUnsafeBufferPointer { (bytes) throws(Failure) in
            let place = unsafe UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(
                to: CChar.self)
            return try session.wait(
                start: { unsafe mysql_stmt_prepare_start(&$0, raw, place, UInt(bytes.count)) },
                go: { unsafe mysql_stmt_prepare_cont(&$0, raw, $1) })
        }
        if failed != 0 { throw failure("cannot run") }
    }

    deinit { unsafe mysql_stmt_close(raw) }

    /// Sends the statement; gives back where its rows will be found one by one.
    func execute() throws(Failure) -> RowValues {
        guard let result = unsafe mysql_stmt_result_metadata(raw) else {
            throw failure("no rows of")
        }
        let values = unsafe RowValues(
            UnsafeBufferPointer(
                start: mysql_fetch_fields(result), count: Int(mysql_num_fields(result))))
        unsafe mysql_free_result(result)
        self.values = values
        let note: ps_result_callback = { user, column, row in
            guard let user = unsafe user else { return }
            unsafe Unmanaged<RowValues>.fromOpaque(user)._withUnsafeGuaranteedRef {
                unsafe $0.note(Int(column), row)
            }
        }
        unsafe mysql_stmt_attr_set(
            raw, STMT_ATTR_CB_USER_DATA, Unmanaged.passUnretained(values).toOpaque())
        unsafe mysql_stmt_attr_set(
            raw, STMT_ATTR_CB_RESULT, unsafeBitCast(note, to: UnsafeRawPointer.self))
        let statement = unsafe raw
        let failed = try session.wait(
            start: { unsafe mysql_stmt_execute_start(&$0, statement) },
            go: { unsafe mysql_stmt_execute_cont(&$0, statement, $1) })
        if failed != 0 { throw failure("cannot run") }
        return values
    }

    /// The next row; false behind the last.
    func fetch() throws(Failure) -> Bool {
        switch unsafe mysql_stmt_fetch(raw) {
        case 0, MYSQL_DATA_TRUNCATED: return true
        case MYSQL_NO_DATA: return false
        default: throw failure("cannot read all rows of")
        }
    }

    /// Ends the session, so that rows still to come are not waited for.
    func abandon() { unsafe _ = shutdown(mysql_get_socket(session.handle.raw), Int32(SHUT_RDWR)) }

    /// A server that is gone in the middle of the rows leaves no error with the statement itself.
    private func failure(_ what: String) -> Failure {
        let own = unsafe ServerError(
            number: mysql_stmt_errno(raw), state: mysql_stmt_sqlstate(raw),
            message: mysql_stmt_error(raw))
        let connection = unsafe ServerError(session.handle.raw)
        let error = own.number != 0 ? own : connection.number != 0 ? connection : .lost
        return session.failed("\(what) \"\(Session.excerpt(sql))\"", error)
    }
}
