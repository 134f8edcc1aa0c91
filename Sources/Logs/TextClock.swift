public import Basics

/// Turns the times of a log's lines, in their order, into moments: zone, year, the hour that comes twice.
///
/// One for a member of a stream; what it met on the way is for the record.
public struct TextClock: Sendable {
    /// How lines came by their zone and their year.
    public struct Tally: Sendable, Equatable {
        /// Times with an offset of their own.
        public var found: Int64 = 0
        /// Times that the zone given or assumed was applied to.
        public var applied: Int64 = 0
        /// Times of the hour that the wall clock shows twice, without an offset.
        public var ambiguous: Int64 = 0
        /// Times that the wall clock never shows.
        public var skipped: Int64 = 0
        /// Times without a year.
        public var yearless: Int64 = 0

        public init() {}

        public static func += (left: inout Tally, right: Tally) {
            left.found += right.found
            left.applied += right.applied
            left.ambiguous += right.ambiguous
            left.skipped += right.skipped
            left.yearless += right.yearless
        }
    }

    private let zone: TextTimeZone
    /// No line without a year is later than this moment.
    private let latest: Timestamp
    public private(set) var tally = Tally()
    /// The year of the line before, where it was inferred.
    public private(set) var year: Int64?
    private var lastWall: Int64 = 0
    /// New Years between the first line and the first 29 February.
    private var leapAge: Int64?
    /// How many years had to be taken back because there is a 29 February in few of them.
    private var leapShift: Int64 = 0
    /// The year of the first line as it was taken to be.
    private var initialYear: Int64?
    /// UTC seconds of the line before.
    public private(set) var previous: Int64?
    /// Wall clocks that need no look-up.
    private var steady: Range<Int64> = 0..<0
    private var steadyOffset: Int64 = 0

    /// - Parameters:
    ///   - latest: when the last line was written, at the latest, such as the file's time; infers years.
    ///   - firstYear: the year of the first line, where that is known better.
    ///   - previous: the moment of the entry before the first line.
    public init(
        _ zone: TextTimeZone, latest: Timestamp, firstYear: Int64? = nil, previous: Int64? = nil
    ) {
        self.previous = previous
        self.zone = zone
        self.latest = latest
        year = firstYear
        isGiven = firstYear != nil
    }

    private var isGiven: Bool

    private struct Named: Sendable {
        let zone: TextTimeZone?
    }

    /// The zones that lines name, by the hashes of their names.
    private var names: [UInt64: Named] = [:]

    @inline(__always)
    public mutating func moment(of time: TextTime) -> Timestamp {
        var wall = time.wall
        if !time.hasYear { wall = withYear(time) }
        let seconds: Int64
        switch time.zone {
        case .offset(let offset):
            tally.found += 1
            seconds = wall - Int64(offset)
        case .absent: seconds = applied(wall)
        case .named(let hash): seconds = read(wall, in: hash)
        case .abbreviation(let word):
            if let offset = zone.offset(of: word) {
                tally.found += 1
                seconds = wall - Int64(offset)
            } else {
                seconds = applied(wall)
            }
        }
        previous = seconds
        return Timestamp(seconds: seconds, nanoseconds: time.nanoseconds)
    }

    @inline(__always)
    private mutating func applied(_ wall: Int64) -> Int64 {
        tally.applied += 1
        if steady.contains(wall) { return wall - steadyOffset }
        return look(up: wall)
    }

    private mutating func look(up wall: Int64) -> Int64 {
        if let found = zone.steadyWalls(around: wall) {
            steady = found.walls
            steadyOffset = found.offset
            return wall - steadyOffset
        }
        return settled(zone.read(wall))
    }

    /// In the zone that the line names; in the one given, where this machine does not know the name.
    private mutating func read(_ wall: Int64, in hash: UInt64) -> Int64 {
        if names[hash] == nil, names.count < 64 {
            names[hash] =
                ZoneNames.known[hash].flatMap { try? TextTimeZone(named: $0) }
                .map { Named(zone: $0) } ?? Named(zone: nil)
        }
        guard let zone = names[hash]?.zone else { return applied(wall) }
        tally.found += 1
        return settled(zone.read(wall))
    }

    private mutating func settled(_ reading: TextTimeZone.Reading) -> Int64 {
        switch reading {
        case .unique(let time): return time
        case .skipped(let time):
            tally.skipped += 1
            return time
        case .ambiguous(let first, let second):
            tally.ambiguous += 1
            // Lines are in order, but for some that programs write late: what lies well before the line
            // before comes from the second time.
            guard let previous else { return first }
            return first >= previous - 60 ? first : second
        }
    }

    /// A clock that goes from December to January, or back from there, has met New Year.
    private mutating func withYear(_ time: TextTime) -> Int64 {
        tally.yearless += 1
        let halfYear: Int64 = 182 * 86_400
        if let known = year {
            if isGiven {
                isGiven = false
            } else if time.wall < lastWall - halfYear {
                year = known + 1
            } else if time.wall > lastWall + halfYear {
                year = known - 1
            }
        } else {
            year = firstYear(of: time)
        }
        lastWall = time.wall
        if let known = year {
            initialYear = initialYear ?? known
            if time.wall >= TextClock.leapDay, time.wall < TextClock.leapDay + 86_400 {
                meetLeapDay(known)
            }
        }
        return Self.wall(time.wall, in: year ?? TextTime.noYear)
    }

    /// 29 February of the year that stands for none.
    private static let leapDay = CivilDay.number(TextTime.noYear, 2, 29) * 86_400

    /// No other year has that day: the latest before it is meant, and the lines before were taken to be too late.
    private mutating func meetLeapDay(_ known: Int64) {
        if leapAge == nil { leapAge = known + leapShift - (initialYear ?? known) }
        var leap = known
        while !CivilDay.isLeap(leap) { leap -= 1 }
        leapShift += known - leap
        year = leap
    }

    /// The latest year of the first line, not after the one it was taken to be less `surplus`, in which each 29 February is one:
    /// what the whole text tells.
    public func settledYear(_ first: Int64, less surplus: Int64) -> Int64 {
        var year = first - surplus
        guard let leapAge else { return year }
        while !CivilDay.isLeap(year + leapAge) { year -= 1 }
        return year
    }

    /// A moment as it would be had no year been taken back.
    public func unshifted(_ seconds: Int64) -> Int64 { seconds + leapShift * 31_556_952 }

    /// The latest year in which the line is not from the future.
    private func firstYear(of time: TextTime) -> Int64 {
        let limit = latest.seconds + 86_400
        var year = CivilDay.date(CivilDay.of(latest.seconds)).year + 1
        for _ in 0..<9 {
            let isLeapDay = Self.isLeapDay(time.wall)
            if !isLeapDay || CivilDay.isLeap(year) {
                if Self.wall(time.wall, in: year) - Int64(zone.period(at: latest.seconds).offset)
                    <= limit
                {
                    return year
                }
            }
            year -= 1
        }
        return year
    }

    private static func isLeapDay(_ wall: Int64) -> Bool {
        let date = CivilDay.date(CivilDay.of(wall))
        return date.month == 2 && date.day == 29
    }

    private static func wall(_ wall: Int64, in year: Int64) -> Int64 {
        let day = CivilDay.of(wall)
        let date = CivilDay.date(day)
        return CivilDay.number(year, date.month, date.day) * 86_400 + wall - day * 86_400
    }
}
