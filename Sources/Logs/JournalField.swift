import Basics
import Glibc
import Streams

/// Where a field of a journal file lies, and how it is stored.
struct JournalField {
    var offset: Int64
    /// Where the stored payload begins, behind the head and what LZ4 puts before its block.
    var payload: Int64
    var stored: Int64
    var compression: JournalCompression
    /// Decompressed; nil where only decompressing tells.
    var length: Int64?
    /// The hash that the decompressed payload should have.
    var hash: UInt64
}

enum JournalCompression: UInt8 {
    case none = 0
    case xz = 1
    case lz4 = 2
    case zstd = 4
}

extension JournalFile {
    /// The field at an offset; nil where none can be.
    @inline(__always)
    func field(_ offset: Int64) throws(Failure) -> JournalField? {
        guard let object = try object(offset), object.kind == .data,
            let compression = JournalCompression(rawValue: object.flags & 7)
        else { return nil }
        let head: Int64 = header.isCompact ? 72 : 64
        guard object.size > head, let bytes = try bytes(offset, 24) else { return nil }
        var field = JournalField(
            offset: offset, payload: offset + head, stored: object.size - head,
            compression: compression, length: nil, hash: bytes.number(16, UInt64.self))
        switch compression {
        case .none: field.length = field.stored
        case .xz: break
        case .lz4:
            guard field.stored > 8, let size = try self.bytes(field.payload, 8) else { return nil }
            field.payload += 8
            field.stored -= 8
            field.length = Int64(clamping: size.number(0, UInt64.self))
        case .zstd:
            guard let start = try self.bytes(field.payload, Int(min(18, field.stored))),
                let length = unsafe ZstdBlocks.contentSize(start.buffer)
            else { return nil }
            field.length = length
        }
        guard field.length.map({ $0 > 0 && $0 <= Self.longestField }) ?? true else { return nil }
        return field
    }

    /// No release of systemd writes a longer one (DATA_SIZE_MAX).
    static let longestField: Int64 = 768 << 20
}

/// Loads the payloads of fields, decompressed, and holds them against their hashes.
///
/// One for each lane: contexts and buffers are used again.
final class JournalFieldLoader {
    private let zstd: ZstdBlocks
    private let stored = ByteArena()

    /// Longer fields are not loaded but streamed, where their compression allows that.
    static let largestLoaded: Int64 = 1 << 20
    /// Fields in XZ or LZ4 cannot be streamed; longer ones are refused.
    static let largestBlock: Int64 = 64 << 20

    enum Outcome {
        case loaded
        /// It is there, but does not have the hash that the file says.
        case damaged
        /// It cannot be decompressed.
        case unreadable
        /// Too long to be loaded: to be streamed.
        case large
    }

    init() throws(Failure) { zstd = try ZstdBlocks() }

    /// Appends the payload of a field to an arena.
    func load(
        _ field: JournalField, of file: JournalFile, into arena: ByteArena
    ) throws(Failure) -> Outcome {
        let start = arena.count
        switch field.compression {
        case .none:
            if field.stored > Self.largestLoaded { return .large }
            guard let bytes = try file.bytes(field.payload, Int(field.stored)) else {
                return .unreadable
            }
            unsafe arena.append(bytes.buffer)
        case .zstd:
            guard let length = field.length else { return .unreadable }
            if length > Self.largestLoaded { return .large }
            guard let bytes = try file.bytes(field.payload, Int(field.stored)) else {
                return .unreadable
            }
            let isWhole = unsafe arena.append(upTo: Int(length)) {
                unsafe zstd.decompress(bytes.buffer, into: $0)
            }
            guard isWhole, arena.count - start == Int(length) else {
                arena.remove(from: start)
                return .unreadable
            }
        case .lz4:
            guard let length = field.length, length <= Self.largestBlock,
                let bytes = try file.bytes(field.payload, Int(field.stored)),
                unsafe arena.append(
                    upTo: Int(length), { unsafe LZ4Block.decompress(bytes.buffer, into: $0) }),
                arena.count - start == Int(length)
            else {
                arena.remove(from: start)
                return .unreadable
            }
        case .xz:
            guard field.stored <= Self.largestBlock,
                let bytes = try file.bytes(field.payload, Int(field.stored))
            else { return .unreadable }
            var room = max(1 << 16, Int(field.stored) * 8)
            while unsafe !arena.append(
                upTo: room, { unsafe XZBlocks.decompress(bytes.buffer, into: $0) })
            {
                arena.remove(from: start)
                room *= 8
                guard room <= Int(Self.largestBlock) * 8 else { return .unreadable }
            }
        }
        return unsafe check(field, of: file, arena.bytes(start..<arena.count))
            ? .loaded : .damaged
    }

    private func check(
        _ field: JournalField, of file: JournalFile, _ payload: UnsafeRawBufferPointer
    ) -> Bool {
        if file.isVerified(field.offset) { return true }
        let hash =
            unsafe file.header.isKeyed
            ? JournalHash.keyed(payload, file.header.fileID) : JournalHash.unkeyed(payload)
        guard hash == field.hash else { return false }
        file.noteVerified(field.offset)
        return true
    }

    /// Gives the decompressed payload of a large field piece by piece; false where it ends early or
    /// cannot be decompressed.
    func stream(
        _ field: JournalField, of file: JournalFile,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        let source = FileSource(file.file, from: field.payload, size: field.stored)
        guard field.compression == .zstd else { return try unsafe drain(source, field, body) }
        return try unsafe drain(Decompressing(source, size: field.length), field, body)
    }

    private func drain(
        _ source: consuming some ByteSource & ~Copyable, _ field: JournalField,
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        var chunk = Chunk()
        var length: Int64 = 0
        while true {
            do throws(Failure) { try source.read(into: &chunk) } catch {
                switch error.code {
                case .zstdCorrupt, .truncated, .plaintextTooLong, .plaintextTooShort:
                    return false
                default: throw error
                }
            }
            if chunk.isEmpty { return length == field.length }
            length += Int64(chunk.count)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in try unsafe body(bytes) }
        }
    }
}
