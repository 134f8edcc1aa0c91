import Basics
import Testing

@testable import ConfigConnectors

/// Documents of facts, and what differs between two of them.
@Suite struct FactDocumentTests {
    private func document(
        _ items: [String: JSON], unread: [String: String] = [:]
    ) throws -> FactDocument {
        var document = FactDocument(.packages)
        let sources = Set(items.keys.map { String($0.prefix { $0 != "/" }) })
        for source in sources {
            try document.source(source) { (found) throws(Failure) in
                for (name, value) in items where name.hasPrefix(source + "/") {
                    found.add(String(name.dropFirst(source.count + 1)), value)
                }
                return true
            }
        }
        for (source, reason) in unread {
            try document.source(source) { (_) throws(Failure) in throw Failure(.denied, reason) }
        }
        return document
    }

    @Test func itsTextIsReadBackAndIsTheSameWhateverTheOrder() throws {
        let one = try document(["dpkg/b": "2", "dpkg/a": ["y": "1", "x": "2"]])
        let other = try document(["dpkg/a": ["x": "2", "y": "1"], "dpkg/b": "2"])
        #expect(one.text == other.text)
        #expect(one.digest == other.digest)
        #expect(try FactDocument(parsing: one.text).text == one.text)
    }

    @Test func aSourceThatFailsGivesNothingAndSaysWhy() throws {
        var document = FactDocument(.packages)
        try document.source("dpkg") { (items) throws(Failure) in
            items.add("half", "1")
            throw Failure(.denied, "cannot read it")
        }
        #expect(document.items.isEmpty)
        #expect(document.unread.map(\.reason) == ["cannot read it"])
        #expect(throws: Failure.self) {
            try document.source("rpm") { (_) throws(Failure) in
                throw Failure(.cancelled, "interrupted")
            }
        }
    }

    @Test func comparisonGivesExactlyWhatDiffers() throws {
        let here = try document(["dpkg/a": "1", "dpkg/b": "1", "dpkg/c": "1"])
        let there = try document(["dpkg/a": "1", "dpkg/b": "2", "dpkg/d": "1"])
        let comparison = FactsComparison(here, there)
        #expect(comparison.same == 1)
        #expect(comparison.differing.map(\.name) == ["dpkg/b"])
        #expect(comparison.onlyHere.map(\.name) == ["dpkg/c"])
        #expect(comparison.onlyThere.map(\.name) == ["dpkg/d"])
        #expect(!comparison.isEqual)
    }

    @Test func whatOneSideCouldNotReadIsNotCalledMissing() throws {
        let here = try document(["dpkg/a": "1", "rpm/x": "1"])
        let there = try document(["dpkg/a": "1"], unread: ["rpm": "no program"])
        let comparison = FactsComparison(here, there)
        #expect(comparison.isEqual)
        #expect(comparison.onlyHere.isEmpty)
        #expect(comparison.uncompared.map(\.source) == ["rpm"])
    }

    @Test(arguments: [
        "", "{}", #"{"facts":"nothing","items":{},"sources":{},"version":1}"#,
        #"{"facts":"packages","items":{},"sources":{},"version":2}"#,
        #"{"facts":"packages","items":{},"sources":{"dpkg":{}},"version":1}"#,
    ])
    func whatIsNoDocumentIsRefused(text: String) {
        #expect(throws: Failure.self) { try FactDocument(parsing: Array(text.utf8)) }
    }

    @Test func aTextOfThePageIsEscaped() {
        #expect(DifferencesReport.escaped("<a b=\"c\">&'") == "&lt;a b=&quot;c&quot;&gt;&amp;&#39;")
    }

    @Test func linesThatDifferAreNumbered() {
        let lines = LineDifference.lines(Array("a\nb\nc\n".utf8), Array("a\nx\nc\n".utf8))
        #expect(lines.sorted() == ["+2: b", "-2: x"])
    }

    @Test func referencesBecomePlainPlaceholders() {
        let text = "a=EXEAT-REDACTED-password-00112233445566778899aabbccddeeff;"
        #expect(
            Placeholders.withoutReferences(Array(text.utf8))
                == Array("a=EXEAT-REDACTED-password;".utf8))
        let plain = Array("b: EXEAT-REDACTED-password-hash\n".utf8)
        #expect(Placeholders.withoutReferences(plain) == plain)
    }
}
