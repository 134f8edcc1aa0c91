public import Basics
public import Primitives

/// A question that a connector can answer about a source, and about what was restored of it.
public enum ProbeQuestion: Sendable, Equatable {
    /// One statement that reads; `database` where a server has several.
    case sql(String, database: String?)
    /// SHA-256 of a file, by its path below the root of the tree.
    case file(String)

    /// nil for a request that is asked of something else, such as the console of a machine.
    public init?(request: JSON) {
        switch request["kind"]?.string {
        case "sql":
            guard let text = request["sql"]?.string else { return nil }
            self = .sql(text, database: request["database"]?.string)
        case "file":
            guard let path = request["file"]?.string else { return nil }
            self = .file(path)
        default: return nil
        }
    }

    static func unknown(_ question: ProbeQuestion, to whom: String) -> Failure {
        let kind = if case .sql = question { "sql" } else { "file" }
        return Failure(
            .unsupported, "a probe of kind \(kind) cannot be asked of \(whom)",
            hint: "Databases answer to sql, trees to file.")
    }
}

/// What was answered, in a form whose equality means something.
public struct ProbeAnswer: Sendable, Equatable {
    /// Canonical JSON has equal bytes for equal answers: rows as lists of texts and nulls, or a text.
    public let value: JSON

    public init(_ value: JSON) { self.value = value }

    /// Rows of a database, values as the server prints them.
    public init(rows: [[String?]]) {
        value = .array(rows.map { .array($0.map { $0.map { .string($0) } ?? .null }) })
    }

    public var digest: Digest256 { SHA256.hash(value.canonical) }

    /// As a person would write down what to expect: a single value as it is, else JSON.
    public var text: String {
        if let text = value.string { return text }
        if let rows = value.array, rows.count == 1, let row = rows[0].array, row.count == 1 {
            return row[0].string ?? "null"
        }
        return String(decoding: value.canonical, as: UTF8.self)
    }
}
