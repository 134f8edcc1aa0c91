public import Basics

/// The head of an entry: where it stands in its sequence, and when it was written.
public struct JournalEntry: Sendable, Equatable {
    public var offset: Int64
    public var sequence: UInt64
    /// Microseconds since 1970.
    public var realtime: UInt64
    /// Microseconds since the boot.
    public var monotonic: UInt64
    public var boot: JournalID
    /// The exclusive or of the hashes of its fields: together with the times it tells entries apart.
    public var hash: UInt64
    /// How many fields it refers to.
    public var items: Int

    public init(
        offset: Int64, sequence: UInt64, realtime: UInt64, monotonic: UInt64, boot: JournalID,
        hash: UInt64, items: Int
    ) {
        self.offset = offset
        self.sequence = sequence
        self.realtime = realtime
        self.monotonic = monotonic
        self.boot = boot
        self.hash = hash
        self.items = items
    }

    /// Times beyond the year 3000 are none (systemd: VALID_REALTIME).
    static let latest: UInt64 = 1 << 55
}

extension JournalFile {
    /// Bytes of one reference to a field in an entry.
    var itemSize: Int { header.isCompact ? 4 : 16 }

    /// The entry at an offset; nil where none can be.
    public func entry(_ offset: Int64) throws(Failure) -> JournalEntry? {
        guard let object = try object(offset), object.kind == .entry else { return nil }
        return try entry(object)
    }

    func entry(_ object: JournalObject) throws(Failure) -> JournalEntry? {
        let listed = Int(object.size) - 64
        guard object.kind == .entry, listed % itemSize == 0,
            let head = try bytes(object.offset, 64)
        else { return nil }
        let entry = JournalEntry(
            offset: object.offset, sequence: head.number(16, UInt64.self),
            realtime: head.number(24, UInt64.self), monotonic: head.number(32, UInt64.self),
            boot: head.id(40), hash: head.number(56, UInt64.self), items: listed / itemSize)
        guard entry.sequence > 0, entry.realtime > 0, entry.realtime < JournalEntry.latest,
            entry.monotonic < JournalEntry.latest, entry.boot != .zero
        else { return nil }
        return entry
    }

    /// Where the field lies that an entry refers to, and the hash it should have; 0 in compact files,
    /// which leave that out. nil where the reference cannot be read.
    @inline(__always)
    func item(_ number: Int, of entry: JournalEntry) throws(Failure) -> (Int64, UInt64)? {
        if header.isCompact {
            guard let bytes = try bytes(entry.offset + 64 + Int64(number) * 4, 4) else {
                return nil
            }
            return (Int64(bytes.number(0, UInt32.self)), 0)
        }
        guard let bytes = try bytes(entry.offset + 64 + Int64(number) * 16, 16) else { return nil }
        return (
            Int64(clamping: bytes.number(0, UInt64.self)), bytes.number(8, UInt64.self)
        )
    }
}
