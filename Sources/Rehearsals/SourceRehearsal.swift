import Bags
import Basics
import Connectors
import Manifests
import Plans
import Primitives
import Runs
import Streams

/// Rehearses one source: makes its target, replays and compares it, starts what can be started, asks
/// its probes, and takes everything away again.
///
/// Nothing that goes wrong here is thrown but an interruption: it is the result.
struct SourceRehearsal: Sendable {
    let archive: RehearsedArchive
    let given: TargetPlan?
    let connectors: [any Importer.Type]
    let place: RunPlace
    let host: Machine.Host
    let verify: ImportPlan.Comparison
    let throttle: Throttle?
    let world: World
    let progress: Progress
    let origin: UInt64
    let keeps: Bool
    /// Bytes that are free for its target, as far as they are not promised to others.
    let room: FreeSpace
    /// Tells the display how far it is.
    let announce: @Sendable (String) -> Void

    private var rights: Cage.Rights { host.rights }

    func run(_ source: RehearsedSource, lanes: Int) async -> RehearsedSource {
        var source = source
        let clock = PhaseClock(origin: origin)
        source.clock = clock
        source.start = clock.now()
        let scheduler = Scheduler(workers: lanes)
        defer { scheduler.close() }
        let work = Work(place: source.place, keeps: keeps)
        do throws(Failure) {
            if let intact = source.intact, !intact.isWorthwhile {
                throw Self.damage(intact, of: source)
            }
            if let intact = source.intact, let given, !given.isThrowAway,
                given.existing == .replace
            {
                // What the target holds is whole, and may be all that there is.
                throw Self.damage(intact, of: source).during(
                    "the target of source \"\(source.record.name)\" is left as it is: what is damaged replaces nothing"
                )
            }
            try room.admit(source.restored)
            try await restore(&source, clock, scheduler, work)
            if let intact = source.intact { throw Self.damage(intact, of: source) }
        } catch {
            source.failure = error
            source.outcome =
                error.code == .cancelled
                ? .unfinished : source.damagedFiles > 0 ? .damaged : .failed
        }
        source.end = clock.now()
        let (record, room) = (source.record, room)
        await scheduler.quietly {
            work.end()
            room.giveBack(record)
        }
        return source
    }

    private static func damage(_ intact: IntactParts, of source: RehearsedSource) -> Failure {
        var parts = intact.damage.prefix(10).map {
            "\($0.artifact) (\($0.damagedFiles) of \($0.files))"
        }
        if intact.damage.count > parts.count {
            parts.append("\(intact.damage.count - parts.count) more")
        }
        let lost =
            source.result == nil
            ? "nothing of this source"
            : intact.lost.isEmpty
                ? "nothing in them" : "nothing of " + intact.lost.joined(separator: ", ")
        let files = intact.damagedFiles == 1 ? "stored file" : "stored files"
        return Failure(
            .bagFileChanged,
            "\(intact.damagedFiles) \(files) of source \"\(source.record.name)\" damaged: "
                + parts.joined(separator: ", "),
            hint: "Fetch them again from the original archive; \(lost) was restored.")
    }

    /// What one source has running and lying about.
    private final class Work: Sendable {
        private struct State {
            var processes: [OwnedProcess] = []
            var machines: [Machine] = []
            var containers: [Container] = []
            var directories: [String] = []
        }

        let place: Int
        private let keeps: Bool
        private let state = Monitor(State())

        init(place: Int, keeps: Bool) {
            self.place = place
            self.keeps = keeps
        }

        func add(_ process: OwnedProcess?, _ directory: String? = nil) {
            try? state.change { (state) throws(Failure) in
                if let process { state.processes.append(process) }
                if let directory { state.directories.append(directory) }
            }
        }

        func add(_ starting: GuestStarting) {
            try? state.change { (state) throws(Failure) in
                state.machines += starting.machines.values
                state.containers += starting.containers.values
                state.directories += starting.directories
            }
        }

        /// Room is given back at once, so that those who come later have it.
        func end() {
            let held = try? state.change { (state) throws(Failure) in state }
            guard let held else { return }
            if keeps {
                held.machines.forEach { $0.keep() }
                held.containers.forEach { $0.process.keep() }
                held.processes.forEach { $0.keep() }
            } else {
                held.machines.forEach { $0.end() }
                held.containers.forEach { $0.process.end() }
                held.processes.reversed().forEach { $0.end() }
                for directory in held.directories { try? TreeRemoval.remove(directory) }
            }
        }
    }

    // MARK: - Restoring

    private func restore(
        _ source: inout RehearsedSource, _ clock: PhaseClock, _ scheduler: Scheduler, _ work: Work
    ) async throws(Failure) {
        let (record, intact) = (source.restored, source.intact)
        let (place, rights) = (self.place, self.rights)
        let lost = record.artifacts.flatMap(\.segments).filter(self.archive.isDamaged)
        let archive = self.archive.contents.replaying(record, at: source.place).without(lost)
        let (connectors, progress) = (self.connectors, self.progress)
        let number = source.place
        var directory: String?
        var server: ThrowAwayServer?
        var target: TargetPlan
        let before = MachineLoad.now()
        if let given, !given.isThrowAway {
            target = given
        } else {
            let name = "target-\(number + 1)"
            work.add(nil, place.directory + "/" + name)
            let made = try await scheduler.run { () throws(Failure) in
                try clock.measure(.prepare) { () throws(Failure) in
                    let made = try ThrowAwayTarget.make(
                        for: record, of: archive, at: number, place: place, rights: rights,
                        connectors: connectors, progress: progress)
                    work.add(made.server?.process)
                    return made
                }
            }
            target = made.plan
            server = made.server
            directory = made.directory
        }
        let replay = try Replay(
            rehearsing: archive, work: place.makeDirectory("work-\(number + 1)"),
            identity: (self.archive.bag.seal.subject.hex, "rehearsal"), scheduler: scheduler,
            throttle: throttle, world: world, progress: progress, clock: clock)
        let result = try await replay.run(target, connectors, verify: verify)
        source.loads[.load] = MachineLoad.now().since(before)
        source.serverMilliseconds = server.map { ProcessorTime.of(tree: $0.process.number) } ?? 0
        source.result = result.result
        source.comparison = verify
        let plan = given?.rehearsal
        let probes = Probe.list(record, plan, isThrowAway: source.isThrowAway)
        var unopened: [String: Failure] = [:]
        if let directory, ["proxmox", "disks"].contains(record.kind), plan?.starts ?? true {
            announce("restored; its guests are started")
            let began = clock.now()
            unopened = try await NativeImages.open(in: directory, progress: progress)
            if clock.now() - began > 1_000_000 {
                clock.add(.load, from: began, to: clock.now())
            }
        }
        let failures = unopened
        let copy = source
        let (host, world, restored, keeps) = (self.host, self.world, directory, self.keeps)
        // What blocks runs on a lane: starting guests, and waiting for them.
        let after = try await scheduler.run { () throws(Failure) in
            var source = copy
            var starting = GuestStarting(
                directory: restored, place: place, host: host, clock: clock, world: world,
                progress: progress, plan: plan, number: number, unopened: failures)
            defer { work.add(starting) }
            try starting.look()
            let lost = (intact?.lostGuests ?? []).map { StartedGuest(lost: $0, of: copy.record) }
            var outcomes: [Int: ProbeOutcome] = [:]
            // One after the other where memory is short.
            repeat {
                if starting.hasStarted { starting.endStarted() }
                try starting.startSome(probes, keeps: keeps)
                let asking = ProbeAsking(
                    importer: result.importer, starting: starting, lost: lost,
                    isThrowAway: copy.isThrowAway, progress: progress)
                for (place, probe) in probes.enumerated()
                where outcomes[place] == nil && (starting.isAbout(probe) || !starting.hasMore) {
                    let phase: RehearsalPhase = probe.kind == .serial ? .boot : .probe
                    outcomes[place] = try clock.measure(phase) { () throws(Failure) in
                        try asking.ask(probe)
                    }
                }
                try starting.watch(
                    after: probes.enumerated().compactMap { place, probe in
                        outcomes[place].map { (probe, $0) }
                    })
            } while starting.hasMore
            source.probes = probes.indices.compactMap { outcomes[$0] }
            source.guests = (starting.guests + lost).sorted { $0.id < $1.id }
            return source
        }
        source = after
        source.outcome = Self.outcome(of: source)
        source.reservations += result.result.reservations
        switch verify {
        case .digest: break
        case .counts: source.reservations.append(Reservation(.restoredByCounts))
        case .none: source.reservations.append(Reservation(.restoredNotCompared))
        }
    }

    static func outcome(of source: RehearsedSource) -> RehearsedSource.Outcome {
        let isWrong =
            !source.isEqual || source.probes.contains { !$0.held }
            || source.guests.contains { $0.didFail }
        return isWrong ? .different : .passed
    }
}

extension Scheduler {
    /// A call on a lane that cannot fail.
    func quietly(_ body: @escaping @Sendable () -> Void) async {
        _ = try? await run { () throws(Failure) in body() }
    }
}
