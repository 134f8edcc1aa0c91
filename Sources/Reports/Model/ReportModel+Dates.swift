import Bags
import Basics
import Deadlines
import Dossiers

extension ReportModel {
    /// What happened when, by the signed documents, and the dates that law and contract set.
    static func dates(
        _ evidence: Evidence, _ archive: ArchiveFacts, _ receipts: [ReceiptFacts],
        _ days: DayReader
    ) -> (dates: [DossierDate], conflicts: [DateConflict]) {
        var dates: [DossierDate] = []
        func add(_ sentence: Sentence, _ day: String?) {
            guard let day else { return }
            dates.append(
                DossierDate(
                    label: .sentence(sentence), rule: nil, clause: nil, from: nil, actual: day,
                    limit: nil, isEarliest: false, state: .event))
        }
        for event in TimelineEvent.planned {
            let label = event.rawValue
            add(Sentence(.dateAgreed, .term(label)), evidence.dossier?.timeline[event]?.text)
        }
        add(Sentence(.dateRunOpened), archive.openedAt.map(days.callAsFunction))
        add(Sentence(.dateSealed), archive.sealedAt.map(days.callAsFunction))
        for receipt in receipts {
            add(
                Sentence(
                    receipt.isRehearsal ? .dateRehearsal : .dateReceipt, .name(receipt.file)),
                receipt.createdAt.map(days.callAsFunction))
        }
        for document in evidence.documents {
            let at = (document.statement["predicate"]?["createdAt"]?.string).flatMap {
                Timestamp($0).map(days.callAsFunction)
            }
            switch document.document {
            case .seal, .receipt: break
            case .plan: add(Sentence(.datePlanSigned), at)
            case .acceptance: add(Sentence(.dateAccepted), at)
            case .erasureRequest: add(Sentence(.dateErasureAsked), at)
            case .override: add(Sentence(.dateOverride, .name(document.document.file)), at)
            case .erasure: add(Sentence(.dateErased), at)
            }
        }
        dates.sort { ($0.actual ?? "") < ($1.actual ?? "") }
        let titles = Self.titles(evidence)
        let deadlines = evidence.dossier?.deadlines
        return (
            dates + (deadlines?.deadlines ?? []).map { DossierDate($0, titles) },
            (deadlines?.conflicts ?? []).map {
                DateConflict(
                    earliest: DossierDate($0.earliest, titles),
                    latest: DossierDate($0.latest, titles))
            }
        )
    }

    private static func titles(_ evidence: Evidence) -> [String: LocalText] {
        Dictionary(
            (evidence.dossier?.profiles ?? []).map { ($0.id, $0.text) },
            uniquingKeysWith: { first, _ in first })
    }

    /// The text and the place in it.
    static func clause(of deadline: Deadline, _ titles: [String: LocalText]) -> LocalText {
        let (text, clause) = (titles[deadline.profile], deadline.rule.clause)
        return LocalText(
            fr: "\(text?.fr ?? deadline.profile), \(clause.fr)",
            en: "\(text?.en ?? deadline.profile), \(clause.en)")
    }

    static func lock(_ evidence: Evidence) -> LockFacts? {
        guard let dossier = evidence.dossier, dossier.seal.purpose == "end-of-contract" else {
            return nil
        }
        let lock = dossier.lock
        return LockFacts(
            reasons: lock.reasons.map(\.kind.rawValue), notBefore: lock.notBefore,
            clause: lock.bound.map {
                Self.clause(of: $0, Self.titles(evidence))
            },
            approvals: lock.approvals.map { ($0.name, $0.principal, $0.reason) },
            isOverridden: lock.isOverridden)
    }
}

extension DossierDate {
    init(_ deadline: Deadline, _ titles: [String: LocalText]) {
        let says = deadline.rule.says
        let state: State =
            switch deadline.state {
            case .met: .met
            case .missed: .missed
            case .open: .open
            case .unknown: .unknown
            case .replaced: .replaced
            case .notApplicable: .notApplicable
            }
        self.init(
            label: .texts(french: says.fr, english: says.en), rule: deadline.rule.id,
            clause: ReportModel.clause(of: deadline, titles),
            from: deadline.from?.text, actual: deadline.actual?.text,
            limit: (deadline.isEarliest ? deadline.earliest : deadline.latest)?.text,
            isEarliest: deadline.isEarliest, state: state)
    }
}
