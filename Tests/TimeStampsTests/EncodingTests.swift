import Basics
import TestKit
import Testing

@testable import TimeStamps

@Suite struct EncodingTests {
    @Test(arguments: ["1.2.3.4.1", "2.5.29.37", "1.2.840.113549.1.9.16.1.4", "0.39", "2.999.1"])
    func identifiersRoundTrip(text: String) throws {
        let identifier = try #require(ObjectIdentifier(text))
        #expect(ObjectIdentifier(content: identifier.content)?.text == text)
    }

    @Test(arguments: ["", "1", "3.1", "1.40", "1..2", "1.2.", "1.02", "a.b", "1.-2"])
    func otherTextsAreNoIdentifiers(text: String) { #expect(ObjectIdentifier(text) == nil) }

    @Test(
        arguments: [
            [0x80, 0x01], [0x55, 0x80], [], [0x2a, 0x80, 0x01],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ] as [[UInt8]])
    func otherEncodingsAreNoIdentifiers(content: [UInt8]) {
        #expect(ObjectIdentifier(content: content) == nil)
    }

    @Test(arguments: [
        (DERValue.utcTime, "261123182726Z", "2026-11-23T18:27:26.000Z"),
        (DERValue.utcTime, "491231235959Z", "2049-12-31T23:59:59.000Z"),
        (DERValue.utcTime, "500101000000Z", "1950-01-01T00:00:00.000Z"),
        (DERValue.generalizedTime, "20510714182726Z", "2051-07-14T18:27:26.000Z"),
        (DERValue.generalizedTime, "20261123182726.25Z", "2026-11-23T18:27:26.250Z"),
    ])
    func timesAreRead(tag: UInt8, text: String, expected: String) {
        #expect(DERTime.moment(tag: tag, Array(text.utf8))?.text == expected)
    }

    @Test(arguments: [
        "20261123182726", "20261123182726+0100", "20260230000000Z", "20261123182726.Z",
        "20261123182726.50Z", "2026112318Z", "20261123246000Z", "2026-11-23T18Z", "",
    ])
    func otherTimesAreRefused(text: String) {
        #expect(DERTime.moment(tag: DERValue.generalizedTime, Array(text.utf8)) == nil)
    }

    /// Lengths that lie, that are not the shortest, and depth without end.
    @Test func hostileEncodingsAreRefused() {
        let bad: [[UInt8]] = [
            [], [0x30], [0x30, 0x05, 0x00], [0x30, 0x81, 0x01, 0x00], [0x30, 0x80],
            [0x30, 0x85, 1, 1, 1, 1, 1], [0x04, 0x80, 0, 0], [0x1f, 0x81, 0x01, 0x00],
            [0x30, 0x84, 0xff, 0xff, 0xff, 0xff], [0x02, 0x01, 0x00, 0x00],
            [0x30, 0x82, 0x00, 0x80] + [UInt8](repeating: 0, count: 128),
        ]
        for bytes in bad {
            #expect(throws: Failure(.timeStampMalformed, "")) { _ = try DERValue(whole: bytes) }
        }
        var deep: [UInt8] = [0x05, 0x00]
        for _ in 0..<60 { deep = DERWriter.value(DERValue.sequence, deep) }
        #expect(throws: Failure(.timeStampMalformed, "")) {
            var value = try DERValue(whole: deep)
            while let child = try value.children().first { value = child }
        }
        let endless = [UInt8](repeating: 0x30, count: 1) + [UInt8](repeating: 0x80, count: 40_000)
        #expect(throws: Failure(.timeStampMalformed, "")) { _ = try DERValue(whole: endless) }
    }

    @Test func indefiniteLengthsAndOctetsInPartsAreRead() throws {
        let value = try DERValue(
            whole: [0x24, 0x80, 0x04, 0x02, 1, 2, 0x04, 0x01, 3, 0x00, 0x00])
        #expect(try value.octets() == [1, 2, 3])
    }

    /// OpenSSL reads a request as we wrote it, and we read what it writes.
    @Test(arguments: ["sha256", "sha384", "sha512"])
    func requestsAreThoseOfOpenSSL(digest: String) throws {
        let scratch = try TemporaryDirectory()
        let message = Array("a line of a journal".utf8)
        let file = try scratch.file("message")
        try Files.write(message, to: file)
        let request = try TimeStampRequest(
            for: message, by: try #require(.init(rawValue: digest)),
            policy: ObjectIdentifier("1.2.3.4.5"), world: .real)
        #expect(try TimeStampRequest(parsing: request.bytes) == request)
        let query = try scratch.file("query")
        try Files.write(request.bytes, to: query)
        let shown = try Shell.run(["openssl", "ts", "-query", "-in", query, "-text"]).text
        #expect(shown.contains("Hash Algorithm: \(digest)"))
        #expect(shown.contains("Policy OID: 1.2.3.4.5"))
        #expect(shown.contains("Certificate required: yes"))
        let nonce = try #require(request.nonce)
        #expect(shown.contains("Nonce: 0x" + Hex.encode(nonce).uppercased()))
        let made = try Shell.run([
            "openssl", "ts", "-query", "-data", file, "-\(digest)", "-cert", "-tspolicy", "1.2.3",
        ])
        let theirs = try TimeStampRequest(parsing: made.output)
        #expect(theirs.imprint == request.imprint)
        #expect(theirs.policy?.text == "1.2.3")
        #expect(theirs.wantsCertificates)
        #expect(try theirs.isAbout(message))
        #expect(try !theirs.isAbout([1]))
    }
}
