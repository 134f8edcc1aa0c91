import Basics

/// What the contract says that a source holds: an entry of its list of portable data, or of its list
/// of what is exempt (Regulation (EU) 2023/2854, Article 25(2)(e) and (f)).
public struct DeclarationPlan: Sendable {
    /// The contract's own word for it; it stands in public documents.
    public let category: String
    /// Patterns of objects' names, with `*` for any text and `?` for one character.
    public let objects: [String]
    /// Patterns of the kinds of artifacts: `postgresql-table`, `mariadb-*`.
    public let kinds: [String]
    /// `exportable-data` or `digital-asset`; nil where it is exempt or the contract does not say.
    public let legal: String?
    /// How many artifacts there must be.
    public let count: Int64?
    public let exemption: Exemption?

    public struct Exemption: Sendable {
        /// Why it need not leave: `trade-secret`, …
        public let ground: String
        /// Where the contract says so.
        public let clause: String

        static let shape = PlanShape(required: ["ground", "clause"])
    }

    static let shape = PlanShape(
        required: ["category"], optional: ["objects", "kinds", "legal", "count", "exempt"])

    init?(_ node: PlanNode, _ problems: PlanProblems) {
        guard let entry = node.mapping(Self.shape, problems) else { return nil }
        category = entry.string("category") ?? ""
        kinds = entry.strings("kinds") ?? []
        objects = entry.strings("objects") ?? (kinds.isEmpty ? ["*"] : [])
        legal = entry.choice("legal", of: ["exportable-data", "digital-asset"])
        count = entry.integer("count", in: 0...1_000_000_000)
        exemption = entry.mapping("exempt", Exemption.shape).map {
            Exemption(ground: $0.string("ground") ?? "", clause: $0.string("clause") ?? "")
        }
        if let place = entry["exempt"], legal != nil {
            problems.add(
                .planInvalidValue, "what is exempt has no \"legal\" category besides", at: place)
        }
    }

    /// Whether an object of that name, or an artifact of that kind, is meant.
    public func covers(name: String, kind: String?) -> Bool {
        if objects.contains(where: { Self.matches($0, name) }) { return true }
        guard let kind else { return false }
        return kinds.contains { Self.matches($0, kind) }
    }

    /// Whether it names this object by more than "everything".
    public func names(_ name: String) -> Bool {
        objects.contains { $0.contains { $0 != "*" } && Self.matches($0, name) }
    }

    /// Whether a pattern says more than "everything".
    public var isByName: Bool { objects.contains { $0.contains { $0 != "*" } } }

    /// `*` stands for any text, `?` for one character, everything else for itself.
    static func matches(_ pattern: String, _ text: String) -> Bool {
        let (pattern, text) = (Array(pattern.unicodeScalars), Array(text.unicodeScalars))
        var (p, t) = (0, 0)
        var star: (p: Int, t: Int)?
        while t < text.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p, t)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == text[t] {
                (p, t) = (p + 1, t + 1)
            } else if let last = star {
                star = (last.p, last.t + 1)
                (p, t) = (last.p + 1, last.t + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}
