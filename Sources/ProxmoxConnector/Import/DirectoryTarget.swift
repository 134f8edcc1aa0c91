import Basics
import Plans

/// What an import plan says about a target of kind `directory`.
struct DirectoryTarget: Sendable {
    let path: String
    let format: RestoredDisk.Format
    let existing: TargetPlan.Existing

    static let shape = PlanShape(required: ["path"], optional: ["format"])

    init(_ target: TargetPlan, _ problems: PlanProblems) {
        let settings = target.settings.mapping(Self.shape, problems)
        path = settings?.path("path") ?? ""
        format = settings?.choice("format", RestoredDisk.Format.self) ?? .qcow2
        existing = target.existing
        if existing == .replace {
            problems.add(
                .planInvalidValue, "images of disks are never replaced: use refuse or add",
                atKeyOf: target.settings)
        }
    }
}
