import Bags
import Basics
import Connectors
import Manifests
import Plans
import Primitives
import Runs
import Signatures

/// The receipt of a rehearsal: that of an import, with purpose `drp-rehearsal` and what was timed,
/// started and asked. Names of objects and answers stay in the report that it names by its digest.
struct RehearsalReceipt {
    let run: Rehearsal
    let sources: [RehearsedSource]
    /// From the beginning until everything was restored and checked.
    let nanoseconds: UInt64
    let load: MachineLoad
    /// Of the processors, by this process while it rehearsed.
    let ownMilliseconds: Int64
    let reachedLimit: Bool
    /// Where the targets are, if they were kept.
    let keptAt: String?

    var asked: [RehearsedSource] { sources.filter { $0.outcome != .left } }
    var milliseconds: Int64 { Int64(nanoseconds / 1_000_000) }
    var manifest: Manifest { run.archive.contents.manifest }
    var objectives: RehearsalPlan.Objectives { run.plan.rehearsal.objectives }

    // MARK: - Verdict

    struct Tier {
        let name: String?
        let objectives: RehearsalPlan.Objectives
        let milliseconds: Int64
        /// Seconds; of its oldest source. nil where that of a source is not known.
        let recoveryPoint: Int64?
        let isComplete: Bool

        var isInTime: Bool { isComplete && milliseconds <= objectives.time * 1000 }
        var isRecentEnough: Bool {
            guard let wanted = objectives.recoveryPoint else { return true }
            return recoveryPoint.map { $0 <= wanted } ?? false
        }
    }

    var tiers: [Tier] {
        let names = run.plan.rehearsal.tiers.map { Optional($0.name) } + [nil]
        return names.compactMap { name in
            let own = asked.filter { $0.tier == name }
            guard !own.isEmpty else { return nil }
            let ages = own.compactMap { point($0).seconds }
            return Tier(
                name: name, objectives: run.plan.rehearsal.objectives(of: name),
                milliseconds: own.reduce(0) { max($0, Int64($1.end / 1_000_000)) },
                recoveryPoint: ages.count == own.count ? ages.max() : nil,
                isComplete: own.allSatisfy { $0.outcome == .passed })
        }
    }

    var isInTime: Bool {
        milliseconds <= objectives.time * 1000 && !reachedLimit
            && tiers.allSatisfy { !$0.isComplete || $0.isInTime }
    }

    private var isRecentEnough: Bool { tiers.allSatisfy(\.isRecentEnough) }

    var status: Int32 {
        let all = asked.map(\.status)
        let isDamaged = !run.archive.report.isGood
        if isDamaged || all.contains(3) { return 3 }
        // What the time limit has kept from being finished is no failure of its own.
        let failed = asked.contains { $0.outcome == .failed }
        if failed { return 1 }
        if !isInTime || !isRecentEnough { return 4 }
        if all.contains(1) { return 1 }
        return all.contains(2) ? 2 : 0
    }

    var verdict: String {
        switch status {
        case 0: "passed"
        case 2: "passed-with-reservations"
        case 3: "failed"
        case 4: "objective-missed"
        default: "incomplete"
        }
    }

    func point(_ source: RehearsedSource) -> RecoveryPoint {
        RecoveryPoint(
            of: source.record.moment, openedAt: manifest.createdAt,
            sealedAt: run.archive.bag.seal.createdAt, at: run.startedAt)
    }

    var reservations: [Reservation] {
        var found: [Reservation] = []
        func add(_ kind: Reservation.Kind, _ count: some BinaryInteger) {
            if count > 0 { found.append(Reservation(kind, count: count)) }
        }
        let report = run.archive.report
        if !report.isGood { found.append(Reservation(.damaged, count: report.problemCount)) }
        add(.notRehearsed, sources.count - asked.count)
        if reachedLimit { found.append(Reservation(.timeLimit)) }
        add(.omitted, manifest.sources.reduce(0) { $0 + $1.omissions.total })
        add(.notSetOnTargets, asked.reduce(0) { $0 + $1.notSet })
        add(.clockAhead, asked.count { point($0).isAhead })
        add(.ageUnknown, asked.count { point($0).seconds == nil })
        add(.unproven, asked.flatMap(\.guests).count(where: \.isUnproven))
        if asked.contains(where: \.isThrowAway), run.host.rights.network.isEmpty {
            found.append(Reservation(.noNetwork))
        }
        if asked.flatMap(\.guests).contains(where: { $0.acceleration == "tcg" }) {
            found.append(Reservation(.emulated))
        }
        // What is said of one source is not said again of the next.
        for reservation in asked.flatMap(\.reservations) where !found.contains(reservation) {
            found.append(reservation)
        }
        return found
    }

    // MARK: - Measures

    private var verifyPhases: [TimedPhase] {
        run.verifyClock.spans.map {
            TimedPhase(
                source: nil, phase: $0.phase, start: $0.start, end: $0.end, busy: $0.busy,
                bound: .sourceRead)
        }
    }

    var phases: [TimedPhase] {
        verifyPhases + asked.flatMap(\.phases).sorted { ($0.start, $0.end) < ($1.start, $1.end) }
    }

    var criticalPath: [TimedPhase] {
        var after: [Int: [Int]] = [:]
        for source in asked {
            after[source.place] = asked.filter { source.after.contains($0.record.name) }
                .map(\.place)
        }
        return CriticalPath.find(phases, after: after)
    }

    /// Whether all sources of the archive were restored, whole.
    var isWhole: Bool { sources.allSatisfy { $0.result != nil && $0.intact == nil } }

    /// nil where nothing was restored.
    var rates: RehearsalRates? {
        let restored = asked.filter { $0.result != nil }
        let plain = restored.reduce(Int64(0)) { $0 + $1.plainBytes }
        guard plain > 0 else { return nil }
        let replay: Set<RehearsalPhase> = [.load, .index, .analyse, .compare]
        let work = restored.flatMap(\.phases).filter { replay.contains($0.phase) }
        let restore = TimedPhase.covered(work)
        let verify = TimedPhase.covered(verifyPhases)
        // Beside what is restored meanwhile, starts and probes cost no time.
        let fixed = nanoseconds > restore + verify ? nanoseconds - restore - verify : 0
        let fetch = restored.compactMap { $0.clock?.reading.fetch }.reduce(0, +)
        var rates = RehearsalRates(
            plainBytes: plain, storedBytes: restored.reduce(0) { $0 + $1.storedBytes },
            examinedBytes: run.archive.report.payload.bytes,
            verifyMilliseconds: Int64(verify / 1_000_000),
            restoreMilliseconds: Int64(restore / 1_000_000),
            fixedMilliseconds: Int64(fixed / 1_000_000),
            processorMilliseconds: restored.reduce(ownMilliseconds) {
                $0 + $1.serverMilliseconds
            },
            fetchMilliseconds: Int64(fetch / 1_000_000),
            workers: Int64(run.workers), cores: Int64(run.host.cores))
        rates.guests = Int64(restored.flatMap(\.guests).count)
        return rates
    }

    func prediction(_ history: RehearsalHistory) -> Prediction? {
        let full = run.plan.rehearsal.fullSize
        let all = manifest.sources.flatMap(\.artifacts).reduce(Int64(0)) { $0 + $1.plainBytes }
        return rates.map { rates in
            Prediction(
                of: full.bytes ?? all, from: rates,
                smaller: isWhole ? history.smaller(than: rates) : nil, cores: full.cores,
                bandwidth: full.bandwidth)
        }
    }

    // MARK: - Writing

    /// One rehearsal of a folder after the other: numbers and the history are the folder's.
    func write() throws(Failure) -> RehearsalOutcome {
        try FolderLock.holding(run.folder) { () throws(Failure) in try writeNext() }
    }

    private func writeNext() throws(Failure) -> RehearsalOutcome {
        let history = RehearsalHistory(in: run.folder)
        let copies = ReceiptFiles(work: run.folder, archive: run.request.archive)
        let number = copies.nextNumber()
        let details = RehearsalReport(
            receipt: self, path: criticalPath, prediction: prediction(history))
        let report = details.json.canonical
        let reportName = "report-\(number).json"
        try Files.write(report, to: run.folder + "/" + reportName, mode: 0o600)
        let statement = statement(report: SHA256.hash(report), history)
        let bytes = statement.canonical
        let signatures = try run.signer.sign(bytes, as: .receipt)
        let name = "receipt-\(number).json"
        let files = [
            (name, bytes), (name + ".sig", signatures.sshsig),
            (name + ".mldsa65", signatures.mldsa65),
        ]
        try copies.write(files)
        let isInArchive = copies.copy(files) != nil
        try history.add(
            .init(
                at: run.startedAt, bag: run.archive.bag.seal.bag, status: status,
                milliseconds: milliseconds, objectiveSeconds: objectives.time, rates: rates,
                isWhole: isWhole, receipt: SHA256.hash(bytes).hex, file: name))
        return RehearsalOutcome(
            status: status, receipt: run.folder + "/" + name,
            report: run.folder + "/" + reportName, isInArchive: isInArchive,
            json: details.result(
                receipt: run.folder + "/" + name, report: run.folder + "/" + reportName,
                predicate: statement["predicate"] ?? .null),
            summary: details.text(receipt: run.folder + "/" + name, isInArchive: isInArchive))
    }

    private func statement(report: Digest256, _ history: RehearsalHistory) -> JSON {
        let seal = run.archive.bag.seal
        let sealDigest = run.archive.bag.digest(of: Seal.path) ?? SHA256.hash(seal.bytes)
        let pair = run.signer.publicPair
        let different = asked.reduce(Int64(0)) { $0 + ($1.result?.differenceCount ?? 0) }
        return [
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                [
                    "name": "seal.json",
                    "digest": [
                        "sha256": .string(sealDigest.hex)
                    ],
                ]
            ],
            "predicateType": "urn:exeat:receipt:v1",
            "predicate": [
                "purpose": "drp-rehearsal",
                "bag": .string("urn:uuid:" + seal.bag),
                "seal": [
                    "sha256": .string(sealDigest.hex), "createdAt": .string(seal.createdAt.text),
                ],
                "startedAt": .string(run.startedAt.text),
                "createdAt": .string(run.world.now().text),
                "verify": .string(run.plan.verify.rawValue),
                "signer": [
                    "principal": .string(pair.principal),
                    "ed25519": .string(pair.ed25519Fingerprint),
                    "mldsa65": .string(pair.mldsa65Fingerprint),
                ],
                "sources": .array(asked.filter { $0.result != nil }.map(compared)),
                "outcome": [
                    "status": .integer(Int64(status)), "different": .integer(different),
                    "notSet": .integer(asked.reduce(0) { $0 + $1.notSet }),
                ],
                "reservations": .array(reservations.map { .string($0.text) }),
                "reportSha256": .string(report.hex),
                "tool": ["name": "exeat", "version": .string(Tool.version)],
                "planSha256": .string(run.plan.digest.hex),
                "rehearsal": rehearsal(history),
            ],
        ]
    }

    private func compared(_ source: RehearsedSource) -> JSON {
        [
            "folder": .string(source.record.folder), "kind": .string(source.record.kind),
            "comparisons": .array((source.result?.comparisons ?? []).nameless),
            // Numbers alone: what else importers tell may name objects.
            "counts": .object((source.result?.counts ?? []).filter { $0.value.integer != nil }),
            "different": .integer(source.result?.differenceCount ?? 0),
            "notSet": .integer(source.notSet),
        ]
    }
}

/// How a rehearsal ended.
public struct RehearsalOutcome: Sendable {
    /// 0 all held and in time; 1 something could not be restored; 2 with reservations; 3 not equal, a
    /// probe failed or the archive is damaged; 4 objective missed.
    public let status: Int32
    public let receipt: String
    public let report: String
    public let isInArchive: Bool
    public let json: JSON
    public let summary: String
}
