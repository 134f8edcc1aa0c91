import Bags
import Basics
import Deadlines
import Signatures

/// Whether the source may be erased: an accepted receipt, the customer's request, and a date of law
/// that has passed.
struct LockRule {
    let documents: [DossierDocument]
    let problems: [BagProblem]
    let deadlines: DeadlineReport
    let calendar: HolidayCalendar
    let now: Timestamp

    func lock() -> ErasureLock {
        let legal = deadlines.erasureBound
        let lastDay = [legal?.day, agreedDay].compactMap { $0 }.max()
        let end = lastDay.map { calendar.end(of: $0) }
        // Nobody erases what was not accepted, or before he was asked.
        let steps = [ProofDocument.acceptance, .erasureRequest].compactMap {
            document($0)?.createdAt
        }
        let notBefore = ([end].compactMap { $0 } + steps).max()
        // A rule that ends before what the customer asks for, or before it asks, decides nothing.
        let bound = lastDay == legal?.day && notBefore == end ? legal : nil
        return ErasureLock(
            reasons: reasons(notBefore, lastDay, bound), notBefore: notBefore, lastDay: lastDay,
            bound: bound, approvals: approvals)
    }

    private func document(_ kind: ProofDocument) -> DossierDocument? {
        documents.first { $0.kind == kind }
    }

    private func reasons(
        _ notBefore: Timestamp?, _ lastDay: Day?, _ bound: Deadline?
    ) -> [ErasureLock.Reason] {
        var reasons: [ErasureLock.Reason] = []
        func add(_ kind: ErasureLock.Reason.Kind, _ what: String) {
            reasons.append(.init(kind: kind, what: what))
        }
        let receipts = documents.filter(\.isImportReceipt)
        if receipts.isEmpty { add(.receiptMissing, "there is no receipt of an import") }
        if let acceptance = document(.acceptance) {
            let receipt = receipts.first { $0.kind.file == acceptance.before.name }
            if let receipt, receipt.predicate["outcome"]?["status"]?.integer == 3 {
                add(.receiptUnequal, "the receipt that was accepted tells of differences")
            }
            if documents.contains(where: {
                $0.isRehearsal && $0.kind.file == acceptance.before.name
            }) {
                add(.receiptMissing, "what was accepted is the receipt of a rehearsal")
            }
            for document in [acceptance, receipt].compactMap({ $0 }) where !document.isTrusted {
                add(.untrusted, "nobody trusts who signed \"\(document.kind.file)\"")
            }
        } else {
            add(.acceptanceMissing, "the customer has not accepted")
        }
        if let request = document(.erasureRequest) {
            if !request.isTrusted {
                add(.untrusted, "nobody trusts who signed \"\(request.kind.file)\"")
            }
        } else {
            add(.requestMissing, "the customer has not asked for the erasure")
        }
        // What is wrong with the certificate itself does not lock the source again.
        for problem in problems where !problem.path.hasSuffix("/erasure.json") {
            add(.untrusted, problem.failure.what)
        }
        if let notBefore, now < notBefore {
            let isDay = lastDay.map { calendar.end(of: $0) } == notBefore
            let rule =
                bound.map { ", \($0.profile) \($0.rule.clause.en)" }
                ?? (isDay ? ", as \"erasure-request.json\" says" : "")
            add(
                .tooEarly,
                "not before \(notBefore.text)"
                    + (lastDay.map {
                        isDay ? ", when \($0.text) is over in \(calendar.timeZone)" : ""
                    } ?? "") + rule)
        }
        for bound in deadlines.unknownErasureBounds {
            let date = bound.rule.from?.rawValue ?? "date"
            add(
                .dateUnknown,
                "\(bound.profile) \(bound.rule.clause.en) counts from \(date), which is not known")
        }
        return reasons
    }

    /// The last day that the customer's request asks to wait for.
    private var agreedDay: Day? {
        document(.erasureRequest)?.predicate["notBefore"]?.string.flatMap { Day($0) }?
            .adding(days: -1)
    }

    /// One approval for each key and each name; two people cannot be one. One of them is of the
    /// customer, for whom the lock is: those who erase do not unlock their own work.
    private var approvals: [ErasureLock.Approval] {
        var approvals: [ErasureLock.Approval] = []
        var hasController = false
        for document in documents {
            guard case .override = document.kind, document.isTrusted, document.createdAt <= now,
                !problems.contains(where: { $0.path.hasSuffix("/" + document.kind.file) }),
                let name = document.predicate["name"]?.string,
                let reason = document.predicate["reason"]?.string
            else { continue }
            let isKnown = approvals.contains {
                $0.principal == document.signer.principal
                    || Self.plain($0.name) == Self.plain(name)
            }
            if isKnown { continue }
            hasController = hasController || document.roles.contains(.controller)
            approvals.append(
                .init(
                    document: document.kind.file, name: name,
                    principal: document.signer.principal, reason: reason))
        }
        return hasController && approvals.count >= 2 ? approvals : []
    }

    /// What is to be seen of a name but spaces and strokes; two that read alike are one.
    private static func plain(_ name: String) -> String {
        var plain = String.UnicodeScalarView()
        for scalar in name.lowercased().unicodeScalars
        where !scalar.properties.isDefaultIgnorableCodePoint {
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter,
                .otherLetter, .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber,
                .letterNumber, .otherNumber:
                plain.append(scalar)
            default: break
            }
        }
        return String(plain)
    }
}
