import Basics
import Connectors
import Plans

/// What an import plan says about a target of kind `logs`.
struct LogsTarget: Sendable {
    /// Where everything goes: the journal as `MACHINE/BOOT.journal`, so that `journalctl --directory`
    /// reads it; raw journal files below `verbatim`; text logs below `text`.
    let directory: String
    let existing: TargetPlan.Existing
    /// What becomes of text logs, and of the journal.
    let text: TextTarget
    let journald: TextTarget

    static let shape = PlanShape(required: ["directory"], optional: ["text", "journald"])

    init(_ target: TargetPlan, _ problems: PlanProblems) {
        let settings = target.settings.mapping(Self.shape, problems)
        directory = settings?.path("directory") ?? ""
        existing = target.existing
        text = TextTarget(settings?["text"], problems)
        journald = TextTarget(
            settings?["journald"], problems, shape: TextTarget.journalShape)
    }
}
