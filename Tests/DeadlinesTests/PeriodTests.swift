import Basics
import Testing

@testable import Deadlines

/// Regulation (EEC, Euratom) No 1182/71, Article 3, day by day.
struct PeriodTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let why: String
        let from: String
        let period: String
        let end: String
        var calendar = "fr"
        var testDescription: String { why }
    }

    @Test(arguments: [
        Case(
            why: "the day of the event does not count", from: "2027-03-01", period: "P30D",
            end: "2027-03-31"),
        Case(
            why: "months end on the same date", from: "2027-01-15", period: "P2M", end: "2027-03-15"
        ),
        Case(
            why: "a month without the date ends on its last day", from: "2026-03-31", period: "P1M",
            end: "2026-04-30"),
        Case(
            why: "… which is then moved, when it is a Sunday", from: "2026-12-31", period: "P2M",
            end: "2027-03-01"),
        Case(why: "a leap day is reached", from: "2027-12-31", period: "P2M", end: "2028-02-29"),
        Case(why: "30 days over a leap day", from: "2028-02-01", period: "P30D", end: "2028-03-02"),
        Case(
            why: "30 days over a February without one", from: "2027-02-01", period: "P30D",
            end: "2027-03-03"),
        Case(why: "a year after a leap day", from: "2028-02-29", period: "P1Y", end: "2029-02-28"),
        Case(
            why: "a year that ends on a Saturday is moved", from: "2026-02-27", period: "P1Y",
            end: "2027-03-01"),
        Case(why: "weeks", from: "2027-03-02", period: "P3W", end: "2027-03-23"),
        Case(
            why: "a Saturday is moved to Monday", from: "2027-01-14", period: "P30D",
            end: "2027-02-15"),
        Case(why: "Easter Monday", from: "2027-03-01", period: "P28D", end: "2027-03-30"),
        Case(why: "1 May on a Friday", from: "2026-04-01", period: "P30D", end: "2026-05-04"),
        Case(why: "1 May on a Saturday", from: "2027-04-01", period: "P30D", end: "2027-05-03"),
        Case(why: "Ascension Day", from: "2027-04-06", period: "P30D", end: "2027-05-07"),
        Case(why: "Whit Monday", from: "2027-04-17", period: "P30D", end: "2027-05-18"),
        Case(why: "Christmas on a Friday", from: "2026-11-25", period: "P30D", end: "2026-12-28"),
        Case(why: "New Year's Day", from: "2026-12-02", period: "P30D", end: "2027-01-04"),
        Case(
            why: "Good Friday is a day of work in most of France", from: "2027-03-01",
            period: "P25D", end: "2027-03-26"),
        Case(
            why: "Good Friday in Alsace, then Easter", from: "2027-03-01", period: "P25D",
            end: "2027-03-30", calendar: "fr-alsace-moselle"),
        Case(
            why: "26 December in most of France", from: "2028-12-01", period: "P25D",
            end: "2028-12-26"),
        Case(
            why: "26 December in Alsace", from: "2028-12-01", period: "P25D", end: "2028-12-27",
            calendar: "fr-alsace-moselle"),
        Case(
            why: "14 working days over Christmas and New Year", from: "2026-12-14", period: "P14WD",
            end: "2027-01-05"),
        Case(
            why: "14 working days in Alsace", from: "2028-12-14", period: "P14WD",
            end: "2029-01-08", calendar: "fr-alsace-moselle"),
        Case(
            why: "working days from a Saturday", from: "2027-01-09", period: "P1WD",
            end: "2027-01-11"),
        Case(
            why: "two days have two days of work", from: "2027-04-30", period: "P2D",
            end: "2027-05-04"),
        Case(why: "two days over Christmas", from: "2026-12-24", period: "P2D", end: "2026-12-29"),
        Case(why: "one day need not", from: "2027-01-08", period: "P1D", end: "2027-01-11"),
        Case(
            why: "no days end on the day itself", from: "2027-01-09", period: "P0D",
            end: "2027-01-09"),
        Case(why: "seven months", from: "2026-12-31", period: "P7M", end: "2027-08-02"),
    ])
    func endsOn(_ item: Case) throws {
        let calendar = try HolidayCalendar.named(item.calendar)
        let from = try #require(Day(item.from))
        let period = try #require(Period(item.period))
        #expect(period.text == item.period)
        let end = period.end(from: from, in: calendar)
        #expect(end.day.text == item.end)
        #expect(
            (end.movedFrom == nil)
                == (period.unit == .workingDays || end.day == plain(period, from)))
    }

    private func plain(_ period: Period, _ from: Day) -> Day {
        switch period.unit {
        case .days, .workingDays: from.adding(days: period.count)
        case .weeks: from.adding(days: 7 * period.count)
        case .months: from.adding(months: period.count)
        case .years: from.adding(months: 12 * period.count)
        }
    }

    @Test(arguments: [
        ("2027-05-31", "P3M", "2027-02-28"), ("2028-05-31", "P3M", "2028-02-29"),
        ("2027-08-01", "P3M", "2027-05-01"), ("2027-03-31", "P30D", "2027-03-01"),
        ("2027-01-05", "P14WD", "2026-12-14"),
    ])
    func backwardsIsNotMoved(_ day: String, _ period: String, _ start: String) throws {
        let calendar = try HolidayCalendar.named("fr")
        let start = try #require(Day(start))
        #expect(
            try #require(Period(period)).start(before: #require(Day(day)), in: calendar) == start)
    }

    @Test(arguments: [
        ("2027-01-31", "2027-01-31T23:00:00.000Z"), ("2027-03-27", "2027-03-27T23:00:00.000Z"),
        ("2027-03-28", "2027-03-28T22:00:00.000Z"), ("2027-07-14", "2027-07-14T22:00:00.000Z"),
        ("2027-10-30", "2027-10-30T22:00:00.000Z"), ("2027-10-31", "2027-10-31T23:00:00.000Z"),
        ("2026-12-31", "2026-12-31T23:00:00.000Z"), ("2028-02-29", "2028-02-29T23:00:00.000Z"),
    ])
    func aDayEndsAtMidnightInParis(_ day: String, _ moment: String) throws {
        let calendar = try HolidayCalendar.named("fr")
        let day = try #require(Day(day))
        let end = calendar.end(of: day)
        #expect(end.text == moment)
        #expect(calendar.day(of: end) == day.adding(days: 1))
        #expect(calendar.day(of: Timestamp(seconds: end.seconds - 1)) == day)
    }

    @Test(arguments: [
        (1818, "1818-03-22"), (1886, "1886-04-25"), (2000, "2000-04-23"), (2019, "2019-04-21"),
        (2024, "2024-03-31"), (2025, "2025-04-20"), (2026, "2026-04-05"), (2027, "2027-03-28"),
        (2038, "2038-04-25"), (2285, "2285-03-22"),
    ])
    func easterSunday(_ year: Int64, _ day: String) { #expect(Day.easter(of: year).text == day) }

    @Test func daysAreThoseOfTheCalendar() {
        for text in ["2027-02-29", "2100-02-29", "2027-13-01", "2027-00-10", "2027-1-01", "x"] {
            #expect(Day(text) == nil)
        }
        #expect(Day("2000-02-29")?.weekday == 2)
        #expect(Day("1970-01-01")?.number == 0)
        var day = Day(number: -700_000)
        for _ in 0..<2000 {
            #expect(Day(day.text) == day)
            day = day.adding(days: 977)
        }
    }
}
