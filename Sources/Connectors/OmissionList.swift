import Basics
public import Manifests

/// Collects omissions, one line each.
public struct OmissionList<Reason: RawRepresentable<String> & Hashable>: Sendable
where Reason: Sendable {
    public private(set) var summary = OmissionSummary()
    private let accepted: Set<Reason>

    public init(accepted: Set<Reason>) { self.accepted = accepted }

    /// - Parameter covered: the plan decides about it elsewhere than in `accept`.
    public mutating func add(_ reason: Reason, _ object: String, covered: Bool = false) {
        summary.add(
            reason.rawValue, object, accepted: covered || accepted.contains(reason))
    }

    /// What the plan leaves out, with its reason.
    public mutating func addExcluded(_ object: String, reason: String) {
        summary.add("excluded", object, accepted: true, detail: reason)
    }
}

extension OmissionSummary {
    /// Adds one object; counts stay sorted by reason, and one reason is accepted or not as a whole.
    public mutating func add(
        _ reason: String, _ object: String, accepted: Bool, detail: String? = nil
    ) {
        if let place = counts.firstIndex(where: { $0.reason == reason }) {
            counts[place].count += 1
        } else {
            let place = counts.firstIndex { $0.reason > reason } ?? counts.endIndex
            counts.insert(Count(reason: reason, count: 1, accepted: accepted), at: place)
        }
        guard lines.count < Self.mostLines else { return }
        var members: [JSON.Member] = [
            .init("object", .string(object)), .init("reason", .string(reason)),
        ]
        if let detail { members.append(.init("detail", .string(detail))) }
        lines.append(.object(members + [.init("accepted", .bool(accepted))]))
    }
}
