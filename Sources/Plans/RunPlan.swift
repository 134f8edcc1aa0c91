import Basics

/// Why a run takes place, and between whom.
public struct RunPlan: Sendable {
    public enum Purpose: String, Sendable, CaseIterable {
        case endOfContract = "end-of-contract"
        case rehearsal = "drp-rehearsal"
        case migration
        case trial
    }

    /// A party of the contract.
    public struct Party: Sendable {
        public let name: String

        static let shape = PlanShape(required: ["name"])
    }

    public let purpose: Purpose
    /// The reference of the contract, as its parties write it.
    public let contract: String?
    public let provider: Party?
    public let customer: Party?
    /// The signed plan that the archive is to carry, resolved.
    public let agreement: String?
    /// Legal profiles; nil leaves the choice to the purpose.
    public let legal: Legal?
    /// Days that the parties have agreed or that are past, by the words of `dateKeys`.
    public let dates: [(event: String, days: [String])]
    public let charges: [Charge]
    public let names: Names
    /// What the contract lists; empty where the plan does not say.
    public let declared: [SystemPlan]

    /// Whether reports may show what objects are called, when they are asked to.
    public enum Names: String, Sendable, CaseIterable {
        case `private`
        case `public`
    }

    /// The texts that dates are held against.
    public struct Legal: Sendable {
        /// Names of profiles that come with the program, or resolved paths of files.
        public let profiles: [String]
        /// The same, of a calendar; nil for the one of France.
        public let calendar: String?

        static let shape = PlanShape(optional: ["profiles", "calendar"])
    }

    /// Money asked for switching.
    public struct Charge: Sendable {
        public let day: String
        public let amount: String
        public let reason: String?

        static let shape = PlanShape(required: ["day", "amount"], optional: ["reason"])
    }

    /// The dates that a plan may give.
    public static let dateKeys = [
        "notice-received", "notice-end", "infeasibility-notified", "transition-start",
        "transition-end", "alternative-end", "extension-end", "trial-copy", "retrieval-end",
        "contract-end", "formal-notice",
    ]

    static let shape = PlanShape(
        required: ["purpose"],
        optional: [
            "contract", "provider", "customer", "agreement", "legal", "dates", "charges", "names",
            "declared",
        ])

    /// - Parameter sources: the names of the plan's sources.
    init(_ node: PlanNode?, sources: [String], _ problems: PlanProblems) {
        let run = node?.mapping(Self.shape, problems)
        purpose = run?.choice("purpose", Purpose.self) ?? .trial
        contract = run?.string("contract")
        provider = Self.party(run, "provider")
        customer = Self.party(run, "customer")
        agreement = run?.path("agreement")
        declared = (run?["declared"]?.elements(problems) ?? []).compactMap {
            SystemPlan($0, sources: sources, problems)
        }
        names = run?.choice("names", Names.self) ?? .private
        legal = run?.mapping("legal", Legal.shape).map { Self.legal($0) }
        let days = run?.mapping("dates", PlanShape(optional: Self.dateKeys))
        dates = Self.dateKeys.compactMap { key in
            guard let node = days?[key] else { return nil }
            // Only an extension may come more than once, and then it is one too many.
            let nodes = key == "extension-end" ? node.elements(problems) ?? [] : [node]
            let found = nodes.compactMap { Self.day($0, problems) }
            return found.isEmpty ? nil : (key, found)
        }
        charges = (run?["charges"]?.elements(problems) ?? []).compactMap { node in
            guard let charge = node.mapping(Charge.shape, problems),
                let day = charge["day"].flatMap({ Self.day($0, problems) }),
                let amount = charge.string("amount")
            else { return nil }
            return Charge(day: day, amount: amount, reason: charge.string("reason"))
        }
    }

    private static func legal(_ legal: PlanMapping) -> Legal {
        let named = (legal["profiles"]?.elements(legal.problems) ?? []).compactMap {
            Self.name($0, legal.problems)
        }
        return Legal(
            profiles: named == ["none"] ? [] : named,
            calendar: legal["calendar"].flatMap { Self.name($0, legal.problems) })
    }

    /// A name, or the path of a file, which has a slash or ends in `.json`.
    private static func name(_ node: PlanNode, _ problems: PlanProblems) -> String? {
        guard let text = node.string(problems) else { return nil }
        let isPath = text.contains("/") || text.hasSuffix(".json")
        return isPath ? node.path(problems) : text
    }

    private static func day(_ node: PlanNode, _ problems: PlanProblems) -> String? {
        guard let text = node.string(problems) else { return nil }
        // A contract of another millennium is a slip of the pen.
        guard Timestamp(text + "T00:00:00Z")?.date == text,
            ("1900"..."2999").contains(text.prefix(4))
        else {
            problems.add(
                .planInvalidValue, "\"\(text)\" is not a day such as 2027-01-12", at: node)
            return nil
        }
        return text
    }

    private static func party(_ run: PlanMapping?, _ key: String) -> Party? {
        run?.mapping(key, Party.shape).map { Party(name: $0.string("name") ?? "") }
    }
}
