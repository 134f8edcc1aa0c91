public import Basics
import Deadlines
import Manifests

/// All that a report says, computed from the evidence: without a language, without a layout.
public struct ReportModel: Sendable {
    public let verdict: Verdict
    /// The one thing that a report takes from the clock.
    public let madeAt: Timestamp
    let days: DayReader
    let tool: String
    let archive: ArchiveFacts
    let outcome: ExportFacts?
    let checks: [CheckFacts]
    let problems: [ProblemFacts]
    let problemCount: Int
    let sources: [SourceFacts]
    let run: RunFacts?
    let receipts: [ReceiptFacts]
    /// Seal, receipts, acceptance, erasure, in their order; those that are missing too.
    let chain: [ChainLink]
    let dates: [DossierDate]
    let conflicts: [DateConflict]
    /// Whether the source may be erased; nil where no dossier says so.
    let lock: LockFacts?
    let actions: [ManualAction]
    let dataAct: [DutyFacts]
    let rehearsals: [RehearsalFacts]
    let instructions: [Instruction]
    /// Whether real names may be shown.
    let withNames: Bool
    /// Dates and lock follow from the documents; those of an archive that failed are not reckoned.
    let isReckoned: Bool
    /// What the contract lists against the sources; nil where the plan did not say.
    let coverage: CoverageFacts?
}

/// Which day a moment is shown as: that of the calendar by which legal dates are reckoned, so that one event
/// has one day in all of a report; by UTC where nothing is reckoned.
struct DayReader: Sendable {
    let calendar: HolidayCalendar?

    func callAsFunction(_ moment: Timestamp) -> String {
        calendar?.day(of: moment).text ?? moment.date
    }
}

/// What the archive is, as far as it may be shown.
struct ArchiveFacts: Sendable {
    let name: String?
    let bag: String?
    let purpose: String
    let contract: String?
    let provider: String?
    let customer: String?
    /// True where contract and customer stand in a manifest that nobody opened.
    let partiesAreSealed: Bool
    /// True where names and digests of content stand in a manifest that nobody opened.
    let contentIsSealed: Bool
    let isEncrypted: Bool
    let isProofOnly: Bool
    let openedAt: Timestamp?
    let sealedAt: Timestamp?
    /// What authorities of time have certified.
    let openingStamp: Timestamp?
    let closingStamp: Timestamp?
    let stamps: [StampFacts]
    let files: Int64
    let bytes: Int64
    let signer: SignerFacts?
    let tool: String?
    let planSHA256: String?
    let sealSHA256: String?
    let subjectSHA256: String?
    let journal: JournalFacts?

    struct JournalFacts: Sendable {
        let entries: Int64
        let head: String
        let root: String
    }
}

/// What a time-stamp says.
struct StampFacts: Sendable {
    let isOpening: Bool
    let file: String
    let moment: Timestamp
    let authority: String
    /// Whether the authority is one that the reader named.
    let isTrusted: Bool
    let note: String?
}

struct SignerFacts: Sendable, Equatable {
    let principal: String
    let ed25519: String
    let mldsa65: String
    /// By a trust file from outside the archive.
    let isTrusted: Bool

    init?(_ json: JSON?, isTrusted: Bool) {
        guard let principal = json?["principal"]?.string else { return nil }
        self.principal = principal
        ed25519 = json?["ed25519"]?.string ?? ""
        mldsa65 = json?["mldsa65"]?.string ?? ""
        self.isTrusted = isTrusted
    }
}

/// Expected against acknowledged, as the seal says it.
struct ExportFacts: Sendable {
    let status: Int64
    let expected: Int64
    let exported: Int64
    let omitted: Int64
    /// Omitted, and covered by neither `exclude` nor `accept` of the plan.
    let open: Int64
    /// Declared, found or exported, and not the same on all sides.
    let unexplained: Int64
}

struct CheckFacts: Sendable {
    let name: String
    let outcome: String
    let detail: String?
}

struct ProblemFacts: Sendable {
    let path: String
    let code: Int64
    let word: String
    let what: String
}

/// A source: what was expected, exported, omitted, imported and compared.
struct SourceFacts: Sendable {
    struct Artifact: Sendable {
        let label: String
        let kind: String
        let legal: String
        let format: String
        let segments: Int64
        let bytes: Int64
        let digests: [(name: String, value: String)]
        let counts: [(name: String, value: Int64)]
    }

    struct Omission: Sendable {
        let reason: String
        let count: Int64
        let isAccepted: Bool
        /// Real names, where they may be shown.
        let examples: [String]
    }

    /// What a receipt says of it.
    struct Import: Sendable {
        let receipt: String
        let comparisons: [Comparison]
        let different: Int64
        let notSet: Int64

        var isEqual: Bool { different == 0 && comparisons.allSatisfy(\.isEqual) }
    }

    let place: Int
    let folder: String
    let kind: String
    /// The real name, or the folder's.
    let label: String
    let moment: Moment?
    let facts: [(name: String, value: String)]
    let counts: [(name: String, value: Int64)]
    let artifacts: [Artifact]
    let artifactCount: Int
    let omissions: [Omission]
    let coverage: CoverageFacts?
    /// Objects, each once.
    let expected: Int64?
    let exported: Int64?
    let storedBytes: Int64
    let plainBytes: Int64?
    /// Bytes and artifacts of each legal category.
    let legal: [(category: String, artifacts: Int, bytes: Int64)]
    /// Digests taken again from the plaintexts while this archive was verified.
    let retaken: [Comparison]
    let imports: [Import]

    var omitted: Int64 { omissions.reduce(0) { $0 &+ $1.count } }
    var openOmissions: Int64 { omissions.reduce(0) { $0 &+ ($1.isAccepted ? 0 : $1.count) } }
}

/// A measure taken at export and again later.
struct Comparison: Sendable {
    let name: String
    let expected: String
    let found: String
    let isEqual: Bool

    /// - Parameter withNames: what the comparison says of an object's name may be shown.
    init?(_ json: JSON, withNames: Bool) {
        guard let name = json["name"]?.string else { return nil }
        self.name = withNames ? name : Self.nameless(name)
        expected = json["expected"]?.string ?? ""
        found = json["found"]?.string ?? ""
        isEqual = json["equal"]?.bool ?? false
    }

    /// `rows of NAME` is `rows`; numbers of tables, disks and guests name nobody.
    private static func nameless(_ name: String) -> String {
        guard let cut = name.firstRange(of: " of ") else { return name }
        let words = name[cut.upperBound...].split(separator: " ", omittingEmptySubsequences: false)
        let isNumbered = words.allSatisfy {
            ["disk", "of", "guest", "table", "log", "stream", "journal"].contains($0)
                || Int($0) != nil
        }
        return isNumbered ? name : String(name[..<cut.lowerBound])
    }
}

/// A document of the dossier, or the place where it would be.
struct ChainLink: Sendable {
    enum Kind: String, Sendable {
        case plan, seal, receipt, rehearsal, acceptance, erasureRequest, override, erasure
    }

    enum State: String, Sendable { case verified, unchecked, failed, missing }

    let kind: Kind
    let state: State
    let file: String?
    let at: Timestamp?
    let signer: SignerFacts?
    let sha256: String?
    let statement: JSON

    /// What the customer has accepted in spite of.
    var reservations: Int {
        guard kind == .acceptance, file != nil else { return 0 }
        return statement["predicate"]?["reservations"]?.array?.count ?? 0
    }
}

/// A moment of the dossier, or a date that law or contract sets.
struct DossierDate: Sendable {
    enum State: String, Sendable {
        case met, missed, open, unknown, replaced, event
        case notApplicable = "not-applicable"
    }

    enum Label: Sendable {
        case sentence(Sentence)
        /// A text of a legal profile, in each language.
        case texts(french: String, english: String)
    }

    let label: Label
    /// The rule's name in its legal profile.
    let rule: String?
    /// Which text of law or contract, and where in it.
    let clause: LocalText?
    /// From which day the period counts: `2026-11-27`.
    let from: String?
    /// When it happened.
    let actual: String?
    /// The last day, or the first one where `isEarliest`.
    let limit: String?
    let isEarliest: Bool
    let state: State
}

/// Why the source may not be erased yet, and who has said that it may all the same.
struct LockFacts: Sendable {
    /// Words of `ErasureLock.Reason.Kind`.
    let reasons: [String]
    let notBefore: Timestamp?
    let clause: LocalText?
    let approvals: [(name: String, principal: String, reason: String)]
    let isOverridden: Bool

    var isOpen: Bool { reasons.isEmpty }
}

/// What was declared of a source before, against what was found.
struct CoverageFacts: Sendable {
    struct Declared: Sendable {
        let category: String
        let artifacts: Int64
        let legal: String?
        /// Why it is exempt, and by which clause.
        let ground: String?
        let clause: String?
    }

    let declared: [Declared]
    let unexplained: Int64
    let gaps: [(name: String, value: Int64)]
}

/// Two rules that no date can satisfy both.
struct DateConflict: Sendable {
    let earliest: DossierDate
    let latest: DossierDate
}

/// Something that people must know or do, that no program did for them.
struct ManualAction: Sendable {
    enum Origin: Sendable, Equatable {
        case receipt(Int)
        case seal
    }

    let origin: Origin
    /// The source's folder; nil for what is about all.
    let folder: String?
    /// As the document has it, in English.
    let text: String
    let count: Int64?
}

/// A step of the instructions: a line of prose, and commands.
struct Instruction: Sendable {
    /// nil for what stands before the first step.
    let number: Int?
    let text: String
    let commands: String
}
