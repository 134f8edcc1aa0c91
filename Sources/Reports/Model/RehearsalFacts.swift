import Basics

/// What a receipt of a rehearsal says of its times and probes.
struct RehearsalFacts: Sendable {
    let receipt: ReceiptFacts
}
