import Basics
import Connectors
import Deadlines
import Dossiers
import Manifests
import Testing

@testable import LogConnectors
@testable import MariaDBConnector
@testable import PostgreSQLConnector
@testable import ProxmoxConnector
@testable import Rehearsals
@testable import Reports
@testable import Runs
@testable import Trees

/// Words that connectors and runs put into documents have a text in every report.
struct WordsTests {
    static let words: [String] = {
        var words = TimelineEvent.planned.map(\.rawValue)
        words += raw(FileOmission.self)
        words += raw(LogOmission.self)
        words += raw(DatabaseOmission.self)
        words += raw(MariaDBOmission.self)
        words += raw(ProxmoxOmission.self)
        words += raw(DeclaredCoverage.Gap.Kind.self)
        words += raw(ErasureLock.Reason.Kind.self)
        words += raw(ImportPhase.self)
        words += raw(RehearsedSource.Outcome.self)
        return Set(words).sorted()
    }()

    private static func raw<Word: CaseIterable & RawRepresentable<String>>(
        _ type: Word.Type
    ) -> [String] { type.allCases.map(\.rawValue) }

    @Test(arguments: WordsTests.words) func frenchHasIt(_ word: String) {
        #expect(Texts(.french).knows(word))
    }

    /// What two parts call the same must be the same thing, or one of them reads wrongly.
    @Test func noWordIsItsOwnTranslationByAccident() {
        let same = Texts.frenchTerms.filter { $0.key == $0.value }.map(\.key)
        #expect(Set(same).isSubset(of: Self.alike), "\(Set(same).subtracting(Self.alike))")
    }

    static let alike: Set = [
        "documents", "import", "journal", "machine", "machines", "secrets", "signatures", "sockets",
        "structure", "tables", "total", "version",
    ]

    @Test func failuresOfArchivesHaveAMeaning() {
        let words = Set(Failure.Code.allCases.filter { $0.exitStatus == 3 }.map(\.word))
        #expect(Set(Texts.frenchFailures.keys) == words)
    }

    @Test(arguments: Reservation.Kind.allCases)
    func reservationsAreReadBackAndTranslated(_ kind: Reservation.Kind) throws {
        let places = (0..<9).filter { kind.rawValue.contains("{\($0)}") }.count
        let reservation = Reservation(kind, (0..<places).map { String(10 + $0) })
        #expect(Reservation(parsing: reservation.text) == reservation)
        #expect(!reservation.text.contains { "{}/".contains($0) })
        for table in [Texts.frenchReservations, Texts.englishReservations] {
            let text = try #require(table[kind])
            let values = Texts.pieces(of: text).compactMap { piece -> Int? in
                if case .value(let place) = piece { place } else { nil }
            }
            #expect(Set(values) == Set(0..<places))
        }
    }

    /// Receipts that were signed before speak of one thing in the plural.
    @Test(arguments: Reservation.Kind.allCases.filter { $0.rawValue.contains("{0:") })
    func ofOneThingAReservationSpeaksInTheSingular(_ kind: Reservation.Kind) {
        let (one, two) = (Reservation(kind, ["1"]), Reservation(kind, ["2"]))
        #expect(Reservation(parsing: one.text) == one)
        #expect(Reservation(parsing: two.text) == two)
        let old = two.text.replacing("2", with: "1")
        #expect(old != one.text)
        #expect(Reservation(parsing: old) == one)
        #expect(Reservation(parsing: one.text.replacing("1", with: "2")) == nil)
    }

    @Test func numbersAndWordsOfReservationsGoTogether() {
        #expect(
            Reservation(.omitted, count: 1).text
                == "1 object was omitted from the archive at export")
        #expect(
            Reservation(.clockAhead, count: 1).text
                == "the clock of 1 source was ahead: the beginning of the export stands for its moment"
        )
        #expect(
            Reservation(.damaged, count: 21).text
                == "the archive did not pass its verification: 21 faults; only what is intact was rehearsed"
        )
        #expect(
            Reservation(.older, ["1", "1", "2", "x", "y"]).text.contains(
                "by 1 although the archive is number 1 of"))
    }

    @Test func whatIsNoneOfOursStaysAsItIs() {
        for text in [
            "", "x", "the target was not compared.", " attributes could not be set on the target",
        ] {
            #expect(Reservation(parsing: text) == nil)
        }
        let named = Reservation(
            .older, ["A: b and C", "3", "5", "2026-01-02T03:04:05.000Z", "why: so"])
        #expect(Reservation(parsing: named.text) == named)
    }

    @Test(arguments: [
        ("1 entries", "1 entrée", "1 entry"), ("2 entries", "2 entrées", "2 entries"),
        ("5 equal", "5 égaux", "5 equal"), ("11 of 12", "11 sur 12", "11 of 12"),
        (
            "7 entries, 1 lines, 2026-01-02T03:04:05Z to 2026-01-03T00:00:00Z, ab12",
            "7 entrées, 1 ligne, de 2026-01-02T03:04:05Z à 2026-01-03T00:00:00Z, ab12",
            "7 entries, 1 line, 2026-01-02T03:04:05Z to 2026-01-03T00:00:00Z, ab12"
        ),
        (
            "0 entries, 3 lines, none to none, ab12", "0 entrée, 3 lignes, aucune heure, ab12",
            "0 entries, 3 lines, no time, ab12"
        ),
    ])
    func whatComparisonsFoundIsToldInBothLanguages(
        _ text: String, _ french: String, _ english: String
    ) throws {
        let sentence = try #require(Sentence(found: text))
        func plain(_ language: Language) -> String {
            var text = Texts(language).html(sentence).markup
            for mark in ["<bdi>", "</bdi>"] { text = text.replacing(mark, with: "") }
            return text
        }
        #expect(plain(.french) == french)
        #expect(plain(.english) == english)
    }

    @Test(arguments: [
        "", "12", "ab12", "missing", "12 ab12", "-1 entries", "x of 12", "01 of 1", "1 of 2 x",
        "12 entries ",
    ])
    func whatElseComparisonsFoundStaysAsItIs(_ text: String) {
        #expect(Sentence(found: text) == nil)
    }

    /// The connector for logs writes the sentence that reports read.
    @Test func theDigestOfALogIsReadBack() {
        var totals = TextTotals()
        let chain = TextStreamRecord.chain([])
        #expect(Sentence(found: totals.text(chain))?.phrase == .foundStreamEmpty)
        (totals.entries, totals.lines) = (2, 3)
        totals.first = Timestamp("2026-01-02T03:04:05.000Z")
        totals.last = totals.first
        #expect(Sentence(found: totals.text(chain))?.phrase == .foundStream)
    }
}
