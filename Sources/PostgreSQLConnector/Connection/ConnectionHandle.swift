import Basics
import CPQ

/// Owns a `PGconn`.
@safe struct ConnectionHandle: ~Copyable {
    let raw: OpaquePointer

    init(_ conninfo: Conninfo) throws(Failure) {
        let parameters = conninfo.parameters
        let connection = unsafe CStrings.with(parameters.map { $0.keyword } + [nil]) { keywords in
            unsafe CStrings.with(parameters.map { $0.value } + [nil]) { values in
                unsafe PQconnectdbParams(keywords, values, 0)
            }
        }
        guard let connection = unsafe connection else {
            throw Failure(.databaseUnreachable, "libpq has no memory for a connection")
        }
        guard unsafe PQstatus(connection) == CONNECTION_OK else {
            let message = unsafe String(cString: PQerrorMessage(connection))
                .split(separator: "\n").joined(separator: "; ")
            unsafe PQfinish(connection)
            throw Self.refused(message, conninfo)
        }
        unsafe exeat_pq_silence(connection)
        unsafe raw = connection
    }

    deinit { unsafe PQfinish(raw) }

    private static func refused(_ message: String, _ conninfo: Conninfo) -> Failure {
        let isMissing = message.contains("does not exist") && message.contains("database")
        let isDenied =
            message.contains("authentication failed") || message.contains("no password supplied")
            || message.contains("pg_hba.conf")
        return Failure(
            isMissing ? .notFound : isDenied ? .databaseRights : .databaseUnreachable,
            "cannot connect to \(conninfo.text)",
            hint: isDenied
                ? "Check user, password and pg_hba.conf of the server."
                : isMissing
                    ? "Check the name of the database."
                    : "Check host, port and that the server runs.",
            cause: Failure(.databaseUnreachable, message))
    }
}

/// Owns a `PGresult`.
@safe struct ConnectionResult: ~Copyable {
    let raw: OpaquePointer

    init?(_ result: OpaquePointer?) {
        guard let result = unsafe result else { return nil }
        unsafe raw = result
    }

    deinit { unsafe PQclear(raw) }

    var rows: [[String?]] {
        let (height, width) = unsafe (PQntuples(raw), PQnfields(raw))
        return (0..<height).map { row in
            (0..<width).map { column in
                guard unsafe PQgetisnull(raw, row, column) == 0 else { return nil }
                return unsafe String(cString: PQgetvalue(raw, row, column))
            }
        }
    }
}

/// Arrays of C strings for the time of a call.
enum CStrings {
    static func with<Result>(
        _ texts: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        var bytes: [CChar] = []
        var starts: [Int?] = []
        for text in texts {
            starts.append(text == nil ? nil : bytes.count)
            if let text {
                bytes += text.utf8.map { CChar(bitPattern: $0) }
                bytes.append(0)
            }
        }
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            let pointers: [UnsafePointer<CChar>?] = unsafe starts.map { start in
                guard let start, let base = buffer.baseAddress else { return nil }
                return unsafe base + start
            }
            return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
        }
    }
}
