import Basics

/// What a run may use. Limits can change between a run and its resumption.
public struct LimitsPlan: Sendable {
    /// Segments at a time; nil for the number of processors and two more.
    public let workers: Int?
    /// Bytes per second over all sources; nil for no limit.
    public let bandwidth: Int64?

    static let shape = PlanShape(optional: ["workers", "bandwidth"])
    static let mostWorkers: Int64 = 256

    init(_ node: PlanNode?, _ problems: PlanProblems) {
        let limits = node?.mapping(Self.shape, problems)
        workers = limits?.integer("workers", in: 1...Self.mostWorkers).map { Int($0) }
        bandwidth = limits?.byteRate("bandwidth")
    }
}
