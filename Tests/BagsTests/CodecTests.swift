import Bags
import Basics
import Primitives
import Testing

@Suite struct BagPathTests {
    @Test(arguments: [
        "data/s01/table-00012/segment-00000.copy.zst.age", "VERIFY.txt", "RESTORE.txt", "a", "_",
        String(repeating: "a", count: 100),
    ])
    func takesWhatTheAlphabetHas(text: String) throws {
        #expect(try BagPath(text).text == text)
    }

    @Test(arguments: [
        "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/.b", "a/-b", "-a", "A", "a b",
        "é", "a\\b", "c:", "~", "a\u{0}", "a\n", "VERIFY.TXT", "data/VERIFY.txt", "%41",
    ])
    func refusesAllElse(text: String) {
        #expect(throws: Failure(.bagPathUnsafe, "")) { try BagPath(text) }
    }

    @Test func refusesWhatUstarCannotName() {
        #expect(throws: Failure(.bagPathTooLong, "")) {
            try BagPath(String(repeating: "a", count: 101))
        }
        #expect(throws: Failure(.bagPathUnsafe, "")) { try BagName("..") }
        #expect(throws: Failure(.bagPathUnsafe, "")) { try BagName("a/b") }
        #expect(throws: Failure(.bagPathTooLong, "")) {
            try BagName(String(repeating: "A", count: 156))
        }
    }

    @Test func sortsAsTheShellDoesInTheCLocale() throws {
        let paths = try ["a/b", "a-b", "a.b", "a_b", "a0", "ab"].map { try BagPath($0) }
        #expect(paths.sorted().map(\.text) == ["a-b", "a.b", "a/b", "a0", "a_b", "ab"])
    }
}

@Suite struct DigestManifestTests {
    private let one = String(repeating: "1", count: 64)

    private func code(_ text: String, _ subject: DigestManifest.Subject = .payload) -> Failure.Code?
    {
        do throws(Failure) {
            _ = try DigestManifest(parsing: Array(text.utf8), subject, .sha256)
            return nil
        } catch { return error.code }
    }

    @Test(arguments: [DigestAlgorithm.sha256, .sha512])
    func readsWhatItWrites(algorithm: DigestAlgorithm) throws {
        let lines = try (0..<300).map { number in
            DigestManifest.Line(
                try BagPath("data/s/t/\(number)"),
                try BagMaker.digest([UInt8(number & 255)], algorithm))
        }
        let manifest = try DigestManifest(.payload, algorithm, lines.shuffled())
        let again = try DigestManifest(parsing: manifest.bytes, .payload, algorithm)
        #expect(again.lines == manifest.lines)
        #expect(again.lines.count == 300)
        // Whatever the size of the pieces.
        var parser = DigestManifestParser(.payload, algorithm)
        for byte in manifest.bytes {
            try [byte].withUnsafeBytes { try parser.read($0) }
        }
        #expect(try parser.finish().lines == manifest.lines)
    }

    @Test func refusesEveryOtherForm() {
        #expect(code("") == nil)
        #expect(code("\(one)  a\n\(one)  b\n") == nil)
        for bad in [
            "\(one)  a", "\(one) a\n", "\(one)   a\n", "\(one) *a\n", "\(one)\ta\n", "\n",
            "\(one)  a\r\n", "\(one)  a\n\n", "1  a\n", "\(one)  \n", "\(one)0  a\n",
            "\(one.dropLast())A  a\n", "\(one.dropLast())é a\n", "\(one)  b\n\(one)  a\n",
            "\u{FEFF}\(one)  a\n", String(repeating: "1", count: 100_000),
        ] {
            #expect([.bagManifestMalformed, .bagPathUnsafe].contains(code(bad)), "\(bad)")
            #expect([.bagTagManifestMalformed, .bagPathUnsafe].contains(code(bad, .tags)))
        }
        #expect(code("\(one)  a\n\(one)  a\n") == .bagManifestDuplicate)
        #expect(code("\(one)  a\n\(one)  b\n\(one)  a\n") == .bagManifestDuplicate)
        #expect(code("\(one)  ../a\n") == .bagPathUnsafe)
        #expect(code("\(one)  \(String(repeating: "a", count: 101))\n") == .bagPathTooLong)
    }
}

@Suite struct BagInfoTests {
    private func info(_ organization: String? = "Hébergeur SA") throws -> BagInfo {
        try BagInfo(
            sourceOrganization: organization, baggingDate: "2026-11-23",
            identifier: "01935a2b-7c00-7000-8000-000000000001",
            payload: .init(bytes: 279_164_409_832, files: 1198), agent: "exeat 1.0.0")
    }

    @Test func readsWhatItWrites() throws {
        for value in [try info(), try info(nil)] {
            #expect(try BagInfo(parsing: value.bytes) == value)
        }
        #expect(String(decoding: try info().bytes, as: UTF8.self).contains("279164409832.1198\n"))
    }

    @Test(arguments: ["", " a", "a\nb", "a\r", "\u{2028}"])
    func refusesTextThatIsNoLine(text: String) {
        #expect(throws: Failure(.invalidValue, "")) { try info(text) }
    }

    @Test func refusesEveryOtherForm() throws {
        let text = String(decoding: try info().bytes, as: UTF8.self)
        let lines = text.split(separator: "\n").map { $0 + "\n" }
        for (index, line) in lines.enumerated() {
            let without = lines.enumerated().filter { $0.offset != index }.map(\.element).joined()
            if index > 0 {
                #expect(throws: Failure(.bagInfoMalformed, "")) {
                    try BagInfo(parsing: Array(without.utf8))
                }
            }
            for bad in [text + line, text.replacing(line, with: " " + line), text + "X: y\n"] {
                #expect(throws: Failure(.bagInfoMalformed, "")) {
                    try BagInfo(parsing: Array(bad.utf8))
                }
            }
        }
        for (old, new) in [
            (".1198", ".01198"), (".1198", ""), ("2026-11-23", "2026-13-23"), ("urn:uuid:", ""),
            ("01935a2b", "01935A2B"), (": exeat", ":exeat"), ("\n", "\r\n"), ("v1", "v2"),
        ] {
            #expect(throws: Failure(.bagInfoMalformed, "")) {
                try BagInfo(parsing: Array(text.replacing(old, with: new).utf8))
            }
        }
        #expect(throws: Failure(.bagInfoMalformed, "")) { try BagInfo(parsing: [0xff]) }
    }
}

@Suite struct SealTests {
    private func seal() throws -> Seal {
        guard let bytes = try BagMaker().files()["proof/seal.json"] else {
            throw Failure(.bagUnsealed, "no seal")
        }
        return try Seal(parsing: bytes)
    }

    @Test func readsWhatItWrites() throws {
        let seal = try seal()
        #expect(try Seal(parsing: seal.bytes) == seal)
        #expect(seal.name.text == "valmont-20261123")
        let document = try JSON(parsing: seal.bytes)
        #expect(document.canonical == seal.bytes)
        #expect(document["_type"]?.string == "https://in-toto.io/Statement/v1")
        #expect(document["predicate"]?["journal"]?["entries"]?.integer == 7)
    }

    @Test(arguments: [
        ("\"status\":0", "\"status\":3"), ("\"purpose\"", "\"aim\""),
        ("\"entries\":7", "\"entries\":-7"),
        ("\"entries\":7", "\"entries\":\"6\""), ("{\"_type\"", "{\"x\":1,\"_type\""),
        ("urn:exeat:seal:v1", "urn:exeat:seal:v2"), ("urn:uuid:", "urn:guid:"),
        ("2026-", "26-"), ("tagmanifest-sha256", "manifest-sha256"), ("\"files\":", "\"Files\":"),
        ("\"run\":{", "\"run\":{\"id\":\"x\","), ("[{\"digest\"", "[{},{\"digest\""),
    ])
    func refusesEveryOtherForm(old: String, new: String) throws {
        let text = String(decoding: try seal().bytes, as: UTF8.self)
        let spoiled = text.replacing(old, with: new, maxReplacements: 1)
        #expect(spoiled != text)
        #expect(throws: Failure(.sealMalformed, "")) { try Seal(parsing: Array(spoiled.utf8)) }
    }

    @Test func takesUnknownFieldsUnderExtOnly() throws {
        let text = String(decoding: try seal().bytes, as: UTF8.self)
        let extended = text.replacing(
            "\"journal\":{", with: "\"ext\":{\"x\":[1]},\"journal\":{")
        #expect(try Seal(parsing: Array(extended.utf8)) == seal())
    }
}
