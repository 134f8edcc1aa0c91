import Basics
import Plans

/// What a plan says under `text:` — written by the text half.
struct TextSettings: Sendable {
    init(_ node: PlanNode, _ problems: PlanProblems) {}
}
