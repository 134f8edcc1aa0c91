import Basics
import Connectors
import Logs
import Manifests
import Streams

/// Everything the inventory of a journal has fixed, as it is kept in the room: a run that goes on
/// exports what it began with, whatever has come to the journal since.
struct JournalInventory: Sendable {
    /// A journal file that entries are read from.
    struct Source: Sendable {
        var path: String
        var fileID: JournalID
        var size: Int64
    }

    /// One artifact of entries.
    struct Stream: Sendable {
        var name: StreamName
        var entries: Int64
        var bytes: Int64
        /// How many entries each segment has.
        var segments: [Int64]
    }

    var files: [Source] = []
    var streams: [Stream] = []
    /// Places of `files` that are kept verbatim.
    var verbatim: [Int] = []
    /// What is known to be missing already.
    var omissions = OmissionSummary()
    /// Entries that are missing or cannot be read, and files; with the streams they are the expected
    /// list.
    var facts: JSON = [:]

    /// Bytes of a raw file in one segment.
    static let rawSegment: Int64 = 256 << 20

    var objects: Int64 {
        streams.reduce(0) { $0 + $1.entries } + Int64(verbatim.count) + omissions.total
    }

    static func ordered(_ stream: Int, in room: String) -> String {
        "\(room)/stream-\(stream)"
    }
}

// MARK: - In the room

extension JournalInventory {
    func write(to path: String) throws(Failure) {
        let json: JSON = [
            "files": .array(
                files.map {
                    [
                        "path": .string(Hex.encode(Array($0.path.utf8))),
                        "file": .string($0.fileID.text), "size": .integer($0.size),
                    ]
                }),
            "streams": .array(
                streams.map {
                    [
                        "machine": .string($0.name.machine.text),
                        "boot": .string($0.name.boot.text), "entries": .integer($0.entries),
                        "bytes": .integer($0.bytes),
                        "segments": .array($0.segments.map { .integer($0) }),
                    ]
                }),
            "verbatim": .array(verbatim.map { .integer(Int64($0)) }),
            "omissions": omissions.json, "facts": facts,
        ]
        try Files.write(json.canonical, to: path, mode: 0o600)
    }

    init(reading path: String) throws(Failure) {
        let damaged = Failure(
            .failed, "the inventory \"\(path)\" is damaged",
            hint: "Begin the run again in a new output.")
        let json = try JSON(parsing: Files.read(path, limit: 1 << 30))
        guard let listed = json["files"]?.array, let streams = json["streams"]?.array,
            let verbatim = json["verbatim"]?.array, let omissions = json["omissions"],
            let facts = json["facts"]
        else { throw damaged }
        for file in listed {
            guard let name = file["path"]?.string.flatMap({ Hex.decode($0) }),
                let id = file["file"]?.string.flatMap({ JournalID($0) }),
                let size = file["size"]?.integer
            else { throw damaged }
            files.append(
                Source(path: String(decoding: name, as: UTF8.self), fileID: id, size: size))
        }
        for stream in streams {
            guard let machine = stream["machine"]?.string.flatMap({ JournalID($0) }),
                let boot = stream["boot"]?.string.flatMap({ JournalID($0) }),
                let entries = stream["entries"]?.integer, let bytes = stream["bytes"]?.integer,
                let segments = stream["segments"]?.array
            else { throw damaged }
            self.streams.append(
                Stream(
                    name: StreamName(machine: machine, boot: boot), entries: entries, bytes: bytes,
                    segments: segments.compactMap(\.integer)))
        }
        self.verbatim = verbatim.compactMap { $0.integer.map { Int($0) } }
        self.omissions = try OmissionSummary(omissions)
        self.facts = facts
    }
}

/// One entry in the order of its stream: the file, where in it, and by what it is known again.
struct OrderedEntry {
    var file: Int
    var offset: Int64
    var sequence: UInt64

    static let size = 24

    func store(_ place: UnsafeMutableRawPointer) {
        unsafe place.storeBytes(of: Int64(file), as: Int64.self)
        unsafe place.storeBytes(of: offset, toByteOffset: 8, as: Int64.self)
        unsafe place.storeBytes(of: sequence, toByteOffset: 16, as: UInt64.self)
    }

    init(file: Int, offset: Int64, sequence: UInt64) {
        self.file = file
        self.offset = offset
        self.sequence = sequence
    }

    init(_ place: UnsafeRawPointer) {
        file = unsafe Int(place.load(as: Int64.self))
        offset = unsafe place.load(fromByteOffset: 8, as: Int64.self)
        sequence = unsafe place.load(fromByteOffset: 16, as: UInt64.self)
    }
}
