public import Basics

extension DeadlineReport {
    public var json: JSON {
        [
            "calendar": .string(calendar), "timeZone": .string(timeZone),
            "dates": .array(deadlines.map(\.json)),
            "conflicts": .array(
                conflicts.map { conflict in
                    [
                        "event": .string(conflict.event.rawValue),
                        "earliest": .string(conflict.earliest.rule.id),
                        "notBefore": Self.day(conflict.earliest.earliest),
                        "latest": .string(conflict.latest.rule.id),
                        "notAfter": Self.day(conflict.latest.latest),
                        "what": .string(conflict.text),
                    ]
                }),
            "reversals": .array(
                reversals.map { reversal in
                    [
                        "event": .string(reversal.event.rawValue),
                        "day": .string(reversal.day.text),
                        "before": .string(reversal.before.rawValue),
                        "beforeDay": .string(reversal.beforeDay.text),
                        "what": .string(reversal.text),
                    ]
                }),
        ]
    }

    fileprivate static func day(_ day: Day?) -> JSON { day.map { .string($0.text) } ?? .null }

    /// A line for each rule of which something can be said, for each conflict, and for dates that go backwards.
    public var lines: [String] {
        deadlines.filter { ![.unknown, .replaced, .notApplicable].contains($0.state) }.map(\.text)
            + deadlines.filter { $0.state == .unknown }.map { deadline in
                "date: \(deadline.name): not known, since "
                    + "\(deadline.rule.from?.rawValue ?? "a date") is not"
            } + conflicts.map { "CONFLICT: " + $0.text }
            + reversals.map { "BACKWARDS: " + $0.text }
    }
}

extension DateReversal {
    /// Both days, for people.
    public var text: String {
        "\(event.rawValue) \(day.text) lies before \(before.rawValue) \(beforeDay.text); correct the "
            + "dates in the plan"
    }
}

extension DeadlineConflict {
    /// Both clauses and both days, for people.
    public var text: String {
        "\(event.rawValue): \(earliest.name) allows it from \(earliest.earliest?.text ?? "?") on, "
            + "\(latest.name) asks for it by \(latest.latest?.text ?? "?"); agree on a date in the plan"
    }
}

extension Deadline {
    var name: String { "\(profile) \(rule.clause.en)" }

    public var json: JSON {
        [
            "rule": .string(rule.id), "clause": .string(rule.clause.en),
            "kind": .string(rule.kind.rawValue), "event": .string(rule.event.rawValue),
            "from": rule.from.map { .string($0.rawValue) } ?? .null,
            "fromDay": DeadlineReport.day(from), "forecast": .bool(isForecast),
            "period": rule.period.map { .string($0.text) } ?? .null,
            "day": DeadlineReport.day(day), "moment": moment.map { .string($0.text) } ?? .null,
            "movedFrom": DeadlineReport.day(movedFrom), "actual": DeadlineReport.day(actual),
            "state": .string(state.rawValue), "source": .string(rule.source.rawValue),
        ]
    }

    /// For people: what is bound, by which clause, when, and how it stands.
    public var text: String {
        let bound: String
        switch rule.kind {
        case .atMost, .before: bound = "by \(day?.text ?? "?")"
        case .atLeast: bound = "not before \(day?.text ?? "?")"
        case .after: bound = "only after \(day?.text ?? "?")"
        case .noneFrom: bound = "none after \(day?.text ?? "?")"
        case .times: bound = rule.times == 1 ? "at most once" : "at most \(rule.times ?? 0) times"
        }
        var text = "date: \(rule.event.rawValue) \(bound) (\(name)"
        if let period = rule.period, period.count > 0, let from, let event = rule.from {
            text += ", \(period.text) from \(event.rawValue) \(from.text)"
            if isForecast { text += ", a forecast" }
            if let movedFrom { text += ", moved from \(movedFrom.text)" }
        }
        if rule.source == .unverified { text += ", source unverified" }
        text += ")"
        if let actual { text += ": \(actual.text)" }
        return state == .missed ? text + " MISSED" : text
    }
}
