import Basics
import Glibc
import Logs

/// What the inventory keeps of one entry, in a file of records of the same size.
struct JournalRecord {
    var entry: JournalEntry
    /// In the export format, at most.
    var size: Int64
    /// Places in the tables of the file.
    var boot: Int
    var machine: Int
    var isWanted: Bool

    static let size = 64

    func store(_ place: UnsafeMutableRawPointer) {
        unsafe place.storeBytes(of: entry.offset, as: Int64.self)
        unsafe place.storeBytes(of: entry.sequence, toByteOffset: 8, as: UInt64.self)
        unsafe place.storeBytes(of: entry.realtime, toByteOffset: 16, as: UInt64.self)
        unsafe place.storeBytes(of: entry.monotonic, toByteOffset: 24, as: UInt64.self)
        unsafe place.storeBytes(of: entry.hash, toByteOffset: 32, as: UInt64.self)
        unsafe place.storeBytes(of: size, toByteOffset: 40, as: Int64.self)
        unsafe place.storeBytes(of: UInt32(boot), toByteOffset: 48, as: UInt32.self)
        unsafe place.storeBytes(of: UInt32(machine), toByteOffset: 52, as: UInt32.self)
        unsafe place.storeBytes(of: isWanted ? 1 : 0, toByteOffset: 56, as: UInt64.self)
    }

    /// - Parameter boots: the table of the file.
    init(_ place: UnsafeRawPointer, boots: [JournalID]) {
        boot = unsafe Int(place.load(fromByteOffset: 48, as: UInt32.self))
        machine = unsafe Int(place.load(fromByteOffset: 52, as: UInt32.self))
        isWanted = unsafe place.load(fromByteOffset: 56, as: UInt64.self) == 1
        size = unsafe place.load(fromByteOffset: 40, as: Int64.self)
        entry = unsafe JournalEntry(
            offset: place.load(as: Int64.self),
            sequence: place.load(fromByteOffset: 8, as: UInt64.self),
            realtime: place.load(fromByteOffset: 16, as: UInt64.self),
            monotonic: place.load(fromByteOffset: 24, as: UInt64.self),
            boot: boots.indices.contains(boot) ? boots[boot] : .zero,
            hash: place.load(fromByteOffset: 32, as: UInt64.self), items: 0)
    }

    init(_ entry: JournalEntry, size: Int64, boot: Int, machine: Int, isWanted: Bool) {
        self.entry = entry
        self.size = size
        self.boot = boot
        self.machine = machine
        self.isWanted = isWanted
    }
}

/// Writes records of a fixed size through one buffer.
@safe struct RecordFileWriter: ~Copyable {
    private let file: Descriptor
    private let path: String
    private let recordSize: Int
    private var buffer: [UInt8]
    private var used = 0
    private(set) var count: Int64 = 0

    /// Creates the file, or empties it.
    init(_ path: String, recordSize: Int) throws(Failure) {
        self.path = path
        self.recordSize = recordSize
        file = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW)
        buffer = [UInt8](repeating: 0, count: recordSize * 2048)
    }

    mutating func append(_ store: (UnsafeMutableRawPointer) -> Void) throws(Failure) {
        let start = used
        unsafe buffer.withUnsafeMutableBytes { bytes in
            if let base = bytes.baseAddress { unsafe store(base + start) }
        }
        used += recordSize
        count += 1
        if used == buffer.count { try flush() }
    }

    private mutating func flush() throws(Failure) {
        let used = used
        do throws(Failure) {
            try Failure.catching {
                try unsafe buffer.withUnsafeBytes {
                    try unsafe file.writeAll(UnsafeRawBufferPointer(rebasing: $0[..<used]))
                }
            }
        } catch { throw error.during("cannot write \"\(path)\"") }
        self.used = 0
    }

    mutating func finish(durably: Bool = false) throws(Failure) {
        try flush()
        if durably { try file.sync() }
    }
}

/// Reads records of a fixed size in order; holds no descriptor between two pieces, for there may be
/// a thousand of these.
@safe struct RecordFileReader {
    private let path: String
    private let recordSize: Int
    private var buffer: [UInt8] = []
    private var place = 0
    private var position: Int64
    private var left: Int64

    private static let pieceRecords: Int64 = 512

    /// The records `from ..< from + count`.
    init(_ path: String, recordSize: Int, from: Int64, count: Int64) {
        self.path = path
        self.recordSize = recordSize
        position = from
        left = count
    }

    /// Calls `load` with the next record; nil behind the last.
    mutating func next<Value>(_ load: (UnsafeRawPointer) -> Value) throws(Failure) -> Value? {
        if place == buffer.count {
            guard left > 0 else { return nil }
            try fill()
        }
        let start = place
        place += recordSize
        return unsafe buffer.withUnsafeBytes { bytes in
            unsafe bytes.baseAddress.map { unsafe load($0 + start) }
        }
    }

    private mutating func fill() throws(Failure) {
        let count = min(left, Self.pieceRecords)
        buffer = [UInt8](repeating: 0, count: Int(count) * recordSize)
        let file = try Descriptor(opening: path, O_RDONLY | O_NOFOLLOW)
        let offset = position * Int64(recordSize)
        let size = buffer.count
        var done = 0
        while done < size {
            let got = unsafe buffer.withUnsafeMutableBytes { bytes in
                retrying {
                    unsafe pread(
                        file.raw, bytes.baseAddress.map { unsafe $0 + done }, size - done,
                        Int(offset) + done)
                }
            }
            guard got > 0 else {
                throw Failure(
                    .truncated, "the run's private file \"\(path)\" is damaged",
                    hint: "Begin the run again in a new output.")
            }
            done += got
        }
        place = 0
        position += count
        left -= count
    }
}
