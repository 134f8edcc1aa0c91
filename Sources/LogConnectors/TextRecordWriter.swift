import Basics
import Glibc
import Logs
import Primitives
import Streams

/// Writes the records of one member of a log.
final class TextRecordWriter: TextTaker {
    private let entries: EntryWriter?
    private var unpacker: Unpacker?
    private var text: TextEntries?

    /// Writes nothing: a file of which the archive does not say what log it is of.
    init() { entries = nil }

    init(
        _ member: TextMemberRecord, _ stream: [UInt8], _ maker: TextRecordMaker, pieces: Bool,
        at stem: [UInt8]
    ) throws(Failure) {
        if let packing = member.packing { unpacker = try Unpacker(packing) }
        text = TextEntries(format: member.format, clock: member.clock.clock())
        try Files.makeDirectories(above: stem)
        entries = try EntryWriter(member, stream, maker, pieces: pieces, at: stem)
    }

    func feed(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        guard let entries else { return }
        if unpacker != nil {
            try unsafe unpacker?.feed(bytes) { (part) throws(Failure) in
                try unsafe text?.feed(part, entries)
            }
        } else {
            try unsafe text?.feed(bytes, entries)
        }
    }

    /// Ends the files; how many bytes they have.
    func finish() throws(Failure) -> Int64 {
        guard let entries else { return 0 }
        try text?.finish(entries)
        return try entries.finish()
    }
}

/// Makes records of entries, into one file or into pieces of a size that `_bulk` takes.
private final class EntryWriter: TextEntryTaker {
    private let maker: TextRecordMaker
    private var pieces: RecordPieces
    private var record: OpenTelemetryRecord
    private let path: [UInt8]
    /// Attributes that all records of the member have.
    private var shared: [UInt8] = []

    init(
        _ member: TextMemberRecord, _ stream: [UInt8], _ maker: TextRecordMaker, pieces: Bool,
        at stem: [UInt8]
    ) throws(Failure) {
        self.pieces = RecordPieces(stem, isPieced: pieces)
        self.maker = maker
        path = member.source
        var resource = Array("{\"exeat.source\":".utf8)
        JSON.quote(maker.source.name, into: &resource)
        resource += Array("}".utf8)
        record = OpenTelemetryRecord(observed: maker.observed, resource: resource)
        let name = member.source[((member.source.lastIndex(of: 0x2f) ?? -1) + 1)...]
        Self.append("\"log.file.name\":", Array(name), &shared)
        Self.append("\"log.file.path\":", member.source, &shared)
        Self.append("\"exeat.log\":", stream, &shared)
    }

    private static func append(_ key: String, _ value: [UInt8], _ bytes: inout [UInt8]) {
        bytes += Array(key.utf8)
        _ = unsafe value.withUnsafeBytes { unsafe JSONBytes.quote($0, to: &bytes) }
        bytes.append(0x2c)
    }

    func take(_ entry: TextEntries.Entry, _ body: UnsafeRawBufferPointer) throws(Failure) {
        record.timestamp = entry.time
        record.severity = unsafe OpenTelemetryText.severity(
            body, format: entry.format, from: entry.timeEnd)
        record.trace = unsafe OpenTelemetryText.identifier(body, "trace", digits: 32)
        record.span = unsafe OpenTelemetryText.identifier(body, "span", digits: 16)
        record.attributes.removeAll(keepingCapacity: true)
        record.attributes += shared
        record.attributes += Array("\"exeat.log.offset\":\(entry.offset),".utf8)
        if entry.part > 0 { record.attributes += Array("\"exeat.log.part\":\(entry.part),".utf8) }
        if entry.isUnterminated {
            record.attributes += Array("\"exeat.log.unterminated\":true,".utf8)
        }
        let (record, maker) = (record, maker)
        let id = maker.index == nil ? nil : identifier(entry)
        try pieces.append(expecting: Int64(body.count) * 2) { line in
            if let index = maker.index, let id { RecordPieces.appendAction(index, id, to: &line) }
            unsafe record.append(body: body, stamped: maker.index != nil, to: &line)
        }
    }

    /// The same for the same entry of the same archive, whenever it is imported.
    private func identifier(_ entry: TextEntries.Entry) -> [UInt8] {
        var hasher = SHA256()
        hasher.update(Array("exeat/log-id/v1\0\(maker.source.name)\0\(maker.source.moment)\0".utf8))
        hasher.update(path)
        hasher.update(Array("\0\(entry.offset)\0\(entry.part)".utf8))
        return Array(hasher.finish().hex.utf8.prefix(40))
    }

    func finish() throws(Failure) -> Int64 {
        try pieces.finish()
    }
}

extension Files {
    /// Makes the directories that hold a path, for our eyes alone.
    static func makeDirectories(above path: [UInt8]) throws(Failure) {
        guard let slash = path.lastIndex(of: 0x2f), slash > 0 else { return }
        let parent = Array(path[..<slash])
        let text = parent.map { CChar(bitPattern: $0) } + [0]
        if unsafe mkdir(text, 0o700) == 0 || errno == EEXIST {
            guard TextGlob.kind(parent, follows: false) == S_IFDIR else {
                throw Failure(
                    .targetOccupied, "\(TextHolder.quoted(parent)) is no directory",
                    hint: "Choose an empty target.")
            }
            return
        }
        guard errno == ENOENT else {
            throw Failure(errno: errno, "cannot create \(TextHolder.quoted(parent))")
        }
        try makeDirectories(above: parent)
        guard unsafe mkdir(text, 0o700) == 0 || errno == EEXIST else {
            throw Failure(errno: errno, "cannot create \(TextHolder.quoted(parent))")
        }
    }
}
