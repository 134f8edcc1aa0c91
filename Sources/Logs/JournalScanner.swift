public import Basics
import Glibc

/// Which entries of a journal are wanted; what is nil does not restrict.
public struct JournalFilter: Sendable {
    /// Microseconds since 1970, both included.
    public var since: UInt64?
    public var until: UInt64?
    /// Names of units with their suffix, as patterns of fnmatch(3).
    public var units: [String]?
    /// A bit for each of the levels 0 (emerg) to 7 (debug).
    public var priorities: UInt8?

    public init(
        since: UInt64? = nil, until: UInt64? = nil, units: [String]? = nil,
        priorities: UInt8? = nil
    ) {
        self.since = since
        self.until = until
        self.units = units
        self.priorities = priorities
    }
}

/// Looks at the fields of entries without giving them: how much an entry will take, whose it is, and
/// whether the filter takes it.
///
/// Fields are shared by entries, so what was learnt of one is kept. Belongs to one lane and one file.
public final class JournalScanner {
    private struct Known {
        var offset: Int64 = -1
        /// As it will stand in the export format, at most.
        var size: Int64 = 0
        /// One more than its place in `machines`, 0 for a field that names none.
        var machine = 0
        var marks: Marks = []
    }

    /// What a field says that a filter asks for.
    private struct Marks: OptionSet {
        let rawValue: UInt16
        static let unit = Marks(rawValue: 1)
        static let managerUnit = Marks(rawValue: 2)
        static let objectUnit = Marks(rawValue: 4)
        static let coredumpUnit = Marks(rawValue: 8)
        static let manager = Marks(rawValue: 16)
        static let superuser = Marks(rawValue: 32)
        static let coredump = Marks(rawValue: 64)
        static let priority = Marks(rawValue: 128)
        static let slice = Marks(rawValue: 256)
    }

    public struct Description: Sendable {
        /// Bytes in the export format, at most.
        public var size: Int64
        /// The place of the entry's machine in `machines`; nil where it names none.
        public var machine: Int?
        public var isWanted: Bool
    }

    public private(set) var machines: [JournalID] = []
    private let file: JournalFile
    private let filter: JournalFilter
    private let loader: JournalFieldLoader
    private let arena = ByteArena()
    private var known = [Known](repeating: Known(), count: 1 << 14)

    /// What an entry takes besides its fields, at most.
    private static let headSize: Int64 = 300
    /// No field that is asked for is longer.
    private static let longestClassified: Int64 = 512

    public init(_ file: JournalFile, _ filter: JournalFilter) throws(Failure) {
        self.file = file
        self.filter = filter
        loader = try JournalFieldLoader()
    }

    public func describe(_ entry: JournalEntry) throws(Failure) -> Description {
        var description = Description(size: Self.headSize, machine: nil, isWanted: true)
        var marks: Marks = []
        for number in 0..<entry.items {
            guard let (offset, _) = try file.item(number, of: entry) else { continue }
            let slot = Int(truncatingIfNeeded: (offset >> 3) ^ (offset >> 17)) & 0x3fff
            if known[slot].offset != offset { known[slot] = try look(offset) }
            description.size += known[slot].size
            marks.formUnion(known[slot].marks)
            if known[slot].machine > 0 { description.machine = known[slot].machine - 1 }
        }
        description.isWanted = isWanted(entry, marks)
        return description
    }

    private func isWanted(_ entry: JournalEntry, _ marks: Marks) -> Bool {
        if let since = filter.since, entry.realtime < since { return false }
        if let until = filter.until, entry.realtime > until { return false }
        if filter.priorities != nil, !marks.contains(.priority) { return false }
        guard filter.units != nil else { return true }
        // What `journalctl --unit` looks for: messages of the unit, of the manager about it, of root's
        // programs about it, and dumps of its processes.
        return marks.contains(.unit) || marks.contains(.slice)
            || marks.isSuperset(of: [.manager, .managerUnit])
            || marks.isSuperset(of: [.superuser, .objectUnit])
            || marks.isSuperset(of: [.superuser, .coredump, .coredumpUnit])
    }

    private func look(_ offset: Int64) throws(Failure) -> Known {
        var result = Known(offset: offset)
        guard let field = try file.field(offset) else { return result }
        var known = field.length
        if known == nil { known = try measured(field) }
        guard let length = known else { return result }
        result.size = length + 9
        guard length <= Self.longestClassified else { return result }
        arena.removeAll()
        guard try loader.load(field, of: file, into: arena) != .unreadable else { return result }
        unsafe classify(arena.all, &result)
        return result
    }

    /// The length of a field in XZ, which only decompressing tells.
    private func measured(_ field: JournalField) throws(Failure) -> Int64? {
        arena.removeAll()
        guard try loader.load(field, of: file, into: arena) != .unreadable else { return nil }
        defer { arena.shrink(to: 1 << 20) }
        let length = Int64(arena.count)
        arena.removeAll()
        return length
    }

    private func classify(_ field: UnsafeRawBufferPointer, _ known: inout Known) {
        guard let name = unsafe JournalText.nameLength(field) else { return }
        func has(_ text: StaticString) -> Bool {
            unsafe name == text.utf8CodeUnitCount && JournalText.begins(field, with: text)
        }
        var value: String {
            unsafe String(decoding: field[(name + 1)...], as: UTF8.self)
        }
        if has("_MACHINE_ID") {
            guard let id = JournalID(value) else { return }
            let place = machines.firstIndex(of: id) ?? machines.count
            if place == machines.count { machines.append(id) }
            known.machine = place + 1
        }
        if let priorities = filter.priorities, has("PRIORITY"), let level = UInt8(value),
            level < 8, priorities & (1 << level) != 0
        {
            known.marks.insert(.priority)
        }
        guard let units = filter.units else { return }
        let names: [(StaticString, Marks)] = [
            ("_SYSTEMD_UNIT", .unit), ("UNIT", .managerUnit),
            ("OBJECT_SYSTEMD_UNIT", .objectUnit), ("COREDUMP_UNIT", .coredumpUnit),
            ("_SYSTEMD_SLICE", .slice),
        ]
        for (word, mark) in names where has(word) {
            let text = value
            // A slice stands for all that is in it.
            let patterns = mark == .slice ? units.filter { $0.hasSuffix(".slice") } : units
            if patterns.contains(where: { unsafe fnmatch($0, text, 0) == 0 }) {
                known.marks.insert(mark)
            }
        }
        if has("_PID"), value == "1" { known.marks.insert(.manager) }
        if has("_UID"), value == "0" { known.marks.insert(.superuser) }
        if has("MESSAGE_ID"), value == "fc2e22bc6ee647b6b90729ab34a250b1" {
            known.marks.insert(.coredump)
        }
    }
}
