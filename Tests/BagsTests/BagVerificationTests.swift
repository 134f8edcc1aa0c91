import Bags
import Basics
import Glibc
import Primitives
import Streams
import TestKit
import Testing

@Suite struct BagVerificationTests {
    /// The code of a directory with these files; `spoil` may do what a map of files cannot.
    private func code(
        _ files: [String: [UInt8]], spoil: (String) throws -> Void = { _ in }
    ) async throws -> Failure.Code? {
        let scratch = try TemporaryDirectory()
        try BagMaker.write(files, to: scratch.path)
        try spoil(scratch.path)
        return try await examine(scratch.path)?.code
    }

    @Test(arguments: [true, false]) func goodBagsPassInEveryForm(full: Bool) async throws {
        var maker = BagMaker()
        maker.sha512 = full
        maker.withProof = full
        let scratch = try TemporaryDirectory()
        try BagMaker.write(try maker.files(), to: scratch.path + "/bag")
        for workers in [1, 3] {
            #expect(try await examine(scratch.path + "/bag", workers: workers) == nil)
        }
        try BagMaker.overwrite(scratch.path + "/bag.tar", try maker.tar())
        #expect(try await examine(scratch.path + "/bag.tar") == nil)
        #expect(try await examineStream(try maker.tar()) == nil)
    }

    @Test func verifiedBagGivesSealedBytesAndNoOthers() async throws {
        let scratch = try TemporaryDirectory()
        let maker = BagMaker()
        try BagMaker.write(try maker.files(), to: scratch.path)
        let bag = try await Bag(opening: scratch.path).verified(
            by: DigestVerifier(), workers: 2, progress: Progress())
        let segment = try BagPath("data/s01/table-00001/segment-00000.copy.zst")
        #expect(try bag.read(segment) == Array("first segment".utf8))
        #expect(bag.report.signer == DigestVerifier.signer)
        #expect(bag.report.payload == .init(bytes: 1052, files: 4))
        #expect(bag.digest(of: segment) == SHA256.hash(Array("first segment".utf8)))
        #expect(throws: Failure(.bagFileMissing, "")) {
            try bag.read(try BagPath("data/s01/table-00001/segment-00009.copy.zst"))
        }
        // Changed behind our back, after the verification.
        try BagMaker.overwrite(scratch.path + "/" + segment.text, Array("first sEgment".utf8))
        #expect(throws: Failure(.digestMismatch, "")) { try bag.read(segment) }
        #expect(
            try Bag(opening: scratch.path).unverified().read(segment)
                == Array("first sEgment".utf8))
    }

    @Test func reportNamesEveryFaultInOrder() async throws {
        var files = try BagMaker().files()
        for path in files.keys where path.hasPrefix("data/s01") { files[path] = [1, 2, 3] }
        files["data/s03/x/segment-00000"] = [1]
        let scratch = try TemporaryDirectory()
        try BagMaker.write(files, to: scratch.path)
        let report = try await Bag(opening: scratch.path).examine(
            by: DigestVerifier(), workers: 2, progress: Progress())
        #expect(!report.isGood)
        #expect(
            report.problems.map(\.path) == [
                "data/s01/table-00001/segment-00000.copy.zst",
                "data/s01/table-00001/segment-00001.copy.zst",
                "data/s01/table-00002/segment-00000.copy.zst", "data/s03/x/segment-00000",
                "proof/seal.json", "bag-info.txt",
            ])
        #expect(report.checks.contains { $0.name == "payload digests" && $0.outcome == .failed })
        #expect(report.checks.contains { $0.name == "signatures" && $0.outcome == .passed })
    }

    // MARK: - What BagIt itself does not give (proof-format.md, 2.2)

    @Test(arguments: [
        ("data/s01/table-00001/extra", Failure.Code.bagFileUnexpected),
        ("extra.txt", .bagFileUnexpected), ("exeat/extra.json", .bagFileUnexpected),
        ("verify.txt", .bagFileUnexpected), ("fetch.txt", .bagFetchForbidden),
        ("manifest-md5.txt", .bagManifestUnsupported),
        ("tagmanifest-sha1.txt", .bagManifestUnsupported),
        ("proof/extra", .bagProofUnexpected), ("proof/keys/other.pem", .bagProofUnexpected),
        ("proof/keys/deep/other.pem", .bagProofUnexpected),
        ("proof/receipt-01.json", .bagProofUnexpected),
        ("proof/acceptance.json", .signatureMissing),
        ("proof/erasure.json.sig", .bagFileMissing), ("data/short", .bagPathUnsafe),
        (".hidden", .bagPathUnsafe), ("data/s01/UPPER/x", .bagPathUnsafe),
        ("data/s01/b c/x", .bagPathUnsafe), ("data/s01/-x/y", .bagPathUnsafe),
        ("data/s01/x/" + String(repeating: "y", count: 90), .bagPathTooLong),
        (".exeat-run/state", .bagUnfinished), ("proof.partial/seal.json", .bagUnfinished),
        ("exeat/manifest.json.age", .bagFileUnexpected),
    ])
    func extraFileIsRefused(path: String, expected: Failure.Code) async throws {
        var files = try BagMaker().files()
        files[path] = [1]
        #expect(try await code(files) == expected)
    }

    @Test func eachMissingFileIsNamed() async throws {
        let files = try BagMaker().files()
        let special: [String: Failure.Code] = [
            "bagit.txt": .bagDeclaration, "manifest-sha256.txt": .bagManifestMissing,
            "manifest-sha512.txt": .bagManifestMissing,
            "tagmanifest-sha256.txt": .bagTagManifestMissing,
            "tagmanifest-sha512.txt": .bagTagManifestMissing, "proof/seal.json": .bagUnsealed,
            "proof/seal.json.sig": .signatureMissing,
            "proof/seal.json.mldsa65": .signatureMissing,
            "proof/receipt-1.json.sig": .signatureMissing,
            "proof/receipt-1.json.mldsa65": .signatureMissing,
        ]
        for path in files.keys {
            var spoiled = files
            spoiled[path] = nil
            #expect(try await code(spoiled) == special[path] ?? .bagFileMissing, "\(path)")
        }
    }

    @Test func linksAndSpecialFilesAreRefused() async throws {
        let files = try BagMaker().files()
        let segment = "/data/s01/table-00001/segment-00000.copy.zst"
        #expect(
            try await code(files) { symlink("/etc", $0 + "/data/s01/etc") } == .bagFileKind)
        #expect(
            try await code(files) { root in
                // Listed, same bytes, but reached by a link.
                rename(root + segment, root + ".moved")
                symlink(root + ".moved", root + segment)
            } == .bagFileKind)
        #expect(
            try await code(files) { root in
                rename(root + "/data/s01", root + ".tables")
                symlink(root + ".tables", root + "/data/s01")
            } == .bagFileKind)
        #expect(try await code(files) { mkfifo($0 + "/data/fifo", 0o644) } == .bagFileKind)
        #expect(
            try await code(files) { mkdir($0 + "/data/s01/empty", 0o755) } == .bagDirectoryEmpty)
        #expect(try await code(files) { mkdir($0 + "/.exeat-run", 0o700) } == .bagUnfinished)
    }

    @Test func remadeManifestIsNotSealed() async throws {
        let maker = BagMaker()
        var forged = BagMaker()
        forged.otherJournal = maker.journal
        forged.payload["data/s01/table-00001/segment-00000.copy.zst"] = Array("FIRST segment".utf8)
        var files = try forged.files()
        for (path, bytes) in try maker.files() where path.hasPrefix("proof/") {
            files[path] = bytes
        }
        #expect(try await code(files) == .sealSubjectMismatch)
        files["tagmanifest-sha256.txt"] = nil
        files["tagmanifest-sha512.txt"] = nil
        #expect(try await code(files) == .bagTagManifestMissing)
    }

    @Test func tagManifestListsExactlyTheTagFiles() async throws {
        var maker = BagMaker()
        maker.beforeTags = { $0["proof/seal.json"] = [1] }
        var files = try maker.files()
        #expect(try await code(files) == .bagTagManifestMalformed)
        // A tag file that is nowhere listed.
        maker.beforeTags = { $0["VERIFY.txt"] = nil }
        files = try maker.files()
        files["VERIFY.txt"] = [1]
        #expect(try await code(files) == .bagFileUnexpected)
    }

    // MARK: - Attacks on the seal and the journal (proof-format.md, 2.6)

    @Test func partsOfAnotherRunAreNotTaken() async throws {
        let ours = try BagMaker().files()
        var other = BagMaker()
        other.otherJournal = BagMaker.journal(
            ["run.opened", "segment.committed", "run.completed"], run: "b")
        other.payload["data/s01/table-00001/segment-00000.copy.zst"] = Array("FIRST".utf8)
        let theirs = try other.files()
        var mixed = ours
        mixed["exeat/journal.jsonl"] = theirs["exeat/journal.jsonl"]
        #expect(try await code(mixed) == .bagFileChanged)
        mixed = ours
        for (path, bytes) in theirs where path.hasPrefix("data/") { mixed[path] = bytes }
        #expect(try await code(mixed) == .bagFileChanged)
        mixed = ours
        for (path, bytes) in theirs where path.hasPrefix("proof/seal") { mixed[path] = bytes }
        #expect(try await code(mixed) != nil)
    }

    @Test func sealOfAnotherJournalIsNoticed() async throws {
        let lines = BagMaker().journal.split(separator: 0x0a).map { Array($0) + [0x0a] }
        let spoiled: [([[UInt8]], Failure.Code)] = [
            ([lines[0], lines[1]], .journalMalformed), ([lines[1], lines[2]], .journalBroken),
            ([lines[0], lines[2], lines[1]], .journalBroken),
            (lines + [lines[2]], .journalBroken), ([], .journalMalformed),
            ([lines[0], Array("{}\n".utf8)], .journalMalformed),
            ([lines[0], lines[1], lines[2].dropLast()], .journalMalformed),
            ([lines[0], Array("x\n".utf8)], .journalMalformed),
            ([lines[0].dropLast(2) + Array(",\"a\":null}\n".utf8), lines[1]], .journalMalformed),
            ([lines[0].dropLast(2) + Array(",\"a\":[[1]]}\n".utf8), lines[1]], .journalMalformed),
        ]
        for (parts, expected) in spoiled {
            var maker = BagMaker()
            maker.withProof = false
            let journal = parts.flatMap { $0 }
            maker.beforeTags = { $0["exeat/journal.jsonl"] = journal }
            #expect(try await code(try maker.files()) == expected)
        }
    }

    @Test func sealMustBeAboutThisBag() async throws {
        let spoilings: [((inout Seal) -> Void, Failure.Code)] = [
            ({ $0.subject = Digest256() }, .sealSubjectMismatch),
            ({ $0.bag = "01935a2b-7c00-7000-8000-000000000002" }, .bagInfoMismatch),
            ({ $0.payload = .init(bytes: 1, files: 1) }, .sealSubjectMismatch),
            ({ $0.journal = BagMaker.summary([]) }, .journalMismatch),
            ({ $0.keys = [] }, .bagProofUnexpected),
            (
                { $0.keys[0] = .init(name: "keys/exporter.pem", sha256: Digest256()) },
                .bagFileChanged
            ),
            (
                { $0.keys.append(.init(name: "keys/x.pem", sha256: Digest256())) },
                .bagFileMissing
            ),
            ({ $0.openings = [] }, .journalMismatch),
            (
                { $0.openings = [.init(name: "opening.tsr", sha256: Digest256())] },
                .journalMismatch
            ),
            (
                { $0.openings = [.init(name: "timestamped.txt.tsr", sha256: Digest256())] },
                .sealMalformed
            ),
            ({ $0.series = .init(id: $0.bag, sequence: 2, previous: nil) }, .sealMalformed),
            (
                { $0.series = .init(id: $0.bag, sequence: 2, previous: Digest256()) },
                .sealMalformed
            ),
            ({ $0.series = .init(id: "x", sequence: 1, previous: nil) }, .sealMalformed),
            (
                { $0.outcome = .init(status: 1, expected: 1, exported: 1, omitted: 0) },
                .sealMalformed
            ),
            (
                { $0.signer = .init(principal: "x", ed25519: "y", mldsa65: "z") },
                .signerPairMismatch
            ),
        ]
        for (index, (spoil, expected)) in spoilings.enumerated() {
            var maker = BagMaker()
            maker.beforeSeal = spoil
            let found = try await code(try maker.files())
            #expect(found == expected, "case \(index)")
        }
    }

    @Test func tarOfAnotherNameIsNoticed() async throws {
        var maker = BagMaker()
        let files = try maker.files()
        maker.name = "other"
        #expect(try await examineStream(try maker.tar(files))?.code == .sealSubjectMismatch)
    }

    @Test func failureOutsideThePayloadStopsBeforeThePayloadIsRead() async throws {
        var files = try BagMaker().files()
        files["proof/seal.json.sig"] = [1]
        let scratch = try TemporaryDirectory()
        try BagMaker.write(files, to: scratch.path)
        let progress = Progress()
        await #expect(throws: Failure(.signatureInvalid, "")) {
            _ = try await Bag(opening: scratch.path).verified(
                by: DigestVerifier(), workers: 2, progress: progress)
        }
        #expect(progress.objects == Int64(files.count - BagMaker().payload.count))
        progress.cancel()
        await #expect(throws: Failure(.cancelled, "")) {
            _ = try await Bag(opening: scratch.path).examine(
                by: DigestVerifier(), workers: 2, progress: progress)
        }
    }

    @Test func whatIsNoBagIsSaid() async throws {
        let scratch = try TemporaryDirectory()
        #expect(try await examine(scratch.path + "/nothing")?.code == .bagNotFound)
        mkfifo(scratch.path + "/fifo", 0o600)
        #expect(try await examine(scratch.path + "/fifo")?.code == .bagNotFound)
        #expect(try await examine(try scratch.file("empty.tar"))?.code == .tarTruncated)
    }
}
