/// A pattern for schemas, or for tables with their schema, as a plan writes it: `*` and `?` stand for
/// any letters, names in double quotes for themselves.
public struct NamePattern: Sendable {
    private let schema: [Character]
    private let table: [Character]?
    public let text: String

    /// - Parameter isTable: `schema.table` is meant, not a schema.
    public init?(_ text: String, isTable: Bool) {
        var parts: [String] = []
        var current = ""
        var isQuoted = false
        var rest = Array(text)[...]
        while let character = rest.popFirst() {
            if character == "\"" {
                // A quote within quotes is written twice.
                if isQuoted, rest.first == "\"" {
                    rest.removeFirst()
                    current.append(character)
                } else {
                    isQuoted.toggle()
                }
            } else if character == ".", !isQuoted {
                parts.append(current)
                current = ""
            } else if isQuoted, "*?\\".contains(character) {
                current += "\\" + String(character)
            } else {
                current.append(character)
            }
        }
        parts.append(current)
        guard !isQuoted, parts.count == (isTable ? 2 : 1), parts.allSatisfy({ !$0.isEmpty }) else {
            return nil
        }
        schema = Array(parts[0])
        table = isTable ? Array(parts[1]) : nil
        self.text = text
    }

    public func matches(schema: String, name: String) -> Bool {
        Self.matches(self.schema, Array(schema))
            && (table.map { Self.matches($0, Array(name)) } ?? true)
    }

    private static func matches(_ pattern: [Character], _ name: [Character]) -> Bool {
        var (place, mark) = (0, -1)
        var (index, star) = (0, 0)
        while index < name.count {
            if place < pattern.count, pattern[place] == "*" {
                (mark, star) = (place, index)
                place += 1
                continue
            }
            let isEscape = place + 1 < pattern.count && pattern[place] == "\\"
            let wanted =
                isEscape ? pattern[place + 1] : place < pattern.count ? pattern[place] : nil
            if let wanted, wanted == name[index] || wanted == "?" && !isEscape {
                place += isEscape ? 2 : 1
                index += 1
            } else if mark >= 0 {
                star += 1
                (place, index) = (mark + 1, star)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == "*" }
    }
}
