/// A day of the calendar, without a time: what periods of law are counted in.
public struct Day: Sendable, Hashable, Comparable {
    /// Days since 1 January 1970; negative before.
    public let number: Int64

    public init(number: Int64) { self.number = number }

    /// nil for a day that does not exist, such as 30 February.
    public init?(year: Int64, month: Int64, day: Int64) {
        guard (1...9999).contains(year), (1...12).contains(month),
            (1...Self.length(ofMonth: month, in: year)).contains(day)
        else { return nil }
        // Counted from 1 March of year 0, so that the leap day comes last.
        let marchYear = month <= 2 ? year - 1 : year
        let cycle = marchYear / 400
        let yearOfCycle = marchYear - cycle * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        number =
            cycle * 146_097 + yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
            - 719_468
    }

    /// Reads `2027-01-12`, and nothing else.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == 0x2d, bytes[7] == 0x2d else { return nil }
        func field(_ range: Range<Int>) -> Int64? {
            bytes[range].reduce(into: Int64?(0)) { value, byte in
                value =
                    (0x30...0x39).contains(byte) ? value.map { $0 * 10 + Int64(byte - 0x30) } : nil
            }
        }
        guard let year = field(0..<4), let month = field(5..<7), let day = field(8..<10) else {
            return nil
        }
        self.init(year: year, month: month, day: day)
    }

    public static func < (left: Day, right: Day) -> Bool { left.number < right.number }

    /// Days that contracts and their periods are about: what is added to one stays a day with four digits.
    public static let ofContracts =
        Day(number: -25_567)...Day(number: 376_199)

    /// `2027-01-12`.
    public var text: String {
        let (year, month, day) = parts
        func padded(_ value: Int64, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    /// Year, month and day of the Gregorian calendar.
    public var parts: (year: Int64, month: Int64, day: Int64) {
        let shifted = number + 719_468
        let cycle = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfCycle = shifted - cycle * 146_097
        let yearOfCycle =
            (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfCycle + cycle * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// 1 for Monday to 7 for Sunday (ISO 8601).
    public var weekday: Int {
        // 1 January 1970 was a Thursday.
        let shifted = (number + 3) % 7
        return Int(shifted < 0 ? shifted + 7 : shifted) + 1
    }

    public func adding(days: Int64) -> Day { Day(number: number + days) }

    /// The same date that many months later or earlier; the last day of a month that lacks it.
    public func adding(months: Int64) -> Day {
        let (year, month, day) = parts
        let count = year * 12 + month - 1 + months
        let (newYear, newMonth) = (count / 12, count % 12 + 1)
        let last = Self.length(ofMonth: newMonth, in: newYear)
        return Day(year: newYear, month: newMonth, day: min(day, last)) ?? self
    }

    static func length(ofMonth month: Int64, in year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Easter Sunday of the Gregorian calendar, by the rule of 1582: the Sunday after the
    /// ecclesiastical full moon on or after 21 March (the form of Meeus and Butcher).
    public static func easter(of year: Int64) -> Day {
        let golden = year % 19
        let (century, rest) = (year / 100, year % 100)
        let correction = (century - (century + 8) / 25 + 1) / 3
        let moon = (19 * golden + century - century / 4 - correction + 15) % 30
        let sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7
        let late = (golden + 11 * moon + 22 * sunday) / 451
        let sum = moon + sunday - 7 * late + 114
        return Day(year: year, month: sum / 31, day: sum % 31 + 1) ?? Day(number: 0)
    }
}
