public import Bags
public import Basics
public import Connectors
public import Dossiers
import Glibc
public import Manifests
import Signatures
public import Streams

/// `exeat verify`: closed-world integrity, signatures and coverage without any secret key; with one
/// also the encrypted manifest and every plaintext.
public struct Verification: Sendable {
    public let report: VerificationReport
    /// What reading the manifest and the plaintexts found; null without a key.
    private let findings: Findings?
    /// What reading the manifest and the plaintexts found; null without a key.
    public var content: JSON { findings?.json ?? .null }
    /// The same, in which sources are folders and objects are numbers.
    public var namelessContent: JSON { findings?.nameless ?? .null }
    /// True of a failure that may name an object, since manifest or plaintexts are not as they should be.
    public let namesObjects: Bool
    /// The signed documents about the archive; nil where its seal is not good.
    public let dossier: Dossier?
    public let failure: Failure?
    /// The archive as far as it passed: for who reads on what was verified.
    public let bag: VerifiedBag?
    /// nil where it could not be read, or did not pass.
    public let manifest: Manifest?

    private init(
        _ report: VerificationReport, _ findings: Findings? = nil, failure: Failure?,
        namesObjects: Bool = false, bag: VerifiedBag? = nil, manifest: Manifest? = nil,
        dossier: Dossier? = nil
    ) {
        self.report = report
        self.findings = findings
        self.namesObjects = namesObjects
        self.failure = failure
        self.bag = bag
        self.manifest = manifest
        self.dossier = dossier
    }

    public static func run(
        _ archive: String, trust: TrustOptions, keys: ArchiveKeys, auditors: [any Auditor.Type],
        folder: String? = nil, isProofEnough: Bool = false, world: World, progress: Progress
    ) async throws(Failure) -> Verification {
        let stored = try await run(
            archive, by: KeyVerifier(trust, of: archive, now: world.now()), keys, auditors, progress
        )
        return try stored.withDossier(
            of: archive, TrustedKeys(files: trust.trust), folder, isProofEnough, world)
    }

    /// Looks for damage alone, where nobody has said whom to trust: a good result says nothing about
    /// who made the archive, and signers in it are what the archive claims.
    public static func runUntrusting(
        _ archive: String, keys: ArchiveKeys, auditors: [any Auditor.Type],
        folder: String? = nil, isProofEnough: Bool = false, world: World, progress: Progress
    ) async throws(Failure) -> Verification {
        let stored = try await run(archive, by: ClaimVerifier(), keys, auditors, progress)
        return try stored.withDossier(of: archive, .nobody, folder, isProofEnough, world)
    }

    /// Adds the signed documents about the archive, and what is wrong with them.
    private func withDossier(
        of archive: String, _ keys: TrustedKeys, _ folder: String?, _ isProofEnough: Bool,
        _ world: World
    ) throws(Failure) -> Verification {
        guard report.isProofGood else { return self }
        let dossier = try DossierReader(keys: keys, now: world.now()).read(
            report, folders: OpenDossier.folders(of: archive, folder))
        var failure = failure
        if isProofEnough, failure?.code == .payloadAbsent { failure = nil }
        if failure == nil || failure?.code == .payloadAbsent, let problem = dossier.problems.first {
            failure = problem.failure
        }
        return Verification(
            report, findings, failure: failure, namesObjects: namesObjects, bag: bag,
            manifest: manifest, dossier: dossier)
    }

    /// Everything but the dossier.
    private static func run(
        _ archive: String, by verifier: some SealVerifier, _ keys: ArchiveKeys,
        _ auditors: [any Auditor.Type], _ progress: Progress
    ) async throws(Failure) -> Verification {
        if archive == "-" {
            guard keys.isEmpty else {
                throw Failure(
                    .usage, "an archive on standard input can only be verified as it is stored",
                    hint: "Leave --decrypt-with out, or store the archive in a file first.")
            }
            let report = try await BagStream.examine(
                SharedDescriptor(Descriptor(owning: dup(0)), name: "standard input"),
                by: verifier, progress: progress)
            return Verification(report, failure: report.failure)
        }
        let bag = try Bag(opening: archive)
        let (report, passed) = try await bag.examined(
            by: verifier, workers: Scheduler.standardWorkers, progress: progress)
        guard let verified = passed else {
            return Verification(
                report,
                failure: report.failure
                    ?? Failure(.bagUnsealed, "the archive has no seal that could be verified"))
        }
        let coverage: Coverage<VerifiedBag>
        do throws(Failure) {
            coverage = try Coverage(verified)
            try coverage.check()
        } catch { return Verification(report, failure: error) }
        let isEncrypted = bag.entries.contains { $0.path.text == "exeat/manifest.json.age" }
        if isEncrypted, keys.isEmpty {
            return Verification(report, failure: nil, bag: verified)
        }
        let archive = try OpenArchive(verified, keys: keys)
        do throws(Failure) {
            try archive.checkManifest(against: verified)
            try coverage.check(archive.manifest)
            let findings = try await audit(archive, auditors, progress)
            return Verification(
                report, findings, failure: nil, bag: verified, manifest: archive.manifest)
        } catch {
            if error.code == .cancelled { throw error }
            return Verification(report, failure: error, namesObjects: true)
        }
    }

    /// Reads every plaintext, and has the connectors take the content digests again.
    private static func audit(
        _ archive: OpenArchive, _ auditors: [any Auditor.Type], _ progress: Progress
    ) async throws(Failure) -> Findings {
        let scheduler = Scheduler(workers: Scheduler.standardWorkers)
        defer { scheduler.close() }
        var findings = Findings()
        for source in archive.manifest.sources {
            guard let type = auditors.first(where: { $0.kind == source.kind }) else {
                throw Failure(
                    .unsupported, "no connector for kind \"\(source.kind)\" of the archive",
                    hint: "Use a release of exeat that knows it.")
            }
            let auditor = try type.init(source, from: archive, progress: progress)
            try await scheduler.run(Array(0..<auditor.slices)) { (slice) throws(Failure) in
                try auditor.audit(slice)
            }
            let comparisons = try await scheduler.run { () throws(Failure) in
                try auditor.conclude()
            }
            if let wrong = comparisons.first(where: { !$0.equal }) {
                throw Failure(
                    .comparisonFailed,
                    "\(wrong.name) of source \"\(source.name)\" is not what the manifest says")
            }
            findings.sources.append((source.name, source.folder, comparisons))
        }
        return findings
    }

    /// Digests that were taken again, by source.
    private struct Findings: Sendable {
        var sources: [(name: String, folder: String, comparisons: [ImportResult.Comparison])] = []

        var json: JSON {
            .array(
                sources.map { source in
                    [
                        "source": .string(source.name),
                        "comparisons": .array(source.comparisons.map(\.json)),
                    ]
                })
        }

        var nameless: JSON {
            .array(
                sources.map { source in
                    [
                        "source": .string(source.folder),
                        "comparisons": .array(source.comparisons.nameless),
                    ]
                })
        }
    }
}

extension Verification {
    public var json: JSON {
        var members = report.json.members ?? []
        // Good is what has passed in all respects.
        if failure != nil || report.absent != nil {
            members = members.map { $0.key == "good" ? .init("good", .bool(false)) : $0 }
        }
        members.append(.init("content", content))
        if let dossier { members.append(.init("dossier", dossier.json)) }
        if let failure {
            members.append(Self.member(failure))
            // What was found beyond the stored bytes is a problem like those.
            if report.problems.isEmpty,
                let place = members.firstIndex(where: { $0.key == "problems" })
            {
                members[place] = Self.problems(failure)
            }
        }
        return .object(members)
    }

    /// The answer about an archive that could not be examined at all.
    public static func json(of failure: Failure) -> JSON {
        .object([
            .init("good", .bool(false)), problems(failure), .init("problemCount", .integer(1)),
            member(failure),
        ])
    }

    /// The same for people.
    public static func text(of failure: Failure) -> String { problem(failure) + "\nNOT GOOD" }

    /// What a copy of the proof alone says, and what it cannot say.
    private func proofOnly(_ seal: Seal) -> [String] {
        [
            "PROOF ONLY: the seal of \(seal.signer.principal) of \(seal.createdAt.text) holds, and with "
                + "it the list of \(counted(seal.payload.files, "file")) of "
                + "\(counted(seal.payload.bytes, "byte")), the "
                + "journal, the catalogue and the documents above",
            "NOT CHECKED: the data itself, which is not here; whether a copy of it is whole and "
                + "unchanged is told by exeat verify on that copy",
        ]
    }

    private static func problem(_ failure: Failure) -> String {
        "PROBLEM \(failure.code.rawValue) \(failure.code.word): \(failure.what)"
    }

    private static func problems(_ failure: Failure) -> JSON.Member {
        .init("problems", .array([BagProblem("", failure).json]))
    }

    private static func member(_ failure: Failure) -> JSON.Member {
        .init(
            "failure",
            [
                "code": .integer(Int64(failure.code.rawValue)),
                "word": .string(failure.code.word), "what": .string(failure.what),
            ])
    }

    /// A line for each check, and a verdict.
    public var text: String {
        var lines = report.checks.map { check in
            "\(check.outcome.rawValue): \(check.name)" + (check.detail.map { " (\($0))" } ?? "")
        }
        for source in content.array ?? [] {
            for comparison in source["comparisons"]?.array ?? [] {
                lines.append(
                    "passed: \(comparison["name"]?.string ?? "") of source "
                        + "\"\(source["source"]?.string ?? "")\", digest taken again")
            }
        }
        for problem in report.problems.prefix(20) {
            lines.append(Self.problem(problem.failure))
        }
        if let failure, report.problems.isEmpty { lines.append(Self.problem(failure)) }
        if let dossier {
            lines += dossier.documentLines
            for problem in dossier.problems
            where problem.failure != failure || !report.problems.isEmpty {
                lines.append(Self.problem(problem.failure))
            }
        }
        if let seal = report.seal, report.absent != nil,
            failure == nil || failure?.code == .payloadAbsent
        {
            lines += proofOnly(seal)
        } else if failure == nil, let seal = report.seal {
            lines.append(
                "good: \(counted(report.payload.files, "file")), "
                    + "\(counted(report.payload.bytes, "byte")), sealed by "
                    + "\(seal.signer.principal) at \(seal.createdAt.text), "
                    + "\(seal.outcome.exported) of \(counted(seal.outcome.expected, "object"))")
            if report.closing == nil {
                lines.append(
                    "note: no trusted time-stamp says when it was sealed; the keys were judged as of now"
                )
            }
            if content == .null {
                lines.append(
                    bag == nil
                        ? "note: what passes through standard input is not decoded; \"exeat verify\" "
                            + "of the file that it is stored in does that"
                        : "note: encrypted content was not looked into; --decrypt-with does that")
            }
        } else {
            lines.append("NOT GOOD")
        }
        return lines.joined(separator: "\n")
    }
}
