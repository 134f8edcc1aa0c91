import Basics
import CPQ
import Streams

extension Connection {
    /// Hands over everything a `COPY … TO STDOUT` sends, gathered in `chunk`.
    ///
    /// `body` gets pieces that may end in the middle of a line. The rows the server says it sent
    /// are returned. Stands on `PQgetlineAsync`, which copies a row once and allocates nothing.
    func copyOut(
        _ sql: String, chunk: inout Chunk,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> Int64 {
        try begin(sql, PGRES_COPY_OUT)
        chunk.removeAll()
        var isDone = false
        do throws(Failure) {
            while !isDone {
                let full = chunk.count == chunk.capacity
                if full { try unsafe hand(&chunk, body) }
                var got: Int32 = 0
                try unsafe chunk.append { (free) throws(Failure) in
                    var used = 0
                    // Rows until the chunk is full or libpq's buffer is empty.
                    while used < free.count {
                        got = unsafe PQgetlineAsync(
                            raw,
                            free.baseAddress.map {
                                unsafe ($0 + used).assumingMemoryBound(to: CChar.self)
                            }, Int32(clamping: free.count - used))
                        guard got > 0 else { break }
                        used += Int(got)
                    }
                    return used
                }
                if got < 0 {
                    isDone = true
                } else if got == 0 {
                    try wait()
                    guard unsafe PQconsumeInput(raw) == 1 else { throw connectionFailure() }
                }
            }
            if !chunk.isEmpty { try unsafe hand(&chunk, body) }
        } catch {
            // The rest of the stream is of no use to anybody: the session ends here, and with it
            // what the server still does for it.
            if isOpen { cancel() }
            isSpent = true
            throw error
        }
        // Not before this does libpq know that the stream has ended.
        var rest: UnsafeMutablePointer<CChar>?
        guard unsafe PQgetCopyData(raw, &rest, 0) < 0 else {
            unsafe PQfreemem(rest)
            throw Failure(.failed, "a COPY went on after its end")
        }
        return try lastResult().affected
    }

    private func hand(
        _ chunk: inout Chunk, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) {
        try progress.checkCancelled()
        try unsafe chunk.withBytes(body)
        chunk.removeAll()
    }

    /// Feeds a `COPY … FROM STDIN` with what `fill` puts into the chunk, until it leaves it empty.
    ///
    /// A throw of `fill` ends the COPY with an error, so that no row of it stays. Returns the rows
    /// the server has taken. Stands on `PQputCopyData`.
    @discardableResult
    func copyIn(
        _ sql: String, chunk: inout Chunk, _ fill: (inout Chunk) throws(Failure) -> Void
    ) throws(Failure) -> Int64 {
        try begin(sql, PGRES_COPY_IN)
        do throws(Failure) {
            while true {
                try progress.checkCancelled()
                chunk.removeAll()
                try fill(&chunk)
                if chunk.isEmpty { break }
                try unsafe chunk.withBytes { (bytes) throws(Failure) in try unsafe put(bytes) }
            }
        } catch {
            if isOpen, unsafe PQputCopyEnd(raw, "the archive could not be read") >= 0 {
                try flush()
                do throws(Failure) { _ = try lastResult() } catch {}
            }
            throw error
        }
        while true {
            let state = unsafe PQputCopyEnd(raw, nil)
            if state > 0 { break }
            guard state == 0 else { return try lastResult().affected }
            try wait(toWrite: true)
        }
        try flush()
        return try lastResult().affected
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        // libpq copies into a buffer that it enlarges without end: small pieces, flushed, keep it
        // small.
        var offset = 0
        while offset < bytes.count {
            let count = min(64 << 10, bytes.count - offset)
            let state = unsafe PQputCopyData(
                raw,
                bytes.baseAddress.map {
                    unsafe ($0 + offset).assumingMemoryBound(to: CChar.self)
                }, Int32(count))
            guard state >= 0 else {
                // The server has ended the COPY; it says why in the result.
                _ = try lastResult()
                throw connectionFailure()
            }
            if state == 0 {
                try wait(toWrite: true)
            } else {
                offset += count
            }
            try flush()
        }
    }

    private func begin(_ sql: String, _ expected: ExecStatusType) throws(Failure) {
        try sent(unsafe PQsendQuery(raw, sql))
        guard let result = try unsafe nextResult() else { throw connectionFailure() }
        let status = unsafe PQresultStatus(result)
        if status == expected {
            unsafe PQclear(result)
            return
        }
        let failure =
            status == PGRES_FATAL_ERROR
            ? unsafe note(result) : Failure(.statementFailed, "a COPY did not begin: \(sql)")
        unsafe PQclear(result)
        while let more = try unsafe nextResult() { unsafe PQclear(more) }
        throw failure
    }
}
