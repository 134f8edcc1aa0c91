import Basics

/// What the rehearsals of a dossier leave open.
///
/// One that was made again says what holds now, but of those sources alone that it rehearsed: a part that is
/// well mends nothing of what failed beside it.
struct RehearsalStanding: Sendable {
    private(set) var reasons: [Sentence] = []
    private(set) var hasFailed = false

    /// - Parameters:
    ///   - sources: how many the archive has.
    ///   - isPurpose: whether the archive was made to be rehearsed: then all of it is.
    init(_ receipts: [ReceiptFacts], sources: Int, isPurpose: Bool) {
        // Where signatures do not hold, what a receipt says counts for nothing.
        let rehearsals = receipts.filter { $0.isRehearsal && $0.state != .failed }
        guard let last = rehearsals.last else { return }
        var open: [String: Int] = [:]
        var seen: Set<String> = []
        for receipt in rehearsals {
            for source in receipt.predicate["rehearsal"]?["sources"]?.array ?? [] {
                guard let folder = source["folder"]?.string,
                    let outcome = source["outcome"]?.string,
                    outcome != "left"
                else { continue }
                seen.insert(folder)
                open[folder] = outcome == "passed" ? nil : receipt.number
            }
        }
        for receipt in rehearsals
        where receipt.number == last.number || open.values.contains(receipt.number) {
            switch receipt.status {
            case 0: break
            case 2: reasons.append(Sentence(.reasonRehearsalReserved, .name(receipt.file)))
            case 4: reasons.append(Sentence(.reasonObjectiveMissed, .name(receipt.file)))
            default:
                reasons.append(Sentence(.reasonRehearsalFailed, .name(receipt.file)))
                hasFailed = true
            }
        }
        if isPurpose, seen.count < sources {
            reasons.append(Sentence(.reasonNotRehearsed, .number(Int64(sources - seen.count))))
        }
    }
}
