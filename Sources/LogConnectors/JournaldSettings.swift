import Basics
import Plans

/// What a plan says under `journald:`.
struct JournaldSettings: Sendable {
    static let shape = PlanShape(
        optional: [
            "directory", "live", "since", "until", "time-zone", "boots", "units", "priorities",
            "verbatim", "verification-key",
        ])

    init(_ node: PlanNode, _ problems: PlanProblems) {
        _ = node.mapping(Self.shape, problems)
    }
}
