import Bags
import Basics

/// Whether what the receipt of an import concludes follows from what it lists.
///
/// Readers look at one or the other: the lock at the status, a report at comparisons. A receipt that
/// says two things is none.
struct ReceiptConsistency {
    private let document: DossierDocument
    private let sources: [JSON]

    init(_ document: DossierDocument) {
        self.document = document
        sources = document.predicate["sources"]?.array ?? []
    }

    private var comparisons: [JSON] { sources.flatMap { $0["comparisons"]?.array ?? [] } }

    /// Throws `.documentMalformed`.
    func check() throws(Failure) {
        let outcome = document.predicate["outcome"]
        let isHonest = comparisons.allSatisfy {
            $0["equal"]?.bool == ($0["expected"]?.string == $0["found"]?.string)
        }
        let (different, notSet) = (sum("different"), sum("notSet"))
        let isUnequal = different != 0 || comparisons.contains { $0["equal"]?.bool != true }
        let status = outcome?["status"]?.integer
        guard isHonest, !Self.hasNegative(document.predicate),
            outcome?["different"]?.integer ?? 0 == different,
            outcome?["notSet"]?.integer ?? 0 == notSet, (status == 3) == isUnequal,
            status != 0 || notSet == 0
        else {
            throw Failure(
                .documentMalformed,
                "\"\(document.kind.file)\" concludes what its comparisons and numbers do not say")
        }
    }

    /// Nothing that a receipt counts or measures is less than nothing; sums would hide it.
    private static func hasNegative(_ json: JSON) -> Bool {
        switch json {
        case .integer(let number): number < 0
        case .array(let elements): elements.contains(where: hasNegative)
        case .object(let members): members.contains { hasNegative($0.value) }
        case .null, .bool, .string: false
        }
    }

    private func sum(_ member: String) -> Int64 {
        sources.reduce(0) { $0 &+ ($1[member]?.integer ?? 0) }
    }
}
