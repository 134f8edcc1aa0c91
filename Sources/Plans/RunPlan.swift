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

    static let shape = PlanShape(
        required: ["purpose"], optional: ["contract", "provider", "customer"])

    init(_ node: PlanNode?, _ problems: PlanProblems) {
        let run = node?.mapping(Self.shape, problems)
        purpose = run?.choice("purpose", Purpose.self) ?? .trial
        contract = run?.string("contract")
        provider = Self.party(run, "provider")
        customer = Self.party(run, "customer")
    }

    private static func party(_ run: PlanMapping?, _ key: String) -> Party? {
        run?.mapping(key, Party.shape).map { Party(name: $0.string("name") ?? "") }
    }
}
