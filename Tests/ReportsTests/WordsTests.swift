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
        let places = kind.rawValue.filter { $0 == "{" }.count
        let reservation = Reservation(kind, (0..<places).map { String(10 + $0) })
        #expect(Reservation(parsing: reservation.text) == reservation)
        for table in [Texts.frenchReservations, Texts.englishReservations] {
            let text = try #require(table[kind])
            let values = Texts.pieces(of: text).compactMap { piece -> Int? in
                if case .value(let place) = piece { place } else { nil }
            }
            #expect(Set(values) == Set(0..<places))
        }
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
}
