public import Basics
public import Primitives

/// A question that a connector can answer about a source, and about what was restored of it.
public enum ProbeQuestion: Sendable, Equatable {
    /// One statement that reads; `database` where a server has several, `within` so many seconds.
    case sql(String, database: String?, within: Int64)
    /// SHA-256 of a file, by its path below the root of the tree.
    case file(String)

    /// nil for a request that is asked of something else, such as the console of a machine.
    public init?(request: JSON, within seconds: Int64) {
        switch request["kind"]?.string {
        case "sql":
            guard let text = request["sql"]?.string else { return nil }
            self = .sql(
                text, database: request["database"]?.string, within: max(1, min(seconds, 1 << 20)))
        case "file":
            guard let path = request["file"]?.string else { return nil }
            self = .file(path)
        default: return nil
        }
    }

    /// What a connector says of a statement that took too long.
    public static func tooLate(_ seconds: Int64, _ cause: Failure) -> Failure {
        Failure(
            cause.code, "there was no answer within \(seconds) s",
            hint: "Give it more time with \"within\", or ask for less.", cause: cause)
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

    /// An archive keeps the answer, and people read it: so many bytes and no more.
    public static let longest = 1 << 20

    /// Throws for an answer that is too long to be kept.
    public func checkLength() throws(Failure) {
        let length = value.canonical.count
        guard length > Self.longest else { return }
        throw Failure(
            .invalidValue, "the answer has \(length) bytes, and may have \(Self.longest)",
            hint: "Ask for counts and sums in place of all rows.")
    }

    /// As a person would write down what to expect: a single value as it is, else JSON.
    public var text: String {
        if let text = value.string { return text }
        if let rows = value.array, rows.count == 1, let row = rows[0].array, row.count == 1 {
            return row[0].string ?? "null"
        }
        return String(decoding: value.canonical, as: UTF8.self)
    }
}
