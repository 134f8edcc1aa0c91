import Basics
public import Manifests

/// Collects omissions, one line each.
public struct OmissionList<Reason: RawRepresentable<String> & Hashable>: Sendable
where Reason: Sendable {
    private var counts: [String: (count: Int64, accepted: Bool)] = [:]
    private var lines: [JSON] = []
    private let accepted: Set<Reason>

    public init(accepted: Set<Reason>) { self.accepted = accepted }

    /// - Parameter covered: the plan decides about it elsewhere than in `accept`.
    public mutating func add(_ reason: Reason, _ object: String, covered: Bool = false) {
        add(reason.rawValue, object, accepted: covered || accepted.contains(reason), detail: nil)
    }

    /// What the plan leaves out, with its reason.
    public mutating func addExcluded(_ object: String, reason: String) {
        add("excluded", object, accepted: true, detail: reason)
    }

    private mutating func add(
        _ reason: String, _ object: String, accepted: Bool, detail: String?
    ) {
        counts[reason, default: (0, accepted)].count += 1
        guard lines.count < OmissionSummary.mostLines else { return }
        var members: [JSON.Member] = [
            .init("object", .string(object)), .init("reason", .string(reason)),
        ]
        if let detail { members.append(.init("detail", .string(detail))) }
        lines.append(.object(members + [.init("accepted", .bool(accepted))]))
    }

    public var summary: OmissionSummary {
        OmissionSummary(
            counts: counts.sorted { $0.key < $1.key }.map {
                .init(reason: $0.key, count: $0.value.count, accepted: $0.value.accepted)
            }, lines: lines)
    }
}
