public import Basics

/// Goes through the entries of a journal file in two ways at once: along the arrays of entries, as
/// journalctl does, and object by object, which needs no array.
///
/// Both give entries in the order of their offsets, which is the order in which they were written. An
/// entry that one of them finds is an entry. Where the objects cannot be followed any more, the walk
/// goes on at the next entry that an array names, or where objects begin to follow each other again.
public struct JournalWalk {
    /// How the entries of a file were found.
    public struct Counts: Sendable, Equatable {
        public var entries: UInt64 = 0
        /// Only found object by object: no array names them.
        public var unlisted: UInt64 = 0
        /// Only found by the arrays: the objects before them are damaged.
        public var unchained: UInt64 = 0
        /// Places of arrays that hold no entry.
        public var broken: UInt64 = 0
        /// Bytes that belong to no object that can be read.
        public var lostBytes: Int64 = 0

        public init() {}
    }

    public private(set) var counts = Counts()
    /// Where objects could not be followed: begin and end, the first of them.
    public private(set) var holes: [Range<Int64>] = []

    private let file: JournalFile
    /// No entry behind this one: the file may be growing.
    private let lastSequence: UInt64
    private let end: Int64
    private var arrays: JournalArrays
    private var listed: JournalEntry?
    private var position: Int64
    /// Where the object before `position` begins.
    private var before: Int64 = 0
    private var chained: JournalEntry?
    private var isOpen = true

    public static let mostHoles = 100

    public init(_ file: JournalFile) throws(Failure) {
        self.file = file
        let header = file.header
        // A file that is written to ends, for us, where its head said so when it was opened.
        lastSequence = header.state == .online ? header.tailSequence : .max
        var end = file.size
        if header.tailObject >= header.size, let tail = try file.object(header.tailObject) {
            end = min(end, tail.end)
        }
        self.end = end
        position = header.size
        arrays = JournalArrays(file)
        try nextListed()
        try nextChained()
    }

    /// The next entry in the order of offsets; nil behind the last.
    public mutating func next() throws(Failure) -> JournalEntry? {
        while let entry = try step() {
            if entry.sequence > lastSequence { continue }
            counts.entries += 1
            return entry
        }
        return nil
    }

    private mutating func step() throws(Failure) -> JournalEntry? {
        guard let entry = listed else {
            guard let entry = chained else { return nil }
            if entry.sequence <= lastSequence { counts.unlisted += 1 }
            try nextChained()
            return entry
        }
        if let other = chained, other.offset <= entry.offset {
            if other.offset == entry.offset {
                try nextListed()
            } else if other.sequence <= lastSequence {
                counts.unlisted += 1
            }
            try nextChained()
            return other
        }
        counts.unchained += 1
        try nextListed()
        return entry
    }

    private mutating func nextListed() throws(Failure) {
        listed = nil
        while let offset = try arrays.next() {
            if let entry = try file.entry(offset) {
                listed = entry
                return
            }
            counts.broken += 1
        }
    }

    private mutating func nextChained() throws(Failure) {
        chained = nil
        // An object that covers an entry which an array names has a damaged size: what it covers follows it.
        if let listed, listed.offset > before, listed.offset < position {
            position = before
            try resume()
        }
        while isOpen, position < end {
            guard let object = try file.object(position), object.end > position,
                listed.map({ $0.offset > position && $0.offset < object.end }) != true
            else {
                try resume()
                continue
            }
            before = position
            if object.kind == .entry {
                if let entry = try file.entry(object) {
                    chained = entry
                    position = object.end
                    return
                }
                if try !follows(object.end) {
                    try resume()
                    continue
                }
            }
            position = object.end
        }
        isOpen = false
    }

    /// Looks for the place behind damage where objects can be followed again.
    private mutating func resume() throws(Failure) {
        let start = position
        var place = position + 8
        while place < end {
            if let listed, listed.offset == place { break }
            if let object = try file.object(place), object.flags & ~7 == 0,
                try isPlausible(object)
            {
                break
            }
            place += 8
        }
        position = min(place, end)
        counts.lostBytes += position - start
        if holes.count < Self.mostHoles { holes.append(start..<position) }
    }

    /// Whether objects follow each other from here on, three in a row.
    private func isPlausible(_ object: JournalObject) throws(Failure) -> Bool {
        var object = object
        if object.kind == .dataTable || object.kind == .fieldTable { return false }
        for _ in 0..<3 {
            if object.end >= end { return object.end == end }
            guard let next = try file.object(object.end), next.flags & ~7 == 0 else {
                return false
            }
            object = next
        }
        return true
    }

    private func follows(_ place: Int64) throws(Failure) -> Bool {
        if place >= end { return true }
        return try file.object(place) != nil
    }
}

/// The chain of arrays that lists all entries of a file.
struct JournalArrays {
    private let file: JournalFile
    private var array: JournalObject?
    private var index = 0
    private var items = 0
    private var last: Int64 = 0
    /// No more than the head counts: what lies behind is not written yet.
    private var left: UInt64

    init(_ file: JournalFile) {
        self.file = file
        left = file.header.entries
        open(file.header.entryArray)
    }

    private mutating func open(_ offset: Int64) {
        array = nil
        guard offset > 0, let object = try? file.object(offset), object.kind == .entryArray else {
            return
        }
        array = object
        index = 0
        items = (Int(object.size) - 24) / (file.header.isCompact ? 4 : 8)
    }

    /// The next offset that is listed; never one before the last, which only damage could bring.
    mutating func next() throws(Failure) -> Int64? {
        while let current = array, left > 0 {
            if index == items {
                let next = try file.bytes(current.offset, 24).map {
                    Int64(clamping: $0.number(16, UInt64.self))
                }
                // Later arrays lie behind earlier ones: a chain that turns back would never end.
                open(next.map { $0 > current.offset ? $0 : 0 } ?? 0)
                continue
            }
            let size = file.header.isCompact ? 4 : 8
            guard let bytes = try file.bytes(current.offset + 24 + Int64(index * size), size) else {
                array = nil
                return nil
            }
            index += 1
            let offset =
                size == 4
                ? Int64(bytes.number(0, UInt32.self))
                : Int64(clamping: bytes.number(0, UInt64.self))
            left -= 1
            if offset == 0 {
                // Allocated, and not used yet; or zeroed by damage.
                continue
            }
            if offset > last {
                last = offset
                return offset
            }
        }
        return nil
    }
}
