public import Archives
import Basics
public import Plans

/// Where an import writes a tree, and whose its objects become.
public struct TreeDestination: Sendable {
    public let path: String
    public let existing: TreeTarget.Existing
    public let policy: OwnerMapping.Policy
    public let users: [String: String]
    public let groups: [String: String]

    private static let mapShape = PlanShape(optional: ["owners", "users", "groups"])

    /// Reads `existing` and `map` of a target.
    public init(_ path: String, _ target: TargetPlan, _ problems: PlanProblems) {
        self.path = path
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
