import Basics

extension PaxReader {
    /// The entry that a header and the records before it describe.
    ///
    /// `packed` becomes the number of data bytes that follow, the map of holes not counted.
    mutating func makeEntry(
        _ header: borrowing TarHeader, packed: inout Int64
    ) throws(Failure) -> Entry {
        let kind = try Self.kind(header.flag)
        let isSparse = records.sparseMajor != nil
        var entry = Entry(path: try path(header, kind, isSparse: isSparse), kind: kind)
        // A record counts instead of its field, which must be a proper one all the same.
        let field = try header.size()
        let size = records.size ?? field
        guard kind == .file || size == 0 else {
            throw Self.malformed("\(EntryPath.quoted(entry.path)) has data but is not a file")
        }
        try readTarget(header, into: &entry)
        if kind == .hardlink { return entry }
        entry.mode = try header.mode()
        entry.uid = try header.uid()
        entry.gid = try header.gid()
        entry.owner = try header.owner()
        entry.group = try header.group()
        entry.modified.seconds = try header.modified()
        if let uid = records.uid { entry.uid = uid }
        if let gid = records.gid { entry.gid = gid }
        if let owner = records.owner { entry.owner = owner }
        if let group = records.group { entry.group = group }
        if let modified = records.modified { entry.modified = modified }
        entry.attributes = records.attributes
        entry.accessACL = records.accessACL
        entry.defaultACL = records.defaultACL
        guard entry.defaultACL == nil || kind == .directory else {
            throw Self.malformed("a default access control list on something not a directory")
        }
        var number = DeviceNumber(major: try header.major(), minor: try header.minor())
        if let major = records.major { number.major = major }
        if let minor = records.minor { number.minor = minor }
        if kind == .character || kind == .block {
            entry.device = number
        } else if number != DeviceNumber(major: 0, minor: 0) {
            throw Self.malformed("a device number on something not a device")
        }
        packed = size
        entry.size = size
        if isSparse { try readExtents(into: &entry, packed: &packed) }
        return entry
    }

    private static func kind(_ flag: UInt8) throws(Failure) -> Entry.Kind {
        switch flag {
        case UInt8(ascii: "0"): return .file
        case UInt8(ascii: "1"): return .hardlink
        case UInt8(ascii: "2"): return .symlink
        case UInt8(ascii: "3"): return .character
        case UInt8(ascii: "4"): return .block
        case UInt8(ascii: "5"): return .directory
        case UInt8(ascii: "6"): return .fifo
        default:
            throw malformed("an entry of the type \(flag), which Exeat does not write")
        }
    }

    private func path(
        _ header: borrowing TarHeader, _ kind: Entry.Kind, isSparse: Bool
    ) throws(Failure) -> [UInt8] {
        guard isSparse == (records.sparseName != nil) else {
            throw Self.malformed("a file with holes that has no name")
        }
        let field = try header.path()
        var path = records.sparseName ?? records.path ?? field
        if path == [0x2e, 0x2f], kind == .directory { return [] }
        guard !path.isEmpty else { throw Failure(.treePathUnsafe, "an entry without a name") }
        if kind == .directory {
            guard path.last == 0x2f else {
                throw Failure(
                    .treePathUnsafe, "the directory \(EntryPath.quoted(path)) does not end in \"/\""
                )
            }
            path.removeLast()
            guard !path.isEmpty else {
                throw Failure(.treePathUnsafe, "the path \"/\" is refused: it is absolute")
            }
        }
        try EntryPath.check(path)
        return path
    }

    private func readTarget(
        _ header: borrowing TarHeader, into entry: inout Entry
    ) throws(Failure) {
        let field = try header.link()
        entry.target = records.link ?? field
        switch entry.kind {
        case .symlink:
            guard (1..<4096).contains(entry.target.count) else {
                throw Self.malformed("\(EntryPath.quoted(entry.path)) leads nowhere")
            }
        case .hardlink:
            guard !entry.target.isEmpty else {
                throw Self.malformed("\(EntryPath.quoted(entry.path)) is a link to nothing")
            }
            try EntryPath.check(entry.target)
        default:
            guard entry.target.isEmpty else {
                throw Self.malformed("\(EntryPath.quoted(entry.path)) has a target but is no link")
            }
        }
    }

    // MARK: - Holes

    /// Reads the map at the head of the data: GNU tar's sparse format 1.0, lines of decimal numbers
    /// (how many runs, then offset and length of each) filled up with NULs to a whole block.
    private mutating func readExtents(
        into entry: inout Entry, packed: inout Int64
    ) throws(Failure) {
        guard entry.kind == .file, records.sparseMajor == 1, records.sparseMinor == 0,
            let visible = records.sparseSize
        else { throw Self.malformed("holes in a format that Exeat does not write") }
        entry.size = visible
        var map = SparseMapReader(limit: packed)
        let count = try map.number(from: &input)
        // One more than the runs: the mark at the end.
        guard count <= Self.largestExtentCount + 1 else {
            throw Self.malformed("\(EntryPath.quoted(entry.path)) has \(count) runs of data")
        }
        var extents: [Extent] = []
        var end: Int64 = 0
        var sum: Int64 = 0
        for index in 0..<count {
            let offset = try map.number(from: &input)
            let length = try map.number(from: &input)
            // A file that ends with a hole may close with an empty run at its end.
            let isMark = length == 0 && offset == visible && index == count - 1
            guard isMark || length > 0 && (offset > end || index == 0),
                offset >= end, offset <= visible, length <= visible - offset
            else {
                throw Self.malformed(
                    "\(EntryPath.quoted(entry.path)) has a map that is not in order")
            }
            end = offset + length
            sum += length
            if !isMark { extents.append(Extent(offset: offset, length: length)) }
        }
        try map.finish(&input)
        guard map.size + sum == packed else {
            throw Self.malformed(
                "\(EntryPath.quoted(entry.path)) has more or less data than its map")
        }
        packed = sum
        entry.extents = extents
    }
}

/// Reads decimal lines out of whole blocks.
private struct SparseMapReader {
    private let limit: Int64
    private var position = 512
    /// Bytes of the map so far, padding included.
    private(set) var size: Int64 = 0

    init(limit: Int64) { self.limit = limit }

    mutating func number(from input: inout SegmentInput) throws(Failure) -> Int64 {
        var value: Int64 = 0
        var digits = 0
        while true {
            if position == 512 { try nextBlock(&input) }
            let byte = input.block[position]
            position += 1
            if byte == 0x0a, digits > 0 { return value }
            guard (0x30...0x39).contains(byte), digits < 18, digits == 0 || value > 0 else {
                throw PaxReader.malformed("a bad number in a map of holes")
            }
            value = value * 10 + Int64(byte - 0x30)
            digits += 1
        }
    }

    mutating func finish(_ input: inout SegmentInput) throws(Failure) {
        guard !input.block[position...].contains(where: { $0 != 0 }) else {
            throw PaxReader.malformed("padding that is not zero")
        }
    }

    private mutating func nextBlock(_ input: inout SegmentInput) throws(Failure) {
        guard size + 512 <= limit, try input.nextBlock() else {
            throw PaxReader.truncated("in a map of holes")
        }
        size += 512
        position = 0
    }
}
