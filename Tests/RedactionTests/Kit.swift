import Redaction
import Testing

/// A text with marks: «secret» must go, ‹decoy› must stay.
struct Planted {
    let plain: String
    let secrets: [String]
    let decoys: [String]

    init(_ marked: String) {
        plain = String(marked.filter { !"«»‹›".contains($0) })
        secrets = Planted.parts(marked, "«", "»")
        decoys = Planted.parts(marked, "‹", "›")
    }

    private static func parts(_ text: String, _ open: Character, _ close: Character) -> [String] {
        text.split(separator: open, omittingEmptySubsequences: false).dropFirst().compactMap {
            $0.split(separator: close, omittingEmptySubsequences: false).first.map { part in
                String(part.filter { !"«»‹›".contains($0) })
            }
        }
    }
}

let testKey = String(repeating: "0f", count: 32)

func redactor(_ mode: RedactionMode = .omit) throws -> Redactor {
    try Redactor(mode: mode, key: mode == .reference ? RedactionKey(hex: testKey) : nil)
}

/// Redacts a marked text, holds it against its marks, and returns what is left.
@discardableResult
func check(
    _ path: String, _ marked: String, _ mode: RedactionMode = .omit,
    sourceLocation: SourceLocation = #_sourceLocation
) throws
    -> String
{
    let planted = Planted(marked)
    let redactor = try redactor(mode)
    let result = redactor.redact(path: Array(path.utf8), content: Array(planted.plain.utf8))
    let text = String(decoding: result.content, as: UTF8.self)
    for secret in planted.secrets {
        #expect(!text.contains(secret), "\(path) leaks \(secret)", sourceLocation: sourceLocation)
        for finding in result.findings {
            #expect(
                !"\(finding)".contains(secret), "a finding leaks \(secret)",
                sourceLocation: sourceLocation)
        }
    }
    for decoy in planted.decoys {
        #expect(
            text.contains(decoy), "\(path) lost \(decoy):\n\(text)", sourceLocation: sourceLocation)
    }
    #expect(
        planted.secrets.isEmpty == result.findings.isEmpty, "\(result.findings)",
        sourceLocation: sourceLocation)
    let again = redactor.redact(path: Array(path.utf8), content: result.content)
    #expect(
        again.content == result.content, "not the same a second time",
        sourceLocation: sourceLocation)
    #expect(
        again.findings.isEmpty, "found again: \(again.findings)", sourceLocation: sourceLocation)
    return text
}
