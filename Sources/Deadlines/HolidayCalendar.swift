public import Basics

/// Which days are holidays in a place, and when its days end: data of `Manifests/legal/calendars`.
public struct HolidayCalendar: Sendable {
    /// A holiday that comes each year.
    struct Holiday: Sendable {
        enum Rule: Sendable {
            case date(month: Int64, day: Int64)
            /// Days after Easter Sunday; negative before it.
            case easter(Int64)
        }

        let name: LocalText
        let rule: Rule
        /// The first year in which it is one.
        let since: Int64
    }

    /// The time of a place: minutes ahead of UTC in winter and in summer, and when it changes.
    struct Zone: Sendable {
        let name: String
        let standard: Int64
        let summer: Int64
        /// Months in whose last Sunday's night the clocks change, at `hour` UTC.
        let from: Int64
        let until: Int64
        let hour: Int64
    }

    /// `fr`, `fr-alsace-moselle`.
    public let id: String
    public let title: LocalText
    /// The bytes it was read from, for a digest that tells others which one was used.
    public let bytes: [UInt8]
    let holidays: [Holiday]
    let zone: Zone

    public var timeZone: String { zone.name }

    /// The name of the holiday on this day.
    public func holiday(on day: Day) -> LocalText? {
        let year = day.parts.year
        return holidays.first { holiday in
            guard year >= holiday.since else { return false }
            switch holiday.rule {
            case .date(let month, let date):
                return day.parts.month == month && day.parts.day == date
            case .easter(let offset):
                return Day.easter(of: year).adding(days: offset) == day
            }
        }?.name
    }

    /// All days but public holidays, Sundays and Saturdays (Regulation 1182/71, Article 2(2)).
    public func isWorkingDay(_ day: Day) -> Bool { day.weekday <= 5 && holiday(on: day) == nil }

    /// How many working days lie after `start` up to `end`; stops counting at `limit`.
    func workingDays(after start: Day, through end: Day, atMost limit: Int) -> Int {
        var count = 0
        var day = start.adding(days: 1)
        while day <= end, count < limit {
            if isWorkingDay(day) { count += 1 }
            day = day.adding(days: 1)
        }
        return count
    }

    // MARK: - Moments

    /// The moment at which a day is over: the first of the next day.
    public func end(of day: Day) -> Timestamp {
        let midnight = day.adding(days: 1).number * 86_400
        // Clocks change in the small hours, so that midnight has the time of the hours before.
        let isSummer = isSummer(at: midnight - zone.standard * 60)
        return Timestamp(seconds: midnight - (isSummer ? zone.summer : zone.standard) * 60)
    }

    /// The day that a moment belongs to.
    public func day(of moment: Timestamp) -> Day {
        let offset = isSummer(at: moment.seconds) ? zone.summer : zone.standard
        let local = moment.seconds + offset * 60
        return Day(number: local >= 0 ? local / 86_400 : (local - 86_399) / 86_400)
    }

    private func isSummer(at seconds: Int64) -> Bool {
        let day = Day(number: seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400)
        let year = day.parts.year
        return change(zone.from, year) <= seconds && seconds < change(zone.until, year)
    }

    private func change(_ month: Int64, _ year: Int64) -> Int64 {
        let length = Day.length(ofMonth: month, in: year)
        guard let last = Day(year: year, month: month, day: length) else { return 0 }
        return last.adding(days: -Int64(last.weekday % 7)).number * 86_400 + zone.hour * 3600
    }
}

/// A text in the languages of the reports.
public struct LocalText: Sendable, Hashable {
    public let fr: String
    public let en: String

    public init(fr: String, en: String) {
        self.fr = fr
        self.en = en
    }
}
