public import Basics
import Glibc
import Primitives
public import Streams

/// What the members of a tar stream are, noted in files of a directory, so that two streams can be held
/// against each other whatever the order of their members.
///
/// Memory is bounded: members go to one of many files by their path, and one file at a time is looked
/// at. Of a path that comes twice the last one counts, as it does for whoever unpacks the stream. Names
/// of the same object (hard links) count as one member, since which of them comes first is chance.
public struct TarLedger: ~Copyable {
    private let directory: String
    private var buckets: [[UInt8]]
    /// Members noted, before names of the same object were brought together.
    public private(set) var count: Int64 = 0

    private static let bucketCount = 128
    /// Bytes that are held for a file before they are written.
    private static let heldBytes = 32 << 10

    /// - Parameter directory: for the files; made when it is missing, emptied when it is there.
    public init(in directory: String) throws(Failure) {
        self.directory = directory
        try Files.remove(directory)
        try Files.makeDirectory(directory, mode: 0o700)
        buckets = Array(repeating: [], count: Self.bucketCount)
    }

    /// What of a member is looked at.
    public enum Share: Sendable {
        case all
        /// The object under its other names (hard links), where it has any.
        case otherNames
        case nothing
    }

    /// Reads a stream to its end.
    ///
    /// - Parameter share: what of a member is to be compared; may blank what need not be equal.
    public mutating func read(
        _ source: consuming some ByteSource & ~Copyable, progress: Progress,
        sharing share: (inout TarMember) -> Share
    ) throws(Failure) {
        var reader = TarReader(source)
        while var member = try reader.next() {
            try progress.checkCancelled()
            let share = share(&member)
            if share == .nothing || share == .otherNames && member.kind == .hardLink { continue }
            if share == .all { count += 1 }
            let content = member.kind == .file ? try reader.digest(of: member) : Digest256()
            var note = MemberNote(member, content: content)
            note.isUnnamed = share == .otherNames
            // The names of an object meet where its first one is.
            let place = member.kind == .hardLink ? member.link : member.path
            try add(note, to: place, "member")
        }
        try flush("member")
        try joinNames()
    }

    private mutating func add(
        _ note: MemberNote, to path: [UInt8], _ file: String
    ) throws(Failure) {
        let bucket = Self.bucket(of: path)
        note.append(to: &buckets[bucket])
        if buckets[bucket].count >= Self.heldBytes { try flush(bucket, file) }
    }

    private static func bucket(of path: [UInt8]) -> Int {
        // FNV-1a: the same in every process.
        let hash = path.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        return Int((hash >> 32) % UInt64(bucketCount))
    }

    private mutating func flush(_ file: String) throws(Failure) {
        for bucket in buckets.indices where !buckets[bucket].isEmpty { try flush(bucket, file) }
    }

    private mutating func flush(_ bucket: Int, _ file: String) throws(Failure) {
        let path = directory + "/\(file)-\(bucket)"
        do throws(Failure) {
            let file = try Descriptor(
                opening: path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
            try file.writeAll(buckets[bucket])
        } catch { throw error.during("cannot write \"\(path)\"") }
        buckets[bucket].removeAll(keepingCapacity: true)
    }

    private static func notes(_ path: String) throws(Failure) -> [MemberNote] {
        guard Files.exists(path) else { return [] }
        return try MemberNote.all(in: Files.read(path, limit: 4 << 30))
    }

    /// Gives each object one note, under the first of its names.
    private mutating func joinNames() throws(Failure) {
        for bucket in 0..<Self.bucketCount {
            let path = directory + "/member-\(bucket)"
            var objects: [[UInt8]: MemberNote] = [:]
            var links: [MemberNote] = []
            for note in try Self.notes(path) {
                if note.kind == .hardLink { links.append(note) } else { objects[note.path] = note }
            }
            var names: [[UInt8]: Set<[UInt8]>] = [:]
            for link in links {
                if objects[link.link] != nil {
                    names[link.link, default: [link.link]].insert(link.path)
                } else {
                    // A name of nothing stays what it is.
                    try add(link, to: link.path, "object")
                }
            }
            for (path, var note) in objects {
                var all = names[path] ?? [path]
                if note.isUnnamed { all.remove(path) }
                note.isUnnamed = false
                let sorted = all.sorted { $0.lexicographicallyPrecedes($1) }
                guard let first = sorted.first else { continue }
                note.path = first
                if sorted.count > 1 {
                    var hasher = SHA256()
                    for name in sorted {
                        hasher.update(name)
                        hasher.update(byte: 0)
                    }
                    note.names = hasher.finish()
                }
                try add(note, to: note.path, "object")
            }
            try Files.remove(path)
        }
        try flush("object")
    }

    // MARK: - Comparison

    /// Holds what was found against what was expected.
    ///
    /// - Parameter limit: so many differences are named; all are counted.
    public static func compare(
        _ expected: borrowing TarLedger, _ found: borrowing TarLedger, limit: Int
    ) throws(Failure) -> TarComparison {
        var result = TarComparison()
        var expectedHasher = SHA256()
        var foundHasher = SHA256()
        for bucket in 0..<bucketCount {
            let left = try expected.objects(bucket)
            let right = try found.objects(bucket)
            expectedHasher.update(digest(of: left))
            foundHasher.update(digest(of: right))
            result.expectedCount += Int64(left.count)
            result.foundCount += Int64(right.count)
            for (path, note) in left {
                let what = right[path].map { note.differences(from: $0) } ?? [.missing]
                if !what.isEmpty { result.add(.init(path: path, what: what), limit) }
            }
            for path in right.keys where left[path] == nil {
                result.add(.init(path: path, what: [.extra]), limit)
            }
        }
        result.expected = expectedHasher.finish()
        result.found = foundHasher.finish()
        result.differences.sort { $0.path.lexicographicallyPrecedes($1.path) }
        return result
    }

    private borrowing func objects(_ bucket: Int) throws(Failure) -> [[UInt8]: MemberNote] {
        var objects: [[UInt8]: MemberNote] = [:]
        for note in try Self.notes(directory + "/object-\(bucket)") { objects[note.path] = note }
        return objects
    }

    private static func digest(of notes: [[UInt8]: MemberNote]) -> Digest256 {
        var hasher = SHA256()
        var bytes: [UInt8] = []
        for path in notes.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            bytes.removeAll(keepingCapacity: true)
            notes[path]?.append(to: &bytes)
            hasher.update(bytes)
        }
        return hasher.finish()
    }
}

/// How the members of two tar streams compare.
public struct TarComparison: Sendable {
    public enum Word: String, Sendable {
        case missing, extra, type, content, size, link, device, mode, owner, time, attributes
        case hardLinks = "hard links"
    }

    public struct Difference: Sendable, Equatable {
        public let path: [UInt8]
        public let what: [Word]
    }

    /// Some of them, by path.
    public internal(set) var differences: [Difference] = []
    public internal(set) var differenceCount: Int64 = 0
    /// Objects; names of the same one count once.
    public internal(set) var expectedCount: Int64 = 0
    public internal(set) var foundCount: Int64 = 0
    /// Over all objects in an order of their own: equal when no object differs.
    public internal(set) var expected = Digest256()
    public internal(set) var found = Digest256()

    mutating func add(_ difference: Difference, _ limit: Int) {
        differenceCount += 1
        if differences.count < limit { differences.append(difference) }
    }
}
