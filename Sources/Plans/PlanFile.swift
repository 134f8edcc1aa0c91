import Basics
import Primitives

/// What export and import plans have in common as files.
enum PlanFile {
    /// The version of plans this program reads.
    private static let version: Int64 = 1

    static func read(_ path: String) throws(Failure) -> [UInt8] {
        do throws(Failure) {
            return try Files.read(path, limit: PlanParser.largestPlan)
        } catch {
            throw error.during("cannot read the plan \"\(path)\"")
        }
    }

    /// The top mapping of a plan. Throws at once when there is none, or when it is a plan for
    /// something else: whatever else could be said would be noise.
    static func open(
        _ bytes: [UInt8], _ file: String, _ environment: [String: String], _ shape: PlanShape,
        own: String, other: String, named otherPlan: String, _ problems: PlanProblems
    ) throws(Failure) -> PlanMapping {
        let origin = PlanOrigin(file: file) { environment[$0] }
        let root = PlanParser.parse(bytes, origin, problems)
        if let root, case .mapping(let entries) = root.content,
            !entries.contains(where: { $0.key == own }),
            let stranger = entries.first(where: { $0.key == other })
        {
            let confusion = PlanProblems()
            confusion.add(
                .planUnknownKey, "\"\(other)\" makes this \(otherPlan)", atKeyOf: stranger.node)
            try confusion.check()
        }
        guard let plan = root?.mapping(shape, problems) else {
            throw problems.failure ?? Failure(.planSyntax, "\"\(file)\" is no plan")
        }
        if let number = plan.integer("exeat", in: 1...1_000_000), number != version,
            let node = plan["exeat"]
        {
            problems.add(
                .planInvalidValue,
                "plans of version \(number) are not known; this program reads version \(version)",
                at: node)
        }
        return plan
    }

    /// The entries of `sources` or `targets`, of which there must be one.
    static func named(_ key: String, _ plan: PlanMapping) -> [PlanNode.Entry] {
        guard let node = plan[key], let entries = plan.entries(key) else { return [] }
        if case .mapping(let written) = node.content, written.isEmpty {
            plan.problems.add(.planMissingValue, "\"\(key)\" names nothing", atKeyOf: node)
        }
        return entries
    }

    /// SHA-256 over the canonical JSON of a plan: texts as they are written, `limits` left out,
    /// sources or targets as a list in their order.
    static func digest(_ root: PlanNode, list: String) -> Digest256 {
        guard case .mapping(let entries) = root.content else { return SHA256.hash([]) }
        let members = entries.filter { $0.key != "limits" }.map { entry in
            guard entry.key == list, case .mapping(let items) = entry.node.content else {
                return JSON.Member(entry.key, entry.node.json)
            }
            return JSON.Member(
                list,
                .array(
                    items.map {
                        ["name": .string($0.key), "plan": $0.node.hiding(["limits"]).json]
                    }))
        }
        return SHA256.hash(JSON.object(members).canonical)
    }
}

extension PlanNode {
    /// The value with its texts as they are written.
    var json: JSON {
        switch content {
        case .text(let text, _): isNull ? .null : .string(text)
        case .mapping(let entries): .object(entries.map { JSON.Member($0.key, $0.node.json) })
        case .sequence(let nodes): .array(nodes.map(\.json))
        case .refused: .null
        }
    }
}
