import Bags
import Basics
import Manifests
import Plans
import Primitives
import Signatures
import Streams

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
            by: KeyVerifier(keys: own, now: World.real.now()),
            workers: Scheduler.standardWorkers, progress: progress)
        let seal = bag.seal
        guard seal.planSha256 == plan.digest else {
            throw Failure(
                .planChanged, "\"\(output)\" was sealed by a run of another plan",
                hint: "Name a new output for this plan.")
        }
        return ExportOutcome(
            status: Int32(seal.outcome.status), output: output, bag: "urn:uuid:" + seal.bag,
            expected: seal.outcome.expected, exported: seal.outcome.exported,
            omissions: try Catalogue.omissions(in: bag), payloadFiles: seal.payload.files,
            payloadBytes: seal.payload.bytes, tagManifest: seal.subject.hex, wasSealed: true,
            gaps: [])
    }
}

/// The public part of what an archive holds: `exeat/catalogue.json`.
public enum Catalogue {
    public static func read(from bag: some BagContents) throws(Failure) -> JSON {
        try JSON(parsing: bag.read(BagPath("exeat/catalogue.json")))
    }

    static func omissions(in bag: some BagContents) throws(Failure) -> [OmissionSummary.Count] {
        let sources = try read(from: bag)["sources"]?.array ?? []
        return sources.flatMap { $0["omitted"]?.array ?? [] }.compactMap { omission in
            guard let reason = omission["reason"]?.string, let count = omission["count"]?.integer,
                let accepted = omission["accepted"]?.bool
            else { return nil }
            return .init(reason: reason, count: count, accepted: accepted)
        }
    }
}
