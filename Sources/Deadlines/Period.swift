/// A length of time of a law: `P30D`, `P2M`, `P14WD` (working days), `P3W`, `P1Y`.
public struct Period: Sendable, Hashable {
    public enum Unit: String, Sendable, Hashable {
        case days = "D"
        case workingDays = "WD"
        case weeks = "W"
        case months = "M"
        case years = "Y"

        fileprivate var most: Int64 {
            switch self {
            case .days, .workingDays: 9999
            case .weeks: 5200
            case .months: 1200
            case .years: 100
            }
        }
    }

    public let count: Int64
    public let unit: Unit

    public init(_ count: Int64, _ unit: Unit) {
        self.count = count
        self.unit = unit
    }

    /// Reads what `text` writes, with a count of at most 9999 days, or a century.
    public init?(_ text: some StringProtocol) {
        guard text.first == "P" else { return nil }
        let digits = text.dropFirst().prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), String(count) == digits, count <= 9999,
            let unit = Unit(rawValue: String(text.dropFirst(1 + digits.count))),
            count <= unit.most
        else { return nil }
        self.init(count, unit)
    }

    public var text: String { "P\(count)\(unit.rawValue)" }
}

/// The last day of a period, and what moved it.
public struct PeriodEnd: Sendable, Equatable {
    /// The period ends with the last hour of this day.
    public let day: Day
    /// Where it would have ended without Article 3(4) and (5); nil when it was not moved.
    public let movedFrom: Day?
}

/// Periods as Regulation (EEC, Euratom) No 1182/71, Article 3, counts them.
extension Period {
    /// The last day of the period that an event on `day` sets going.
    ///
    /// * The day of the event does not count (3(1)).
    /// * Months and years end on the same date, or on the last day of a month without it (3(2)(c)).
    /// * Saturdays, Sundays and holidays count, unless the period is in working days (3(3)).
    /// * A last day that is none of work moves to the next working day (3(4)).
    /// * A period of two days or more has at least two working days (3(5)).
    ///
    /// A period of no days ends on the day itself, which nothing moves.
    public func end(from day: Day, in calendar: HolidayCalendar) -> PeriodEnd {
        guard count > 0 else { return PeriodEnd(day: day, movedFrom: nil) }
        if unit == .workingDays {
            var last = day
            var left = count
            while left > 0 {
                last = last.adding(days: 1)
                if calendar.isWorkingDay(last) { left -= 1 }
            }
            return PeriodEnd(day: last, movedFrom: nil)
        }
        let plain = shifted(day, by: count)
        var last = plain
        while !calendar.isWorkingDay(last) { last = last.adding(days: 1) }
        if unit != .days || count >= 2 {
            while calendar.workingDays(after: day, through: last, atMost: 2) < 2 {
                last = last.adding(days: 1)
                while !calendar.isWorkingDay(last) { last = last.adding(days: 1) }
            }
        }
        return PeriodEnd(day: last, movedFrom: last == plain ? nil : plain)
    }

    /// The day that lies the period before `day`. Nothing moves it: Article 3(4) does not apply to
    /// periods that are calculated backwards.
    public func start(before day: Day, in calendar: HolidayCalendar) -> Day {
        guard unit == .workingDays else { return shifted(day, by: -count) }
        var first = day
        var left = count
        while left > 0 {
            first = first.adding(days: -1)
            if calendar.isWorkingDay(first) { left -= 1 }
        }
        return first
    }

    private func shifted(_ day: Day, by count: Int64) -> Day {
        switch unit {
        case .days, .workingDays: day.adding(days: count)
        case .weeks: day.adding(days: 7 * count)
        case .months: day.adding(months: count)
        case .years: day.adding(months: 12 * count)
        }
    }
}
