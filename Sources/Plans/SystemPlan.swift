import Basics

/// A system or category that the contract lists: which sources of the plan hold it, or why none has to.
public struct SystemPlan: Sendable {
    /// The contract's own word for it; it stands in public documents.
    public let category: String
    /// Names of sources; empty where none holds it.
    public let sources: [String]
    public let exemption: DeclarationPlan.Exemption?

    static let shape = PlanShape(required: ["category"], optional: ["sources", "exempt"])

    init?(_ node: PlanNode, sources known: [String], _ problems: PlanProblems) {
        guard let entry = node.mapping(Self.shape, problems) else { return nil }
        category = entry.string("category") ?? ""
        sources = entry.strings("sources") ?? []
        exemption = entry.mapping("exempt", DeclarationPlan.Exemption.shape).map {
            DeclarationPlan.Exemption(
                ground: $0.string("ground") ?? "", clause: $0.string("clause") ?? "")
        }
        for name in sources where !known.contains(name) {
            let nearest = Nearest.to(name, among: known).map { ", did you mean \"\($0)\"?" } ?? ""
            problems.add(
                .planInvalidValue, "the plan has no source \"\(name)\"\(nearest)",
                at: entry["sources"] ?? node)
        }
        if let place = entry["exempt"], !sources.isEmpty {
            problems.add(
                .planInvalidValue, "what is exempt is in no source besides", at: place)
        }
    }
}
