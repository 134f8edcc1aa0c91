import Basics

/// What a source says about itself, for people: values by their path, tables line by line.
enum InspectedFacts {
    /// More lines of a table are in `--json` only.
    private static let mostLines = 20

    static func lines(_ facts: JSON) -> [String] { lines(facts, "") }

    private static func lines(_ value: JSON, _ path: String) -> [String] {
        switch value {
        case .object(let members):
            return members.flatMap {
                lines($0.value, path.isEmpty ? $0.key : "\(path).\($0.key)")
            }
        case .array(let elements):
            if elements.isEmpty { return ["  \(path): none"] }
            var lines = elements.prefix(mostLines).map { "  \(path): \(text($0))" }
            if elements.count > mostLines {
                lines.append("  \(path): and \(elements.count - mostLines) more, see --json")
            }
            return lines
        default: return ["  \(path): \(text(value))"]
        }
    }

    private static func text(_ value: JSON) -> String {
        switch value {
        case .null: "none"
        case .string(let text): text
        case .object(let members):
            members.map { "\($0.key) \(text($0.value))" }.joined(separator: ", ")
        case .array(let elements): "[" + elements.map { text($0) }.joined(separator: ", ") + "]"
        default: String(decoding: value.line, as: UTF8.self)
        }
    }
}
