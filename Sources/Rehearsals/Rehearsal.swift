import Bags
public import Basics
public import Connectors
import Glibc
import Manifests
public import Plans
public import Runs
import Signatures
public import Streams
import Synchronization

/// One run of `exeat rehearse`: everything of an archive restored in throw-away targets, compared,
/// started, probed and timed, and a signed receipt about it.
public struct Rehearsal: Sendable {
    public struct Request: Sendable {
        public var archive: String
        public var plan: ImportPlan
        public var keys: ArchiveKeys
        /// Where receipts and the history are kept, and the targets meanwhile; nil for `./NAME.rehearsals`.
        public var folder: String?
        /// Names of sources; none for all.
        public var only: [String]
        /// Leaves the targets as they are.
        public var keeps: Bool
        public var connectors: [any Importer.Type]

        public init(
            archive: String, plan: ImportPlan, keys: ArchiveKeys, folder: String?,
            only: [String], keeps: Bool, connectors: [any Importer.Type]
        ) {
            self.archive = archive
            self.plan = plan
            self.keys = keys
            self.folder = folder
            self.only = only
            self.keeps = keeps
            self.connectors = connectors
        }
    }

    /// Where a rehearsal is, for the display.
    public enum Stage: Sendable {
        case verify
        case rehearse(bytes: Int64)
        /// A source has begun, or ended with these words.
        case source(String, String)
        case cleanUp
    }

    let request: Request
    let archive: RehearsedArchive
    let folder: String
    let signer: SigningKey
    let world: World
    let progress: Progress
    let startedAt: Timestamp
    let origin: UInt64
    let host: Machine.Host
    let verifyClock: PhaseClock
    let workers: Int

    var plan: ImportPlan { request.plan }
    private static let folderSuffix = ".rehearsals"

    public static func run(
        _ request: Request, world: World, progress: Progress,
        announce: @escaping @Sendable (Stage) -> Void
    ) async throws(Failure) -> RehearsalOutcome {
        guard request.archive != "-" else {
            throw Failure(
                .usage, "a rehearsal cannot read from standard input",
                hint: "Store the archive in a file first.")
        }
        let signer = try SigningKey(file: request.plan.signWith + ".key")
        guard signer.roles.contains(.importer) else {
            throw Failure(
                .invalidValue, "the key of \"\(signer.principal)\" may not sign receipts",
                hint: "Make one with: exeat keys new NAME --role importer")
        }
        let limit = TimeLimit(request.plan.rehearsal.timeLimit, progress)
        defer { limit.end() }
        let startedAt = world.now()
        let origin = monotonicNanoseconds()
        announce(.verify)
        let workers = request.plan.limits.workers ?? Scheduler.standardWorkers
        let clock = PhaseClock(origin: origin)
        // Which folder it is, where none is named, only the archive tells.
        let folders =
            request.folder.map { [$0] }
            ?? ((try? Files.names(in: ".")) ?? []).filter { $0.hasSuffix(folderSuffix) }
        for folder in folders { ReceiptFiles(work: folder, archive: request.archive).mend() }
        let archive: RehearsedArchive
        do throws(Failure) {
            archive = try await RehearsedArchive.open(
                request.archive, plan: request.plan, keys: request.keys, workers: workers,
                now: startedAt, progress: progress)
        } catch {
            guard error.code == .cancelled, limit.isReached else { throw error }
            throw Failure(
                .objectiveMissed, "the time limit came before the archive was verified",
                hint: "Give it more time: rehearse.time-limit in the plan.")
        }
        clock.add(.verify, from: 0, to: clock.now())
        let sources = try RehearsalOrder.sources(
            of: archive.contents.manifest, plan: request.plan, only: request.only)
        let folder = request.folder ?? "./" + archive.contents.manifest.name + folderSuffix
        try ArchiveBounds.check(
            folder, outside: request.archive,
            hint: "Run the rehearsal in another directory, or name one with --work.")
        let lane = Scheduler(workers: 1)
        defer { lane.close() }
        let cleaned = RunPlace.cleanUp(after: folder)
        if cleaned > 0 {
            announce(.source("\(cleaned)", "rehearsals that were killed are cleaned up"))
        }
        let place = try RunPlace(in: folder, world: world)
        let host = try await lane.run { () throws(Failure) in
            Machine.Host.found(Cage.Rights.found(), in: place.directory)
        }
        let run = Rehearsal(
            request: request, archive: archive, folder: folder, signer: signer, world: world,
            progress: progress, startedAt: startedAt, origin: origin, host: host,
            verifyClock: clock, workers: workers)
        let load = MachineLoad.now()
        let processor = ProcessorTime.own()
        let rehearsed = await run.rehearse(sources, in: place, announce)
        let spent = MachineLoad.now().since(load)
        let own = ProcessorTime.own() - processor
        let end = clock.now()
        announce(.cleanUp)
        await lane.quietly {
            if request.keeps { place.keep() } else { try? place.remove() }
        }
        if progress.isCancelled, !limit.isReached {
            throw Failure(.cancelled, "interrupted")
        }
        return try RehearsalReceipt(
            run: run, sources: rehearsed, nanoseconds: end, load: spent, ownMilliseconds: own,
            reachedLimit: limit.isReached, keptAt: request.keeps ? place.directory : nil
        ).write()
    }

    /// Every source as soon as those before it are done and a lane is free.
    private func rehearse(
        _ sources: [RehearsedSource], in place: RunPlace,
        _ announce: @escaping @Sendable (Stage) -> Void
    ) async -> [RehearsedSource] {
        var results = sources.filter { $0.outcome == .left }
        var waiting = sources.filter { $0.outcome != .left }
        for index in waiting.indices {
            waiting[index].intact = IntactParts(
                of: waiting[index].record, isDamaged: archive.isDamaged)
        }
        announce(.rehearse(bytes: waiting.reduce(0) { $0 + $1.plainBytes }))
        var done = Set(results.map(\.record.name))
        var free = workers
        let room = FreeSpace(of: place.directory)
        // Where their user cannot be shown our directory, servers have theirs elsewhere.
        let serverRoom =
            host.rights.isRoot && !host.rights.canBind ? FreeSpace(of: place.short) : room
        let throttle = plan.limits.bandwidth.map { Throttle(bytesPerSecond: $0) }
        await withTaskGroup(of: (RehearsedSource, Int).self) { group in
            func begin() {
                while free > 0, !progress.isCancelled {
                    let ready = RehearsalOrder.ready(waiting, done: done, plan: plan)
                    guard let next = ready.first else { return }
                    let lanes = max(1, free / ready.count)
                    free -= lanes
                    waiting.removeAll { $0.place == next.place }
                    announce(.source(next.record.name, "begins"))
                    let rehearsal = SourceRehearsal(
                        archive: archive,
                        given: plan.targets.first { $0.name == next.record.name },
                        connectors: request.connectors, place: place, host: host,
                        verify: plan.verify, throttle: throttle, world: world,
                        progress: progress, origin: origin, keeps: request.keeps,
                        room: next.isServer ? serverRoom : room,
                        announce: { announce(.source(next.record.name, $0)) })
                    group.addTask { (await rehearsal.run(next, lanes: lanes), lanes) }
                }
            }
            begin()
            while let (source, lanes) = await group.next() {
                announce(.source(source.record.name, source.summary))
                results.append(source)
                done.insert(source.record.name)
                free += lanes
                begin()
            }
        }
        return (results + waiting).sorted { $0.place < $1.place }
    }
}

extension RehearsedSource {
    /// In a few words how it ended.
    var summary: String {
        switch outcome {
        case .passed: "restored, \(equality)" + (notSet > 0 ? " but for what was not set" : "")
        case .different: faults
        case .failed: "FAILED: \(failure?.what ?? "")"
        case .damaged: "DAMAGED in the archive, " + (result == nil ? "not restored" : remains)
        case .unfinished: "not finished"
        case .left: "left out"
        }
    }

    /// What was restored of a source that is damaged.
    private var remains: String {
        let lost = intact?.lost ?? []
        return lost.isEmpty
            ? "what is intact of it \(faults)"
            : "not restored: \(lost.joined(separator: ", ")); all else of it \(faults)"
    }

    /// What is wrong with what was restored.
    private var faults: String {
        var parts = ["restored, \(equality)"]
        let starts = guests.count { $0.didFail && intact?.lostGuests.contains($0.id) != true }
        if starts > 0 {
            parts.append("\(starts) of \(counted(guests.count, "guest")) DID NOT COME UP")
        }
        let wrong = probes.count { !$0.held }
        if wrong > 0 {
            parts.append("\(wrong) of \(counted(probes.count, "probe")) FAILED")
        }
        return parts.joined(separator: ", ")
    }
}

/// Stops a rehearsal when the time that the plan gives it is over.
private final class TimeLimit: Sendable {
    private struct State {
        var isReached = false
        var hasEnded = false
    }

    private let state = Mutex(State())

    var isReached: Bool { state.withLock { $0.isReached } }

    init(_ seconds: Int64?, _ progress: Progress) {
        guard let seconds else { return }
        let end = monotonicNanoseconds() + UInt64(seconds) * 1_000_000_000
        Task.detached {
            while monotonicNanoseconds() < end {
                if self.state.withLock({ $0.hasEnded }) { return }
                try? await Task.sleep(nanoseconds: 100_000_000)
            }
            let stops = self.state.withLock { state in
                if state.hasEnded { return false }
                state.isReached = !progress.isCancelled
                return true
            }
            if stops { progress.cancel() }
        }
    }

    func end() { state.withLock { $0.hasEnded = true } }
}
