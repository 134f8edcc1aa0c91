import Basics
import Plans

/// What an import plan says about a target of kind `postgresql`.
struct PostgreSQLTarget: Sendable {
    let connection: Secret?
    let password: Secret?
    let existing: TargetPlan.Existing
    let mapping: NameMapping

    static let shape = PlanShape(required: ["connection"], optional: ["password"])
    static let mapShape = PlanShape(optional: ["roles", "tablespaces"])

    init(_ target: TargetPlan, _ problems: PlanProblems) {
        let settings = target.settings.mapping(Self.shape, problems)
        connection = settings?.textWithSecrets("connection")
        password = settings?.textWithSecrets("password")
        existing = target.existing
        let map = target.map?.mapping(Self.mapShape, problems)
        mapping = NameMapping(
            roles: Self.names(map?.entries("roles"), problems),
            tablespaces: Self.names(map?.entries("tablespaces"), problems))
    }

    private static func names(
        _ entries: [PlanNode.Entry]?, _ problems: PlanProblems
    ) -> [String: String] {
        var names: [String: String] = [:]
        for entry in entries ?? [] { names[entry.key] = entry.node.string(problems) }
        return names
    }
}
