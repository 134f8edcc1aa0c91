import Bags
import Basics

/// What a receipt says: of an import, or of a rehearsal.
struct ReceiptFacts: Sendable {
    struct Source: Sendable {
        let folder: String
        let kind: String
        /// The kind of the target.
        let target: String?
        /// How many names or settings were mapped.
        let mappings: Int64
        let imported: SourceFacts.Import
        let counts: [(name: String, value: Int64)]
    }

    let number: Int
    let file: String
    let startedAt: Timestamp?
    let createdAt: Timestamp?
    /// `digest`, `counts` or `none`.
    let verify: String
    let signer: SignerFacts?
    let state: ChainLink.State
    let sources: [Source]
    let status: Int64
    let different: Int64
    let notSet: Int64
    let reservations: [String]
    /// What people have to do by hand, by source.
    let manualActions: [(folder: String, what: String, count: Int64)]
    /// How long each part took, in milliseconds.
    let durations: [(name: String, value: Int64)]
    let sha256: String
    let planSHA256: String?
    let reportSHA256: String?
    let isRehearsal: Bool
    let predicate: JSON

    init?(_ document: Evidence.Document, withNames: Bool) {
        guard case .receipt(let number) = document.document,
            let predicate = document.statement["predicate"]
        else { return nil }
        self.number = number
        self.predicate = predicate
        file = document.document.file
        startedAt = (predicate["startedAt"]?.string).flatMap { Timestamp($0) }
        createdAt = (predicate["createdAt"]?.string).flatMap { Timestamp($0) }
        verify = predicate["verify"]?.string ?? ""
        signer = SignerFacts(predicate["signer"], isTrusted: document.signer != nil)
        state =
            switch document.state {
            case .verified: .verified
            case .unchecked: .unchecked
            case .failed: .failed
            }
        sources = (predicate["sources"]?.array ?? []).map {
            Source($0, receipt: document.document.file, withNames: withNames)
        }
        let outcome = predicate["outcome"]
        status = outcome?["status"]?.integer ?? 3
        different = outcome?["different"]?.integer ?? 0
        notSet = outcome?["notSet"]?.integer ?? 0
        reservations = (predicate["reservations"]?.array ?? []).compactMap(\.string)
        manualActions = (predicate["manualActions"]?.array ?? []).map {
            ($0["folder"]?.string ?? "", $0["what"]?.string ?? "", $0["count"]?.integer ?? 1)
        }
        durations = (predicate["durations"]?.members ?? []).numbers
        sha256 = document.sha256
        planSHA256 = predicate["planSha256"]?.string
        reportSHA256 = predicate["reportSha256"]?.string
        isRehearsal =
            predicate["purpose"]?.string == "drp-rehearsal"
            || predicate["rehearsal"] != nil
    }

    var milliseconds: Int64? {
        guard let startedAt, let createdAt else { return nil }
        return createdAt.milliseconds - startedAt.milliseconds
    }
}

extension ReceiptFacts.Source {
    init(_ json: JSON, receipt: String, withNames: Bool) {
        folder = json["folder"]?.string ?? ""
        kind = json["kind"]?.string ?? ""
        target = json["target"]?["kind"]?.string
        mappings = json["mappings"]?.integer ?? 0
        imported = SourceFacts.Import(
            receipt: receipt,
            comparisons: (json["comparisons"]?.array ?? []).compactMap {
                Comparison($0, withNames: withNames)
            },
            different: json["different"]?.integer ?? 0, notSet: json["notSet"]?.integer ?? 0)
        counts = (json["counts"]?.members ?? []).numbers
    }
}

extension [JSON.Member] {
    /// The members that are integers.
    var numbers: [(name: String, value: Int64)] {
        compactMap { member in member.value.integer.map { (member.key, $0) } }
    }

    /// The members that are texts.
    var texts: [(name: String, value: String)] {
        compactMap { member in member.value.string.map { (member.key, $0) } }
    }
}
