public import Basics
import Glibc
public import Primitives
public import Streams

/// Reads a stream in the journal export format entry by entry, and takes the digest of each.
///
/// Memory is bounded: fields above 64 KiB are only hashed as they pass. What breaks the format is
/// `.logMalformed`, and a stream that ends inside an entry `.truncated`.
public struct JournalExportReader<Source: ByteSource & ~Copyable>: ~Copyable {
    /// What the head of an entry says.
    public struct Entry: Sendable, Equatable {
        public var digest: Digest256
        public var realtime: UInt64
        public var monotonic: UInt64
        public var boot: JournalID
    }

    private var source: Source
    private var chunk = Chunk()
    private var place = 0
    private var isAtEnd = false
    private let fields = JournalFieldSet()
    /// Bytes of the stream that have been read.
    public private(set) var position: Int64 = 0

    public init(_ source: consuming Source) { self.source = source }

    /// The next entry; nil at the end of the stream.
    public mutating func next() throws(Failure) -> Entry? {
        fields.removeAll()
        var realtime: UInt64?
        var monotonic: UInt64?
        var boot: JournalID?
        var isEmpty = true
        while true {
            guard let byte = try peek() else {
                if isEmpty { return nil }
                throw Failure(.truncated, "the journal ends inside an entry")
            }
            if byte == 0x0a {
                advance(1)
                // Entries may stand several empty lines apart.
                if isEmpty { continue }
                break
            }
            isEmpty = false
            let range = try readField()
            let bytes = unsafe fields.arena.bytes(range.bytes)
            guard bytes.count > 2, unsafe bytes[0] == 0x5f else {
                fields.add(range.bytes, length: range.length)
                continue
            }
            if unsafe bytes[1] == 0x5f {
                let text = unsafe String(decoding: bytes, as: UTF8.self)
                if let value = Self.value(text, "__REALTIME_TIMESTAMP=") {
                    realtime = UInt64(value)
                } else if let value = Self.value(text, "__MONOTONIC_TIMESTAMP=") {
                    monotonic = UInt64(value)
                }
                fields.arena.remove(from: range.bytes.lowerBound)
            } else if bytes.count == 41, unsafe JournalText.begins(bytes, with: "_BOOT_ID=") {
                let text = unsafe String(decoding: bytes[9...], as: UTF8.self)
                boot = boot ?? JournalID(text)
                fields.arena.remove(from: range.bytes.lowerBound)
            } else {
                fields.add(range.bytes, length: range.length)
            }
        }
        guard let realtime, let boot else {
            throw Failure(.logMalformed, "an entry of the journal has no time or no boot")
        }
        fields.add(realtime: realtime, monotonic: monotonic ?? 0, boot: boot)
        return Entry(
            digest: fields.digest(), realtime: realtime, monotonic: monotonic ?? 0, boot: boot)
    }

    private static func value(_ text: String, _ name: String) -> Substring? {
        text.hasPrefix(name) ? text.dropFirst(name.count) : nil
    }

    // MARK: - Fields

    /// Reads one field into the arena; `length` is set where a digest stands for its value.
    private mutating func readField() throws(Failure) -> (bytes: Range<Int>, length: Int?) {
        let start = fields.arena.count
        // The name, up to `=` or the end of the line.
        while true {
            guard let byte = try peek() else {
                throw Failure(.truncated, "the journal ends inside an entry")
            }
            advance(1)
            if byte == 0x3d {
                return try readLine(start, name: fields.arena.count - start)
            }
            if byte == 0x0a { break }
            guard byte &- 0x41 < 26 || byte == 0x5f || byte &- 0x30 < 10,
                fields.arena.count - start < 64
            else {
                throw Failure(
                    .logMalformed, "the name of a field is malformed at byte \(position)")
            }
            fields.arena.append(byte)
        }
        let name = fields.arena.count - start
        guard name > 0 else { throw Failure(.logMalformed, "a field has no name") }
        var size: UInt64 = 0
        for index in 0..<8 {
            guard let byte = try peek() else {
                throw Failure(.truncated, "the journal ends inside an entry")
            }
            advance(1)
            size |= UInt64(byte) << UInt64(8 * index)
        }
        guard size <= UInt64(JournalFile.longestField) else {
            throw Failure(.logMalformed, "a field of the journal says that it has \(size) bytes")
        }
        fields.arena.append(0x3d)
        let length = name + 1 + Int(size)
        var left = Int(size)
        if length <= JournalFieldSet.longest {
            let arena = fields.arena
            while left > 0 { left -= try unsafe take(upTo: left) { unsafe arena.append($0) } }
            try endLine()
            return (start..<fields.arena.count, nil)
        }
        var hasher = SHA256()
        while left > 0 { left -= try unsafe take(upTo: left) { unsafe hasher.update($0) } }
        fields.arena.append(hasher.finish())
        try endLine()
        return (start..<fields.arena.count, length)
    }

    /// The value of a field that ends with its line.
    private mutating func readLine(
        _ start: Int, name: Int
    ) throws(Failure) -> (bytes: Range<Int>, length: Int?) {
        guard name > 0 else { throw Failure(.logMalformed, "a field has no name") }
        fields.arena.append(0x3d)
        var isDone = false
        let arena = fields.arena
        while !isDone, arena.count - start <= JournalFieldSet.longest {
            isDone = try unsafe takeLine { unsafe arena.append($0) }
        }
        let length = fields.arena.count - start
        if isDone, length <= JournalFieldSet.longest { return (start..<start + length, nil) }
        var hasher = SHA256()
        var total = length
        unsafe hasher.update(fields.arena.bytes(start + name + 1..<start + length))
        while !isDone {
            isDone = try unsafe takeLine {
                unsafe hasher.update($0)
                total += $0.count
            }
        }
        fields.arena.remove(from: start + name + 1)
        fields.arena.append(hasher.finish())
        return (start..<fields.arena.count, total)
    }

    private mutating func endLine() throws(Failure) {
        guard try peek() == 0x0a else {
            throw Failure(.logMalformed, "a field of the journal is longer than it says")
        }
        advance(1)
    }

    // MARK: - Bytes

    private mutating func fill() throws(Failure) -> Bool {
        if place < chunk.count { return true }
        if isAtEnd { return false }
        try source.read(into: &chunk)
        place = 0
        isAtEnd = chunk.isEmpty
        return !isAtEnd
    }

    @inline(__always)
    private mutating func peek() throws(Failure) -> UInt8? {
        guard try fill() else { return nil }
        let place = place
        return try unsafe chunk.withBytes { (bytes) throws(Failure) in unsafe bytes[place] }
    }

    private mutating func advance(_ count: Int) {
        place += count
        position += Int64(count)
    }

    /// Gives at most that many bytes that lie together; how many there were.
    private mutating func take(
        upTo most: Int, _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(Failure) -> Int {
        guard try fill() else {
            throw Failure(.truncated, "the journal ends inside an entry")
        }
        let place = place
        let count = min(most, chunk.count - place)
        try unsafe chunk.withBytes { (bytes) throws(Failure) in
            unsafe body(UnsafeRawBufferPointer(rebasing: bytes[place..<place + count]))
        }
        advance(count)
        return count
    }

    /// Gives bytes up to the end of the line, or of the chunk; whether the line ended.
    private mutating func takeLine(
        _ body: (UnsafeRawBufferPointer) -> Void
    ) throws(Failure) -> Bool {
        guard try fill() else {
            throw Failure(.truncated, "the journal ends inside an entry")
        }
        let place = place
        let (count, isEnd) = try unsafe chunk.withBytes { (bytes) throws(Failure) in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[place...])
            guard let start = rest.baseAddress else { return (0, false) }
            let found = unsafe memchr(start, 0x0a, rest.count)
            let count = unsafe found.map { unsafe UnsafeRawPointer($0) - start } ?? rest.count
            unsafe body(UnsafeRawBufferPointer(rebasing: rest[..<count]))
            return unsafe (count, found != nil)
        }
        advance(isEnd ? count + 1 : count)
        return isEnd
    }
}
