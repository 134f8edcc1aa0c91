import Basics
import CPQ

/// The rows of a query, in memory; owns a `PGresult`.
@safe final class QueryResult: @unchecked Sendable {
    // Sendable: a PGresult is only read after it was made.
    private let raw: OpaquePointer

    init(_ raw: OpaquePointer) { unsafe self.raw = raw }

    deinit { unsafe PQclear(raw) }

    var count: Int { Int(unsafe PQntuples(raw)) }
    var columns: Int { Int(unsafe PQnfields(raw)) }
    var isEmpty: Bool { count == 0 }

    /// What the command did, such as `COPY 1000`.
    var commandTag: String {
        unsafe PQcmdStatus(raw).map { unsafe String(cString: $0) } ?? ""
    }

    /// How many rows the command touched, as far as it tells.
    var affected: Int64 {
        unsafe PQcmdTuples(raw).flatMap { unsafe Int64(String(cString: $0)) } ?? 0
    }

    /// The text of a value; nil for NULL.
    func text(_ row: Int, _ column: Int) -> String? {
        guard !isNull(row, column), let value = unsafe PQgetvalue(raw, Int32(row), Int32(column))
        else { return nil }
        return unsafe String(cString: value)
    }

    /// The text of a value that is never NULL by the query's own making; "" if it is.
    func string(_ row: Int, _ column: Int) -> String { text(row, column) ?? "" }

    func bytes(_ row: Int, _ column: Int) -> [UInt8]? {
        guard !isNull(row, column), let value = unsafe PQgetvalue(raw, Int32(row), Int32(column))
        else { return nil }
        let count = Int(unsafe PQgetlength(raw, Int32(row), Int32(column)))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: value, count: count))
    }

    func integer(_ row: Int, _ column: Int) -> Int64 { Int64(string(row, column)) ?? 0 }

    func flag(_ row: Int, _ column: Int) -> Bool { text(row, column) == "t" }

    func isNull(_ row: Int, _ column: Int) -> Bool {
        unsafe PQgetisnull(raw, Int32(row), Int32(column)) == 1
    }

    /// The place of a column by its name, or nil.
    func column(_ name: String) -> Int? {
        let place = unsafe PQfnumber(raw, name)
        return place < 0 ? nil : Int(place)
    }
}
