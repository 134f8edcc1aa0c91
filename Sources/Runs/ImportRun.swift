import Bags
public import Basics
public import Connectors
import Glibc
import Manifests
public import Plans
import Primitives
import Signatures
public import Streams

/// One run of `exeat import`: verify → replay → re-read the target → receipt.
///
/// Nothing reaches a target before the whole archive has passed.
public struct ImportRun: Sendable {
    let plan: ImportPlan
    let bag: VerifiedBag
    let archive: OpenArchive
    let path: String
    let work: String
    let signer: SigningKey
    let world: World
    let progress: Progress
    let startedAt: Timestamp
    /// What the receipt must tell of exceptions.
    let reservations: [Reservation]
    /// When the archive had passed, and the first byte might go to a target.
    let verifiedAt: Timestamp

    public static func run(
        _ plan: ImportPlan, archive path: String, keys archiveKeys: ArchiveKeys, work: String?,
        seen: String? = nil, exception: Exception = Exception(),
        connectors: [any Importer.Type], world: World, progress: Progress,
        announce: @Sendable (ImportStage) -> Void
    ) async throws(Failure) -> ImportOutcome {
        try exception.check()
        guard path != "-" else {
            throw Failure(
                .usage,
                "an import cannot read from standard input: nothing may be replayed before "
                    + "all is verified",
                hint: "Store the archive in a file first; \"exeat verify -\" works.")
        }
        let signer = try SigningKey(file: plan.signWith + ".key")
        guard signer.roles.contains(.importer) else {
            throw Failure(
                .invalidValue, "the key of \"\(signer.principal)\" may not sign receipts",
                hint: "Make one with: exeat keys new NAME --role importer")
        }
        let startedAt = world.now()
        announce(.verify)
        var trust = TrustOptions(trust: plan.trust)
        trust.authorities = plan.timestamp.authorities
        trust.policies = plan.timestamp.policies
        trust.requiresTimeStamps = plan.timestamp.isRequired
        trust.acceptsExpired = exception.acceptsExpired
        let memory = try (seen ?? SealMemory.standardPath).map { (path) throws(Failure) in
            try SealMemory(path)
        }
        let workers = plan.limits.workers ?? Scheduler.standardWorkers
        ReceiptFiles(work: work ?? workDirectory(for: path), archive: path).mend()
        let bag = try await Bag(opening: path).verified(
            by: KeyVerifier(trust, of: path, now: startedAt), workers: workers, progress: progress)
        try bag.seal.checkDate(at: world.now())
        let sealDigest = bag.digest(of: Seal.path) ?? SHA256.hash(bag.seal.bytes)
        let reservations = try exceptions(bag.seal, sealDigest, memory, exception, at: startedAt)
        let archive = try OpenArchive(bag, keys: archiveKeys)
        try archive.checkManifest(against: bag)
        let coverage = try Coverage(bag)
        try coverage.check()
        try coverage.check(archive.manifest)
        let verifiedAt = world.now()
        try checkNames(plan, archive.manifest)
        let directory = work ?? "./\(archive.manifest.name).import"
        try ArchiveBounds.check(
            directory, outside: path,
            hint: "Run the import in another directory, or name one with --work.")
        try ArchiveBounds.check(plan.targets, outside: path)
        let ledger = try ImportLedger(
            directory: directory, archive: bag.seal.subject.hex, plan: plan.digest.hex)
        let run = ImportRun(
            plan: plan, bag: bag, archive: archive, path: path, work: directory, signer: signer,
            world: world, progress: progress, startedAt: startedAt,
            reservations: reservations, verifiedAt: verifiedAt)
        let scheduler = Scheduler(workers: workers)
        defer { withExtendedLifetime(ledger) { scheduler.close() } }
        let replay = Replay(
            archive, work: directory, ledger: ledger, scheduler: scheduler,
            throttle: plan.limits.bandwidth.map { Throttle(bytesPerSecond: $0) }, world: world,
            progress: progress)
        let results = try await replay.run(
            plan.targets, connectors, verify: plan.verify, announce)
        let outcome = try Receipt(run: run, results: results).write()
        try remember(bag.seal, sealDigest, memory, isAsked: seen != nil, at: startedAt)
        return outcome
    }

    /// Holds the archive against those imported before, and gives back what the receipt must tell.
    private static func exceptions(
        _ seal: Seal, _ digest: Digest256, _ memory: SealMemory?, _ exception: Exception,
        at moment: Timestamp
    ) throws(Failure) -> [Reservation] {
        var reservations: [Reservation] = []
        if let until = seal.restoreBefore, moment >= until {
            // The verification has let it pass, because it was told to.
            reservations.append(exception.reservation(.expired, [until.text]))
        }
        guard let memory else { return reservations }
        if let doubt = memory.doubt(seal, digest: digest) {
            guard exception.acceptsOlder else { throw doubt.failure }
            reservations.append(exception.reservation(doubt.kind, doubt.values))
        }
        return reservations
    }

    /// A memory that somebody names must work; the standard one is kept where it can be.
    private static func remember(
        _ seal: Seal, _ digest: Digest256, _ memory: SealMemory?, isAsked: Bool,
        at moment: Timestamp
    ) throws(Failure) {
        do throws(Failure) {
            try memory?.remember(seal, digest: digest, at: moment)
        } catch {
            guard isAsked else { return }
            throw error.during("the import is done, but its archive could not be remembered")
        }
    }

    /// The standard work directory as far as it is known before the manifest can be read.
    private static func workDirectory(for archive: String) -> String {
        let seal = (try? Files.read(archive + "/proof/seal.json")).flatMap {
            try? JSON(parsing: $0)
        }
        let name = (seal?["predicate"]?["name"]?.string).flatMap { try? BagName($0) }
        return "./\(name?.text ?? "").import"
    }

    private static func checkNames(_ plan: ImportPlan, _ manifest: Manifest) throws(Failure) {
        let names = manifest.sources.map(\.name)
        for target in plan.targets where !names.contains(target.name) {
            throw Failure(
                .planInvalidValue, "the archive has no source \"\(target.name)\"",
                hint: "Its sources are: \(names.joined(separator: ", ")).")
        }
    }
}

/// Where an import is, for the display.
public enum ImportStage: Sendable {
    case verify
    case replay(bytes: Int64)
    case compare
}

/// How an import ended.
public struct ImportOutcome: Sendable {
    /// 0 equal; 2 with what the target did not take or with omissions; 3 not equal.
    public let status: Int32
    public let receipt: String
    /// False when the receipt could not be put beside the seal as well.
    public let isInArchive: Bool
    public let json: JSON
    public let summary: String
}
