import Redaction
import Testing

@Suite("Values of extended attributes are searched by their names and by what they hold")
struct AttributeTests {
    private static let cases: [(name: String, value: String, path: String, expected: String?)] = [
        // As a text of its own, whatever rules its file has.
        (
            "user.p1", "password=topsecretvalue1\n", "/etc/passwd",
            "password=EXEAT-REDACTED-password\n"
        ),
        (
            "user.p1", "password=topsecretvalue1", "/etc/hosts.md",
            "password=EXEAT-REDACTED-password"
        ),
        // Under its name.
        ("user.password", "topsecretvalue1", "/etc/a.conf", "EXEAT-REDACTED-password"),
        ("user.db.password", "topsecretvalue1", "/etc/passwd", "EXEAT-REDACTED-password"),
        // As before.
        (
            "user.origin", "https://joe:hunter2pw@example/x", "/etc/a",
            "https://joe:EXEAT-REDACTED-url-credential@example/x"
        ),
        // What is none stays.
        ("user.mime_type", "text/plain", "/etc/passwd", nil),
        ("user.password", "", "/etc/a.conf", nil),
        ("user.charset", "utf-8", "/etc/a.conf", nil),
        ("user.xdg.origin.url", "https://example.org/a.pdf", "/etc/a.conf", nil),
        ("user.password", "EXEAT-REDACTED-password", "/etc/a.conf", nil),
    ]

    @Test(arguments: cases)
    func values(name: String, value: String, path: String, expected: String?) throws {
        let redactor = try Redactor(mode: .omit)
        let result = redactor.redact(
            attribute: Array(name.utf8), value: Array(value.utf8), path: Array(path.utf8))
        #expect(String(decoding: result.content, as: UTF8.self) == expected ?? value)
        #expect(result.findings.isEmpty == (expected == nil))
        #expect(result.isChanged == (expected != nil))
        let again = redactor.redact(
            attribute: Array(name.utf8), value: result.content, path: Array(path.utf8))
        #expect(again.content == result.content)
    }

    @Test func aSealedValueStaysAndIsListedOnce() throws {
        for (name, value, path, expected) in Self.cases where expected != nil {
            let result = try Redactor(mode: .sealed).redact(
                attribute: Array(name.utf8), value: Array(value.utf8), path: Array(path.utf8))
            #expect(
                result.content == Array(value.utf8) && result.findings.count == 1,
                "\(name) \(value)")
        }
    }
}
