public import Basics

/// What is wrong with a plan, collected until all of it is known.
///
/// Readers add to it and carry on with a stand-in; whoever started reading calls `check` before the
/// result is used. Not for sharing between threads.
public final class PlanProblems {
    public struct Problem: Sendable {
        public let code: Failure.Code
        public let file: String
        public let position: PlanNode.Position
        public let message: String

        /// `plan.yaml:12:5: unknown key "levle" in "compression", did you mean "level"?`
        public var text: String { "\(file):\(position.line):\(position.column): \(message)" }
    }

    private var found: [Problem] = []

    public init() {}

    /// The problems in the order of the file.
    public var all: [Problem] {
        found.enumerated()
            .sorted { ($0.element.position, $0.offset) < ($1.element.position, $1.offset) }
            .map(\.element)
    }

    public var isEmpty: Bool { found.isEmpty }

    public func add(_ code: Failure.Code, _ message: String, at node: PlanNode) {
        add(code, message, node.file, node.position)
    }

    /// About the key of a value rather than the value.
    public func add(_ code: Failure.Code, _ message: String, atKeyOf node: PlanNode) {
        add(code, message, node.file, node.keyPosition ?? node.position)
    }

    func add(
        _ code: Failure.Code, _ message: String, _ file: String, _ position: PlanNode.Position
    ) {
        // Two readers of one mapping may find the same.
        if found.contains(where: { $0.position == position && $0.message == message }) { return }
        found.append(Problem(code: code, file: file, position: position, message: message))
    }

    /// Throws where there are problems.
    public func check() throws(Failure) {
        if let failure { throw failure }
    }

    /// One failure that lists every problem on a line of its own; its code is the first one's.
    public var failure: Failure? {
        let all = all
        guard let first = all.first else { return nil }
        return Failure(
            first.code, all.map(\.text).joined(separator: "\n"),
            hint: all.count == 1
                ? "Correct the plan at that place."
                : "Correct the plan at these \(all.count) places.")
    }
}
