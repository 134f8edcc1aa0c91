/// A moment in UTC: seconds since 1970 (negative before) and nanoseconds 0..<1e9 after that second.
public struct Timestamp: Sendable, Hashable, Comparable {
    public let seconds: Int64
    public let nanoseconds: Int32

    public init(seconds: Int64, nanoseconds: Int32 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// RFC 3339 in UTC with milliseconds: `2026-11-23T18:00:00.000Z`.
    public var text: String {
        "\(date)T\(clock).\(Self.padded(Int64(nanoseconds / 1_000_000), 3))Z"
    }

    /// The day alone: `2026-11-23`.
    public var date: String {
        let (year, month, day) = civil
        return "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(day, 2))"
    }

    private var clock: String {
        let second = seconds - dayNumber * 86_400
        return [second / 3600, second / 60 % 60, second % 60]
            .map { Self.padded($0, 2) }.joined(separator: ":")
    }

    private var dayNumber: Int64 {
        let quotient = seconds / 86_400
        return seconds % 86_400 < 0 ? quotient - 1 : quotient
    }

    /// Year, month and day of the proleptic Gregorian calendar, by counting 400-year cycles from
    /// 1 March of year 0 (so that the leap day comes last).
    private var civil: (Int64, Int64, Int64) {
        let shifted = dayNumber + 719_468
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

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Reads what `text` writes: RFC 3339 in UTC ("Z"), whole seconds or with one to nine digits of a fraction.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            var value: Int64 = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int64(byte - 0x30)
            }
            return value
        }
        guard bytes.count >= 20, bytes[4] == 0x2d, bytes[7] == 0x2d, bytes[10] == 0x54,
            bytes[13] == 0x3a, bytes[16] == 0x3a, bytes.last == 0x5a,
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16),
            let second = number(17..<19),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 60
        else { return nil }
        var nanoseconds: Int64 = 0
        if bytes.count > 20 {
            let digits = bytes.count - 21
            guard bytes[19] == 0x2e, (1...9).contains(digits),
                let fraction = number(20..<20 + digits)
            else { return nil }
            nanoseconds = fraction
            for _ in digits..<9 { nanoseconds *= 10 }
        }
        let marchYear = month <= 2 ? year - 1 : year
        let cycle = marchYear / 400
        let yearOfCycle = marchYear - cycle * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfCycle = yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
        let days = cycle * 146_097 + dayOfCycle - 719_468
        self.init(
            seconds: days * 86_400 + hour * 3600 + minute * 60 + second,
            nanoseconds: Int32(nanoseconds))
        // A day that does not exist (30 February) has come out as another one.
        guard (year, month, day) == civil else { return nil }
    }
}
