public import Bags
public import Basics
public import Deadlines

/// The signed documents about one archive, each naming the one before: plan, seal, receipts,
/// acceptance, erasure request, overrides, erasure certificate.
///
/// A dossier is made by `DossierReader`. What is wrong in it stands in `problems`; the documents it
/// holds are those whose signatures hold.
public struct Dossier: Sendable {
    /// How far the exit has come, by documents that are in order.
    public enum Stage: String, Sendable, CaseIterable {
        case sealed
        case received
        case accepted
        case erasureRequested = "erasure-requested"
        case erased
    }

    public let seal: DossierSeal
    /// In the order of the chain.
    public let documents: [DossierDocument]
    /// What is wrong with the chain, each with a failure code of its own.
    public let problems: [BagProblem]
    /// What the catalogue of the archive says about contract, parties and dates; null in archives
    /// that say nothing.
    public let contract: JSON
    public let timeline: Timeline
    public let profiles: [LegalProfile]
    public let calendar: HolidayCalendar
    public let deadlines: DeadlineReport
    public let lock: ErasureLock

    public var plan: DossierDocument? { documents.first { $0.kind == .plan } }
    /// Of imports; a rehearsal hands nothing over.
    public var receipts: [DossierDocument] { documents.filter(\.isImportReceipt) }
    public var rehearsals: [DossierDocument] { documents.filter(\.isRehearsal) }
    public var acceptance: DossierDocument? { documents.first { $0.kind == .acceptance } }
    public var erasureRequest: DossierDocument? { documents.first { $0.kind == .erasureRequest } }
    /// Approvals of an erasure against the lock.
    public var overrides: [DossierDocument] {
        documents.filter { if case .override = $0.kind { true } else { false } }
    }
    public var erasure: DossierDocument? { documents.first { $0.kind == .erasure } }

    public var stage: Stage {
        if erasure != nil { return .erased }
        if erasureRequest != nil { return .erasureRequested }
        if acceptance != nil { return .accepted }
        return receipts.isEmpty ? .sealed : .received
    }

    /// True when the chain is in order and all signers are trusted.
    public var isGood: Bool { problems.isEmpty && documents.allSatisfy(\.isTrusted) }
}

/// Whether the source may be erased.
public struct ErasureLock: Sendable {
    /// One reason why it may not.
    public struct Reason: Sendable, Equatable {
        public enum Kind: String, Sendable, CaseIterable {
            case receiptMissing = "receipt-missing"
            /// The receipt that was accepted tells of differences.
            case receiptUnequal = "receipt-unequal"
            case acceptanceMissing = "acceptance-missing"
            case requestMissing = "erasure-request-missing"
            /// The earliest legal date has not passed.
            case tooEarly = "too-early"
            /// The date cannot be told, since one that it follows from is missing.
            case dateUnknown = "date-unknown"
            /// A document is wrong, or signed by somebody who is not trusted.
            case untrusted
        }

        public let kind: Kind
        /// For people, in English.
        public let what: String
    }

    public let reasons: [Reason]
    /// The moment from which the law allows it; nil where no rule says one, or it is not known.
    public let notBefore: Timestamp?
    /// The last day that must be over, and the rule that says so; nil where the customer's request asks
    /// for a later one.
    public let lastDay: Day?
    public let bound: Deadline?
    /// The two people who have approved an erasure in spite of it; empty unless both have.
    public let approvals: [Approval]

    public struct Approval: Sendable, Equatable {
        public let document: String
        public let name: String
        public let principal: String
        public let reason: String
    }

    public var isOpen: Bool { reasons.isEmpty }
    public var isOverridden: Bool { !isOpen && approvals.count >= 2 }
}
