public import Basics

/// What a report concludes, and why.
public struct Verdict: Sendable {
    public enum Word: String, Sendable {
        case conforming
        case reservations
        /// Nobody said whom to trust: intact, but by whom is not established.
        case unverified
        case failed
    }

    public let word: Word
    public let failure: Failure?
    /// Why it is not the best one.
    let reasons: [Sentence]

    /// The status with which a command that made the report ends: 3 where verification or the last
    /// comparison of a source failed.
    public var exitStatus: Int32 { word == .failed ? 3 : 0 }

    init(
        _ standing: Evidence.Standing, outcome: ExportFacts?, receipts: [ReceiptFacts],
        chain: [ChainLink], dates: [DossierDate], sources: Int,
        isRehearsal: Bool
    ) {
        var reasons: [Sentence] = []
        var hasFailed = false
        if let outcome, outcome.open > 0 || (outcome.status == 2 && outcome.unexplained == 0) {
            reasons.append(Sentence(.reasonOpenOmissions, .number(outcome.open)))
        }
        if let outcome, outcome.unexplained > 0 {
            reasons.append(Sentence(.reasonUnexplained, .number(outcome.unexplained)))
        }
        // An import that was made again says what holds now; earlier receipts remain in the dossier.
        var latest: [String: (receipt: ReceiptFacts, source: ReceiptFacts.Source)] = [:]
        for receipt in receipts where !receipt.isRehearsal {
            for source in receipt.sources { latest[source.folder] = (receipt, source) }
        }
        for (receipt, source) in latest.values.sorted(by: { $0.source.folder < $1.source.folder }) {
            if source.imported.comparisons.contains(where: { !$0.isEqual }) {
                reasons.append(
                    Sentence(.reasonUnequal, .name(receipt.file), .name(source.folder)))
                hasFailed = true
            } else if source.imported.different > 0 {
                reasons.append(
                    Sentence(
                        .reasonDifferent, .name(receipt.file), .number(source.imported.different)))
                hasFailed = true
            }
            if source.imported.notSet > 0 {
                reasons.append(
                    Sentence(.reasonNotSet, .name(receipt.file), .number(source.imported.notSet)))
            }
        }
        if let last = receipts.last(where: { !$0.isRehearsal }) {
            if last.verify == "counts" {
                reasons.append(Sentence(.reasonByCounts, .name(last.file)))
            }
            if last.verify == "none" {
                reasons.append(Sentence(.reasonNotCompared, .name(last.file)))
            }
            if latest.count < sources {
                reasons.append(
                    Sentence(.reasonNotImported, .number(Int64(sources - latest.count))))
            }
        }
        let rehearsed = RehearsalStanding(receipts, sources: sources, isPurpose: isRehearsal)
        reasons += rehearsed.reasons
        hasFailed = hasFailed || rehearsed.hasFailed
        for link in chain where link.file != nil {
            let says = link.statement["predicate"]
            if link.reservations > 0 {
                reasons.append(Sentence(.reasonAccepted, .number(Int64(link.reservations))))
            }
            if link.kind == .erasure, says?["lock"]?["overridden"]?.bool == true {
                reasons.append(Sentence(.reasonOverridden))
            }
        }
        for link in chain where link.state == .unchecked {
            reasons.append(
                Sentence(.reasonUnchecked, .name(link.file ?? link.kind.rawValue)))
        }
        for link in chain where link.state == .failed && link.kind != .seal {
            reasons.append(Sentence(.reasonInvalid, .name(link.file ?? link.kind.rawValue)))
        }
        for date in dates where date.state == .missed {
            reasons.append(
                Sentence(
                    .reasonDeadlineMissed, .local(date.clause ?? .unknown), .day(date.limit ?? "?"))
            )
        }
        self.reasons = reasons
        switch standing {
        case .failed(let failure):
            word = .failed
            self.failure = failure
        case .unknownSigner:
            word = hasFailed ? .failed : .unverified
            failure = hasFailed ? Self.comparison : nil
        case .verified:
            word = hasFailed ? .failed : reasons.isEmpty ? .conforming : .reservations
            failure = hasFailed ? Self.comparison : nil
        }
    }

    private static let comparison = Failure(
        .comparisonFailed, "what was restored is not what was exported")
}
