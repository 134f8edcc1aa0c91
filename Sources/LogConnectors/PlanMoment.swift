import Basics
import Logs
import Plans

extension TextRange {
    /// What the words of a plan came to, in UTC.
    var text: String {
        switch (since, until) {
        case (let since?, let until?): "from \(since.exact) to \(until.exact), both included"
        case (let since?, nil): "from \(since.exact) on, that included"
        case (nil, let until?): "up to \(until.exact), that included"
        case (nil, nil): "of all times"
        }
    }
}

/// Times of a plan, exact at the edges of daylight saving.
enum PlanMoment {
    /// A time such as `2026-06-30T23:59:59+02:00`, or in the zone given `2026-06-30 23:59:59` or
    /// `2026-06-30`; up to nine digits of a second's fraction.
    ///
    /// A day alone is all of it: its first moment as `since`, its last one as `until`.
    static func read(
        _ key: String, _ settings: PlanMapping, _ zone: TextTimeZone, _ problems: PlanProblems
    ) -> Timestamp? {
        guard let text = settings.string(key), let node = settings[key] else { return nil }
        if let day = zone.day(text) { return key == "until" ? day.last : day.first }
        switch zone.moment(text) {
        case .moment(let moment): return moment
        case .unclear(let first, let second):
            problems.add(
                .planInvalidValue,
                "\"\(key)\" names a time that comes twice when the clock is set back: write "
                    + "\(first.text) or \(second.text)", at: node)
        case .missing:
            problems.add(
                .planInvalidValue,
                "\"\(key)\" names a time that no clock shows, since it is set forward there",
                at: node)
        case nil:
            problems.add(
                .planInvalidValue,
                "\"\(key)\" must be a time such as 2026-06-30T23:59:59+02:00 or 2026-06-30, not "
                    + "\"\(text)\"", at: node)
        }
        return nil
    }
}
