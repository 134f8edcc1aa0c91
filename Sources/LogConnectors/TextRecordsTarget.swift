import Archives
import Basics
import Connectors
import Glibc
import Logs
import Primitives
import Streams
import Synchronization

/// Text logs as records of JSON, one for each entry: `ndjson`, or in the form that `_bulk` takes.
///
/// The files of a member are named after it: PATH.ndjson, or PATH-00001.ndjson and so on.
final class TextRecordsTarget: Sendable {
    private let root: String
    private let form: TextTarget.Form
    private let stored: TextStored
    private let room: Room
    private let maker: TextRecordMaker
    private let members: [[UInt8]: (stream: Int, member: TextMemberRecord)]
    private let list: [TextMemberRecord]
    private let begunPath: String
    private let beginnings: Set<Int>
    private let texts = Mutex<[[UInt8]: TextFound]>([:])

    init(
        _ path: String, _ form: TextTarget.Form, _ settings: TextTarget, _ stored: TextStored,
        source: SourceName, existing: TreeTarget.Existing, room: Room, resuming: Bool
    ) throws(Failure) {
        root = path
        self.form = form
        self.stored = stored
        self.room = room
        maker = TextRecordMaker(source: source, index: form == .bulk ? settings.index : nil)
        var members: [[UInt8]: (stream: Int, member: TextMemberRecord)] = [:]
        for (number, stream) in stored.streams.enumerated() {
            for member in stream.members { members[member.path] = (number, member) }
        }
        self.members = members
        list = stored.streams.flatMap(\.members)
        beginnings = Set(stored.beginnings)
        begunPath = room.directory + "/begun-\(form.rawValue)"
        if existing == .refuse, !(resuming && Files.exists(begunPath)), Files.exists(path) {
            // Records of the journal lie below `journal`.
            guard try Files.names(in: path).allSatisfy({ $0 == "journal" }) else {
                throw Failure(
                    .targetOccupied, "the target \"\(path)\" is not empty",
                    hint: "Choose another one, or say `existing: replace`.")
            }
        }
    }

    func begin() throws(Failure) {
        try Files.makeDirectory(root, mode: 0o700)
        try Files.write([], to: begunPath, mode: 0o600)
    }

    func replay(_ segment: Int) throws(Failure) {
        // More of a large member: the unit that it begins in has taken it.
        guard beginnings.contains(segment) else { return }
        let progress = room.progress
        var walk = TextWalk(stored, segment, progress: progress)
        try walk.run { (path) throws(Failure) in
            guard let (stream, member) = members[path] else { return TextRecordWriter() }
            return try TextRecordWriter(
                member, stored.streams[stream].base, maker, pieces: form == .bulk,
                at: fileStem(member))
        } finish: { (_, writer) throws(Failure) in
            let written = try writer.finish()
            progress.add(objects: 1)
            progress.add(stored: written)
        }
    }

    private func fileStem(_ member: TextMemberRecord) -> [UInt8] {
        Array(root.utf8) + [0x2f] + member.path
    }

    func finish() throws(Failure) {
        try Descriptor(opening: root, O_RDONLY | O_DIRECTORY).syncFileSystem()
    }

    // MARK: - Proof

    var slices: Int { list.count }

    func compare(_ slice: Int) throws(Failure) {
        let member = list[slice]
        guard member.facts != nil else { return }
        let found = try TextRecordProof(form, at: fileStem(member)).read(progress: room.progress)
        texts.withLock { $0[member.path] = found }
    }

    func conclude(counting: Bool, into result: inout ImportResult) throws(Failure) {
        if counting {
            for slice in list.indices { try compare(slice) }
        }
        let found = texts.withLock { $0 }
        guard !found.isEmpty || counting else { return }
        result.comparisons += TextProof.comparisons(
            stored.streams, found, counting: counting, prefix: form.rawValue)
        let entries = found.values.reduce(0) { $0 + $1.facts.entries }
        result.counts.append(.init("\(form.rawValue) records", .integer(entries)))
    }
}

/// The source that records come from.
struct SourceName: Sendable {
    var name: String
    /// When its inventory was taken.
    var moment: String
}

/// What all records of an import share.
struct TextRecordMaker: Sendable {
    let source: SourceName
    /// Of the documents of `_bulk`; nil for records alone.
    let index: String?

    var observed: Timestamp { Timestamp(source.moment) ?? Timestamp(seconds: 0) }
}
