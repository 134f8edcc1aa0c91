public import Basics

/// A time zone of the TZ database: which offset holds when (RFC 8536).
///
/// Years behind the last transition of the file follow from the rule in its footer; they are written out
/// up to 2199.
public struct TextTimeZone: Sendable {
    /// What holds from one transition to the next.
    public struct Period: Sendable, Hashable {
        /// Seconds east of UTC.
        public var offset: Int32
        public var abbreviation: String

        public init(offset: Int32, abbreviation: String) {
            self.offset = offset
            self.abbreviation = abbreviation
        }
    }

    /// What a wall clock stands for.
    public enum Reading: Sendable, Hashable {
        case unique(Int64)
        /// The clock shows it twice, when it is set back.
        case ambiguous(first: Int64, second: Int64)
        /// The clock never shows it, as it is set forward: what it would be without that.
        case skipped(Int64)
    }

    public let name: String
    /// Ascending UTC seconds.
    private(set) var transitions: [Int64] = []
    /// One more than there are transitions: the first holds before all of them.
    private(set) var periods: [Period]
    private var abbreviations: [UInt64: Int32] = [:]

    public static let utc = TextTimeZone(name: "UTC", offset: 0, abbreviation: "UTC")

    public init(name: String, offset: Int32, abbreviation: String) {
        self.name = name
        periods = [Period(offset: offset, abbreviation: abbreviation)]
        index()
    }

    /// Reads a zone by its name, such as Europe/Paris, or an offset such as +02:00.
    ///
    /// Throws `.notFound` for a name that the TZ database of this machine has not.
    public init(named name: String, database: String = "/usr/share/zoneinfo") throws(Failure) {
        if ["UTC", "Etc/UTC", "Z"].contains(name) {
            self = .utc
            return
        }
        if let offset = Self.offset(name) {
            self.init(name: name, offset: offset, abbreviation: name)
            return
        }
        let isPlain = name.utf8.allSatisfy {
            ($0 | 0x20) &- 0x61 < 26 || $0 &- 0x30 < 10 || [0x2b, 0x2d, 0x5f, 0x2f].contains($0)
        }
        guard isPlain, !name.isEmpty, !name.hasPrefix("/"),
            let bytes = try? Files.read(database + "/" + name, limit: 1 << 20)
        else {
            throw Failure(
                .notFound, "there is no time zone \"\(name)\"",
                hint: "Name one of /usr/share/zoneinfo, such as Europe/Paris, UTC, or an offset "
                    + "such as +02:00; the package tzdata brings them.")
        }
        try self.init(name: name, parsing: bytes)
    }

    public init(name: String, parsing bytes: [UInt8]) throws(Failure) {
        var file = try TimeZoneFile(bytes, name: name)
        try file.parse()
        self.name = name
        transitions = file.transitions
        periods = file.periods
        index()
    }

    private mutating func index() {
        for period in periods {
            abbreviations[ZoneWords.number(period.abbreviation)] = period.offset
        }
    }

    /// `+02:00`, `-0330`.
    private static func offset(_ text: String) -> Int32? {
        var digits = Array(text.utf8)
        guard let sign = digits.first, sign == 0x2b || sign == 0x2d else { return nil }
        digits.removeFirst()
        digits.removeAll { $0 == 0x3a }
        guard digits.count == 4, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        let numbers = digits.map { Int32($0 - 0x30) }
        let hours = numbers[0] * 10 + numbers[1]
        let minutes = numbers[2] * 10 + numbers[3]
        guard hours <= 26, minutes < 60 else { return nil }
        return (sign == 0x2b ? 1 : -1) * (hours * 3600 + minutes * 60)
    }

    /// The zone of this machine, and its name: of TZ, of /etc/timezone, or of the link /etc/localtime.
    public static func local() -> TextTimeZone {
        if let name = LocalZone.name, let zone = try? TextTimeZone(named: name) { return zone }
        if let bytes = try? Files.read("/etc/localtime", limit: 1 << 20),
            let zone = try? TextTimeZone(name: "localtime", parsing: bytes)
        {
            return zone
        }
        return .utc
    }

    // MARK: - Asking

    private func place(of time: Int64) -> Int { transitions.partitioningIndex { $0 > time } }

    public func period(at time: Int64) -> Period { periods[place(of: time)] }

    /// The offset that an abbreviation stands for in this zone.
    func offset(of abbreviation: UInt64) -> Int32? { abbreviations[abbreviation] }

    /// The moment or moments at which the wall clock shows `wall` (seconds since 1970 as if in UTC).
    public func read(_ wall: Int64) -> Reading {
        // No offset is larger than 26 hours, and no two transitions come that close.
        let before = periods[place(of: wall - 93_600)].offset
        let after = periods[place(of: wall + 93_600)].offset
        let first = wall - Int64(before)
        if before == after, periods[place(of: first)].offset == before { return .unique(first) }
        let second = wall - Int64(after)
        let firstHolds = periods[place(of: first)].offset == before
        let secondHolds = periods[place(of: second)].offset == after
        switch (firstHolds, secondHolds) {
        case (true, true):
            return first == second
                ? .unique(first) : .ambiguous(first: min(first, second), second: max(first, second))
        case (true, false): return .unique(first)
        case (false, true): return .unique(second)
        case (false, false): return .skipped(first)
        }
    }

    /// Wall clocks around `wall` that all have the same offset, so that they need not be looked up.
    func steadyWalls(around wall: Int64) -> (walls: Range<Int64>, offset: Int64)? {
        guard case .unique(let time) = read(wall) else { return nil }
        let place = place(of: time)
        let offset = Int64(periods[place].offset)
        var from = Int64.min / 2
        var to = Int64.max / 2
        if place > 0 {
            from = transitions[place - 1] + max(offset, Int64(periods[place - 1].offset))
        }
        if place < transitions.count {
            to = transitions[place] + min(offset, Int64(periods[place + 1].offset))
        }
        guard from <= wall, wall < to else { return nil }
        return (from..<to, offset)
    }
}
