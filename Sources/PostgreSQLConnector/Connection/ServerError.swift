import Basics
import CPQ

/// What the server said about a statement it refused, field by field.
struct ServerError: Sendable {
    var state = ""
    var severity = ""
    var message = ""
    var detail: String?
    var hint: String?
    /// In characters from the start of the statement, beginning with 1.
    var position: Int?
    var context: String?
    var schema: String?
    var table: String?
    var column: String?
    var type: String?
    var constraint: String?

    /// Reads the fields of a result that is an error; stands on `PQresultErrorField`.
    init(_ result: OpaquePointer?) {
        func field(_ code: Character) -> String? {
            guard let ascii = code.asciiValue,
                let text = unsafe PQresultErrorField(result, Int32(ascii))
            else { return nil }
            return unsafe String(cString: text)
        }
        state = field("C") ?? ""
        severity = field("V") ?? field("S") ?? ""
        message = field("M") ?? ""
        if message.isEmpty, let text = unsafe PQresultErrorMessage(result) {
            message = Self.oneLine(unsafe String(cString: text))
        }
        detail = field("D")
        hint = field("H")
        position = field("P").flatMap { Int($0) }
        context = field("W")
        schema = field("s")
        table = field("t")
        column = field("c")
        type = field("d")
        constraint = field("n")
    }

    /// An error of libpq itself, which has a text alone.
    init(libpq text: String) { message = Self.oneLine(text) }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// The connection has ended, or will not be served now; a new one may do.
    var isTransient: Bool {
        state.hasPrefix("08") || state.hasPrefix("57P") || state == "53300" || state == "40001"
            || state == "40P01"
    }

    var code: Failure.Code {
        switch state {
        case "42501", "28000", "28P01": .rightsMissing
        case "53100": .noSpace
        case "55P03": .objectsLocked
        default: isTransient ? .serverLost : .statementFailed
        }
    }

    /// The server's words in one sentence, with the objects it names.
    var failure: Failure {
        var text = "the server says: \(message)"
        if !state.isEmpty { text += " (SQLSTATE \(state))" }
        if let detail { text += "; \(detail)" }
        let object = [schema, table, column].compactMap { $0 }.joined(separator: ".")
        if !object.isEmpty { text += "; object \"\(object)\"" }
        if let constraint { text += "; constraint \"\(constraint)\"" }
        if let type { text += "; type \"\(type)\"" }
        if let position { text += "; at character \(position)" }
        if let context { text += "; \(context.replacing("\n", with: "; "))" }
        return Failure(code, text, hint: hint, mayRetry: isTransient)
    }
}
