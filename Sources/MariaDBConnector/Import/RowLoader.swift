import Basics
import Connectors
import Databases
import Streams

/// Writes the rows of a segment into a table: by LOAD DATA LOCAL, or by INSERT where that is not allowed.
struct RowLoader {
    let session: Session
    let table: StoredServer.Table
    /// As the target calls it.
    let qualified: String
    let progress: Progress
    /// Where history is dropped; such rows are inserted.
    var current: CurrentRows?

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
            qualified, columns: current?.loaded(table.columns) ?? table.columns,
            limit: min(max(maxPacket - 1024, 1024), 1 << 20))
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
        var splitter = RowSplitter()
        repeat {
            try progress.checkCancelled()
            try stream.read(into: &chunk)
            progress.add(bytes: Int64(chunk.count))
            guard let current else {
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    try unsafe writer.take(bytes, run)
                }
                continue
            }
            var lines: [UInt8] = []
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                unsafe splitter.split(bytes) { lines += current.line($0) ?? [] }
            }
            try unsafe lines.withUnsafeBufferPointer { (lines) throws(Failure) in
                try unsafe writer.take(UnsafeRawBufferPointer(lines), run)
            }
        } while !chunk.isEmpty
        try writer.end(run)
    }
}

/// Makes INSERT statements of lines, each value written once to where it stays.
struct InsertWriter {
    private let head: [UInt8]
    /// For each column what stands around its literal; nil where it is not loaded.
    private let frames: [(before: [UInt8], after: [UInt8])?]
    private let limit: Int
    private var statement: [UInt8]
    /// Where the row, and the value, that are being written begin.
    private var rowStart: Int
    private var valueStart = 0
    private var column = 0
    private var isInValue = false
    private var isEscaped = false
    private var isNull = false

    init(_ qualified: String, columns: [Column], limit: Int) {
        let names = columns.filter { $0.transport != .generated }.map(\.name.quotedName)
        head = Array("INSERT INTO \(qualified) (\(names.joined(separator: ", "))) VALUES ".utf8)
        // The bytes as they are: a string of the binary character set is not converted.
        let literal = "_binary'"
        frames = columns.map { column in
            if column.transport == .generated { return nil }
            let parts = (column.assigned("\u{1}") ?? "\u{1}").split(
                separator: "\u{1}", omittingEmptySubsequences: false)
            return (Array("\(parts[0])\(literal)".utf8), Array("'\(parts[1])".utf8))
        }
        self.limit = limit
        statement = head
        rowStart = head.count
    }

    mutating func take(
        _ bytes: UnsafeRawBufferPointer, _ run: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        for index in 0..<bytes.count {
            let byte = unsafe bytes[index]
            if !isInValue { beginValue() }
            if isEscaped {
                isEscaped = false
                if byte == 0x4e {
                    isNull = true
                } else {
                    append(byte == 0x74 ? 0x09 : byte == 0x6e ? 0x0a : byte)
                }
            } else if byte == 0x5c {
                isEscaped = true
            } else if byte == 0x09 {
                endValue()
            } else if byte == 0x0a {
                endValue()
                try endRow(run)
            } else {
                append(byte)
            }
        }
    }

    private mutating func beginValue() {
        isInValue = true
        guard let frame = frames[column] else { return }
        if statement.count == rowStart {
            statement += rowStart == head.count ? [0x28] : [0x2c, 0x28]
        } else {
            statement += [0x2c, 0x20]
        }
        valueStart = statement.count
        statement += frame.before
    }

    private mutating func append(_ byte: UInt8) {
        if frames[column] == nil { return }
        switch byte {
        case 0x27, 0x5c: statement += [0x5c, byte]
        case 0: statement += [0x5c, 0x30]
        default: statement.append(byte)
        }
    }

    private mutating func endValue() {
        if let frame = frames[column] {
            if isNull {
                statement.removeSubrange(valueStart...)
                statement += Array("NULL".utf8)
            } else {
                statement += frame.after
            }
        }
        column += 1
        isInValue = false
        isNull = false
    }

    private mutating func endRow(_ run: ([UInt8]) throws(Failure) -> Void) throws(Failure) {
        // A table whose columns are all generated has rows nevertheless.
        if statement.count == rowStart {
            statement += rowStart == head.count ? [0x28] : [0x2c, 0x28]
        }
        statement.append(0x29)
        column = 0
        if statement.count > limit, rowStart > head.count {
            // The row that is too much begins the next statement, without its comma.
            let row = Array(statement[(rowStart + 1)...])
            statement.removeSubrange(rowStart...)
            try end(run)
            statement += row
        }
        rowStart = statement.count
    }

    mutating func end(_ run: ([UInt8]) throws(Failure) -> Void) throws(Failure) {
        if statement.count == head.count { return }
        try run(statement)
        statement.removeSubrange(head.count...)
        rowStart = head.count
    }
}
