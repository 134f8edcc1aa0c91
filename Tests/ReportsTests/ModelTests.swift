import Bags
import Basics
import Deadlines
import Manifests
import Primitives
import TestKit
import Testing

@testable import Reports

/// Evidence from an archive that a test makes up; nobody verifies it.
struct EvidenceMaker {
    var omitted = #"[{"reason":"sockets","count":2,"accepted":true}]"#
    var status = 0
    var purpose = "end-of-contract"
    var folder = "s01"
    var receipts: [(status: Int, equal: Bool, different: Int)] = []
    var standing = Evidence.Standing.verified
    var events: [String] = [
        #""ev":"source.inventoried","s":0,"artifacts":2,"segments":2,"expected":20,"bytes":4000"#,
        #""ev":"segment.committed","s":0,"a":0,"n":0,"path":"p","bytes":500,"sha256":"00","plainBytes":3000,"exported":8,"omitted":2,"end":0"#,
        #""ev":"segment.committed","s":0,"a":1,"n":0,"path":"q","bytes":100,"sha256":"00","plainBytes":1000,"exported":10,"omitted":0,"end":0"#,
    ]

    func make(in directory: TemporaryDirectory) throws -> Evidence {
        func put(_ path: String, _ text: String) throws {
            let full = directory.path + "/" + path
            try Files.makeDirectory(Files.parent(of: full))
            try Files.write(Array(text.utf8), to: full)
        }
        try put(
            "exeat/catalogue.json",
            """
            {"exeat-catalogue":1,"bag":"urn:uuid:1","createdAt":"2026-11-27T01:00:00.000Z",
            "purpose":"\(purpose)","expected":10,"exported":8,"omitted":2,"sources":[{"folder":"\(folder)",
            "kind":"files","expected":10,"exported":8,"counts":{"file":9,"bytes":4000},"artifacts":[
            {"folder":"\(folder)/tree-00001","kind":"file-tree","legal":"exportable-data","format":"tar",
            "segments":1,"bytes":500},{"folder":"\(folder)/index-00002","kind":"file-index",
            "legal":"exportable-data","format":"jsonl","segments":1,"bytes":100}],"omitted":\(omitted)}]}
            """)
        try put(
            "proof/seal.json",
            """
            {"subject":[{"name":"tagmanifest-sha256.txt","digest":{"sha256":"ab"}}],"predicate":{
            "bag":"urn:uuid:1","name":"valmont","createdAt":"2026-11-27T02:00:00.000Z",
            "run":{"purpose":"\(purpose)","id":"1"},"outcome":{"status":\(status),"expected":10,
            "exported":8,"omitted":2},"payload":{"files":2,"bytes":600},"signer":{"principal":"hoster",
            "ed25519":"SHA256:x","mldsa65":"00"},"tool":{"name":"exeat","version":"9"}}}
            """)
        for (place, receipt) in receipts.enumerated() {
            try put(
                "proof/receipt-\(place + 1).json",
                """
                {"predicate":{"bag":"urn:uuid:1","startedAt":"2026-11-27T03:00:00.000Z",
                "createdAt":"2026-11-27T03:00:0\(place + 1).000Z","verify":"digest","signer":{
                "principal":"hospital","ed25519":"SHA256:y","mldsa65":"01"},"sources":[{"folder":"\(folder)",
                "kind":"files","comparisons":[{"name":"tree-content","expected":"aa","found":"bb",
                "equal":\(receipt.equal)}],"counts":{},"different":\(receipt.different),"notSet":0}],
                "outcome":{"status":\(receipt.status),"different":\(receipt.different),"notSet":0},
                "reservations":[]}}
                """)
        }
        var previous = String(repeating: "0", count: 64)
        var journal = ""
        let opening = #""ev":"run.opened","run":"export","name":"valmont""#
        for (sequence, event) in ([opening] + events + [#""ev":"run.completed","status":0"#])
            .enumerated()
        {
            let line =
                #"{"seq":\#(sequence),"t":"2026-11-27T01:00:0\#(sequence).000Z","prev":"\#(previous)",\#(event)}"#
            previous = SHA256.hash(Array(line.utf8)).hex
            journal += line + "\n"
        }
        try put("exeat/journal.jsonl", journal)
        let bag = try Bag(opening: directory.path).unverified()
        return Evidence(
            standing: standing, report: nil, bag: bag, dossier: nil, manifest: nil, retaken: .null,
            instructions: "set -eu\n\n# 1. Every file.\nsha256sum\n\n# 2. More.\ncut\n")
    }

    func model() throws -> ReportModel {
        let directory = try TemporaryDirectory()
        return ReportModel(
            try make(in: directory), names: true, madeAt: Timestamp(seconds: 1_795_800_000),
            tool: "9")
    }
}

@Suite struct ModelTests {
    @Test func objectsAreCountedOnce() throws {
        let source = try #require(EvidenceMaker().model().sources.first)
        #expect(source.exported == 8)
        #expect(source.expected == 10)
        #expect(source.plainBytes == 4000)
        #expect(source.storedBytes == 600)
    }

    @Test func theVerdictIsTheWorstThatIsKnown() throws {
        #expect(try EvidenceMaker().model().verdict.word == .conforming)
        var maker = EvidenceMaker()
        maker.omitted = #"[{"reason":"sockets","count":2,"accepted":false}]"#
        maker.status = 2
        #expect(try maker.model().verdict.word == .reservations)
        maker.standing = .unknownSigner
        #expect(try maker.model().verdict.word == .unverified)
        maker.standing = .failed(Failure(.bagFileChanged, "changed"))
        let failed = try maker.model().verdict
        #expect(failed.word == .failed)
        #expect(failed.exitStatus == 3)
        #expect(failed.failure?.code == .bagFileChanged)
    }

    @Test func whatIsNotEqualOnTheTargetFailsUntilALaterReceiptSaysOtherwise() throws {
        var maker = EvidenceMaker()
        maker.receipts = [(3, false, 1)]
        let unequal = try maker.model().verdict
        #expect(unequal.word == .failed)
        #expect(unequal.failure?.code == .comparisonFailed)
        maker.receipts = [(3, true, 1)]
        #expect(try maker.model().verdict.word == .failed)
        maker.receipts = [(3, false, 1), (0, true, 0)]
        #expect(try maker.model().verdict.word != .failed)
        maker.receipts = [(0, true, 0), (3, false, 1)]
        #expect(try maker.model().verdict.word == .failed)
        maker.standing = .unknownSigner
        #expect(try maker.model().verdict.word == .failed)
    }

    @Test func aReceiptWhoseSignerNobodyKnowsIsAReservation() throws {
        var maker = EvidenceMaker()
        maker.receipts = [(0, true, 0)]
        // No verification took place here, so nothing vouches for the receipt.
        let model = try maker.model()
        #expect(model.chain.first { $0.kind == .receipt }?.state == .failed)
        #expect(model.verdict.word != .conforming)
    }

    @Test func missingDocumentsAreShownAsMissing() throws {
        let chain = try EvidenceMaker().model().chain
        #expect(chain.filter { $0.state == .missing }.map(\.kind).contains(.acceptance))
        #expect(chain.filter { $0.state == .missing }.map(\.kind).contains(.erasure))
        var trial = EvidenceMaker()
        trial.purpose = "trial"
        #expect(try !trial.model().chain.contains { $0.kind == .erasure })
    }

    @Test func theRunIsDrawnFromTheJournal() throws {
        let run = try #require(EvidenceMaker().model().run)
        #expect(run.milliseconds == 4000)
        #expect(run.plainBytes == 4000)
        #expect(run.meanRate == 1000)
        #expect(abs(run.rows[0].load.reduce(0, +) - 1) < 1e-9)
        let width = Double(run.milliseconds) / Double(RunFacts.bins) / 1000
        #expect(abs(run.throughput.reduce(0) { $0 + $1 * width } - 4000) < 1e-6)
    }

    @Test func whatNobodyWorkedOnIsAPauseAndWhatIsVoidDoesNotCount() throws {
        var maker = EvidenceMaker()
        maker.events.insert(
            contentsOf: [
                #""ev":"run.resumed","segments":1,"end":0"#,
                #""ev":"segment.voided","s":0,"a":0,"n":0,"path":"p""#,
            ], at: 2)
        let run = try #require(maker.model().run)
        #expect(run.pauses == [.init(from: 2000, to: 3000, code: nil)])
        #expect(run.working == run.milliseconds - 1000)
        #expect(run.voided == 1)
        #expect(run.plainBytes == 1000)
    }

    @Test func aScriptIsCutAtItsNumberedComments() {
        let steps = Instruction.steps(
            of: "a\n\n# 1. First.\nb\n# x\nc\n\n# 2. Second,\n# long.\nd\n")
        #expect(steps.map(\.number) == [nil, 1, 2])
        #expect(steps.map(\.commands) == ["a", "b\n# x\nc", "d"])
        #expect(steps.map(\.text) == ["", "First.", "Second, long."])
    }

    @Test(arguments: Language.allCases)
    func hostileNamesStayText(_ language: Language) throws {
        var maker = EvidenceMaker()
        maker.folder = "<img src=x>\u{202e}"
        let html = try maker.model().html(in: language)
        #expect(!html.contains("<img"))
        #expect(!html.unicodeScalars.contains("\u{202e}"))
        #expect(html.contains("&lt;img src=x&gt;"))
        #expect(html.contains("lang=\"\(language.rawValue)\""))
    }

    @Test func theSlugOfAnArtifactIsNotShownWithoutItsManifest() throws {
        let artifact = try #require(EvidenceMaker().model().sources.first?.artifacts.first)
        #expect(artifact.label == "00001")
    }

    @Test func anArchiveOfWhichNothingCanBeReadHasAReport() throws {
        let evidence = Evidence(
            standing: .failed(Failure(.tarHeader, "no tar")), report: nil,
            bag: nil as UnverifiedBag?, dossier: nil, manifest: nil, retaken: .null,
            instructions: "")
        let model = ReportModel(
            evidence, names: false, madeAt: Timestamp(seconds: 0), tool: "9")
        #expect(model.verdict.exitStatus == 3)
        #expect(model.html(in: .english).contains("330"))
        #expect(model.problems.count == 1)
    }
}

@Suite struct DayReaderTests {
    @Test func aMomentHasTheDayOfTheCalendarThatReckons() throws {
        let days = DayReader(calendar: try HolidayCalendar.named("fr"))
        let late = try #require(Timestamp("2026-11-27T23:30:00Z"))
        #expect(days(late) == "2026-11-28")
        #expect(days(try #require(Timestamp("2026-11-27T22:59:59Z"))) == "2026-11-27")
        #expect(days(try #require(Timestamp("2026-07-13T22:00:00Z"))) == "2026-07-14")
        #expect(DayReader(calendar: nil)(late) == "2026-11-27")
    }
}
