import Bags
import Basics
import Manifests
import Plans
import Primitives
import Signatures
import Streams
import TimeStamps

/// `exeat export` on an output that is sealed already: it is verified again, and the run's own
/// status comes back.
struct SealedOutput {
    let plan: ExportPlan
    let form: BagWriter.Form
    let output: String
    let signer: SigningKey

    func verifiedAgain(progress: Progress) async throws(Failure) -> ExportOutcome {
        let own = try TrustedKeys([TrustedKey(signer.publicPair)])
        // Killed between the seal's rename and the last cleaning up.
        try BagWriter.removeRemains(of: form)
        let bag = try await Bag(opening: output).verified(
            by: try KeyVerifier(keys: own, now: World.real.now(), stamps: try stampTrust),
            workers: Scheduler.standardWorkers, progress: progress)
        let seal = bag.seal
        guard seal.planSha256 == plan.digest else {
            throw Failure(
                .planChanged, "\"\(output)\" was sealed by a run of another plan",
                hint: "Name a new output for this plan.")
        }
        return ExportOutcome(
            sealedStatus: Int32(seal.outcome.status), output: output, bag: "urn:uuid:" + seal.bag,
            expected: seal.outcome.expected, exported: seal.outcome.exported,
            omissions: Catalogue.omissions(of: try Catalogue.read(from: bag)),
            payloadFiles: seal.payload.files,
            payloadBytes: seal.payload.bytes, tagManifest: seal.subject.hex, wasSealed: true,
            stamps: try await complete(stamps(in: bag), progress), gaps: [])
    }
}

extension SealedOutput {
    /// Whom the plan names.
    private var stampTrust: TimeStampTrust {
        get throws(Failure) {
            var trust = TimeStampTrust.none
            for authority in plan.archive.timestamps {
                guard let server = authority.server else { continue }
                trust = trust.joined(try authority.trust(server))
            }
            return trust
        }
    }

    /// Asks once more for what the run could not have; a directory can still take it.
    private func complete(
        _ outcome: StampOutcome?, _ progress: Progress
    ) async throws(Failure) -> StampOutcome? {
        guard var outcome, !outcome.missing.isEmpty, case .directory = form else { return outcome }
        let scheduler = Scheduler(workers: 1)
        defer { scheduler.close() }
        for name in outcome.missing {
            guard let place = StampPlace(token: name),
                let server = plan.archive.timestamps[place.number - 1].server
            else { continue }
            let authority = plan.archive.timestamps[place.number - 1]
            do throws(Failure) {
                let isThere = try await scheduler.run { () throws(Failure) in
                    let client = TimeStampClient(
                        authority: authority, server: server, trust: try authority.trust(server),
                        world: .real, progress: progress)
                    return try AddedStamps(output).fetch(place, from: client)
                }
                guard isThere else { continue }
                outcome.missing.removeAll { $0 == name }
                outcome.tokens.append(name)
            } catch {
                if error.code == .cancelled { throw error }
                outcome.reasons.append((error.cause ?? error).what)
            }
        }
        return outcome
    }

    private func stamps(in bag: VerifiedBag) -> StampOutcome? {
        guard !plan.archive.timestamps.isEmpty else { return nil }
        let names = Set(bag.entries.map(\.path.text))
        var outcome = StampOutcome()
        for (index, authority) in plan.archive.timestamps.enumerated() {
            for kind in StampPlace.Kind.allCases {
                let place = StampPlace(kind, index + 1)
                if names.contains("proof/" + place.token) {
                    outcome.tokens.append(place.token)
                } else if authority.server != nil {
                    outcome.missing.append(place.token)
                } else {
                    outcome.requests.append(place.request)
                }
            }
        }
        return outcome
    }
}

/// The public part of what an archive holds: `exeat/catalogue.json`.
public enum Catalogue {
    /// Throws `.coverageMismatch` for a version that this release does not know.
    public static func read(from bag: some BagContents) throws(Failure) -> JSON {
        let catalogue = try JSON(parsing: bag.read(BagPath("exeat/catalogue.json")))
        guard catalogue["exeat-catalogue"] == 1 else {
            throw Failure(
                .coverageMismatch, "the catalogue has an unknown version",
                hint: "Use a release of exeat that reads this archive's version.")
        }
        return catalogue
    }

    static func omissions(of catalogue: JSON) -> [OmissionSummary.Count] {
        (catalogue["sources"]?.array ?? []).flatMap { $0["omitted"]?.array ?? [] }.compactMap {
            omission in
            guard let reason = omission["reason"]?.string, let count = omission["count"]?.integer,
                let accepted = omission["accepted"]?.bool
            else { return nil }
            return .init(reason: reason, count: count, accepted: accepted)
        }
    }
}
