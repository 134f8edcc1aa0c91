import Basics
import Plans
import Redaction
import Trees

/// What an import plan says about a target of kind `configs`.
struct ConfigTarget: Sendable {
    /// Where everything is staged.
    let directory: String
    let destination: TreeDestination
    /// Where the machine to compare with has its files; "/" for this one.
    let root: String
    let compares: Bool
    /// Paths of the machine whose files are brought there from the staged tree.
    let apply: [String]
    let isDryRun: Bool
    let referenceKey: Secret?

    static let shape = PlanShape(
        required: ["directory"],
        optional: ["root", "compare", "apply", "dry-run", "reference-key"])

    init(_ target: TargetPlan, _ problems: PlanProblems) {
        let settings = target.settings.mapping(Self.shape, problems)
        directory = settings?.path("directory") ?? ""
        destination = TreeDestination(directory + "/tree", target, problems)
        root = settings?.path("root").map { Self.trimmed($0) } ?? "/"
        compares = settings?.flag("compare") ?? true
        apply = (settings?.strings("apply") ?? []).map { Self.trimmed($0) }
        isDryRun = settings?.flag("dry-run") ?? true
        referenceKey = settings?.secret("reference-key")
        guard let settings else { return }
        if let node = settings["apply"] {
            if apply.contains(where: { !$0.hasPrefix("/") || $0 == "/" }) {
                problems.add(
                    .planInvalidValue,
                    "\"apply\" names parts of the machine: paths that begin with \"/\" and are more "
                        + "than that", at: node)
            }
            if settings["root"] == nil {
                problems.add(
                    .planMissingValue,
                    "\"apply\" needs \"root\": the machine that is changed is named, never assumed",
                    atKeyOf: node)
            }
        } else if let node = settings["dry-run"] {
            problems.add(.planInvalidValue, "\"dry-run\" needs \"apply\"", atKeyOf: node)
        }
    }

    private static func trimmed(_ path: String) -> String {
        var path = Substring(path)
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }

    var treePath: String { destination.path }

    func documentPath(_ name: String) -> String {
        name.hasPrefix("facts-")
            ? "\(directory)/facts/\(name.dropFirst(6)).json" : "\(directory)/\(name).json"
    }

    /// Refuses to stage in what is to be compared: a directory that is, holds or lies in the machine's own
    /// configuration.
    ///
    /// - Parameter paths: what the source exported, as paths of its machine.
    func checkPlace(_ paths: [String]) throws(Failure) {
        let place = Self.resolved(directory)
        let machine = Self.resolved(root)
        let top = machine == "/" ? "" : machine
        let live = paths.map { $0 == "/" ? machine : top + $0 }
        let isWithin = live.contains { path in
            path != machine && (place == path || place.hasPrefix(path + "/"))
        }
        guard place != machine, place != "/", !isWithin,
            !["/etc", "/usr", "/boot", "/bin", "/sbin", "/lib"].contains(where: {
                place == $0 || place.hasPrefix($0 + "/")
            })
        else {
            throw Failure(
                .targetOccupied,
                "\"\(directory)\" is where a machine has its own configuration",
                hint:
                    "Name a directory of its own, such as /srv/import/NAME: files are staged, and never "
                    + "written over live ones.")
        }
    }

    /// The path with the links in it followed, as far as it exists.
    private static func resolved(_ path: String) -> String {
        if Files.exists(path) { return Files.absolute(path) }
        let parent = Files.parent(of: path)
        guard parent != path else { return path }
        let above = resolved(parent)
        return (above == "/" ? "" : above) + "/" + Files.lastComponent(of: path)
    }
}
