import Basics
import Testing

@testable import Reports

@Suite struct TextsTests {
    private static let french = Texts.french.merging(Texts.frenchDetails) { first, _ in first }
    private static let english = Texts.english.merging(Texts.englishDetails) { first, _ in first }

    @Test func bothTablesHaveEveryPhraseOnce() {
        #expect(Set(Self.french.keys) == Set(Phrase.allCases))
        #expect(Set(Self.english.keys) == Set(Phrase.allCases))
        #expect(Texts.french.count + Texts.frenchDetails.count == Phrase.allCases.count)
        #expect(Texts.english.count + Texts.englishDetails.count == Phrase.allCases.count)
        #expect(Set(Texts.frenchDuties.keys) == Set(Duty.allCases))
        #expect(Set(Texts.englishDuties.keys) == Set(Duty.allCases))
    }

    @Test(arguments: Phrase.allCases)
    func bothLanguagesHaveTheSameValues(_ phrase: Phrase) {
        func values(_ text: String?) -> Set<Int> {
            Set(
                Texts.pieces(of: text ?? "").compactMap {
                    if case .value(let place) = $0 { place } else { nil }
                })
        }
        #expect(values(Self.french[phrase]) == values(Self.english[phrase]))
        #expect(Self.french[phrase]?.isEmpty == false)
        #expect(Self.english[phrase]?.isEmpty == false)
    }

    @Test func wordsFollowTheirNumbers() {
        let french = Texts(.french)
        let english = Texts(.english)
        #expect(french.text(.volumesOthers, .number(1)) == "1 autre source")
        #expect(french.text(.volumesOthers, .number(2)) == "2 autres sources")
        #expect(english.text(.volumesOthers, .number(1)) == "1 other source")
        #expect(english.text(.volumesOthers, .number(0)) == "0 other sources")
    }

    @Test func frenchPunctuationKeepsItsSpaces() {
        #expect(
            Texts.typeset("oui : « non » ; vraiment ? 5 %")
                == "oui\u{a0}: «\u{a0}non\u{a0}»\u{202f}; vraiment\u{202f}? 5\u{202f}%")
    }

    @Test func numbersAreThoseOfTheLanguage() {
        let french = Formats(language: .french)
        let english = Formats(language: .english)
        #expect(french.number(1_234_567) == "1\u{202f}234\u{202f}567")
        #expect(english.number(1_234_567) == "1,234,567")
        #expect(english.number(-1000) == "\u{2212}1,000")
        #expect(french.size(1536) == "1,5\u{a0}Kio")
        #expect(english.size(1536) == "1.5\u{a0}KiB")
        #expect(french.size(0) == "0\u{a0}o")
        #expect(english.size(1023) == "1,023\u{a0}B")
        #expect(english.size(1 << 20) == "1\u{a0}MiB")
        #expect(english.size(.max) == "8,191\u{a0}PiB")
        #expect(french.duration(milliseconds: 11_000_000) == "3\u{a0}h\u{a0}03\u{a0}min")
        #expect(english.duration(milliseconds: 59_600) == "1\u{a0}min\u{a0}00\u{a0}s")
        #expect(english.duration(milliseconds: 400) == "0.4\u{a0}s")
        #expect(english.duration(milliseconds: 200_000_000) == "2\u{a0}d\u{a0}7\u{a0}h")
    }

    @Test func whatIsNotAllNeverReadsAsAll() {
        let english = Formats(language: .english)
        #expect(english.share(999_999, of: 1_000_000) == "99.9%")
        #expect(english.share(1, of: 1_000_000) == "0.1%")
        #expect(english.share(5, of: 5) == "100%")
        #expect(english.share(0, of: 0) == "–")
    }

    @Test func daysAreWritten() throws {
        let french = Formats(language: .french)
        let moment = try #require(Timestamp("2026-12-01T08:05:09.000Z"))
        #expect(french.day(moment) == "1er\u{a0}décembre\u{a0}2026")
        #expect(french.moment(moment) == "1er\u{a0}décembre\u{a0}2026 à 08:05\u{a0}UTC")
        #expect(
            Formats(language: .english).moment(moment, seconds: true)
                == "1\u{a0}December\u{a0}2026, 08:05:09\u{a0}UTC")
        #expect(french.day("not a day") == "not a day")
    }
}
