/// A time as a line of a log writes it: a wall clock, and what the line says of its zone.
public struct TextTime: Sendable, Hashable {
    public enum Zone: Sendable, Hashable {
        /// The line names none.
        case absent
        /// Seconds east of UTC.
        case offset(Int32)
        /// An abbreviation such as CEST, up to seven letters in the bytes of a number.
        case abbreviation(UInt64)
        /// A name of the TZ database such as Europe/Paris, by the hash of its bytes (`ZoneNames`).
        case named(UInt64)
    }

    /// Seconds since 1970 of the wall clock as if it were UTC; of a time without a year, in 1972, which
    /// has a 29 February.
    public var wall: Int64
    public var nanoseconds: Int32
    public var zone: Zone
    public var hasYear: Bool

    public init(wall: Int64, nanoseconds: Int32 = 0, zone: Zone = .absent, hasYear: Bool = true) {
        self.wall = wall
        self.nanoseconds = nanoseconds
        self.zone = zone
        self.hasYear = hasYear
    }

    /// The year that stands for none.
    static let noYear: Int64 = 1972
}

/// Days of the proleptic Gregorian calendar, counted from 1970.
enum CivilDay {
    /// The day's number; months 1…12, days from 1.
    @inline(__always)
    static func number(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        // Years begin in March here, so that the leap day comes last.
        let shifted = month <= 2 ? year - 1 : year
        let cycle = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfCycle = shifted - cycle * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100
            + dayOfYear - 719_468
    }

    static func date(_ number: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = number + 719_468
        let cycle = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfCycle = shifted - cycle * 146_097
        let yearOfCycle =
            (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (
            yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month,
            dayOfYear - (153 * marchMonth + 2) / 5 + 1
        )
    }

    static func isLeap(_ year: Int64) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The day that a number of seconds since 1970 falls on.
    @inline(__always)
    static func of(_ seconds: Int64) -> Int64 {
        seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    }
}
