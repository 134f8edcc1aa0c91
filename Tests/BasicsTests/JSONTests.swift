import Basics
import Testing

@Suite struct JSONTests {
    @Test func canonicalFormSortsKeysAndEscapes() throws {
        let value: JSON = ["b": 1, "a": ["x\n\"", true, .null], "é": -7]
        #expect(
            String(decoding: value.canonical, as: UTF8.self)
                == #"{"a":["x\n\"",true,null],"b":1,"é":-7}"#)
        #expect(try JSON(parsing: value.line) == value)
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,\"a\":2}", "1.5", "1e3", "01", "-0", "9007199254740992",
        "\u{FEFF}{}", "{} x", "\"\u{1}\"", "\"\\ud800\"", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]",
    ])
    func refusesWhatIsNotStrict(text: String) {
        #expect(throws: Failure(.jsonMalformed, "")) { try JSON(parsing: Array(text.utf8)) }
    }

    /// A few keys are compared one by one, many by their digests.
    @Test(arguments: [2, 16, 17, 40]) func aKeyThatComesTwiceIsRefused(count: Int) throws {
        let members = (0..<count).map { "\"k\($0)\":\($0)" }
        let whole = "{" + members.joined(separator: ",") + "}"
        #expect(try JSON(parsing: Array(whole.utf8)).members?.count == count)
        for again in [0, count - 1] {
            let twice = "{" + members.joined(separator: ",") + ",\"\\u006b\(again)\":0}"
            #expect(throws: Failure(.jsonMalformed, "")) { try JSON(parsing: Array(twice.utf8)) }
        }
    }

    @Test func keysAreTheirBytes() throws {
        // One letter, or a letter and its accent: Swift takes these for equal, JSON does not.
        let twins = "{\"\u{e9}\":1,\"e\u{301}\":2}"
        #expect(try JSON(parsing: Array(twins.utf8)).members?.count == 2)
    }

    @Test func stringsEndWhereTheyEnd() throws {
        for (text, value) in [
            ("\"\"", ""), ("\"plain é\"", "plain é"), ("\"a\\nb\\\"c\"", "a\nb\"c"),
            ("\"\\u00e9x\"", "éx"), ("\"x\\\\\"", "x\\"),
        ] {
            #expect(try JSON(parsing: Array(text.utf8)).string == value)
        }
        for bytes: [UInt8] in [
            [0x22, 0xff, 0x22], [0x22, 0x61], [0x22, 0x61, 0x0a, 0x22], [0x22, 0x5c],
        ] {
            #expect(throws: Failure(.jsonMalformed, "")) { try JSON(parsing: bytes) }
        }
    }

    @Test func timestampsRoundTrip() throws {
        for seconds: Int64 in [0, -1, 951_782_400, 1_795_392_000, 4_102_444_799, -11_644_473_600] {
            let moment = Timestamp(seconds: seconds, nanoseconds: 120_000_000)
            #expect(Timestamp(moment.text) == moment)
        }
        #expect(Timestamp(seconds: 951_782_400).date == "2000-02-29")
    }

    @Test(arguments: [
        "2026-02-29T00:00:00Z", "2026-04-31T00:00:00.000Z", "2026-11-23T24:00:00Z",
        "2026-11-23T18:00:60Z", "2026-11-23T18:00:00.Z", "2026-11-23T18:00:00+00:00",
        "2026-11-23t18:00:00z",
    ])
    func refusesTimesThatAreNone(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("Foreign numbers that are no exact integers keep their digits")
    func foreignNumbers() throws {
        let text = "[0, -7, 0.0123, 1e5, -0, 9007199254740993, 12.50, 9007199254740991]"
        let value = try JSON(parsingForeign: Array(text.utf8))
        #expect(
            value == [
                0, -7, "0.0123", "1e5", "-0", "9007199254740993", "12.50", 9_007_199_254_740_991,
            ])
        #expect(throws: Failure.self) { _ = try JSON(parsing: Array("[0.5]".utf8)) }
        for bad in ["01", "1.", ".5", "1e", "-", "+1", "0x1", "1.e3", "-01", "1e+"] {
            #expect(throws: Failure.self) { _ = try JSON(parsingForeign: Array(bad.utf8)) }
        }
    }
}
