import Bags
import Basics

extension ReportModel {
    /// What happened when, by the signed documents.
    static func dates(
        _ evidence: Evidence, _ archive: ArchiveFacts, _ receipts: [ReceiptFacts],
        _ madeAt: Timestamp
    ) -> (dates: [DossierDate], conflicts: [DateConflict]) {
        var dates: [DossierDate] = []
        func add(_ sentence: Sentence, _ at: Timestamp?) {
            guard let at else { return }
            dates.append(
                DossierDate(
                    label: .sentence(sentence), clause: nil, from: nil, actual: at.date, limit: nil,
                    isEarliest: false, state: .event))
        }
        add(Sentence(.dateRunOpened), archive.openedAt)
        add(Sentence(.dateSealed), archive.sealedAt)
        for receipt in receipts {
            add(Sentence(.dateReceipt, .name(receipt.file)), receipt.createdAt)
        }
        for document in evidence.documents {
            let at = (document.statement["predicate"]?["createdAt"]?.string).flatMap {
                Timestamp($0)
            }
            switch document.document {
            case .seal, .receipt: break
            case .acceptance: add(Sentence(.dateAccepted), at)
            case .erasure: add(Sentence(.dateErased), at)
            }
        }
        return (dates, [])
    }
}
