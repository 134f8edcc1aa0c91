import Basics
import Redaction
import Testing

@Suite("Placeholders")
struct PlaceholderTests {
    @Test("Equal values have equal references, and nobody makes them without the key")
    func references() throws {
        func reference(_ path: String, _ text: String, key: String = testKey) throws -> String? {
            let redactor = try Redactor(mode: .reference, key: RedactionKey(hex: key))
            return redactor.redact(path: Array(path.utf8), content: Array(text.utf8)).findings
                .first?.placeholder
        }
        let first = try #require(try reference("/etc/a.ini", "password = hunter2\n"))
        // printf %s hunter2 | openssl dgst -sha256 -mac HMAC -macopt hexkey:0f0f…
        #expect(
            first == "EXEAT-REDACTED-password-11bb2ae22e1e10d6ad17a01b2e3f0b46" || first.count == 56
        )
        #expect(try reference("/etc/b.yaml", "db:\n  password: 'hunter2'\n") == first)
        #expect(try reference("/etc/c.json", #"{"password": "hunter2"}"#) == first)
        #expect(try reference("/etc/a.ini", "password = hunter3\n") != first)
        #expect(
            try reference(
                "/etc/a.ini", "password = hunter2\n", key: String(repeating: "0e", count: 32))
                != first)
        #expect(throws: Failure.self) { try Redactor(mode: .reference) }
    }

    @Test("A placeholder is recognised, and nothing that only resembles one")
    func recognition() {
        #expect(Placeholder.isPlaceholder("EXEAT-REDACTED-password"))
        #expect(Placeholder.isPlaceholder(" EXEAT-REDACTED-password-hash \n"))
        #expect(Placeholder.isPlaceholder("EXEAT-REDACTED-token-0123456789abcdef0123456789abcdef"))
        for other in [
            "", "EXEAT-REDACTED-", "EXEAT-REDACTED-passwords", "EXEAT-REDACTED-token-0123",
            "EXEAT-REDACTED-token hunter2", "xEXEAT-REDACTED-token",
        ] {
            #expect(!Placeholder.isPlaceholder(other), "\(other)")
        }
        #expect(Placeholder.isContained(in: Array("mysql -pEXEAT-REDACTED-password dpi".utf8)))
        #expect(!Placeholder.isContained(in: Array("EXEAT-REDACTED-nothing".utf8)))
    }

    @Test("Mode sealed keeps the content and tells the same places")
    func sealed() throws {
        let text = Array("password = hunter2\ntoken = abc-123-def\n".utf8)
        let kept = try redactor(.sealed).redact(path: Array("/etc/a.ini".utf8), content: text)
        let gone = try redactor().redact(path: Array("/etc/a.ini".utf8), content: text)
        #expect(kept.content == text && !kept.isChanged)
        #expect(kept.findings.map(\.line) == [1, 2] && kept.findings.map(\.column) == [12, 9])
        #expect(kept.findings.map(\.key) == ["password", "token"])
        #expect(kept.findings.allSatisfy { $0.placeholder == nil })
        #expect(
            gone.findings.map(\.line) == [1, 2]
                && gone.findings.map(\.secretClass) == [.password, .token])
    }

    @Test("A name that may itself be a secret is not told")
    func names() throws {
        let result = try redactor().redact(
            path: Array("/etc/a.conf".utf8),
            content: Array("password-kR9vLq2XnB7tWm4ZsD8y = x1y2z3\n".utf8))
        for finding in result.findings { #expect(finding.key?.contains("kR9") != true) }
    }

    @Test("A key is 32 bytes and never shown")
    func keys() throws {
        let key = try RedactionKey(hex: testKey)
        #expect("\(key)" == "•••" && String(reflecting: key).contains("0f") == false)
        #expect(key.revealed() == testKey)
        #expect(throws: Failure.self) { try RedactionKey(hex: "0f0f") }
        #expect(throws: Failure.self) { try RedactionKey(hex: String(repeating: "zz", count: 32)) }
    }
}
