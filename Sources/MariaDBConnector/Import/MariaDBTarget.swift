import Basics
import Connectors
import Plans

/// What an import plan says about a target of kind `mariadb` or `mysql`.
struct MariaDBTarget: Sendable {
    enum Events: String, Sendable, CaseIterable {
        /// They are made disabled, whatever they were.
        case disable
        /// They are made as they were.
        case enable
    }

    enum History: String, Sendable, CaseIterable {
        case keep
        /// Only what is current is loaded.
        case drop
    }

    enum Load: String, Sendable, CaseIterable {
        /// LOAD DATA LOCAL, or INSERT where the server does not allow that.
        case auto
        case insert
    }

    let options: ConnectionOptions
    let existing: TargetPlan.Existing
    let events: Events
    let history: History
    let load: Load
    let mapping: NameMapping

    static let shape = PlanShape(
        required: ["connection"], optional: ["events", "history", "load"])
    static let mapShape = PlanShape(optional: ["databases", "definers", "users", "collations"])

    init(_ target: TargetPlan, _ problems: PlanProblems) {
        let settings = target.settings.mapping(Self.shape, problems)
        options = ConnectionOptions(
            settings?.mapping("connection", ConnectionOptions.shape), problems)
        existing = target.existing
        events = settings?.choice("events", Events.self) ?? .disable
        history = settings?.choice("history", History.self) ?? .keep
        load = settings?.choice("load", Load.self) ?? .auto
        let map = target.map?.mapping(Self.mapShape, problems)
        let databases = Self.names(map?.entries("databases"), problems)
        if Set(databases.values).count != databases.count, let node = map?["databases"] {
            problems.add(
                .planInvalidValue, "two databases would become one: each needs a name of its own",
                at: node)
        }
        mapping = NameMapping(
            databases: databases,
            definers: Self.names(map?.entries("definers"), problems),
            users: Self.names(map?.entries("users"), problems),
            collations: Self.names(map?.entries("collations"), problems))
    }

    private static func names(
        _ entries: [PlanNode.Entry]?, _ problems: PlanProblems
    ) -> [String: String] {
        var names: [String: String] = [:]
        for entry in entries ?? [] { names[entry.key] = entry.node.string(problems) }
        return names
    }
}
