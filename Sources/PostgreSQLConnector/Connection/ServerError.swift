import Basics
import CPQ

/// What a server says when it refuses a statement (PostgreSQL documentation, "Error and Notice
/// Message Fields").
struct ServerError: Sendable {
    /// The five characters of appendix "PostgreSQL Error Codes"; "08006" where there is no answer.
    let state: String
    let message: String
    let detail: String?
    let hint: String?
    let position: Int?
    let context: String?

    init(_ result: OpaquePointer, _ connection: OpaquePointer) {
        func field(_ letter: Character) -> String? {
            guard let code = letter.asciiValue,
                let text = unsafe PQresultErrorField(result, Int32(code))
            else { return nil }
            return unsafe String(cString: text)
        }
        let fallback = unsafe String(cString: PQerrorMessage(connection))
        state = field("C") ?? "08006"
        message = field("M") ?? Self.trimmed(fallback)
        detail = field("D")
        hint = field("H")
        position = field("P").flatMap { Int($0) }
        context = field("W")
    }

    init(lost connection: OpaquePointer) {
        state = "08006"
        message = Self.trimmed(unsafe String(cString: PQerrorMessage(connection)))
        (detail, hint, position, context) = (nil, nil, nil, nil)
    }

    private static func trimmed(_ text: String) -> String {
        text.split { $0 == "\n" || $0 == "\t" }.joined(separator: " ")
    }

    private var code: Failure.Code {
        switch state {
        case "42501", "28000", "28P01": .databaseRights
        case "3D000": .notFound
        case "53100": .noSpace
        default:
            state.hasPrefix("08") || state.hasPrefix("57P") || state == "25P03"
                ? .databaseUnreachable : .databaseRefused
        }
    }

    /// - Parameter statement: what was asked, to show the place the server means.
    func failure(_ what: String, statement: String? = nil) -> Failure {
        var text = "the server says: \(message)"
        if let detail { text += " (\(detail))" }
        if let position, let statement {
            let start = statement.unicodeScalars.prefix(max(0, position - 1))
            let line = start.filter { $0 == "\n" }.count + 1
            text += ", at line \(line), character \(position)"
        }
        if let context { text += "; \(context.replacing(of: "\n", with: "; "))" }
        return Failure(
            code, what, hint: advice,
            cause: Failure(code, "\(text) [\(state)]", hint: hint))
    }

    private var advice: String? {
        switch code {
        case .databaseUnreachable:
            "Check that the server runs and can be reached; then run the same command again."
        case .noSpace: "Free space on the server's disk, then run the same command again."
        default: nil
        }
    }
}

extension StringProtocol {
    func replacing(of text: Character, with other: String) -> String {
        reduce(into: "") { result, character in
            if character == text { result += other } else { result.append(character) }
        }
    }
}
