public import Basics

/// The keys a mapping of a plan may and must have; `Manifests/schemas` says the same to editors.
public struct PlanShape: Sendable {
    public let required: [String]
    public let optional: [String]

    public var keys: [String] { required + optional }

    public init(required: [String] = [], optional: [String] = []) {
        self.required = required
        self.optional = optional
    }
}

/// A mapping whose keys have been checked, read key by key.
///
/// A reader returns nil when the key is absent or its value is wrong; the latter is noted in
/// the problems, as is every unknown and every missing key, when the mapping is opened.
public struct PlanMapping {
    public let node: PlanNode
    public let problems: PlanProblems
    private let entries: [PlanNode.Entry]
    private let shape: PlanShape

    init(
        _ node: PlanNode, _ entries: [PlanNode.Entry], _ shape: PlanShape, _ problems: PlanProblems
    ) {
        self.node = node
        self.problems = problems
        self.shape = shape
        let place = node.path.isEmpty ? "" : " in \(node.name)"
        for entry in entries where !shape.keys.contains(entry.key) {
            let advice = Nearest.advice(for: entry.key, among: shape.keys + node.foreignKeys)
            problems.add(
                .planUnknownKey, "unknown key \"\(entry.key)\"\(place)\(advice)",
                atKeyOf: entry.node)
        }
        for key in shape.required where !entries.contains(where: { $0.key == key }) {
            problems.add(.planMissingValue, "\(node.name) lacks \"\(key)\"", atKeyOf: node)
        }
        for entry in entries where entry.node.isNull && shape.keys.contains(entry.key) {
            problems.add(.planMissingValue, "\"\(entry.key)\" has no value", atKeyOf: entry.node)
        }
        self.entries = entries.filter { shape.keys.contains($0.key) && !$0.node.isNull }
    }

    /// The value of a key, nil when it is absent. The shape must name the key.
    public subscript(key: String) -> PlanNode? {
        assert(shape.keys.contains(key), "the shape lacks \"\(key)\"")
        return entries.first { $0.key == key }?.node
    }

    public func string(_ key: String) -> String? { self[key]?.string(problems) }

    /// Whether the shape of the mapping has the key, so that it may be asked for.
    public func has(_ key: String) -> Bool { shape.keys.contains(key) }

    /// One text, or a list of texts.
    public func strings(_ key: String) -> [String]? { self[key]?.strings(problems) }

    public func flag(_ key: String) -> Bool? { self[key]?.flag(problems) }

    public func integer(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        self[key]?.integer(in: range, problems)
    }

    /// A path, made relative to the directory of the plan unless it is absolute.
    public func path(_ key: String) -> String? { self[key]?.path(problems) }

    /// One path, or a list of paths.
    public func paths(_ key: String) -> [String]? { self[key]?.paths(problems) }

    public func choice(_ key: String, of words: [String]) -> String? {
        self[key]?.choice(of: words, problems)
    }

    /// One of the cases of an enumeration whose raw values are the words of the plan.
    public func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String, _ type: Choice.Type
    ) -> Choice? {
        choice(key, of: type.allCases.map(\.rawValue)).flatMap { Choice(rawValue: $0) }
    }

    /// A rate such as `200MiB/s`, in bytes per second.
    public func byteRate(_ key: String) -> Int64? { self[key]?.byteRate(problems) }

    public func secret(_ key: String) -> Secret? { self[key]?.secret(problems) }

    public func textWithSecrets(_ key: String) -> Secret? { self[key]?.textWithSecrets(problems) }

    public func mapping(_ key: String, _ shape: PlanShape) -> PlanMapping? {
        self[key]?.mapping(shape, problems)
    }

    /// The entries of a mapping whose keys are names of the user's own, in their order.
    public func entries(_ key: String) -> [PlanNode.Entry]? { self[key]?.entries(problems) }
}

extension PlanNode {
    /// Opens a mapping: every key that `shape` does not name, and every one it misses, is noted.
    public func mapping(_ shape: PlanShape, _ problems: PlanProblems) -> PlanMapping? {
        guard let entries = mappingEntries(problems) else { return nil }
        return PlanMapping(self, entries, shape, problems)
    }

    /// Opens a mapping whose keys are names of the user's own.
    public func entries(_ problems: PlanProblems) -> [Entry]? {
        guard let entries = mappingEntries(problems) else { return nil }
        for entry in entries where entry.node.isNull {
            problems.add(.planMissingValue, "\"\(entry.key)\" has no value", atKeyOf: entry.node)
        }
        return entries.filter { !$0.node.isNull }
    }

    /// A list, or a single value as a list of one; an empty list is a problem.
    public func elements(_ problems: PlanProblems) -> [PlanNode]? {
        switch content {
        case .refused: return nil
        case .sequence(let nodes) where nodes.isEmpty:
            problems.add(
                .planMissingValue, "\(name) is an empty list: name something or leave the key out",
                at: self)
            return nil
        case .sequence(let nodes): return nodes
        case .text, .mapping: return [self]
        }
    }

    private func mappingEntries(_ problems: PlanProblems) -> [Entry]? {
        switch content {
        case .mapping(let entries): return entries
        case .refused: return nil
        case .text, .sequence:
            wrongType("a mapping of keys and values", problems)
            return nil
        }
    }

    func wrongType(_ expected: String, _ problems: PlanProblems) {
        problems.add(.planWrongType, "\(name) must be \(expected), not \(kind)", at: self)
    }
}
