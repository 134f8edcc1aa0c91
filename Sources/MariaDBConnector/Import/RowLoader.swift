import Basics
import Connectors
import Streams

/// Writes the rows of a segment into a table: by LOAD DATA LOCAL, or by INSERT where that is not allowed.
struct RowLoader {
    let session: Session
    let table: StoredServer.Table
    /// As the target calls it.
    let qualified: String
    /// Without the times of history where it is dropped.
    let progress: Progress

    func load(_ stream: SegmentStream) throws(Failure) {
        let progress = progress
        let feed = LoadFeed { (chunk) throws(Failure) in
            try progress.checkCancelled()
            try stream.read(into: &chunk)
            progress.add(bytes: Int64(chunk.count))
        }
        let statement = LoadStatement.text(qualified, columns: table.columns, file: "exeat")
        let loaded = try session.load(statement, from: feed)
        guard loaded.records == feed.rows, loaded.skipped == 0 else {
            throw Failure(
                .databaseRefused,
                "of \(feed.rows) rows the server took \(loaded.records - loaded.skipped)",
                hint: "A key of the target refuses rows that the source had: see its collation.",
                cause: loaded.warnings.first.map {
                    Failure(.databaseRefused, "the server says: \($0)")
                })
        }
    }

    /// The same rows as INSERT statements, each as long as the server takes one.
    func insert(_ stream: SegmentStream, maxPacket: Int) throws(Failure) {
        var writer = InsertWriter(
            qualified, columns: table.columns, limit: min(max(maxPacket - 1024, 1024), 1 << 20))
        func run(_ statement: [UInt8]) throws(Failure) {
            guard statement.count < maxPacket else {
                throw Failure(
                    .databaseUnsuitable,
                    "a row of \(qualified) is of \(statement.count) bytes as a statement, and "
                        + "max_allowed_packet of the target is \(maxPacket)",
                    hint: "SET GLOBAL max_allowed_packet to more there, or allow "
                        + "local_infile; then run the same command again.")
            }
            try session.execute(statement)
        }
        var chunk = Chunk()
        repeat {
            try progress.checkCancelled()
            try stream.read(into: &chunk)
            progress.add(bytes: Int64(chunk.count))
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                try unsafe writer.take(bytes, run)
            }
        } while !chunk.isEmpty
        try writer.end(run)
    }
}

/// Makes INSERT statements of lines.
struct InsertWriter {
    private let head: [UInt8]
    private let columns: [Column]
    private let limit: Int
    private var statement: [UInt8] = []
    private var row: [UInt8] = []
    private var value: [UInt8] = []
    private var column = 0
    private var isEscaped = false
    private var isNull = false

    init(_ qualified: String, columns: [Column], limit: Int) {
        let names = columns.filter { $0.transport != .generated }.map(\.name.quotedName)
        head = Array("INSERT INTO \(qualified) (\(names.joined(separator: ", "))) VALUES ".utf8)
        self.columns = columns
        self.limit = limit
    }

    mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ run: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        for index in 0..<bytes.count {
            let byte = unsafe bytes[index]
            if isEscaped {
                isEscaped = false
                if byte == 0x4e, value.isEmpty {
                    isNull = true
                } else {
                    value.append(byte == 0x74 ? 0x09 : byte == 0x6e ? 0x0a : byte)
                }
            } else if byte == 0x5c {
                isEscaped = true
            } else if byte == 0x09 {
                endValue()
            } else if byte == 0x0a {
                endValue()
                try endRow(run)
            } else {
                value.append(byte)
            }
        }
    }

    private mutating func endValue() {
        let transport = columns[column]
        column += 1
        defer {
            value.removeAll(keepingCapacity: true)
            isNull = false
        }
        if transport.transport == .generated { return }
        row += Array((row.isEmpty ? "(" : ", ").utf8)
        if isNull {
            row += Array("NULL".utf8)
            return
        }
        // The bytes as they are: a string of the binary character set is not converted.
        guard let expression = transport.assigned("\u{1}") else {
            appendLiteral()
            return
        }
        let parts = expression.split(separator: "\u{1}", omittingEmptySubsequences: false)
        row += Array(parts[0].utf8)
        appendLiteral()
        row += Array(parts[1].utf8)
    }

    private mutating func appendLiteral() {
        row += Array("_binary'".utf8)
        for byte in value {
            if byte == 0x27 || byte == 0x5c { row.append(0x5c) }
            if byte == 0 {
                row += [0x5c, 0x30]
            } else {
                row.append(byte)
            }
        }
        row.append(0x27)
    }

    private mutating func endRow(_ run: ([UInt8]) throws(Failure) -> Void) throws(Failure) {
        row += Array((row.isEmpty ? "()" : ")").utf8)
        column = 0
        if !statement.isEmpty, statement.count + row.count + 2 > limit { try end(run) }
        statement += statement.isEmpty ? head : [0x2c]
        statement += row
        row.removeAll(keepingCapacity: true)
    }

    mutating func end(_ run: ([UInt8]) throws(Failure) -> Void) throws(Failure) {
        if statement.isEmpty { return }
        try run(statement)
        statement.removeAll(keepingCapacity: true)
    }
}
