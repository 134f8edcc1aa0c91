import Bags
public import Basics
public import Connectors
public import Manifests
public import Plans
public import Streams

/// Replays sources of an archive on targets: prepare → begin → units, round by round → finish → compare →
/// conclude. `exeat import` replays all sources in one go, a rehearsal each one by itself.
public struct Replay: Sendable {
    let archive: OpenArchive
    let work: String
    let ledger: ImportLedger
    let scheduler: Scheduler
    /// What all targets share of the bandwidth.
    let throttle: Throttle?
    let world: World
    let progress: Progress
    let clock: PhaseClock?

    /// A source of the archive with the importer of its target.
    struct Pair: Sendable {
        let place: Int
        let source: SourceRecord
        let importer: any Importer
        let outline: ImportOutline
    }

    init(
        _ archive: OpenArchive, work: String, ledger: ImportLedger, scheduler: Scheduler,
        throttle: Throttle?, world: World, progress: Progress, clock: PhaseClock? = nil
    ) {
        self.archive = archive
        self.work = work
        self.ledger = ledger
        self.scheduler = scheduler
        self.throttle = throttle
        self.world = world
        self.progress = progress
        self.clock = clock
    }

    /// For one source in a work directory of its own, so that its failure is nobody else's.
    ///
    /// - Parameters:
    ///   - identity: of the archive, and of what it is replayed for.
    ///   - clock: told when each phase begins and ends.
    public init(
        rehearsing archive: OpenArchive, work: String, identity: (archive: String, plan: String),
        scheduler: Scheduler, throttle: Throttle?, world: World, progress: Progress,
        clock: PhaseClock
    ) throws(Failure) {
        self.init(
            archive.timed(by: clock), work: work,
            ledger: try ImportLedger(
                directory: work, archive: identity.archive, plan: identity.plan),
            scheduler: scheduler, throttle: throttle, world: world, progress: progress,
            clock: clock)
    }

    func run(
        _ targets: [TargetPlan], _ connectors: [any Importer.Type], verify: ImportPlan.Comparison,
        _ announce: @Sendable (ImportStage) -> Void
    ) async throws(Failure) -> [SourceResult] {
        var pairs: [Pair] = []
        for target in targets {
            pairs.append(
                try await scheduler.run { () throws(Failure) in
                    try timing(.load) { () throws(Failure) in try prepare(target, connectors) }
                })
        }
        try ledger.begin()
        for pair in pairs {
            try await scheduler.run { () throws(Failure) in
                try timing(.load) { () throws(Failure) in
                    do throws(Failure) { try pair.importer.begin() } catch {
                        throw Self.telling(pair.source, error)
                    }
                }
            }
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
                do throws(Failure) {
                    try timing(.init(job.0.importer.phase(of: job.1))) { () throws(Failure) in
                        try job.0.importer.replay(job.1)
                    }
                } catch {
                    // The comparison tells what is missing for want of a lost segment.
                    guard archive.isSalvaged, error.code == .bagFileChanged else { throw error }
                    return
                }
                try ledger.note(job.0.place, job.1)
            }
        }
        try await scheduler.run(pairs) { (pair) throws(Failure) in
            try timing(.load) { () throws(Failure) in try pair.importer.finish() }
        }
        if verify == .digest {
            announce(.compare)
            let slices = pairs.flatMap { pair in (0..<pair.outline.slices).map { (pair, $0) } }
            try await scheduler.run(slices) { (slice) throws(Failure) in
                try progress.checkCancelled()
                try timing(.compare) { () throws(Failure) in
                    try slice.0.importer.compare(slice.1)
                }
            }
        }
        var results: [SourceResult] = []
        for pair in pairs {
            let result = try await scheduler.run { () throws(Failure) in
                try timing(.compare) { () throws(Failure) in
                    try pair.importer.conclude(counting: verify == .counts)
                }
            }
            results.append(
                SourceResult(source: pair.source, result: result, importer: pair.importer))
        }
        return results
    }

    /// One source; what the target then holds is compared as the plan says.
    public func run(
        _ target: TargetPlan, _ connectors: [any Importer.Type], verify: ImportPlan.Comparison
    ) async throws(Failure) -> SourceResult {
        let results = try await run([target], connectors, verify: verify) { _ in }
        guard let result = results.first else {
            throw Failure(.failed, "source \"\(target.name)\" has no result")
        }
        return result
    }

    private func timing<Value>(
        _ phase: RehearsalPhase, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        guard let clock else { return try body() }
        return try clock.measure(phase, body)
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
            ? archive
            : ThrottledArchive(archive, throttles: throttles, progress: progress, clock: clock)
        let importer = try type.init(
            target, source: source, from: artifacts,
            room: Room(directory: directory, progress: progress, world: world),
            resuming: ledger.isResuming)
        do throws(Failure) {
            return Pair(
                place: place, source: source, importer: importer, outline: try importer.prepare())
        } catch { throw Self.telling(source, error) }
    }

    private static func telling(_ source: SourceRecord, _ failure: Failure) -> Failure {
        failure.during("cannot import source \"\(source.name)\"")
    }
}

/// A source that was replayed, and the importer that knows its target.
public struct SourceResult: Sendable {
    public let source: SourceRecord
    public let result: ImportResult
    public let importer: any Importer
}
