import Archives
import Basics
import Plans

/// What an import plan says about a target of kind `files`.
struct FilesTarget: Sendable {
    let path: String
    let existing: TreeTarget.Existing
    let policy: OwnerMapping.Policy
    let users: [String: String]
    let groups: [String: String]

    static let shape = PlanShape(required: ["path"])
    static let mapShape = PlanShape(optional: ["owners", "users", "groups"])

    init(_ target: TargetPlan, _ problems: PlanProblems) {
        path = target.settings.mapping(Self.shape, problems)?.path("path") ?? ""
        existing =
            switch target.existing {
            case .refuse: .refuse
            case .add: .add
            case .replace: .replace
            }
        let map = target.map?.mapping(Self.mapShape, problems)
        policy =
            map?.choice("owners", of: ["numeric", "names"])
            .flatMap { OwnerMapping.Policy(rawValue: $0) } ?? .numeric
        users = Self.names(map?.entries("users"), problems)
        groups = Self.names(map?.entries("groups"), problems)
    }

    private static func names(
        _ entries: [PlanNode.Entry]?, _ problems: PlanProblems
    ) -> [String: String] {
        var names: [String: String] = [:]
        for entry in entries ?? [] { names[entry.key] = entry.node.string(problems) }
        return names
    }
}
