import Basics
import Glibc
import Logs
import Streams

/// Writes lines into one file, or into pieces of a size that `_bulk` takes.
struct RecordPieces: ~Copyable {
    private let stem: [UInt8]
    private let isPieced: Bool
    private var file: RecordFile?
    private var piece = 0
    private var size: Int64 = 0

    /// Elasticsearch takes no request beyond 100 MB (`http.max_content_length`).
    private static let largest: Int64 = 90_000_000

    init(_ stem: [UInt8], isPieced: Bool) {
        self.stem = stem
        self.isPieced = isPieced
    }

    static func suffix(_ piece: Int) -> [UInt8] {
        let number = String(piece)
        return Array(
            ("-" + String(repeating: "0", count: max(0, 5 - number.utf8.count)) + number
                + ".ndjson").utf8)
    }

    private mutating func open() throws(Failure) {
        piece += 1
        file = try RecordFile(stem + (isPieced ? Self.suffix(piece) : Array(".ndjson".utf8)))
    }

    private mutating func close() throws(Failure) {
        size += file?.size ?? 0
        try file?.finish()
        file = nil
    }

    /// Appends what belongs together, of about that many bytes.
    mutating func append(
        expecting count: Int64, _ body: (inout [UInt8]) -> Void
    ) throws(Failure) {
        if file == nil { try open() }
        if isPieced, let held = file?.size, held > 0, held + count > Self.largest {
            try close()
            try open()
        }
        try file?.append(body)
    }

    /// Ends the last file; how many bytes all have. Without a line there is one, and it is empty.
    mutating func finish() throws(Failure) -> Int64 {
        if piece == 0 { try open() }
        try close()
        try removeLater()
        return size
    }

    /// Pieces of an import that wrote more of them.
    private func removeLater() throws(Failure) {
        var next = piece + 1
        while isPieced {
            let path = stem + Self.suffix(next)
            guard unsafe unlink(path.map { CChar(bitPattern: $0) } + [0]) == 0 else { return }
            next += 1
        }
    }

    static func appendAction(_ index: String, _ id: [UInt8], to line: inout [UInt8]) {
        line += Array("{\"create\":{\"_index\":".utf8)
        JSON.quote(index, into: &line)
        line += Array(",\"_id\":\"".utf8)
        line += id
        line += Array("\"}}\n".utf8)
    }
}

/// Reads the documents that `RecordPieces` wrote.
struct RecordLines {
    private let form: TextTarget.Form
    private let stem: [UInt8]

    init(_ form: TextTarget.Form, at stem: [UInt8]) {
        self.form = form
        self.stem = stem
    }

    /// Calls `body` with each document; one that does not end comes with a NUL behind it, and is none.
    func read(
        _ progress: Progress, _ body: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        guard form == .bulk else {
            _ = try read(stem + Array(".ndjson".utf8), progress, body)
            return
        }
        var piece = 1
        while try read(stem + RecordPieces.suffix(piece), progress, body) { piece += 1 }
    }

    private func read(
        _ path: [UInt8], _ progress: Progress, _ body: ([UInt8]) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        let file: SharedDescriptor
        do throws(Failure) { file = try TextHolder.open(path) } catch {
            if error.code == .sourceVanished { return false }
            throw error
        }
        var source = FileSource(file, from: 0, size: Int64(try file.descriptor.status().st_size))
        var chunk = Chunk()
        var line: [UInt8] = []
        // Of two lines, the first says what to do with the second.
        var isAction = form == .bulk
        repeat {
            try progress.checkCancelled()
            try source.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                var start = 0
                while start < bytes.count {
                    let newline = unsafe bytes.placeOfNewline(from: start)
                    unsafe line.append(contentsOf: bytes[start..<(newline ?? bytes.count)])
                    guard let newline else { break }
                    if !isAction { try body(line) }
                    if form == .bulk { isAction.toggle() }
                    line.removeAll(keepingCapacity: true)
                    start = newline + 1
                }
            }
        } while !chunk.isEmpty
        if !line.isEmpty { try body(line + [0]) }
        return true
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func placeOfNewline(from start: Int) -> Int? {
        guard let base = baseAddress, start < count,
            let found = unsafe memchr(base + start, 0x0a, count - start)
        else { return nil }
        return unsafe UnsafeRawPointer(found) - base
    }
}
