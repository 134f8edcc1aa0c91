import Basics

/// One source of an export: what every kind has in common, and the settings its connector reads.
public struct SourcePlan: Sendable {
    /// Lower-case letters, digits and dashes; names the folder in the archive.
    public let name: String
    /// The connector's word, such as `files`.
    public let kind: String
    /// The source without the keys read here; the connector opens it with a shape of its own.
    public let settings: PlanNode
    /// What stays behind on purpose.
    public let exclusions: [Exclusion]
    /// Kinds of omissions that do not make the run incomplete, as the connector names them.
    public let accept: [String]
    /// What the contract says that the source holds; empty where the plan does not say.
    public let declared: [DeclarationPlan]
    /// Bytes per second that this source may be read at.
    public let bandwidth: Int64?
    /// What is asked of the source, and again of what is restored from the archive.
    public let probes: [ProbePlan]
    private let acceptNodes: [PlanNode]

    /// Patterns of a kind that only the connector knows, with the reason that goes on record.
    public struct Exclusion: Sendable {
        public let reason: String
        /// The patterns: `paths`, `tables`, … without the reason.
        public let patterns: PlanNode
    }

    static let shape = PlanShape(
        required: ["kind"], optional: ["exclude", "accept", "limits", "declared", "probes"])
    static let exclusionShape = PlanShape(required: ["reason"])
    static let limitsShape = PlanShape(optional: ["bandwidth"])

    init(_ entry: PlanNode.Entry, kinds: [String], _ problems: PlanProblems) {
        let common = CommonPlan(entry, shape: Self.shape, kinds: kinds, problems)
        name = entry.key
        kind = common.kind
        settings = common.settings
        exclusions = common.fields?["exclude"].map { Self.exclusions($0, problems) } ?? []
        acceptNodes = common.fields?["accept"]?.elements(problems) ?? []
        accept = acceptNodes.compactMap { $0.string(problems) }
        declared = (common.fields?["declared"]?.elements(problems) ?? []).compactMap {
            DeclarationPlan($0, problems)
        }
        bandwidth = common.fields?.mapping("limits", Self.limitsShape)?.byteRate("bandwidth")
        probes = ProbePlan.list(common.fields?["probes"], problems)
    }

    /// Notes each `accept` that the connector does not know; a run with an unknown one would call
    /// complete what nobody has accepted.
    public func checkAccepted(among known: [String], _ problems: PlanProblems) {
        for node in acceptNodes { _ = node.choice(of: known, problems) }
    }

    private static func exclusions(_ node: PlanNode, _ problems: PlanProblems) -> [Exclusion] {
        (node.elements(problems) ?? []).compactMap { node in
            guard let entries = node.entries(problems) else { return nil }
            guard let reason = entries.first(where: { $0.key == "reason" })?.node else {
                problems.add(
                    .planMissingValue, "\"exclude\" lacks the \"reason\" that goes on record",
                    atKeyOf: node)
                return nil
            }
            guard entries.count > 1 else {
                problems.add(.planMissingValue, "\"exclude\" names nothing", atKeyOf: node)
                return nil
            }
            return reason.string(problems).map {
                Exclusion(reason: $0, patterns: node.hiding(exclusionShape.keys))
            }
        }
    }
}

/// What sources and targets share: a name, a kind, and settings for the connector.
struct CommonPlan {
    let kind: String
    let fields: PlanMapping?
    let settings: PlanNode

    /// Longer names leave no room in the paths of an archive.
    static let longestName = 32

    /// Other words for the same kind.
    static let aliases = ["mysql": "mariadb"]

    init(_ entry: PlanNode.Entry, shape: PlanShape, kinds: [String], _ problems: PlanProblems) {
        let node = entry.node
        if !Self.isName(entry.key) {
            problems.add(
                .planInvalidValue,
                "\"\(entry.key)\" cannot name a folder of the archive: use at most "
                    + "\(Self.longestName) of a-z, 0-9 and -, beginning with a letter or a digit",
                atKeyOf: node)
        }
        fields = node.keeping(shape.keys).mapping(shape, problems)
        settings = node.hiding(shape.keys)
        let word = fields?.string("kind") ?? ""
        kind = Self.aliases[word] ?? word
        if let place = fields?["kind"], !kind.isEmpty, !kinds.contains(kind) {
            problems.add(
                .planUnknownKind,
                "unknown kind \"\(kind)\"\(Nearest.advice(for: kind, among: kinds))",
                at: place)
        }
    }

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != 0x2d, text.utf8.count <= longestName else {
            return false
        }
        return text.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
        }
    }
}
