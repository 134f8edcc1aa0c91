import Basics
import Glibc
import Logs
import Plans

/// What a plan says under `text:`: patterns, each list of them with its own options.
struct TextSettings: Sendable {
    /// Patterns that share their options.
    struct Group: Sendable {
        /// As the program opens them; relative ones start at the directory of the plan.
        var patterns: [String]
        var range: TextRange
        var zone: TextTimeZone
        /// Whether the plan names the zone.
        var isZoneGiven: Bool
        /// No line without a year is from a later one.
        var year: Int64?
        /// nil takes any.
        var format: TextFormat?
    }

    private(set) var groups: [Group] = []

    static let shape = PlanShape(
        required: ["paths"], optional: ["since", "until", "timezone", "year", "format"])

    init(_ node: PlanNode, _ problems: PlanProblems) {
        for element in node.elements(problems) ?? [] {
            if element.isMapping {
                if let group = Self.group(element, problems) { groups.append(group) }
            } else if let pattern = element.path(problems) {
                // Patterns without options share what holds for all of them.
                if let last = groups.indices.last, groups[last].isPlain {
                    groups[last].patterns.append(pattern)
                } else {
                    groups.append(Group(patterns: [pattern]))
                }
            }
        }
    }

    private static func group(_ node: PlanNode, _ problems: PlanProblems) -> Group? {
        guard let settings = node.mapping(shape, problems) else { return nil }
        var group = Group(patterns: settings.paths("paths") ?? [])
        if let name = settings.string("timezone"), let place = settings["timezone"] {
            do throws(Failure) {
                group.zone = try TextTimeZone(named: name)
                group.isZoneGiven = true
            } catch { problems.add(.planInvalidValue, error.what, at: place) }
        }
        group.year = settings.integer("year", in: 1970...2199)
        let words = ["auto"] + TextFormat.allCases.map(\.rawValue)
        group.format = settings.choice("format", of: words).flatMap { TextFormat(rawValue: $0) }
        group.range.since = moment("since", settings, group.zone, problems)
        group.range.until = moment("until", settings, group.zone, problems)
        if let since = group.range.since, let until = group.range.until, until < since {
            problems.add(
                .planInvalidValue, "\"until\" is before \"since\"", atKeyOf: settings.node)
        }
        return group
    }

    /// A time such as `2026-06-30T23:59:59+02:00`, or in the zone of the group `2026-06-30 23:59:59` or
    /// `2026-06-30`, which is the beginning of that day.
    private static func moment(
        _ key: String, _ settings: PlanMapping, _ zone: TextTimeZone, _ problems: PlanProblems
    ) -> Timestamp? {
        guard let text = settings.string(key), let node = settings[key] else { return nil }
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

extension TextSettings.Group {
    fileprivate init(patterns: [String]) {
        self.init(
            patterns: patterns, range: TextRange(), zone: .local(), isZoneGiven: false, year: nil,
            format: nil)
    }

    fileprivate var isPlain: Bool {
        range.isAll && !isZoneGiven && year == nil && format == nil
    }
}
