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

        private static let currencies: Set<Substring> = [
            "EUR", "EURO", "EUROS", "€", "BGN", "CHF", "CZK", "DKK", "GBP", "HUF", "PLN", "RON",
            "SEK", "USD",
        ]

        /// Whether no money is asked: one number that is zero, with a currency or without. Whatever else an
        /// amount may be counts as money.
        var isNothing: Bool {
            let words = amount.replacing("€", with: " € ").split { $0.isWhitespace }
            let numbers = words.filter { !Self.currencies.contains($0.uppercased()[...]) }
            guard numbers.count == 1, words.count <= 2, let number = numbers.first else {
                return false
            }
            let parts = number.split(
                separator: number.contains(",") ? "," : ".", omittingEmptySubsequences: false)
            return parts.count <= 2
                && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 == "0" } }
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

    /// The day of an event, or what stands for one of which no date was given.
    ///
    /// A transition begins when the notice ends. It ends at the latest day that was agreed, whichever
    /// of them a plan still has beside a longer one: what keeps the data counts from there
    /// (Regulation (EU) 2023/2854, Article 25(2)(g)). Without any, it ends with the acceptance.
    func known(_ event: TimelineEvent) -> Day? {
        switch event {
        case .transitionStart: days[.transitionStart] ?? days[.noticeEnd]
        case .transitionEnd:
            [days[.transitionEnd], days[.extensionEnd], days[.alternativeEnd]]
                .compactMap { $0 }.max() ?? days[.acceptance]
        default: days[event]
        }
    }
}
