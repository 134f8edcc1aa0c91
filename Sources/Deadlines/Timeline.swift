/// The dates that are known of an exit, by evidence or by the plan.
public struct Timeline: Sendable, Equatable {
    /// Money asked for switching.
    public struct Charge: Sendable, Hashable {
        public let day: Day
        /// As the plan writes it: `1200 EUR`.
        public let amount: String
        public let reason: String

        public init(day: Day, amount: String, reason: String) {
            self.day = day
            self.amount = amount
            self.reason = reason
        }
    }

    public var days: [TimelineEvent: Day]
    public var charges: [Charge]
    /// How often an event took place of which the last day stands in `days`.
    public var times: [TimelineEvent: Int64] = [:]

    public init(days: [TimelineEvent: Day] = [:], charges: [Charge] = []) {
        self.days = days
        self.charges = charges
    }

    public subscript(event: TimelineEvent) -> Day? {
        get { days[event] }
        set { days[event] = newValue }
    }

    /// What stands for an event of which no date was given: a transition begins when the notice
    /// ends, and ends at the latest of what was agreed, or else with the acceptance; a contract ends
    /// by the acceptance (Regulation (EU) 2023/2854, Article 25(2)(c)).
    func substitute(for event: TimelineEvent) -> Day? {
        switch event {
        case .transitionStart: days[.noticeEnd]
        case .transitionEnd:
            [days[.extensionEnd], days[.alternativeEnd]].compactMap { $0 }.max()
                ?? days[.acceptance]
        case .destructionReport: nil
        default: nil
        }
    }
}
