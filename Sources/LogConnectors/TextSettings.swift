import Archives
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
    /// Patterns of `exclude`, and for each the reason that the plan gives.
    private(set) var excludes = GlobSet()
    private(set) var excludeReasons: [String] = []

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

    static let exclusionShape = PlanShape(required: ["paths"])

    /// Takes what the source leaves out.
    mutating func exclude(_ exclusions: [SourcePlan.Exclusion], _ problems: PlanProblems) {
        var patterns: [String] = []
        for exclusion in exclusions {
            let mapping = exclusion.patterns.mapping(Self.exclusionShape, problems)
            let texts = mapping?.strings("paths") ?? []
            patterns += texts
            excludeReasons += texts.map { _ in exclusion.reason }
            do throws(Failure) { excludes = try GlobSet(patterns) } catch {
                problems.add(error.code, error.what, atKeyOf: exclusion.patterns)
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
        group.range.since = PlanMoment.read("since", settings, group.zone, problems)
        group.range.until = PlanMoment.read("until", settings, group.zone, problems)
        if let since = group.range.since, let until = group.range.until, until < since {
            problems.add(
                .planInvalidValue, "\"until\" is before \"since\"", atKeyOf: settings.node)
        }
        return group
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
