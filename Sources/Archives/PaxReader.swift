public import Basics
public import Streams

/// Reads the plaintext of one segment of a tree archive: a pax stream (POSIX.1-2017, pax
/// "ustar Interchange Format" and "pax Extended Header") of which every byte is accounted for.
///
/// It accepts only what Exeat writes, and never guesses: another member of the tar family, a
/// checksum that is wrong, padding that is not zero, a record twice, paths out of order are
/// refused (`.treeMalformed`, `.treePathUnsafe`, `.treeOrder`, `.truncated`). Blocks on its source:
/// call it on a `Lane`. Nothing is allocated per chunk.
public struct PaxReader: ~Copyable {
    /// Where a segment begins.
    public enum Beginning: Sendable {
        /// At the header of an entry.
        case entry
        /// In the data of a file whose header ended an earlier segment, at a visible offset.
        case inside(Entry, offset: Int64)
    }

    /// Where a segment ends.
    public enum Ending: Sendable, Equatable {
        /// Before the header of an entry.
        case entry
        /// In the data of the file with that path, which goes on at that visible offset.
        case inside(path: [UInt8], offset: Int64)
        /// After the two blocks of zeros that end the archive.
        case archive
    }

    /// Runs of data that a file with holes may have.
    public static let largestExtentCount = HoleMap.largestCount
    /// Bytes of the extended header of one entry.
    static let largestRecords = 16 << 20

    var input: SegmentInput
    var records = EntryRecords()
    private let ending: Ending
    private var beginning: Beginning
    private var begun = false
    private var ended = false
    private var last: [UInt8]?

    // The data at hand: runs of visible bytes that follow in the stream, and how many are read.
    private var runs: [Extent] = []
    private var run = 0
    private var done: Int64 = 0
    private var padding = 0

    /// The entry whose header was read last continues from an earlier segment.
    public private(set) var isContinued = false
    /// The data at hand goes on in a later segment.
    public private(set) var isCut = false

    /// - Parameter previous: the path of the entry before this segment, for the check of order.
    public init(
        _ source: consuming some ByteSource & ~Copyable, from beginning: Beginning = .entry,
        to ending: Ending, after previous: [UInt8]? = nil
    ) {
        input = SegmentInput(source)
        self.beginning = beginning
        self.ending = ending
        last = previous
    }

    /// Bytes of plaintext read so far: after `next`, where the entry's data begins.
    public var offset: Int64 { input.offset }

    /// Where the header of the entry that `next` returned last begins, its extended one included.
    public private(set) var headerOffset: Int64 = 0

    /// The next entry, or nil at the end of the segment.
    ///
    /// Data of the entry before that was not read is skipped. A file that began in an earlier
    /// segment is returned first, with `isContinued` set.
    public mutating func next() throws(Failure) -> Entry? {
        guard !ended else { return nil }
        try unsafe readData { (_, _) throws(Failure) in }
        if isCut {
            try endHere()
            return nil
        }
        isContinued = false
        if !begun {
            begun = true
            if case .inside(let entry, let offset) = beginning {
                try resume(entry, at: offset)
                return entry
            }
        }
        guard let entry = try readEntry() else { return nil }
        return entry
    }

    /// Hands all data of the current entry to `body`, in order: bytes and their visible offset.
    ///
    /// The bytes are only there during the call. Holes are not handed over.
    public mutating func readData(
        _ body: (UnsafeRawBufferPointer, Int64) throws(Failure) -> Void
    ) throws(Failure) {
        while run < runs.count {
            let extent = runs[run]
            while done < extent.length {
                let start = extent.offset + done
                done += try unsafe input.take(upTo: extent.length - done) {
                    (bytes) throws(Failure) in
                    try unsafe body(bytes, start)
                }
            }
            run += 1
            done = 0
        }
        if padding > 0 {
            let count = padding
            padding = 0
            try input.skipZeros(count)
        }
    }

    // MARK: - Entries

    private mutating func readEntry() throws(Failure) -> Entry? {
        records.reset()
        headerOffset = input.offset
        guard try input.nextBlock() else {
            guard ending == .entry else { throw Self.truncated("between two entries") }
            ended = true
            return nil
        }
        if input.blockIsZero {
            try endArchive()
            return nil
        }
        var header = try TarHeader(input.block)
        if header.flag == UInt8(ascii: "x") {
            try readRecords(header)
            guard try input.nextBlock() else { throw Self.truncated("after an extended header") }
            header = try TarHeader(input.block)
            guard header.flag != UInt8(ascii: "x") else {
                throw Self.malformed("two extended headers for one entry")
            }
        }
        var packed: Int64 = 0
        let entry = try makeEntry(header, packed: &packed)
        if let last, !EntryPath.precedes(last, entry.path) {
            throw Failure(
                .treeOrder,
                "\(EntryPath.quoted(entry.path)) comes after \(EntryPath.quoted(last)) in the archive"
            )
        }
        last = entry.path
        try begin(entry, packed: packed, from: 0)
        return entry
    }

    private mutating func readRecords(_ header: borrowing TarHeader) throws(Failure) {
        let size = try header.size()
        guard size > 0, size <= Self.largestRecords else {
            throw Self.malformed("an extended header of \(size) bytes")
        }
        try input.read(Int(size), into: &records.bytes)
        try input.skipZeros(Self.padding(after: size))
        try records.parse()
    }

    /// Prepares the data of `entry` from a visible offset to its end or to the segment's cut.
    private mutating func begin(
        _ entry: Entry, packed: Int64, from start: Int64
    ) throws(Failure) {
        var end = entry.size
        isCut = false
        if case .inside(let path, let offset) = ending, path == entry.path {
            guard entry.kind == .file, offset >= start, offset < max(entry.size, 1) else {
                throw Self.malformed("a segment that ends outside the file it ends in")
            }
            end = offset
            isCut = true
        }
        runs.removeAll(keepingCapacity: true)
        run = 0
        done = 0
        if let extents = entry.extents {
            for extent in extents {
                let from = max(extent.offset, start)
                let to = min(extent.offset + extent.length, end)
                if to > from { runs.append(Extent(offset: from, length: to - from)) }
            }
        } else if end > start {
            runs.append(Extent(offset: start, length: end - start))
        }
        padding = isCut ? 0 : Self.padding(after: packed)
    }

    private mutating func resume(_ entry: Entry, at offset: Int64) throws(Failure) {
        guard entry.kind == .file, offset >= 0, offset <= entry.size else {
            throw Self.malformed("a segment that begins outside the file it begins in")
        }
        last = entry.path
        isContinued = true
        let packed = entry.extents?.reduce(0) { $0 + $1.length } ?? entry.size
        try begin(entry, packed: packed, from: offset)
    }

    // MARK: - Ends

    private mutating func endArchive() throws(Failure) {
        guard ending == .archive else {
            throw Self.malformed("the archive ends in a segment that is not its last")
        }
        guard try input.nextBlock() else { throw Self.truncated("in the end of the archive") }
        guard input.blockIsZero else { throw Self.malformed("bytes after the end of the archive") }
        try endHere()
    }

    private mutating func endHere() throws(Failure) {
        ended = true
        guard try input.isAtEnd() else { throw Self.malformed("bytes after the end of a segment") }
    }

    static func padding(after size: Int64) -> Int {
        Int((512 - size % 512) % 512)
    }

    static func malformed(_ what: String) -> Failure {
        Failure(
            .treeMalformed, "the tree archive is malformed: \(what)",
            hint: "The archive is damaged or forged; get a fresh copy from its maker.")
    }

    static func truncated(_ place: String) -> Failure {
        Failure(.truncated, "the tree archive ends too early: \(place)")
    }
}
