public import Basics

/// The head of a journal file, as systemd documents it (JOURNAL_FILE_FORMAT, "Header").
public struct JournalHeader: Sendable {
    public enum State: UInt8, Sendable {
        case offline = 0
        /// Open for writing, or left so by a crash.
        case online = 1
        case archived = 2
    }

    public let compatible: UInt32
    public let incompatible: UInt32
    /// nil for a byte that stands for no state.
    public let state: State?
    public let fileID: JournalID
    public let machineID: JournalID
    public let sequenceID: JournalID
    public let size: Int64
    public let arenaSize: Int64
    public let tailObject: Int64
    public let objects: UInt64
    public let entries: UInt64
    public let tailSequence: UInt64
    public let headSequence: UInt64
    public let entryArray: Int64
    public let headRealtime: UInt64
    public let tailRealtime: UInt64
    /// How many tags a sealed file has; 0 in files that are older than that.
    public let tags: UInt64

    /// The shortest head that any release has written.
    public static let shortest = 208
    /// As much of a head as is read.
    public static let longest = 272

    public var isSealed: Bool { compatible & 1 != 0 }
    public var isCompact: Bool { incompatible & 16 != 0 }
    public var isKeyed: Bool { incompatible & 4 != 0 }

    /// The compressions that objects of the file may have.
    public var compressions: [String] {
        [(UInt32(1), "xz"), (2, "lz4"), (8, "zstd")].filter { incompatible & $0.0 != 0 }.map(\.1)
    }

    /// Reads the first bytes of a file.
    ///
    /// Throws `.sourceUnreadable` for what is no journal, or has a feature that is not known here.
    public init(_ bytes: JournalBytes, fileSize: Int64) throws(Failure) {
        guard bytes.count >= Self.shortest, bytes.number(0, UInt64.self) == 0x4852_4848_534b_504c
        else {
            throw Failure(.sourceUnreadable, "it does not begin as a journal file does")
        }
        compatible = bytes.number(8, UInt32.self)
        incompatible = bytes.number(12, UInt32.self)
        guard incompatible & ~0x1f == 0 else {
            throw Failure(
                .sourceUnreadable,
                "it has features that this release does not know: \(incompatible & ~0x1f)")
        }
        state = State(rawValue: bytes.number(16, UInt8.self))
        fileID = bytes.id(24)
        machineID = bytes.id(40)
        sequenceID = bytes.id(72)
        func offset(_ place: Int) -> Int64 { Int64(clamping: bytes.number(place, UInt64.self)) }
        size = offset(88)
        arenaSize = offset(96)
        tailObject = offset(136)
        objects = bytes.number(144, UInt64.self)
        entries = bytes.number(152, UInt64.self)
        tailSequence = bytes.number(160, UInt64.self)
        headSequence = bytes.number(168, UInt64.self)
        entryArray = offset(176)
        headRealtime = bytes.number(184, UInt64.self)
        tailRealtime = bytes.number(192, UInt64.self)
        guard size >= Int64(Self.shortest), size <= fileSize, size % 8 == 0 else {
            throw Failure(.sourceUnreadable, "its head says that it is \(size) bytes long")
        }
        tags = size >= 232 && bytes.count >= 232 ? bytes.number(224, UInt64.self) : 0
    }
}
