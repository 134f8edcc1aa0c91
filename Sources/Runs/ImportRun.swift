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
    let ledger: ImportLedger
    let scheduler: Scheduler
    /// What all targets share of the bandwidth.
    let throttle: Throttle?
    let startedAt: Timestamp
    /// What the receipt must tell of exceptions.
    let reservations: [String]
    /// When the archive had passed, and the first byte might go to a target.
    let verifiedAt: Timestamp

    /// A source of the archive with the importer of its target.
    private struct Pair: Sendable {
        let place: Int
        let source: SourceRecord
        let importer: any Importer
        let outline: ImportOutline
    }

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
            by: KeyVerifier(trust, now: startedAt), workers: workers, progress: progress)
        let sealDigest = bag.digest(of: Seal.path) ?? SHA256.hash(bag.seal.bytes)
        let reservations = try exceptions(bag.seal, sealDigest, memory, exception, at: startedAt)
        let archive = try OpenArchive(bag, keys: archiveKeys)
        try archive.checkManifest(against: bag)
        try Coverage(bag).check()
        try Coverage(bag).check(archive.manifest)
        let verifiedAt = world.now()
        try checkNames(plan, archive.manifest)
        let directory = work ?? "./\(archive.manifest.name).import"
        let ledger = try ImportLedger(
            directory: directory, archive: bag.seal.subject.hex, plan: plan.digest.hex)
        let run = ImportRun(
            plan: plan, bag: bag, archive: archive, path: path, work: directory, signer: signer,
            world: world, progress: progress, ledger: ledger,
            scheduler: Scheduler(workers: workers),
            throttle: plan.limits.bandwidth.map { Throttle(bytesPerSecond: $0) },
            startedAt: startedAt, reservations: reservations, verifiedAt: verifiedAt)
        defer { run.scheduler.close() }
        let results = try await run.replay(connectors, announce)
        let outcome = try Receipt(run: run, results: results).write()
        try remember(bag.seal, sealDigest, memory, isAsked: seen != nil, at: startedAt)
        return outcome
    }

    /// Holds the archive against those imported before, and gives back what the receipt must tell.
    private static func exceptions(
        _ seal: Seal, _ digest: Digest256, _ memory: SealMemory?, _ exception: Exception,
        at moment: Timestamp
    ) throws(Failure) -> [String] {
        var reservations: [String] = []
        if let until = seal.restoreBefore, moment >= until {
            // The verification has let it pass, because it was told to.
            reservations.append(
                exception.reservation("the archive was to be restored before \(until.text)"))
        }
        guard let memory else { return reservations }
        do throws(Failure) { try memory.check(seal, digest: digest) } catch {
            guard exception.acceptsOlder else { throw error }
            reservations.append(exception.reservation(error.what))
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

    private func replay(
        _ connectors: [any Importer.Type], _ announce: @Sendable (ImportStage) -> Void
    ) async throws(Failure) -> [SourceResult] {
        var pairs: [Pair] = []
        for target in plan.targets {
            pairs.append(
                try await scheduler.run { () throws(Failure) in try prepare(target, connectors) })
        }
        announce(.replay(bytes: pairs.reduce(0) { $0 &+ $1.outline.bytes }))
        for round in 0..<(pairs.map(\.outline.rounds.count).max() ?? 0) {
            let jobs = pairs.filter { $0.outline.rounds.indices.contains(round) }
                .flatMap { pair in pair.outline.rounds[round].map { (pair, $0) } }
                .filter {
                    type(of: $0.0.importer).targetRemembers || !ledger.isDone($0.0.place, $0.1)
                }
            try await scheduler.run(jobs) { (job) throws(Failure) in
                try progress.checkCancelled()
                try job.0.importer.replay(job.1)
                try ledger.note(job.0.place, job.1)
            }
        }
        try await scheduler.run(pairs) { (pair) throws(Failure) in try pair.importer.finish() }
        if plan.verify == .digest {
            announce(.compare)
            let slices = pairs.flatMap { pair in (0..<pair.outline.slices).map { (pair, $0) } }
            try await scheduler.run(slices) { (slice) throws(Failure) in
                try progress.checkCancelled()
                try slice.0.importer.compare(slice.1)
            }
        }
        var results: [SourceResult] = []
        for pair in pairs {
            let result = try await scheduler.run { () throws(Failure) in
                try pair.importer.conclude(counting: plan.verify == .counts)
            }
            results.append(SourceResult(source: pair.source, result: result))
        }
        return results
    }

    private func prepare(
        _ target: TargetPlan, _ connectors: [any Importer.Type]
    ) throws(Failure) -> Pair {
        guard let place = archive.manifest.sources.firstIndex(where: { $0.name == target.name }),
            let type = connectors.first(where: { $0.kind == target.kind })
        else { throw Failure(.planUnknownKind, "no connector for kind \"\(target.kind)\"") }
        let source = archive.manifest.sources[place]
        guard type.sources.contains(source.kind) else {
            throw Failure(
                .planInvalidValue,
                "source \"\(source.name)\" is of kind \"\(source.kind)\", its target of kind "
                    + "\"\(target.kind)\", which takes \(type.sources.joined(separator: ", "))")
        }
        let directory = work + "/source-\(place)"
        try Files.makeDirectory(directory, mode: 0o700)
        let own = target.bandwidth.map { Throttle(bytesPerSecond: $0) }
        let throttles = [throttle, own].compactMap { $0 }
        let artifacts: any ArtifactSource =
            throttles.isEmpty
            ? archive : ThrottledArchive(archive, throttles: throttles, progress: progress)
        let importer = try type.init(
            target, source: source, from: artifacts,
            room: Room(directory: directory, progress: progress, world: world),
            resuming: ledger.isResuming)
        do throws(Failure) {
            return Pair(
                place: place, source: source, importer: importer, outline: try importer.prepare())
        } catch { throw error.during("cannot import source \"\(source.name)\"") }
    }
}

struct SourceResult: Sendable {
    let source: SourceRecord
    let result: ImportResult
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
