public import Basics
public import Primitives

/// The plan of an export: what leaves, in which archive, under whose seal.
///
/// Paths in a plan start at the directory of the plan's file unless they are absolute.
public struct ExportPlan: Sendable {
    public let run: RunPlan
    /// In the order of the file.
    public let sources: [SourcePlan]
    public let archive: ArchivePlan
    public let limits: LimitsPlan
    /// What a resumed run must agree with: the plan without `limits`, its references to secrets as
    /// they are written.
    public let digest: Digest256

    static let shape = PlanShape(
        required: ["exeat", "run", "sources", "archive"], optional: ["limits"])

    /// Reads a plan file. Throws one failure that lists all problems with file, line and column.
    ///
    /// - Parameters:
    ///   - kinds: the kinds of sources there are connectors for.
    ///   - environment: what `${env:NAME}` is read from.
    ///   - checkSettings: called for each source of a known kind, so that what a connector finds in
    ///     its settings is reported together with the rest.
    public static func load(
        path: String, kinds: [String], environment: [String: String],
        checkSettings: (SourcePlan, PlanProblems) -> Void
    ) throws(Failure) -> ExportPlan {
        let bytes = try PlanFile.read(path)
        return try ExportPlan(
            parsing: bytes, file: path, kinds: kinds, environment: environment,
            checkSettings: checkSettings)
    }

    /// Parses a plan; `file` is named in problems, and relative paths start at its directory.
    public init(
        parsing bytes: [UInt8], file: String, kinds: [String], environment: [String: String],
        checkSettings: (SourcePlan, PlanProblems) -> Void
    ) throws(Failure) {
        let problems = PlanProblems()
        let plan = try PlanFile.open(
            bytes, file, environment, Self.shape,
            own: "sources", other: "targets", named: "an import plan", problems)
        archive = ArchivePlan(plan["archive"], problems)
        limits = LimitsPlan(plan["limits"], problems)
        let entries = PlanFile.named("sources", plan)
        sources = entries.map { SourcePlan($0, kinds: kinds, problems) }
        run = RunPlan(plan["run"], sources: sources.map(\.name), problems)
        for source in sources where kinds.contains(source.kind) { checkSettings(source, problems) }
        digest = PlanFile.digest(plan.node, list: "sources")
        try problems.check()
    }
}
