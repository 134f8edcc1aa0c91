public import Basics
import Glibc
import Streams

/// A journal file that is read object by object, through windows of bounded memory.
///
/// It is not mapped: a file that is cut short under a reader would end the process. Belongs to one
/// lane at a time.
@safe public final class JournalFile {
    public let path: String
    public let header: JournalHeader
    /// Bytes of the file when it was opened.
    public let size: Int64
    let file: SharedDescriptor
    private let memory: UnsafeMutableRawPointer
    /// Which window lies in each slot, -1 for none, and how many bytes of it.
    private var places: [Int64]
    private var counts: [Int]
    private var scratch: [UInt8] = []
    /// Offsets of fields whose hash was right, by a part of the offset: most entries share fields.
    private var verified = [Int64](repeating: -1, count: 1 << 13)

    private static let windowBits: Int64 = 16
    private static let windowSize = 1 << 16

    /// Throws `.sourceUnreadable` for what is no journal file, or cannot be opened.
    ///
    /// - Parameter windows: how many pieces of 64 KiB are kept; a power of two.
    public init(_ path: String, windows: Int = 128) throws(Failure) {
        self.path = path
        let file = try Descriptor(opening: path, O_RDONLY | O_NOCTTY | O_NONBLOCK)
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.sourceUnreadable, "it is no regular file")
        }
        size = Int64(status.st_size)
        var head = [UInt8](repeating: 0, count: JournalHeader.longest)
        let count = try Failure.catching {
            try unsafe head.withUnsafeMutableBytes { try unsafe file.read(into: $0, at: 0) }
        }
        let fileSize = size
        header = try Failure.catching {
            try unsafe head.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress, count >= JournalHeader.shortest else {
                    throw Failure(.sourceUnreadable, "it is too short for a journal file")
                }
                return try unsafe JournalHeader(JournalBytes(base, count), fileSize: fileSize)
            }
        }
        self.file = SharedDescriptor(file, name: "\"\(path)\"")
        unsafe memory = .allocate(byteCount: windows * Self.windowSize, alignment: 4096)
        places = [Int64](repeating: -1, count: windows)
        counts = [Int](repeating: 0, count: windows)
    }

    deinit { unsafe memory.deallocate() }

    /// That many bytes at an offset, or nil where the file has not as many.
    ///
    /// What lies in one window costs nothing but a look; other ranges are gathered.
    @inline(__always)
    public func bytes(_ offset: Int64, _ count: Int) throws(Failure) -> JournalBytes? {
        let window = offset >> Self.windowBits
        let start = Int(offset & Int64(Self.windowSize - 1))
        if offset >= 0, start + count <= Self.windowSize {
            let slot = Int(window) & (places.count - 1)
            if places[slot] != window { try load(window, slot) }
            guard start + count <= counts[slot] else { return nil }
            return unsafe JournalBytes(memory + slot * Self.windowSize + start, count)
        }
        return try gathered(offset, count)
    }

    private static func slot(_ offset: Int64) -> Int {
        Int(truncatingIfNeeded: (offset >> 3) ^ (offset >> 16)) & 0x1fff
    }

    func isVerified(_ offset: Int64) -> Bool { verified[Self.slot(offset)] == offset }

    func noteVerified(_ offset: Int64) { verified[Self.slot(offset)] = offset }

    private func load(_ window: Int64, _ slot: Int) throws(Failure) {
        places[slot] = -1
        let start = unsafe memory + slot * Self.windowSize
        var done = 0
        while done < Self.windowSize {
            let free = unsafe UnsafeMutableRawBufferPointer(
                start: start + done, count: Self.windowSize - done)
            let offset = window << Self.windowBits + Int64(done)
            let count: Int
            do throws(Failure) {
                count = try unsafe file.descriptor.read(into: free, at: offset)
            } catch {
                guard error.code == .inputOutput, offset < size else { throw error }
                count = try unsafe readAround(free, offset)
            }
            if count == 0 { break }
            done += count
        }
        counts[slot] = done
        places[slot] = window
    }

    /// Reads one block of a disk that has bad ones: what cannot be read counts as zeros, which no object
    /// is made of, so that the damage shows as that.
    private func readAround(
        _ free: UnsafeMutableRawBufferPointer, _ offset: Int64
    ) throws(Failure) -> Int {
        let block = unsafe UnsafeMutableRawBufferPointer(
            rebasing: free[..<min(free.count, Int(min(4096, size - offset)))])
        do throws(Failure) { return try unsafe file.descriptor.read(into: block, at: offset) } catch
        {
            guard error.code == .inputOutput else { throw error }
            for place in 0..<block.count { unsafe block[place] = 0 }
            return block.count
        }
    }

    private func gathered(_ offset: Int64, _ count: Int) throws(Failure) -> JournalBytes? {
        guard offset >= 0, count >= 0, offset <= size, Int64(count) <= size - offset else {
            return nil
        }
        if scratch.count < count {
            scratch = [UInt8](repeating: 0, count: max(count, 1 << 17))
        }
        let file = file.descriptor.raw
        var done = 0
        while done < count {
            let got = unsafe scratch.withUnsafeMutableBytes { buffer in
                retrying {
                    unsafe pread(
                        file, buffer.baseAddress.map { unsafe $0 + done }, count - done,
                        Int(offset) + done)
                }
            }
            if got < 0, errno == EIO { return nil }
            guard got >= 0 else { throw Failure(errno: errno, "cannot read \"\(path)\"") }
            if got == 0 { return nil }
            done += got
        }
        return unsafe scratch.withUnsafeBytes {
            // The array belongs to the file and is not touched before the next call.
            unsafe $0.baseAddress.map { unsafe JournalBytes($0, count) }
        }
    }

    /// Type and size of the object at an offset; nil where none can begin.
    @inline(__always)
    public func object(_ offset: Int64) throws(Failure) -> JournalObject? {
        guard offset >= header.size, offset & 7 == 0, offset < size,
            let head = try bytes(offset, 16)
        else { return nil }
        return JournalObject(head, at: offset, fileSize: size)
    }
}

/// The head of an object: what it is, how long, and how its payload is compressed.
public struct JournalObject: Sendable {
    public enum Kind: UInt8, Sendable {
        case data = 1
        case field, entry, dataTable, fieldTable, entryArray, tag
    }

    public let kind: Kind
    /// 1 XZ, 2 LZ4, 4 zstd.
    public let flags: UInt8
    public let offset: Int64
    /// With its head of 16 bytes.
    public let size: Int64

    /// Where the next object begins.
    public var end: Int64 { (offset + size + 7) & ~7 }

    @inline(__always)
    init?(_ head: JournalBytes, at offset: Int64, fileSize: Int64) {
        let size = head.number(8, UInt64.self)
        guard let kind = Kind(rawValue: head.number(0, UInt8.self)),
            size >= Self.smallest(kind), size <= UInt64(fileSize - offset)
        else { return nil }
        self.kind = kind
        flags = head.number(1, UInt8.self)
        self.offset = offset
        self.size = Int64(size)
    }

    private static func smallest(_ kind: Kind) -> UInt64 {
        switch kind {
        case .data: 64
        case .field: 40
        case .entry: 64
        case .dataTable, .fieldTable: 16
        case .entryArray: 24
        case .tag: 64
        }
    }
}
