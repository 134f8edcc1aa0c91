public import Basics
import Glibc
public import Primitives
public import Streams

/// A field of an entry of the journal.
public struct JournalFieldValue: Sendable {
    public var name: [UInt8]
    /// Empty where `digest` stands for it.
    public var value: [UInt8]
    public var length: Int64
    public var digest: Digest256?

    public init(name: [UInt8], value: [UInt8], length: Int64? = nil, digest: Digest256? = nil) {
        self.name = name
        self.value = value
        self.length = length ?? Int64(value.count)
        self.digest = digest
    }
}

/// Reads a stream in the journal export format field by field, with their values.
///
/// Of a value beyond a limit only its digest is kept, so that memory is bounded.
public struct JournalFieldReader<Source: ByteSource & ~Copyable>: ~Copyable {
    public typealias Field = JournalFieldValue

    private var source: Source
    private var chunk = Chunk()
    private var place = 0
    private var isAtEnd = false

    public static var longest: Int { 1 << 20 }

    public init(_ source: consuming Source) { self.source = source }

    /// The fields of the next entry; nil at the end of the stream.
    public mutating func next() throws(Failure) -> [Field]? {
        var fields: [Field] = []
        while true {
            guard let byte = try peek() else {
                guard fields.isEmpty else {
                    throw Failure(.truncated, "the journal ends inside an entry")
                }
                return nil
            }
            if byte == 0x0a {
                place += 1
                if fields.isEmpty { continue }
                return fields
            }
            fields.append(try field())
        }
    }

    private mutating func peek() throws(Failure) -> UInt8? {
        if place == chunk.count, !isAtEnd {
            try source.read(into: &chunk)
            place = 0
            isAtEnd = chunk.isEmpty
        }
        let here = place
        return isAtEnd ? nil : try unsafe chunk.withBytes { (bytes) in unsafe bytes[here] }
    }

    private mutating func byte() throws(Failure) -> UInt8 {
        guard let byte = try peek() else {
            throw Failure(.truncated, "the journal ends inside an entry")
        }
        place += 1
        return byte
    }

    private mutating func field() throws(Failure) -> Field {
        var name: [UInt8] = []
        while true {
            let byte = try byte()
            if byte == 0x3d { break }
            if byte == 0x0a {
                var length: UInt64 = 0
                for shift in 0..<8 { length |= UInt64(try self.byte()) << UInt64(8 * shift) }
                guard length < 1 << 40 else { throw Self.malformed }
                let field = try value(of: name, length: Int64(length))
                guard try self.byte() == 0x0a else { throw Self.malformed }
                return field
            }
            guard name.count < 256 else { throw Self.malformed }
            name.append(byte)
        }
        return try value(of: name, length: nil)
    }

    private static var malformed: Failure {
        Failure(.logMalformed, "an entry of the journal is not in the export format")
    }

    /// That many bytes, or all up to a newline, which is passed over.
    private mutating func value(of name: [UInt8], length: Int64?) throws(Failure) -> Field {
        var field = Field(name: name, value: [], length: 0, digest: nil)
        var hasher = SHA256()
        var isHashed = false
        while length.map({ field.length < $0 }) ?? true {
            guard try peek() != nil else {
                throw Failure(.truncated, "the journal ends inside an entry")
            }
            let start = place
            let left = length.map { $0 - field.length }
            var isEnd = false
            let taken = try unsafe chunk.withBytes { (bytes) throws(Failure) -> Int in
                var end = bytes.count
                if let left {
                    end = min(end, start + Int(min(left, Int64(bytes.count))))
                } else if let newline = unsafe bytes.firstNewline(from: start) {
                    end = newline
                    isEnd = true
                }
                let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<end])
                if isHashed {
                    unsafe hasher.update(piece)
                } else {
                    unsafe field.value.append(contentsOf: piece)
                }
                return end - start
            }
            field.length += Int64(taken)
            place += taken + (isEnd ? 1 : 0)
            if !isHashed, field.value.count > Self.longest {
                isHashed = true
                hasher.update(field.value)
                field.value = []
            }
            if isEnd { break }
        }
        if isHashed { field.digest = hasher.finish() }
        return field
    }
}
