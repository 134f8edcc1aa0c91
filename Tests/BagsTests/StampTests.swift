import Bags
import Basics
import Primitives
import Streams
import TestKit
import Testing

/// Time-stamps against what seal and journal claim, with a verifier that believes what it is told.
@Suite struct StampTests {
    private static let sealed = Timestamp(seconds: 1_795_456_800)

    private func report(
        _ files: [String: [UInt8]], _ verifier: DigestVerifier = DigestVerifier()
    ) async throws -> VerificationReport {
        let scratch = try TemporaryDirectory()
        try BagMaker.write(files, to: scratch.path)
        return try await Bag(opening: scratch.path).examine(
            by: verifier, workers: 1, progress: Progress())
    }

    private func code(
        _ maker: BagMaker, _ verifier: DigestVerifier = DigestVerifier()
    ) async throws -> Failure.Code? {
        try await report(try maker.files(), verifier).failure?.code
    }

    private func off(_ seconds: Int) -> [UInt8] { Array("\(seconds)\n".utf8) }

    @Test func certifiedTimesAreReported() async throws {
        let report = try await report(try BagMaker().files())
        #expect(report.isGood)
        #expect(report.opening == Self.sealed)
        #expect(report.closing == Self.sealed)
        #expect(report.json["timeStamps"]?.array?.count == 2)
    }

    @Test func untrustedTimesCountForNothing() async throws {
        var verifier = DigestVerifier()
        verifier.isTrusted = false
        verifier.lastDay = Timestamp(seconds: 0)
        let report = try await report(try BagMaker().files(), verifier)
        #expect(report.isGood)
        #expect(report.opening == nil && report.closing == nil)
        #expect(report.checks.filter { $0.outcome == .unchecked }.count == 2)
        verifier.demands.timeStamps = true
        #expect(try await code(BagMaker(), verifier) == .timeStampMissing)
    }

    @Test func sealIsJudgedAtItsDate() async throws {
        var verifier = DigestVerifier()
        verifier.lastDay = Self.sealed
        #expect(try await code(BagMaker(), verifier) == nil)
        verifier.lastDay = Timestamp(seconds: Self.sealed.seconds - 1)
        #expect(try await code(BagMaker(), verifier) == .signerOutOfDate)
    }

    @Test(
        arguments: [
            (0, 0, nil), (-290, 0, nil), (-301, 0, .timeStampBackdated),
            (-86_400, 0, .timeStampBackdated),
            (0, -301, .timeStampOrder), (0, 290, nil), (0, 86_400, nil),
            (100, 98, .timeStampOrder),
            (100, 99, nil), (86_400, 90_000, .timeStampBackdated),
        ] as [(Int, Int, Failure.Code?)])
    func timesMustFit(opening: Int, closing: Int, expected: Failure.Code?) async throws {
        var maker = BagMaker()
        maker.openingOff = off(opening)
        maker.closingOff = off(closing)
        #expect(try await code(maker) == expected)
    }

    @Test func closingStampMustNotBeOlderThanTheSeal() async throws {
        var maker = BagMaker()
        maker.closingOff = off(-301)
        let report = try await report(try maker.files())
        let problem = report.problems.first { $0.path == "proof/timestamped.txt.tsr" }
        #expect(problem?.failure.code == .timeStampBackdated)
    }

    @Test func timesOfTheFutureAreRefused() async throws {
        var verifier = DigestVerifier()
        verifier.demands.now = Timestamp(seconds: Self.sealed.seconds - 299)
        #expect(try await code(BagMaker(), verifier) == nil)
        verifier.demands.now = Timestamp(seconds: Self.sealed.seconds - 301)
        #expect(try await code(BagMaker(), verifier) == .timeStampBackdated)
    }

    @Test func withoutStampsTheReaderDecides() async throws {
        var maker = BagMaker()
        maker.withProof = false
        #expect(try await code(maker) == nil)
        var verifier = DigestVerifier()
        verifier.demands.timeStamps = true
        let report = try await report(try maker.files(), verifier)
        #expect(report.problems.map(\.failure.code) == [.timeStampMissing, .timeStampMissing])
    }

    @Test func strippedStampsAreNoticed() async throws {
        let files = try BagMaker().files()
        func without(_ paths: String...) async throws -> Failure.Code? {
            try await report(files.filter { !paths.contains($0.key) }).failure?.code
        }
        #expect(try await without("proof/opening.tsr") == .bagFileMissing)
        #expect(try await without("proof/timestamped.txt") == .bagFileMissing)
        #expect(try await without("proof/timestamped.txt.tsr") == .bagFileMissing)
        // Both of the end: only who asks for them notices.
        #expect(try await without("proof/timestamped.txt", "proof/timestamped.txt.tsr") == nil)
    }

    @Test func severalAuthoritiesHaveTheirPlaces() async throws {
        var files = try BagMaker().files()
        files["proof/opening-2.tsr"] = files["proof/opening.tsr"]
        files["proof/timestamped.txt-9.tsr"] = files["proof/timestamped.txt.tsr"]
        files["proof/timestamped.txt-9.tsq"] = [1]
        let report = try await report(files)
        #expect(report.isGood, "\(String(describing: report.failure))")
        #expect(report.stamps.count == 4)
        for name in [
            "opening-1.tsr", "opening-10.tsr", "opening-0.tsq", "timestamped.tsr", "x.tsq",
        ] {
            var more = files
            more["proof/" + name] = files["proof/opening.tsr"]
            let failure = try await self.report(more).failure?.code
            #expect(failure == .bagProofUnexpected, "\(name)")
        }
    }

    @Test func tokenOfOneIsNoneOfTheOther() async throws {
        var files = try BagMaker().files()
        files["proof/timestamped.txt.tsr"] = files["proof/opening.tsr"]
        #expect(try await report(files).failure?.code == .timeStampImprint)
    }

    @Test func looseTokensAreTakenInFreePlaces() async throws {
        var files = try BagMaker().files()
        let token = try #require(files["proof/timestamped.txt.tsr"])
        files["proof/timestamped.txt"] = nil
        files["proof/timestamped.txt.tsr"] = nil
        var verifier = DigestVerifier()
        verifier.demands.tokens = [("loose.tsr", token)]
        verifier.demands.timeStamps = true
        let report = try await report(files, verifier)
        #expect(report.isGood)
        #expect(report.closing == Self.sealed)
        // One that is about nothing here is a fault, not an ornament.
        verifier.demands.tokens.append(("other.tsr", DigestVerifier.sign("tsr", [1])))
        let failed = try await self.report(files, verifier)
        #expect(failed.problems.map(\.path) == ["other.tsr"])
        #expect(failed.failure?.code == .timeStampImprint)
    }

    @Test func expiryIsJudgedByTheReader() async throws {
        var maker = BagMaker()
        maker.beforeSeal = { $0.restoreBefore = Timestamp(seconds: Self.sealed.seconds + 100) }
        var verifier = DigestVerifier()
        verifier.demands.now = Timestamp(seconds: Self.sealed.seconds + 99)
        #expect(try await code(maker, verifier) == nil)
        verifier.demands.now = Timestamp(seconds: Self.sealed.seconds + 100)
        #expect(try await code(maker, verifier) == .sealExpired)
        verifier.demands.acceptsExpired = true
        #expect(try await code(maker, verifier) == nil)
    }

    @Test func sealRoundTripsWithItsSeries() throws {
        var seal: Seal?
        var maker = BagMaker()
        maker.beforeSeal = {
            $0.series = .init(
                id: "01935a2b-7c00-7000-8000-000000000009", sequence: 3, previous: SHA256.hash([1]))
            $0.restoreBefore = Self.sealed
            $0.timestamps = 2
            seal = $0
        }
        let bytes = try #require(try maker.files()["proof/seal.json"])
        #expect(try Seal(parsing: bytes) == seal)
    }
}
