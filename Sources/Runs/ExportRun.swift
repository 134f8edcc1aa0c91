import Bags
public import Basics
public import Connectors
import Dossiers
import Encryption
import Journals
import Manifests
public import Plans
import Primitives
import Signatures
public import Streams

/// One run of `exeat export`: inventory → expected list → segments → manifest → seal.
///
/// Success is what is acknowledged against what was expected, never the absence of errors.
public final class ExportRun: Sendable {
    let plan: ExportPlan
    let world: World
    let progress: Progress
    let writer: BagWriter
    let ledger: RunLedger
    let signer: SigningKey
    let recipients: [Recipient]
    let scheduler: Scheduler
    let sources: [OpenSource]
    let level: CompressionLevel
    let adaptive = AdaptiveLevel()
    let stamps: RunStamps
    /// Where the archive stands, if the plan names the one before.
    let series: SealSeries?

    /// A source with its connector, for the time of the run.
    struct OpenSource: Sendable {
        let place: Int
        let plan: SourcePlan
        let folder: String
        let exporter: any Exporter
        let throttles: [Throttle]
    }

    /// Runs a plan to its end, or resumes it; an output that is sealed already is verified again.
    public static func run(
        _ plan: ExportPlan, output: String, connectors: [any Exporter.Type], world: World,
        progress: Progress, announce: @Sendable (ExportStage) -> Void
    ) async throws(Failure) -> ExportOutcome {
        try checkSupported(plan, form: BagWriter.form(of: output))
        if output != "-" {
            try ArchiveBounds.checkNoArchive(
                around: output, hint: "Name another place with --output.")
        }
        let signer = try signer(of: plan)
        let form = BagWriter.form(of: output)
        let sealed = SealedOutput(plan: plan, form: form, output: output, signer: signer)
        if try BagWriter.look(at: form) == .sealed {
            return try await sealed.verifiedAgain(progress: progress)
        }
        let folder = Files.parent(of: output)
        let isFolderNew = form != .stream && !Files.exists(folder)
        let writer = try BagWriter(form, name: plan.archive.name)
        if isFolderNew { announce(.madeFolder(folder)) }
        if writer.hasEnd {
            // Killed between the last byte of the tar and the cleaning up.
            let outcome = try await sealed.verifiedAgain(progress: progress)
            try writer.removeState()
            return outcome
        }
        let isNew = !Files.exists(writer.journalPath)
        let run: ExportRun
        do throws(Failure) {
            run = try ExportRun(
                plan, writer: writer, resuming: !isNew, signer: signer, connectors: connectors,
                world: world, progress: progress)
        } catch {
            if isNew, error.code != .journalMalformed { try? writer.discard() }
            throw error
        }
        defer { run.scheduler.close() }
        do throws(Failure) {
            return try await run.complete(announce)
        } catch {
            run.abandon(error, isNew: isNew)
            throw error
        }
    }

    /// Refuses what a plan may say and this release cannot do, before anything moves.
    static func checkSupported(
        _ plan: ExportPlan, form: BagWriter.Form? = nil
    ) throws(Failure) {
        guard form != .stream || !plan.archive.manifests.contains(.sha512) else {
            throw Failure(
                .unsupported, "an archive on standard output cannot have SHA-512 manifests",
                hint: "Write it to a file, or leave sha512 out of archive.manifests.")
        }
        try RunStamps.check(plan.archive.timestamps)
        if let previous = plan.archive.previous { _ = try SealSeries(after: previous) }
        _ = try recipients(of: plan.archive)
        _ = try ContractFacts.json(of: plan.run)
        if let agreement = plan.run.agreement {
            _ = try AgreedPlan.read(agreement, plan: plan.digest)
        }
    }

    private static func recipients(of archive: ArchivePlan) throws(Failure) -> [Recipient] {
        var recipients: [Recipient] = []
        for (text, place) in zip(archive.encryptTo, archive.encryptToPlaces) {
            do throws(Failure) {
                recipients.append(try Recipient(text))
            } catch {
                throw Failure(error.code, "\(place): \(error.what)", hint: error.hint)
            }
        }
        return recipients
    }

    /// The key that a plan seals with.
    static func signer(of plan: ExportPlan) throws(Failure) -> SigningKey {
        let signer = try SigningKey(file: plan.archive.signWith + ".key")
        guard signer.roles.contains(.exporter) else {
            throw Failure(
                .invalidValue, "the key of \"\(signer.principal)\" may not seal archives",
                hint: "Make one with: exeat keys new NAME --role exporter")
        }
        return signer
    }

    private init(
        _ plan: ExportPlan, writer: BagWriter, resuming: Bool, signer: SigningKey,
        connectors: [any Exporter.Type], world: World, progress: Progress
    ) throws(Failure) {
        self.plan = plan
        self.world = world
        self.progress = progress
        self.signer = signer
        recipients = try Self.recipients(of: plan.archive)
        let compression = plan.archive.compression
        let fixed: Int? = if case .fixed(let level) = compression.level { Int(level) } else { nil }
        level = CompressionLevel(fixed, long: compression.long)
        self.writer = writer
        let identity = RunIdentity(
            name: plan.archive.name, purpose: plan.run.purpose.rawValue, plan: plan.digest.hex,
            encrypted: !recipients.isEmpty)
        if resuming {
            ledger = try RunLedger(resuming: writer.journalPath, run: identity, world: world)
        } else {
            try writer.begin()
            ledger = try RunLedger(creating: writer.journalPath, run: identity, world: world)
        }
        stamps = try RunStamps(
            plan.archive.timestamps, ledger: ledger, directory: writer.stateDirectory, world: world,
            progress: progress)
        series = try plan.archive.previous.map { (path) throws(Failure) in
            try SealSeries(after: path)
        }
        let workers = plan.limits.workers ?? Scheduler.standardWorkers
        scheduler = Scheduler(workers: workers)
        sources = try Self.open(
            plan, stateDirectory: writer.stateDirectory, encrypted: !recipients.isEmpty,
            workers: workers, connectors: connectors, progress: progress, world: world)
        if resuming {
            try Self.restart(sources, ledger, writer)
            try writer.resume(committed: ledger.committedPaths, end: ledger.end)
        }
    }

    /// A source whose one consistent moment ended with the interrupted process begins anew; of the
    /// others, what they say.
    private static func restart(
        _ sources: [OpenSource], _ ledger: RunLedger, _ writer: BagWriter
    ) throws(Failure) {
        if ledger.isCompleted { return }
        let momentary = sources.filter { !type(of: $0.exporter).outlivesProcess }.map(\.place)
        let isTar = if case .tar = writer.form { true } else { false }
        let restarted = try ledger.voidUnfinished(
            among: momentary, isTar: isTar,
            others: sources.indices.filter { !momentary.contains($0) }
        ) { (source, voided) throws(Failure) in
            try sources[source].exporter.restarts(voided: voided)
        }
        for source in restarted {
            let room = writer.stateDirectory + "/source-\(source)"
            try Files.remove(room)
            try Files.makeDirectory(room, mode: 0o700)
        }
    }

    private static func open(
        _ plan: ExportPlan, stateDirectory: String, encrypted: Bool, workers: Int,
        connectors: [any Exporter.Type], progress: Progress, world: World
    ) throws(Failure) -> [OpenSource] {
        let global = plan.limits.bandwidth.map { Throttle(bytesPerSecond: $0) }
        var sources: [OpenSource] = []
        for (place, source) in plan.sources.enumerated() {
            guard let type = connectors.first(where: { $0.kind == source.kind }) else {
                throw Failure(.planUnknownKind, "no connector for kind \"\(source.kind)\"")
            }
            let directory = stateDirectory + "/source-\(place)"
            try Files.makeDirectory(directory, mode: 0o700)
            let own = source.bandwidth.map { Throttle(bytesPerSecond: $0) }
            sources.append(
                OpenSource(
                    place: place, plan: source,
                    folder: encrypted ? "s" + padded(place + 1, 2) : source.name,
                    exporter: try type.init(
                        source,
                        room: Room(
                            directory: directory, progress: progress, world: world,
                            isEncrypted: encrypted, workers: workers)),
                    throttles: [global, own].compactMap { $0 }))
        }
        return sources
    }

    private func complete(
        _ announce: @Sendable (ExportStage) -> Void
    ) async throws(Failure) -> ExportOutcome {
        if !ledger.commits.isEmpty {
            announce(.checking)
            try await checkStored()
        }
        if !stamps.authorities.isEmpty {
            announce(.stamping)
            let stamps = stamps
            try await scheduler.run { () throws(Failure) in try stamps.open() }
        }
        announce(.inventory)
        var inventories = try await takeInventories()
        let bytes = inventories.flatMap(\.artifacts).reduce(0) { $0 + $1.bytes }
        announce(.export(bytes: bytes))
        let conclusions = try await exportSegments(&inventories)
        announce(.sealing)
        let content = SealedContent(
            run: self, sources: try record(inventories, conclusions), inventories: inventories,
            conclusions: conclusions)
        return try await scheduler.run { () throws(Failure) in try content.seal() }
    }

    /// Holds what an interrupted run has stored against the journal, before more is built on it.
    private func checkStored() async throws(Failure) {
        let (writer, progress) = (writer, progress)
        try await scheduler.run(ledger.commits) { (commit) throws(Failure) in
            guard let digest = Digest256(hex: commit.record.sha256) else {
                throw Failure(.journalMalformed, "the journal has a digest that is none")
            }
            try writer.check(
                BagPath(commit.record.path), bytes: commit.record.bytes, sha256: digest,
                end: commit.end, progress: progress)
        }
    }

    /// The expected list, fixed before the first byte moves.
    private func takeInventories() async throws(Failure) -> [Inventory] {
        var inventories: [Inventory] = []
        for source in sources {
            let (ledger, writer) = (ledger, writer)
            inventories.append(
                try await scheduler.run { () throws(Failure) in
                    do throws(Failure) {
                        let inventory = try source.exporter.inventory()
                        try ExportProbes(source, writer.stateDirectory).ask()
                        try Files.syncDirectory(
                            of: writer.stateDirectory + "/source-\(source.place)/x")
                        try ledger.noteInventoried(source.place, inventory)
                        return inventory
                    } catch {
                        throw error.during(
                            "cannot take the inventory of source \"\(source.plan.name)\"")
                    }
                })
        }
        return inventories
    }

    private func record(
        _ inventories: [Inventory], _ conclusions: [[Conclusion]]
    ) throws(Failure) -> [SourceRecord] {
        var records: [SourceRecord] = []
        for (source, inventory) in zip(sources, inventories) {
            var artifacts: [ArtifactRecord] = []
            for (number, outline) in inventory.artifacts.enumerated() {
                let conclusion = conclusions[source.place][number]
                let segments = (0..<outline.segments).compactMap { segment in
                    ledger.commit(
                        at: RunLedger.Place(
                            source: source.place,
                            number: SegmentNumber(artifact: number, segment: segment)))?.record
                }
                artifacts.append(
                    ArtifactRecord(
                        name: outline.name, folder: folder(source, number, outline),
                        kind: outline.kind, legal: outline.legal, format: outline.format,
                        segments: segments, digests: conclusion.digests,
                        counts: conclusion.counts))
            }
            records.append(
                SourceRecord(
                    name: source.plan.name, kind: source.plan.kind, folder: source.folder,
                    moment: inventory.moment, facts: inventory.facts, artifacts: artifacts,
                    omissions: try source.exporter.omissions(),
                    probes: try ExportProbes(source, writer.stateDirectory).read()))
        }
        return records
    }

    /// Leaves the journal in order when a run does not reach its end; whatever fails here is less
    /// important than the failure that brought us here.
    ///
    /// A new run that fails before its expected list is fixed has nothing worth resuming, and leaves
    /// no output behind that would refuse a corrected plan.
    private func abandon(_ failure: Failure, isNew: Bool) {
        let isEmpty = sources.contains { !ledger.isInventoried($0.place) }
        if writer.form == .stream || isNew && isEmpty && failure.code != .cancelled {
            ledger.journal.close()
            try? writer.discard()
        } else if !ledger.isCompleted {
            try? ledger.journal.append(
                .runInterrupted, [.init("code", .integer(Int64(failure.code.rawValue)))])
        }
    }
}
