public import Basics

/// A rule applied to a timeline.
public struct Deadline: Sendable {
    public enum State: String, Sendable {
        /// The date is known and within the bound.
        case met
        /// The date is known and out of the bound, or the bound has passed without it.
        case missed
        /// The date is still to come, within the bound.
        case open
        /// What the rule counts from is not known.
        case unknown
        /// Another rule holds in its place.
        case replaced
        /// The bound has passed, and nothing has happened that the rule is about.
        case notApplicable = "not-applicable"
    }

    public let profile: String
    public let rule: LegalRule
    /// The day it was counted from.
    public let from: Day?
    /// True when `from` is itself a bound of another rule, since nobody has given its date.
    public let isForecast: Bool
    /// The last day on which the event may happen (at-most, before, none-from), must still last
    /// (at-least), or may not happen yet (after).
    public let day: Day?
    /// The end of `day`, by the clocks of the calendar.
    public let moment: Timestamp?
    /// Where the period would have ended but for a weekend or a holiday.
    public let movedFrom: Day?
    /// When it happened.
    public let actual: Day?
    public let state: State

    /// True for rules that keep an event from being too early.
    public var isEarliest: Bool { rule.kind == .atLeast || rule.kind == .after }

    /// The first day on which the event may happen, of a rule that keeps it from being too early.
    public var earliest: Day? {
        switch rule.kind {
        case .atLeast: day
        case .after: day?.adding(days: 1)
        default: nil
        }
    }

    /// The last day on which it may happen, of a rule that keeps it from being too late.
    public var latest: Day? { isEarliest || rule.kind == .times ? nil : day }
}

/// Two rules that no date can satisfy both.
public struct DeadlineConflict: Sendable {
    public let event: TimelineEvent
    /// Not before this…
    public let earliest: Deadline
    /// … and not after that.
    public let latest: Deadline
}

/// An event that ends before it has begun, by the dates of a plan: no rule is broken, and what counts from
/// there comes too early.
public struct DateReversal: Sendable, Equatable {
    public let event: TimelineEvent
    public let day: Day
    /// What must have been before.
    public let before: TimelineEvent
    public let beforeDay: Day

    static func find(in timeline: Timeline) -> [DateReversal] {
        let ends: [TimelineEvent] = [.transitionEnd, .extensionEnd, .alternativeEnd]
        let order: [(before: TimelineEvent, events: [TimelineEvent])] = [
            (.noticeReceived, [.noticeEnd, .infeasibilityNotified, .transitionStart] + ends),
            (.transitionStart, ends),
        ]
        return order.flatMap { before, events in
            events.compactMap { event in
                guard let first = timeline[before], let day = timeline[event], day < first else {
                    return nil
                }
                return DateReversal(event: event, day: day, before: before, beforeDay: first)
            }
        }
    }
}

/// All rules of some profiles against one timeline.
public struct DeadlineReport: Sendable {
    public let calendar: String
    public let timeZone: String
    public let deadlines: [Deadline]
    public let conflicts: [DeadlineConflict]
    /// Dates that were given and cannot both be right.
    public let reversals: [DateReversal]

    /// Rules that have been broken, so far as is known.
    public var missed: [Deadline] { deadlines.filter { $0.state == .missed } }

    /// The rule that keeps the erasure waiting longest; nil where none does.
    public var erasureBound: Deadline? {
        deadlines.filter {
            $0.rule.event == .erasure && $0.earliest != nil && $0.state != .replaced
        }
        .max { ($0.earliest ?? Day(number: 0)) < ($1.earliest ?? Day(number: 0)) }
    }

    /// Rules about the erasure of which the day cannot be told, since a date is missing.
    public var unknownErasureBounds: [Deadline] {
        deadlines.filter {
            $0.rule.event == .erasure && $0.isEarliest && $0.state == .unknown
        }
    }

    /// The rule by which the record of the destruction is due first.
    public var destructionReportBound: Deadline? {
        deadlines.filter { $0.rule.event == .destructionReport && $0.latest != nil }
            .min { ($0.latest ?? Day(number: 0)) < ($1.latest ?? Day(number: 0)) }
    }
}

extension DeadlineReport {
    /// Applies profiles to a timeline.
    ///
    /// - Parameter today: for what is still to come; nil judges by the timeline alone.
    public init(
        _ timeline: Timeline, profiles: [LegalProfile], calendar: HolidayCalendar, today: Day?
    ) {
        let reckoning = Reckoning(
            timeline: timeline, profiles: profiles, calendar: calendar, today: today)
        self.calendar = calendar.id
        timeZone = calendar.timeZone
        deadlines = profiles.flatMap { profile in
            profile.rules.map { reckoning.deadline($0, of: profile) }
        }
        conflicts = Self.conflicts(among: deadlines)
        reversals = DateReversal.find(in: timeline)
    }

    /// For each event the latest of the earliest days against the earliest of the latest.
    private static func conflicts(among deadlines: [Deadline]) -> [DeadlineConflict] {
        var conflicts: [DeadlineConflict] = []
        for event in TimelineEvent.allCases {
            // What is recorded has happened: a record is no earlier than what it tells of.
            let lower: [TimelineEvent] =
                event == .destructionReport ? [.destructionReport, .erasure] : [event]
            for latest in deadlines where latest.rule.event == event {
                guard let last = latest.latest, ![.replaced, .notApplicable].contains(latest.state)
                else { continue }
                let earliest = deadlines.filter {
                    lower.contains($0.rule.event) && $0.state != .replaced
                        && ($0.earliest.map { $0 > last } ?? false)
                }
                // Of one text the rule that asks to wait longest speaks for all.
                let texts = Dictionary(grouping: earliest, by: \.profile).sorted { $0.key < $1.key }
                for (_, rules) in texts {
                    let longest = rules.max { ($0.earliest ?? last) < ($1.earliest ?? last) }
                    if let longest {
                        conflicts.append(
                            DeadlineConflict(event: event, earliest: longest, latest: latest))
                    }
                }
            }
        }
        return conflicts
    }
}

extension LegalRule {
    fileprivate func applies(to timeline: Timeline) -> Bool {
        onlyIf.isEmpty || onlyIf.contains { timeline[$0] != nil }
    }
}

/// The reckoning of one timeline: dates that nobody gave follow from the rules.
private struct Reckoning {
    let timeline: Timeline
    let profiles: [LegalProfile]
    let calendar: HolidayCalendar
    let today: Day?
    private let steps = Steps()

    /// Profiles come with archives: rules that lead from event to event in every way there is would be
    /// followed for ever. What is not reached is not known, and keeps the lock shut.
    private final class Steps {
        var left = 20_000
    }

    init(
        timeline: Timeline, profiles: [LegalProfile], calendar: HolidayCalendar, today: Day?
    ) {
        self.timeline = timeline
        self.profiles = profiles
        self.calendar = calendar
        self.today = today
    }

    func deadline(_ rule: LegalRule, of profile: LegalProfile) -> Deadline {
        func make(
            from: Day? = nil, isForecast: Bool = false, day: Day? = nil, movedFrom: Day? = nil,
            actual: Day? = nil, _ state: Deadline.State
        ) -> Deadline {
            Deadline(
                profile: profile.id, rule: rule, from: from, isForecast: isForecast, day: day,
                moment: day.map { calendar.end(of: $0) }, movedFrom: movedFrom, actual: actual,
                state: state)
        }
        let actual = timeline[rule.event]
        if rule.unless.contains(where: { timeline[$0] != nil }) {
            return make(actual: actual, .replaced)
        }
        switch rule.kind {
        case .noneFrom: return charges(rule, make)
        case .times:
            let count = timeline.times[rule.event] ?? (actual == nil ? 0 : 1)
            return make(actual: actual, count <= rule.times ?? 0 ? .met : .missed)
        case .atMost, .atLeast, .after, .before:
            guard let event = rule.from, let period = rule.period,
                let (from, isForecast) = day(of: event, [rule.event])
            else { return make(actual: actual, .unknown) }
            let end =
                rule.kind == .before
                ? PeriodEnd(day: period.start(before: from, in: calendar), movedFrom: nil)
                : period.end(from: from, in: calendar)
            var state = state(rule.kind, end.day, actual)
            if !rule.applies(to: timeline), state == .missed || state == .open && isTooLate(rule) {
                state = .notApplicable
            }
            return make(
                from: from, isForecast: isForecast, day: end.day, movedFrom: end.movedFrom,
                actual: actual, state)
        }
    }

    /// Whether what a rule is about can no longer come: nothing else that would let it hold may happen any more.
    private func isTooLate(_ rule: LegalRule) -> Bool {
        let others = rule.onlyIf.filter { $0 != rule.event }
        guard let today, !others.isEmpty else { return false }
        return others.allSatisfy { event in
            forecast(event, [rule.event]).map { $0 < today } ?? false
        }
    }

    private func charges(
        _ rule: LegalRule,
        _ make: (Day?, Bool, Day?, Day?, Day?, Deadline.State) -> Deadline
    ) -> Deadline {
        guard let first = rule.on else { return make(nil, false, nil, nil, nil, .unknown) }
        let wrong = timeline.charges.filter { !$0.isNothing }.map(\.day).filter { $0 >= first }
            .min()
        return make(first, false, first.adding(days: -1), nil, wrong, wrong == nil ? .met : .missed)
    }

    private func state(
        _ kind: LegalRule.Kind, _ day: Day, _ actual: Day?
    ) -> Deadline.State {
        let isLate: Bool
        switch kind {
        case .atMost, .before: isLate = (actual ?? today).map { $0 > day } ?? false
        case .atLeast: isLate = actual.map { $0 < day } ?? false
        case .after: isLate = actual.map { $0 <= day } ?? false
        case .noneFrom, .times: isLate = false
        }
        if isLate { return .missed }
        return actual == nil ? .open : .met
    }

    /// The date of an event: as it is known, or else as it follows from the rules about it.
    private func day(
        of event: TimelineEvent, _ asking: Set<TimelineEvent>
    ) -> (Day, isForecast: Bool)? {
        if let day = timeline.known(event) { return (day, false) }
        if event == .transitionStart, let end = forecast(.noticeEnd, asking) { return (end, true) }
        return forecast(event, asking).map { ($0, true) }
    }

    private func forecast(_ event: TimelineEvent, _ asking: Set<TimelineEvent>) -> Day? {
        steps.left -= 1
        guard !asking.contains(event), steps.left > 0 else { return nil }
        var bounds: [Day] = []
        for rule in profiles.flatMap(\.rules) where rule.event == event {
            guard rule.kind == .atMost || rule.kind == .atLeast, let from = rule.from,
                let period = rule.period,
                !rule.unless.contains(where: { timeline[$0] != nil }),
                let (start, _) = day(of: from, asking.union([event]))
            else { continue }
            bounds.append(period.end(from: start, in: calendar).day)
        }
        return bounds.max()
    }
}
