import Basics
import Plans

extension RunPlan {
    /// Purpose, contract and parties, as the manifest keeps them.
    var document: JSON {
        var members: [JSON.Member] = [.init("purpose", .string(purpose.rawValue))]
        if let contract { members.append(.init("contract", .string(contract))) }
        if let provider { members.append(.init("provider", .string(provider.name))) }
        if let customer { members.append(.init("customer", .string(customer.name))) }
        return .object(members)
    }
}
