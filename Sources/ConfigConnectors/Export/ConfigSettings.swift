import Basics
import Plans
import Redaction
import Trees

/// What a plan says about a source of kind `configs`.
struct ConfigSettings: Sendable {
    let selection: TreeSelection
    /// Where the machine's files hang; "/" for this machine.
    let root: String
    let families: [FactFamily]
    /// nil where the plan says nothing: then secrets are left out, and the run is incomplete if there
    /// are any.
    let secrets: RedactionMode?
    let referenceKey: Secret?
    let repositories: [String]
    /// Words of `accept` that are not about objects of the tree.
    let acceptsSecrets: Bool
    let acceptsFacts: Bool
    private let secretsNode: PlanNode?

    static let shape = PlanShape(
        required: ["paths"],
        optional: ["root", "facts", "secrets", "reference-key", "repositories", "one-file-system"])
    static let secretsWord = "secrets"
    static let factsWord = "facts"

    init(_ source: SourcePlan, _ problems: PlanProblems) {
        let settings = source.settings.mapping(Self.shape, problems)
        let paths = Self.machinePaths(settings, "paths")
        root = settings?.path("root").map { Self.trimmed($0) } ?? "/"
        repositories = Self.machinePaths(settings, "repositories")
        families = Self.families(settings?["facts"], problems)
        secrets = settings?.choice("secrets", RedactionMode.self)
        secretsNode = settings?["secrets"]
        referenceKey = settings?.secret("reference-key")
        if let node = settings?["reference-key"], secrets != .reference {
            problems.add(
                .planInvalidValue, "\"reference-key\" needs \"secrets: reference\"", atKeyOf: node)
        }
        source.checkAccepted(
            among: FileOmission.allCases.map(\.rawValue) + [Self.secretsWord, Self.factsWord],
            problems)
        acceptsSecrets = source.accept.contains(Self.secretsWord)
        acceptsFacts = source.accept.contains(Self.factsWord)
        let oneFileSystem = settings?.flag("one-file-system") ?? true
        selection = TreeSelection(
            paths: paths, base: root, devices: false, oneFileSystem: oneFileSystem, source,
            problems)
    }

    /// The secrets of a machine are in an archive that everybody can read only by mistake.
    func checkSealed(isEncrypted: Bool, _ problems: PlanProblems) {
        guard secrets == .sealed, !isEncrypted, let node = secretsNode else { return }
        problems.add(
            .planInvalidValue,
            "\"secrets: sealed\" needs an encrypted archive: name recipients in "
                + "archive.encrypt-to, or say omit or reference",
            at: node)
    }

    var mode: RedactionMode { secrets ?? .omit }

    private static func machinePaths(_ settings: PlanMapping?, _ key: String) -> [String] {
        let paths = settings?.strings(key) ?? []
        if let settings, let node = settings[key], paths.contains(where: { !$0.hasPrefix("/") }) {
            settings.problems.add(
                .planInvalidValue, "\"\(key)\" are paths of the machine: they begin with \"/\"",
                at: node)
        }
        return paths.map { trimmed($0) }
    }

    /// Without slashes at the end.
    private static func trimmed(_ path: String) -> String {
        var path = Substring(path)
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }

    private static func families(_ node: PlanNode?, _ problems: PlanProblems) -> [FactFamily] {
        guard let node else { return FactFamily.allCases }
        let words = FactFamily.allCases.map(\.rawValue)
        let nodes = node.elements(problems) ?? []
        if nodes.count == 1 {
            switch nodes[0].choice(of: ["all", "none"] + words, problems) {
            case "all": return FactFamily.allCases
            case "none", nil: return []
            case let word?: return FactFamily(rawValue: word).map { [$0] } ?? []
            }
        }
        let chosen = Set(nodes.compactMap { $0.choice(of: words, problems) })
        return FactFamily.allCases.filter { chosen.contains($0.rawValue) }
    }
}
