import Basics
import Glibc
import Primitives

/// Reads one line of an index.
struct IndexLineParser {
    /// The line without its newline, filled before `parse`.
    var line: [UInt8] = []
    private var position = 0
    /// The owners met last: most neighbours have the same, and share the memory then.
    private var owner: [UInt8] = []
    private var group: [UInt8] = []

    mutating func parse() throws(Failure) -> IndexItem {
        let path = try path()
        let item = try item(path)
        try expect("}")
        guard position == line.count else { throw malformed("bytes after the end") }
        return item
    }

    // MARK: - Lines of which less is wanted

    /// The path, where the line is about an entry.
    mutating func pathOfEntry() throws(Failure) -> [UInt8]? {
        let path = try path()
        if take(",\"type\":\"") { _ = try string() }
        return isNext(",\"omitted\":\"") ? nil : path
    }

    /// Whether the line is about a file in one piece, told without reading the rest of it: a quote
    /// inside a string is escaped, so none of these words can be part of one.
    var isSimpleFile: Bool {
        unsafe line.withUnsafeBytes { line in
            guard let start = line.baseAddress,
                let size = unsafe Self.end(of: ",\"size\":", in: start, line.count)
            else { return false }
            // Only files have a size.
            var value: Int64 = 0
            var place = size
            while place < line.count, unsafe line[place] &- 0x30 < 10 {
                value = value &* 10 &+ Int64(unsafe line[place] &- 0x30)
                place += 1
            }
            guard place - size <= 12, value <= TreeTarget.largestSimpleFile else { return false }
            return unsafe Self.end(of: ",\"holes\":", in: start + place, line.count - place) == nil
        }
    }

    private static func end(
        of word: StaticString, in bytes: UnsafeRawPointer, _ count: Int
    ) -> Int? {
        let length = word.utf8CodeUnitCount
        return unsafe memmem(bytes, count, word.utf8Start, length).map {
            unsafe UnsafeRawPointer($0) - bytes + length
        }
    }

    // MARK: - Lines

    private mutating func path() throws(Failure) -> [UInt8] {
        position = 0
        try expect("{")
        guard let path = try bytes("\"path\":\"", "\"path64\":\"") else {
            throw malformed("no path")
        }
        try EntryPath.check(path)
        return path
    }

    /// What follows the path.
    private mutating func item(_ path: [UInt8]) throws(Failure) -> IndexItem {
        let start = position
        // Most lines are about files: their word is told without a string for it.
        if take(",\"type\":\"file\""), !isNext(",\"omitted\":\"") {
            return .entry(try entry(path, .file))
        }
        position = start
        let word = take(",\"type\":\"") ? try text() : nil
        if take(",\"omitted\":\"") { return .omission(try omission(path, word)) }
        guard let kind = word.flatMap({ Entry.Kind(rawValue: $0) }) else {
            throw malformed("no type that is known")
        }
        return .entry(try entry(path, kind))
    }

    private mutating func omission(
        _ path: [UInt8], _ word: String?
    ) throws(Failure) -> IndexedOmission {
        let kind = word.flatMap { WalkedKind(rawValue: $0) }
        guard (kind == nil) == (word == nil) else { throw malformed("no type that is known") }
        let reason = try text()
        guard !reason.isEmpty else { throw malformed("no reason") }
        let detail = take(",\"detail\":\"") ? try text() : nil
        try expect(",\"accepted\":")
        let isAccepted = take("true")
        if !isAccepted { try expect("false") }
        return IndexedOmission(
            path: path, kind: kind, reason: reason, detail: detail, isAccepted: isAccepted)
    }

    private mutating func entry(
        _ path: [UInt8], _ kind: Entry.Kind
    ) throws(Failure) -> IndexedEntry {
        guard !path.isEmpty || kind == .directory else {
            throw Failure(.treePathUnsafe, "the root of the tree is not a directory")
        }
        var indexed = IndexedEntry(entry: Entry(path: path, kind: kind))
        if kind == .hardlink {
            try expect(",")
            indexed.entry.target = try bytes("\"link\":\"", "\"link64\":\"") ?? []
            guard !indexed.entry.target.isEmpty else { throw malformed("a link to nothing") }
            try EntryPath.check(indexed.entry.target)
        } else {
            try metadata(&indexed)
        }
        indexed.hasChanged = take(",\"changed\":true")
        try expect(",\"segment\":")
        indexed.segment = Int(try number(upTo: Int64(UInt32.max)))
        try expect(",\"offset\":")
        indexed.offset = try number(upTo: .max)
        return indexed
    }

    private mutating func metadata(_ indexed: inout IndexedEntry) throws(Failure) {
        let kind = indexed.entry.kind
        try expect(",\"mode\":\"")
        indexed.entry.mode = try octal()
        try expect("\",\"uid\":")
        indexed.entry.uid = UInt32(try number(upTo: Int64(UInt32.max)))
        try expect(",\"gid\":")
        indexed.entry.gid = UInt32(try number(upTo: Int64(UInt32.max)))
        owner = try bytes(",\"owner\":\"", ",\"owner64\":\"", like: owner) ?? []
        group = try bytes(",\"group\":\"", ",\"group64\":\"", like: group) ?? []
        indexed.entry.owner = owner
        indexed.entry.group = group
        try expect(",\"mtime\":[")
        let isNegative = take("-")
        let seconds = try number(upTo: .max)
        guard !isNegative || seconds > 0 else { throw malformed("negative zero") }
        indexed.entry.modified.seconds = isNegative ? -seconds : seconds
        try expect(",")
        indexed.entry.modified.nanoseconds = Int32(try number(upTo: 999_999_999))
        try expect("]")
        if kind == .file { try content(&indexed) }
        if kind == .symlink {
            indexed.entry.target = try bytes(",\"link\":\"", ",\"link64\":\"") ?? []
            guard (1..<4096).contains(indexed.entry.target.count) else {
                throw malformed("a link that leads nowhere")
            }
        }
        if kind == .character || kind == .block {
            try expect(",\"device\":[")
            indexed.entry.device.major = UInt32(try number(upTo: Int64(UInt32.max)))
            try expect(",")
            indexed.entry.device.minor = UInt32(try number(upTo: Int64(UInt32.max)))
            try expect("]")
        }
        if take(",\"xattrs\":[") { try attributes(&indexed) }
        if take(",\"acl\":\"") { indexed.entry.accessACL = try list() }
        if kind == .directory, take(",\"default-acl\":\"") { indexed.entry.defaultACL = try list() }
    }

    private mutating func content(_ indexed: inout IndexedEntry) throws(Failure) {
        try expect(",\"size\":")
        indexed.entry.size = try number(upTo: .max)
        indexed.hasHoles = take(",\"holes\":true")
        if take(",\"sha256\":\"") {
            indexed.content = .sha256(try digest())
        } else {
            try expect(",\"sha256-tree-1m\":\"")
            indexed.content = .tree(try digest())
        }
    }

    private mutating func attributes(_ indexed: inout IndexedEntry) throws(Failure) {
        var last: [UInt8]?
        repeat {
            try expect("{")
            let name = try bytes("\"name\":\"", "\"name64\":\"") ?? []
            guard (1...255).contains(name.count),
                !name.starts(with: "system.posix_acl_".utf8),
                last.map({ EntryPath.precedes($0, name) }) ?? true
            else { throw malformed("extended attributes that are not in order") }
            last = name
            if take(",\"value\":\"") {
                let value = try base64()
                guard value.count <= IndexLine.longestValue else {
                    throw malformed("a long value of an extended attribute")
                }
                indexed.entry.attributes.append(ExtendedAttribute(name: name, value: value))
            } else {
                try expect(",\"sha256\":\"")
                indexed.longAttributes.append(.init(name: name, digest: try digest()))
            }
            try expect("}")
        } while take(",")
        try expect("]")
    }

    // MARK: - Values

    /// A name under either member: as text, or in base64 where it is not UTF-8. nil without both.
    ///
    /// - Parameter known: returned where the name is the same.
    private mutating func bytes(
        _ member: StaticString, _ member64: StaticString, like known: [UInt8] = []
    ) throws(Failure) -> [UInt8]? {
        if take(member) { return try string(like: known) }
        guard take(member64) else { return nil }
        let bytes = try base64()
        guard !ByteText.isUTF8(bytes), !bytes.contains(0) else {
            throw malformed("a name in the wrong form")
        }
        return bytes
    }

    private mutating func text() throws(Failure) -> String {
        String(decoding: try string(), as: UTF8.self)
    }

    /// The rest of a string, its closing quote included. Escapes are those of RFC 8785 only.
    ///
    /// - Parameter known: returned where the string is the same.
    private mutating func string(like known: [UInt8] = []) throws(Failure) -> [UInt8] {
        let (end, isASCII) = plainRun()
        guard end < line.count else { throw malformed("a string does not end") }
        if line[end] == 0x22, isASCII, !known.isEmpty, isNext(known, until: end) {
            position = end + 1
            return known
        }
        var bytes = Array(line[position..<end])
        position = end
        while position < line.count, line[position] != 0x22 {
            let byte = line[position]
            guard byte >= 0x20 else { throw malformed("a control character in a string") }
            position += 1
            bytes.append(byte == 0x5c ? try escape() : byte)
        }
        try expect("\"")
        guard isASCII && end == position - 1 || ByteText.isUTF8(bytes) else {
            throw malformed("a string is not UTF-8")
        }
        return bytes
    }

    /// How far bytes go that stand for themselves in a string, and whether they are ASCII.
    private func plainRun() -> (end: Int, isASCII: Bool) {
        let start = position
        return unsafe line.withUnsafeBufferPointer { line in
            var end = start
            var all: UInt8 = 0
            while end < line.count {
                let byte = unsafe line[end]
                if byte == 0x22 || byte == 0x5c || byte < 0x20 { break }
                all |= byte
                end += 1
            }
            return (end, all < 0x80)
        }
    }

    private mutating func escape() throws(Failure) -> UInt8 {
        guard position < line.count else { throw malformed("a string does not end") }
        let letter = line[position]
        position += 1
        switch letter {
        case 0x22, 0x5c: return letter
        case 0x62: return 0x08
        case 0x66: return 0x0c
        case 0x6e: return 0x0a
        case 0x72: return 0x0d
        case 0x74: return 0x09
        default:
            guard letter == 0x75, position + 4 <= line.count, line[position] == 0x30,
                line[position + 1] == 0x30,
                let high = Self.hexadecimal(line[position + 2]),
                let low = Self.hexadecimal(line[position + 3])
            else { throw malformed("an unknown escape") }
            position += 4
            let value = high << 4 | low
            guard value < 0x20, value > 0, ![0x08, 0x09, 0x0a, 0x0c, 0x0d].contains(value) else {
                throw malformed("an escape in the wrong form")
            }
            return value
        }
    }

    private mutating func base64() throws(Failure) -> [UInt8] {
        guard let end = line[position...].firstIndex(of: 0x22),
            let bytes = Base64.decode(String(decoding: line[position..<end], as: UTF8.self))
        else { throw malformed("bad base64") }
        position = end + 1
        return bytes
    }

    private mutating func list() throws(Failure) -> AccessControlList {
        guard let list = AccessControlList(text: try text()) else {
            throw malformed("a bad access control list")
        }
        return list
    }

    private mutating func digest() throws(Failure) -> Digest256 {
        guard position + 65 <= line.count, line[position + 64] == 0x22 else {
            throw malformed("a bad digest")
        }
        let start = position
        let digest = unsafe line.withUnsafeBufferPointer { line in
            unsafe Digest256(hexDigits: UnsafeBufferPointer(rebasing: line[start..<start + 64]))
        }
        guard let digest else { throw malformed("a bad digest") }
        position += 65
        return digest
    }

    /// Exactly four octal digits.
    private mutating func octal() throws(Failure) -> UInt32 {
        guard position + 4 <= line.count else { throw malformed("a bad mode") }
        var value: UInt32 = 0
        for index in 0..<4 {
            let byte = line[position + index]
            guard (0x30...0x37).contains(byte) else { throw malformed("a bad mode") }
            value = value << 3 | UInt32(byte - 0x30)
        }
        position += 4
        return value
    }

    /// Decimal digits without zeros in front.
    private mutating func number(upTo limit: Int64) throws(Failure) -> Int64 {
        let start = position
        let (end, value) = unsafe line.withUnsafeBufferPointer { line in
            var end = start
            var value: Int64 = 0
            while end < line.count {
                let digit = unsafe line[end] &- 0x30
                guard digit < 10 else { break }
                // What overflows has more digits than may be.
                value = value &* 10 &+ Int64(digit)
                end += 1
            }
            return (end, value)
        }
        let isShort = (1...18).contains(end - start) && (line[start] != 0x30 || end == start + 1)
        guard let number = isShort ? value : EntryRecords.number(line[start..<end]),
            number <= limit
        else { throw malformed("a bad number") }
        position = end
        return number
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    // MARK: - Bytes

    /// Passes over exactly these bytes, if they come next.
    private mutating func take(_ bytes: StaticString) -> Bool {
        guard isNext(bytes) else { return false }
        position += bytes.utf8CodeUnitCount
        return true
    }

    private func isNext(_ bytes: StaticString) -> Bool {
        let count = bytes.utf8CodeUnitCount
        guard position + count <= line.count else { return false }
        let start = position
        return unsafe line.withUnsafeBufferPointer { line in
            unsafe line.baseAddress.map { unsafe memcmp($0 + start, bytes.utf8Start, count) } == 0
        }
    }

    private func isNext(_ bytes: [UInt8], until end: Int) -> Bool {
        let start = position
        guard end - start == bytes.count else { return false }
        return unsafe line.withUnsafeBufferPointer { line in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                guard let left = line.baseAddress, let right = bytes.baseAddress else {
                    return bytes.isEmpty
                }
                return unsafe memcmp(left + start, right, bytes.count) == 0
            }
        }
    }

    private mutating func expect(_ bytes: StaticString) throws(Failure) {
        guard take(bytes) else { throw malformed("\(bytes) is missing") }
    }

    private func malformed(_ what: String) -> Failure {
        Failure(.treeMalformed, "the index is malformed at byte \(position): \(what)")
    }
}
