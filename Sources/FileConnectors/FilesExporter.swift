public import Basics
public import Connectors
public import Manifests
public import Plans
public import Streams
import Trees

/// Exports one or more trees as one pax stream in segments, and an index of it.
///
/// See docs/connectors/files.md.
public final class FilesExporter: Exporter {
    public static let kind = "files"

    private let tree: TreeExport

    public init(_ source: SourcePlan, room: Room) throws(Failure) {
        let problems = PlanProblems()
        let selection = Self.selection(source, problems)
        try problems.check()
        tree = try TreeExport(selection, room: room)
    }

    public static func check(_ source: SourcePlan, _ problems: PlanProblems) {
        _ = selection(source, problems)
    }

    static let shape = PlanShape(optional: ["path", "paths", "devices", "one-file-system"])

    /// What a plan says about a source of kind `files`.
    private static func selection(
        _ source: SourcePlan, _ problems: PlanProblems
    ) -> TreeSelection {
        let settings = source.settings.mapping(shape, problems)
        let single = settings?.path("path").map { [$0] }
        let several = settings?.paths("paths")
        if let settings, (settings["path"] == nil) == (settings["paths"] == nil) {
            problems.add(
                .planMissingValue, "give either \"path\" or \"paths\" of the files to export",
                atKeyOf: settings.node)
        }
        let devices = settings?.flag("devices") ?? false
        let oneFileSystem = settings?.flag("one-file-system") ?? true
        source.checkAccepted(among: FileOmission.ofPlainTrees, problems)
        return TreeSelection(
            paths: single ?? several ?? [], devices: devices, oneFileSystem: oneFileSystem, source,
            problems)
    }

    public func inventory() throws(Failure) -> Inventory { try tree.inventory() }

    public func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        try tree.answer(question)
    }

    public func export(
        _ number: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        try tree.export(number, into: &sink)
    }

    public func conclude(_ artifact: Int) throws(Failure) -> Conclusion {
        try tree.conclude(artifact)
    }

    public func omissions() throws(Failure) -> OmissionSummary { try tree.omissions() }

    public func survey() throws(Failure) -> Survey { try tree.survey() }
}
