public import Basics
public import Connectors
public import Manifests
public import Plans
import Trees

/// Replays a tree below a directory, and compares what is then there with the index.
public final class FilesImporter: Importer {
    public static let kind = "files"

    private let tree: TreeImport

    public static func check(_ target: TargetPlan, _ problems: PlanProblems) {
        _ = destination(target, problems)
    }

    public init(
        _ target: TargetPlan, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        let problems = PlanProblems()
        let destination = Self.destination(target, problems)
        try problems.check()
        tree = TreeImport(
            destination, source: source, from: artifacts, room: room, resuming: resuming)
    }

    static let shape = PlanShape(required: ["path"])

    /// What an import plan says about a target of kind `files`.
    private static func destination(
        _ target: TargetPlan, _ problems: PlanProblems
    ) -> TreeDestination {
        let path = target.settings.mapping(shape, problems)?.path("path") ?? ""
        return TreeDestination(path, target, problems)
    }

    public func prepare() throws(Failure) -> ImportOutline { try tree.prepare() }

    public func begin() throws(Failure) { try tree.begin() }

    public func replay(_ segment: SegmentNumber) throws(Failure) { try tree.replay(segment) }

    public func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        try tree.answer(question)
    }

    public func finish() throws(Failure) { try tree.finish() }

    public func compare(_ slice: Int) throws(Failure) { try tree.compare(slice) }

    public func conclude(counting: Bool) throws(Failure) -> ImportResult {
        try tree.conclude(counting: counting)
    }
}
