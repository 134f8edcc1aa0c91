import Archives
import Basics
import Connectors
public import Plans

/// Which objects of a machine an export covers, and what becomes of those that cannot be had.
public struct TreeSelection: Sendable {
    public let paths: [String]
    /// Where another machine's files hang: `paths` begin there, and paths in the archive are those of
    /// that machine. nil where the paths are this machine's own.
    public var base: String?
    public let devices: Bool
    public let oneFileSystem: Bool
    let excludes: GlobSet
    /// For each pattern of `excludes`, the reason the plan gives.
    let excludeReasons: [String]
    let accepted: Set<FileOmission>

    /// - Parameter accepting: the words of `FileOmission` that `accept` of the source may hold; the
    ///   connector has checked them.
    public init(
        paths: [String], base: String? = nil, devices: Bool, oneFileSystem: Bool,
        _ source: SourcePlan, _ problems: PlanProblems
    ) {
        self.paths = paths
        self.base = base
        self.devices = devices
        self.oneFileSystem = oneFileSystem
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
            if !Self.noteInvalid(source.exclusions, problems) {
                problems.add(error.code, error.what, atKeyOf: source.settings)
            }
        }
        excludeReasons = reasons
    }

    private static let exclusionShape = PlanShape(required: ["paths"])

    /// Each pattern that cannot be read, at its own place in the plan; false where none was found.
    private static func noteInvalid(
        _ exclusions: [SourcePlan.Exclusion], _ problems: PlanProblems
    ) -> Bool {
        // What else is wrong with them is noted already.
        let noted = PlanProblems()
        var wasFound = false
        for exclusion in exclusions {
            let mapping = exclusion.patterns.mapping(exclusionShape, noted)
            for node in mapping?["paths"]?.elements(noted) ?? [] {
                guard let text = node.string(noted) else { continue }
                do throws(Failure) { _ = try GlobSet([text]) } catch {
                    problems.add(error.code, error.what, at: node)
                    wasFound = true
                }
            }
        }
        return wasFound
    }

    /// For people: where the paths lead on their machine.
    var shownPaths: [String] {
        base == nil || base == "/" ? paths.map(Files.absolute) : paths
    }

    func scope() throws(Failure) -> TreeScope {
        try TreeScope(
            paths: paths, below: base, oneFileSystem: oneFileSystem, excludes: excludes)
    }
}

/// Why an object of a tree is not in the archive; the words that `accept` takes.
public enum FileOmission: String, Sendable, CaseIterable {
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
    /// Too large for what has to look at it as a whole before it may leave.
    case unsearched

    /// The reason of an omission that `exclude` of the plan names; always covered.
    static let excluded = "excluded"

    /// The words for trees that nothing looks into.
    public static let ofPlainTrees = allCases.filter { $0 != .unsearched }.map(\.rawValue)
}
