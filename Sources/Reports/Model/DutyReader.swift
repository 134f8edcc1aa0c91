import Basics
import Deadlines

/// Whether a duty of chapter VI has evidence in the dossier, and which.
struct DutyFacts: Sendable {
    enum State: String, Sendable {
        case shown
        case partial
        case absent
        /// No archive can hold it: the parties must.
        case outside
        case notDue
        /// A date of the law was not kept, or is still to come.
        case missed
        case open
    }

    let duty: Duty
    let state: State
    let evidence: [Sentence]
}

/// Finds evidence for each duty.
struct DutyReader {
    let archive: ArchiveFacts
    let outcome: ExportFacts?
    let sources: [SourceFacts]
    let coverageOfContract: CoverageFacts?
    let receipts: [ReceiptFacts]
    let chain: [ChainLink]
    let run: RunFacts?
    let dates: [DossierDate]
    let days: DayReader
    let rehearsals: [RehearsalFacts]
    let hasManifest: Bool

    var duties: [DutyFacts] {
        Duty.allCases.map { duty in
            let (state, evidence) = finding(duty)
            return DutyFacts(duty: duty, state: state, evidence: evidence)
        }
    }

    private typealias Finding = (DutyFacts.State, [Sentence])

    private func finding(_ duty: Duty) -> Finding {
        switch duty {
        case .obstacles, .knownRisks: reservations
        case .portData: coverage
        case .equivalence: probes
        case .unbundling: separate
        case .ownServices: scope
        case .writtenContract: contract
        case .transition: date(["25-2-a"])
        case .continuity: moments
        case .security: security
        case .support, .choice, .jurisdiction: (.outside, [Sentence(.evidenceParties)])
        case .completion: acceptance
        case .notice: date(["25-2-d"])
        case .specification: specification
        case .exemptions: exemptions
        case .retrieval: date(["25-2-g"])
        case .erasure: erasure
        case .charges: charges
        case .infeasible: infeasible
        case .oneExtension: date(["25-5"])
        // That they are published, and free of charge, is for the provider to show.
        case .procedures, .openInterfaces: (.partial, formats.1)
        case .goodFaith: goodFaith
        case .machineReadable: readBack
        case .parallelUse: (.notDue, [Sentence(.evidenceNotParallel)])
        }
    }

    private var artifacts: Int { sources.reduce(0) { $0 + $1.artifactCount } }

    private var coverage: Finding {
        guard let outcome else { return (.absent, [Sentence(.runMissing)]) }
        if outcome.open > 0 {
            return (
                .partial,
                [
                    Sentence(
                        .evidenceCoverage, .number(outcome.exported), .number(outcome.expected),
                        .number(outcome.omitted), .number(outcome.open))
                ]
            )
        }
        return (
            .shown,
            [
                Sentence(
                    outcome.omitted == 0 ? .evidenceCoverageWhole : .evidenceCoverageAll,
                    .number(outcome.exported), .number(outcome.expected), .number(outcome.omitted))
            ]
        )
    }

    private var reservations: Finding {
        let count =
            receipts.reduce(0) { $0 + $1.reservations.count }
            + chain.reduce(0) { $0 + $1.reservations }
            + sources.reduce(0) { $0 + $1.omissions.count }
        return (.partial, [Sentence(.evidenceReservations, .number(Int64(count)))])
    }

    private var probes: Finding {
        // What the source was not asked itself shows nothing about it.
        let probes = rehearsals.flatMap(\.probes).filter(\.isRecorded)
        guard !probes.isEmpty else { return (.absent, [Sentence(.evidenceNoProbes)]) }
        let held = probes.filter(\.held).count
        return (
            held == probes.count ? .shown : .partial,
            [Sentence(.evidenceProbes, .number(Int64(probes.count)), .number(Int64(held)))]
        )
    }

    private var separate: Finding {
        (
            sources.isEmpty ? .absent : .shown,
            [
                Sentence(
                    .evidenceSeparate, .number(Int64(sources.count)), .number(Int64(artifacts)))
            ]
        )
    }

    private var scope: Finding {
        let excluded = sources.flatMap(\.omissions).filter { $0.reason == "excluded" }
            .reduce(Int64(0)) { $0 &+ $1.count }
        return (
            .partial,
            [
                excluded > 0
                    ? Sentence(.evidenceScope, .number(excluded)) : Sentence(.evidenceNoScope)
            ]
        )
    }

    private var contract: Finding {
        if let contract = archive.contract {
            return (.partial, [Sentence(.evidenceContract, .name(contract))])
        }
        return archive.partiesAreSealed
            ? (.partial, [Sentence(.evidenceContractSealed)])
            : (.absent, [Sentence(.evidenceNoContract)])
    }

    private var moments: Finding {
        hasManifest
            ? (.partial, [Sentence(.evidenceMoments, .number(Int64(sources.count)))])
            : (.partial, [Sentence(.evidenceMomentsSealed)])
    }

    private var security: Finding {
        archive.isEncrypted
            ? (.shown, [Sentence(.evidenceEncrypted)]) : (.partial, [Sentence(.evidenceClear)])
    }

    private func signed(_ kind: ChainLink.Kind) -> ChainLink? {
        chain.first { $0.kind == kind && ($0.state == .verified || $0.state == .unchecked) }
    }

    private var acceptance: Finding {
        guard let link = signed(.acceptance), let at = link.at else {
            return (.absent, [Sentence(.evidenceNotAccepted)])
        }
        return (
            link.state == .verified ? .shown : .partial,
            [Sentence(.evidenceAccepted, .day(days(at)))]
        )
    }

    private var erasure: Finding {
        guard let link = signed(.erasure), let at = link.at else {
            return (.absent, [Sentence(.evidenceNotErased)])
        }
        return (
            link.state == .verified ? .shown : .partial, [Sentence(.evidenceErased, .day(days(at)))]
        )
    }

    private var specification: Finding {
        guard let outcome, !sources.isEmpty else { return (.absent, [Sentence(.runMissing)]) }
        return (
            outcome.open == 0 && outcome.unexplained == 0 ? .shown : .partial,
            [Sentence(.evidenceCatalogue, .number(Int64(artifacts)))]
        )
    }

    private var exemptions: Finding {
        let declared = (sources.compactMap(\.coverage) + [coverageOfContract].compactMap { $0 })
            .flatMap(\.declared)
            .filter { $0.legal == "exempt" }
        guard declared.isEmpty else {
            return (
                declared.allSatisfy { $0.ground != nil && $0.clause != nil } ? .shown : .partial,
                [Sentence(.evidenceExemptDeclared, .number(Int64(declared.count)))]
            )
        }
        let exempt = sources.flatMap(\.legal).filter { $0.category == "exempt" }
        let count = exempt.reduce(0) { $0 + $1.artifacts }
        guard count > 0 else { return (.shown, [Sentence(.evidenceNoExempt)]) }
        return (
            .shown,
            [
                Sentence(
                    .evidenceExempt, .number(Int64(count)),
                    .bytes(exempt.reduce(0) { $0 &+ $1.bytes }))
            ]
        )
    }

    private var charges: Finding {
        let finding = date(["29"])
        guard let run else { return finding }
        let measured = Sentence(
            .evidenceCharges, .bytes(archive.bytes), .milliseconds(run.milliseconds))
        return finding.0 == .absent
            ? (.partial, [measured]) : (finding.0, finding.1 + [measured])
    }

    private var infeasible: Finding {
        let finding = date(["25-4-notice", "25-4-length"])
        guard let rate = run?.meanRate else { return finding }
        return (
            finding.0 == .absent ? .partial : finding.0,
            (finding.0 == .absent ? [] : finding.1) + [Sentence(.evidenceThroughput, .rate(rate))]
        )
    }

    private var formats: Finding {
        let formats = Set(sources.flatMap { $0.artifacts.map(\.format) }).sorted()
        guard !formats.isEmpty else { return (.absent, [Sentence(.runMissing)]) }
        return (
            .shown, [Sentence(.evidenceFormats, .name(formats.joined(separator: ", ")))]
        )
    }

    private var goodFaith: Finding {
        receipts.isEmpty
            ? (.absent, [Sentence(.evidenceNoReceipts)])
            : (.partial, [Sentence(.evidenceReceipts, .number(Int64(receipts.count)))])
    }

    private var readBack: Finding {
        var evidence = formats.1
        let equal = sources.filter { $0.imports.last?.isEqual ?? false }.count
        let retaken = sources.filter { !$0.retaken.isEmpty }.count
        if retaken > 0 { evidence.append(Sentence(.evidenceRetaken, .number(Int64(retaken)))) }
        if equal > 0 {
            evidence.append(
                Sentence(.evidenceReadBack, .number(Int64(equal)), .number(Int64(sources.count))))
        }
        if equal == 0, retaken == 0 { evidence.append(Sentence(.evidenceNotReadBack)) }
        let isWhole = !sources.isEmpty && max(equal, retaken) == sources.count
        return (isWhole ? .shown : .partial, evidence)
    }

    /// What the rules of the Data Act's profile found, by the end of their names.
    private func date(_ rules: [String]) -> Finding {
        let found = dates.filter { date in
            guard let rule = date.rule, date.clause?.en.contains("2023/2854") ?? false else {
                return false
            }
            return rules.contains { rule == $0 || rule.hasSuffix("/" + $0) }
        }
        if let missed = found.first(where: { $0.state == .missed }) {
            let phrase: Phrase = missed.actual == nil ? .evidenceDateMissing : .evidenceDateMissed
            return (.missed, [sentence(phrase, missed)])
        }
        if let open = found.first(where: { $0.state == .open }) {
            return (.open, [sentence(.evidenceDateOpen, open)])
        }
        if let met = found.first(where: { $0.state == .met }) {
            // A rule about how often has no day.
            let isDated = met.actual != nil && met.limit != nil
            return (
                .shown, [isDated ? sentence(.evidenceDateKept, met) : Sentence(.evidenceRuleKept)]
            )
        }
        if found.contains(where: { $0.state == .replaced || $0.state == .notApplicable }) {
            return (.notDue, [Sentence(.evidenceDateReplaced)])
        }
        return (.absent, [Sentence(.evidenceNoDate)])
    }

    private func sentence(_ phrase: Phrase, _ date: DossierDate) -> Sentence {
        Sentence(phrase, .day(date.actual ?? date.limit ?? "–"), .day(date.limit ?? "–"))
    }
}
