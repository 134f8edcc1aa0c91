import Basics
import Connectors
import Glibc
import Logs
import Manifests
import Primitives
import Streams

/// What the export of each segment has learnt, durably in the room: digest and time of every entry,
/// and what was wrong with some.
struct JournalNotes: Sendable {
    let directory: String

    /// What was wrong with entries of one file.
    struct Flaw: Sendable {
        var reason: LogOmission
        /// How many entries.
        var count: Int64
        /// The file, and where in it the first of them lies.
        var object: String
        var detail: String
    }

    private func path(_ number: SegmentNumber, _ what: String) -> String {
        "\(directory)/\(what)-\(number.artifact)-\(number.segment)"
    }

    func digests(_ number: SegmentNumber) -> String { path(number, "digests") }

    static let digestSize = 40

    static func store(_ digest: Digest256, _ realtime: UInt64, _ place: UnsafeMutableRawPointer) {
        unsafe place.storeBytes(of: digest.words.0, as: UInt64.self)
        unsafe place.storeBytes(of: digest.words.1, toByteOffset: 8, as: UInt64.self)
        unsafe place.storeBytes(of: digest.words.2, toByteOffset: 16, as: UInt64.self)
        unsafe place.storeBytes(of: digest.words.3, toByteOffset: 24, as: UInt64.self)
        unsafe place.storeBytes(of: realtime, toByteOffset: 32, as: UInt64.self)
    }

    private static func load(_ place: UnsafeRawPointer) -> (Digest256, UInt64) {
        unsafe (
            Digest256(
                words: (
                    place.load(as: UInt64.self), place.load(fromByteOffset: 8, as: UInt64.self),
                    place.load(fromByteOffset: 16, as: UInt64.self),
                    place.load(fromByteOffset: 24, as: UInt64.self)
                )), place.load(fromByteOffset: 32, as: UInt64.self)
        )
    }

    /// Keeps how many entries a segment has, and what was wrong; written last.
    func write(_ entries: Int64, _ flaws: [Flaw], for number: SegmentNumber) throws(Failure) {
        let json: JSON = [
            "entries": .integer(entries),
            "flaws": .array(
                flaws.map {
                    [
                        "reason": .string($0.reason.rawValue), "count": .integer($0.count),
                        "object": .string($0.object), "detail": .string($0.detail),
                    ]
                }),
        ]
        try Files.write(json.canonical, to: path(number, "notes"), mode: 0o600)
    }

    func read(_ number: SegmentNumber) throws(Failure) -> (entries: Int64, flaws: [Flaw]) {
        let path = path(number, "notes")
        let json = try JSON(parsing: Files.read(path))
        guard let entries = json["entries"]?.integer, let listed = json["flaws"]?.array else {
            throw Failure(.failed, "the note \"\(path)\" is damaged")
        }
        var flaws: [Flaw] = []
        for flaw in listed {
            guard let reason = flaw["reason"]?.string.flatMap({ LogOmission(rawValue: $0) }),
                let count = flaw["count"]?.integer, let object = flaw["object"]?.string,
                let detail = flaw["detail"]?.string
            else { throw Failure(.failed, "the note \"\(path)\" is damaged") }
            flaws.append(Flaw(reason: reason, count: count, object: object, detail: detail))
        }
        return (entries, flaws)
    }

    /// The chain over all entries of an artifact.
    func chain(artifact: Int, segments: Int) throws(Failure) -> JournalChain {
        var chain = JournalChain()
        for segment in 0..<segments {
            let number = SegmentNumber(artifact: artifact, segment: segment)
            var reader = RecordFileReader(
                digests(number), recordSize: Self.digestSize, from: 0,
                count: try read(number).entries)
            while let (digest, realtime) = try unsafe reader.next({ unsafe Self.load($0) }) {
                chain.add(digest, realtime: realtime)
            }
        }
        return chain
    }

    func writeRaw(_ digest: Digest256, for number: SegmentNumber) throws(Failure) {
        try Files.write(Array(digest.hex.utf8), to: path(number, "raw"), mode: 0o600)
    }

    func raw(_ number: SegmentNumber) throws(Failure) -> String {
        try Files.readText(path(number, "raw"))
    }
}

extension JournalChain {
    static let digestName = "journal-sha256-chain"

    var digests: [JSON.Member] { [.init(Self.digestName, .string(head.hex))] }

    var counts: [JSON.Member] {
        var counts: [JSON.Member] = [.init("entries", .integer(entries))]
        if let first, let last {
            // The times of a damaged entry may lie beyond what JSON carries.
            func member(_ name: String, _ time: UInt64) -> JSON.Member {
                .init(name, .integer(min(Int64(clamping: time), JSON.largestInteger)))
            }
            counts.append(member("firstMicroseconds", first))
            counts.append(member("lastMicroseconds", last))
        }
        return counts
    }
}
