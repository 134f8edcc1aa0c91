import Archives
import Basics
import Connectors
import Plans

/// What a plan says about a source of kind `files`.
struct FilesSettings: Sendable {
    let paths: [String]
    let devices: Bool
    let oneFileSystem: Bool
    let excludes: GlobSet
    /// For each pattern of `excludes`, the reason the plan gives.
    let excludeReasons: [String]
    let accepted: Set<FileOmission>

    static let shape = PlanShape(optional: ["path", "paths", "devices", "one-file-system"])
    static let exclusionShape = PlanShape(required: ["paths"])

    init(_ source: SourcePlan, _ problems: PlanProblems) {
        let settings = source.settings.mapping(Self.shape, problems)
        let single = settings?.path("path").map { [$0] }
        let several = settings?.paths("paths")
        if let settings, (settings["path"] == nil) == (settings["paths"] == nil) {
            problems.add(
                .planMissingValue, "give either \"path\" or \"paths\" of the files to export",
                atKeyOf: settings.node)
        }
        paths = single ?? several ?? []
        devices = settings?.flag("devices") ?? false
        oneFileSystem = settings?.flag("one-file-system") ?? true
        source.checkAccepted(among: FileOmission.allCases.map(\.rawValue), problems)
        accepted = Set(source.accept.compactMap { FileOmission(rawValue: $0) })

        var patterns: [String] = []
        var reasons: [String] = []
        for exclusion in source.exclusions {
            let mapping = exclusion.patterns.mapping(Self.exclusionShape, problems)
            let texts = mapping?.strings("paths") ?? []
            patterns += texts
            reasons += texts.map { _ in exclusion.reason }
        }
        do throws(Failure) {
            excludes = try GlobSet(patterns)
        } catch {
            excludes = GlobSet()
            problems.add(error.code, error.what, atKeyOf: source.settings)
        }
        excludeReasons = reasons
    }
}

/// Why an object of a tree is not in the archive; the words that `accept` takes.
enum FileOmission: String, Sendable, CaseIterable {
    /// Nothing can be read from a socket of a running program.
    case sockets
    /// Another file system begins there.
    case mountPoints = "mount-points"
    /// Device nodes that the plan did not ask for.
    case devices
    /// Gone between the inventory and the reading.
    case vanished
    /// No right to read it, or a read error.
    case unreadable
    /// Exported, but it was written to while it was read, each time it was tried.
    case changed

    /// The reason of an omission that `exclude` of the plan names; always covered.
    static let excluded = "excluded"
}
