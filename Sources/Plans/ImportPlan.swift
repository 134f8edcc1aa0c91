public import Basics
public import Primitives

/// The plan of an import: whom to trust, and where each source of an archive goes.
public struct ImportPlan: Sendable {
    /// Trust files, resolved.
    public let trust: [String]
    /// Files with age identities, resolved; none for an archive in clear.
    public let decryptWith: [String]
    /// The stem of the keys that sign the receipt, resolved.
    public let signWith: String
    /// In the order of the file.
    public let targets: [TargetPlan]
    public let verify: Comparison
    public let timestamp: TimestampDemand
    public let limits: LimitsPlan
    /// What matters to `exeat rehearse` alone.
    public let rehearsal: RehearsalPlan
    /// The plan without `limits`, its references to secrets as they are written.
    public let digest: Digest256

    /// How the target is held against the archive afterwards.
    public enum Comparison: String, Sendable, CaseIterable {
        case digest
        case counts
        /// Recorded as a reservation in the receipt.
        case none
    }

    static let shape = PlanShape(
        required: ["exeat", "trust", "sign-with", "targets"],
        optional: ["decrypt-with", "verify", "timestamp", "limits", "rehearse"])
    /// A rehearsal makes targets of its own.
    static let rehearsalShape = PlanShape(
        required: ["exeat", "trust", "sign-with"],
        optional: ["decrypt-with", "verify", "timestamp", "limits", "rehearse", "targets"])

    /// Reads a plan file; see `ExportPlan.load`.
    ///
    /// - Parameter rehearsing: for `exeat rehearse`, which makes targets that the plan does not name.
    public static func load(
        path: String, kinds: [String], environment: [String: String], rehearsing: Bool = false,
        checkSettings: (TargetPlan, PlanProblems) -> Void
    ) throws(Failure) -> ImportPlan {
        let bytes = try PlanFile.read(path)
        return try ImportPlan(
            parsing: bytes, file: path, kinds: kinds, environment: environment,
            rehearsing: rehearsing, checkSettings: checkSettings)
    }

    /// Parses a plan; `file` is named in problems, and relative paths start at its directory.
    public init(
        parsing bytes: [UInt8], file: String, kinds: [String], environment: [String: String],
        rehearsing: Bool = false, checkSettings: (TargetPlan, PlanProblems) -> Void
    ) throws(Failure) {
        let problems = PlanProblems()
        let plan = try PlanFile.open(
            bytes, file, environment, rehearsing ? Self.rehearsalShape : Self.shape,
            own: "targets", other: "sources", named: "an export plan", problems)
        trust = plan.paths("trust") ?? []
        decryptWith = plan.paths("decrypt-with") ?? []
        signWith = plan.path("sign-with") ?? ""
        verify = plan.choice("verify", Comparison.self) ?? .digest
        timestamp = TimestampDemand(plan["timestamp"], problems)
        limits = LimitsPlan(plan["limits"], problems)
        rehearsal = RehearsalPlan(plan["rehearse"], problems)
        let entries = PlanFile.named("targets", plan)
        let known = rehearsing ? kinds + [RehearsedTarget.throwAway] : kinds
        targets = entries.map { TargetPlan($0, kinds: known, problems) }
        let tiers = rehearsal.tiers.map(\.name)
        for target in targets {
            if let tier = target.rehearsal.tier, !tiers.contains(tier) {
                problems.add(
                    .planInvalidValue,
                    "no tier is named \"\(tier)\"\(Nearest.advice(for: tier, among: tiers))",
                    at: target.settings)
            }
            if target.isThrowAway { _ = target.settings.mapping(PlanShape(), problems) }
        }
        for target in targets where kinds.contains(target.kind) { checkSettings(target, problems) }
        digest = PlanFile.digest(plan.node, list: "targets")
        try problems.check()
    }
}

/// Where one source of the archive goes.
public struct TargetPlan: Sendable {
    /// The name of the source in the archive.
    public let name: String
    public let kind: String
    /// The target without the keys read here; the connector opens it with a shape of its own.
    public let settings: PlanNode
    /// Other names for what is imported, as the connector defines them.
    public let map: PlanNode?
    public let existing: Existing
    /// Bytes per second that this target may be written at.
    public let bandwidth: Int64?
    /// What matters to `exeat rehearse` alone.
    public let rehearsal: RehearsedTarget

    /// Whether a rehearsal makes the target and removes it again.
    public var isThrowAway: Bool { kind == RehearsedTarget.throwAway }

    /// What happens to a target that holds something already.
    public enum Existing: String, Sendable, CaseIterable {
        case refuse, add, replace
    }

    static let shape = PlanShape(
        required: ["kind"], optional: ["map", "existing", "limits"] + RehearsedTarget.keys)

    init(_ entry: PlanNode.Entry, kinds: [String], _ problems: PlanProblems) {
        let common = CommonPlan(entry, shape: Self.shape, kinds: kinds, problems)
        name = entry.key
        kind = common.kind
        settings = common.settings
        map = common.fields?["map"]
        existing = common.fields?.choice("existing", Existing.self) ?? .refuse
        bandwidth =
            common.fields?.mapping("limits", SourcePlan.limitsShape)?.byteRate("bandwidth")
        rehearsal = RehearsedTarget(common.fields, problems)
    }
}
