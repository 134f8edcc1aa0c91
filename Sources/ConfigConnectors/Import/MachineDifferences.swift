import Basics

/// How the staged configuration differs from a machine: files in three classes, facts by family, packages
/// with where they can be got, secrets to enter.
struct MachineDifferences: Sendable {
    struct File: Sendable {
        let path: [UInt8]
        /// `type`, `content`, `target`, `mode`, `owner`, `group`, `acl`, `xattrs`.
        let attributes: [String]
        /// Lines that differ, of a text; without secrets on either side.
        let lines: [String]
    }

    struct Package: Sendable {
        let name: String
        let wanted: String
        /// What is installed on the machine; nil for nothing.
        let installed: String?
        /// Versions that the machine's apt can get; nil where it could not be asked.
        let available: [String]?

        var state: String {
            guard let available else { return "unknown" }
            if available.contains(wanted) { return "available" }
            return available.isEmpty ? "unavailable" : "other-version"
        }
    }

    var same = 0
    /// Alike but for the values of secrets, which the archive does not have.
    var sameButSecrets: [[UInt8]] = []
    var differing: [File] = []
    var onlyHere: [[UInt8]] = []
    var onlyThere: [[UInt8]] = []
    var uncompared: [(path: [UInt8], reason: String)] = []
    var facts: [FactsComparison] = []
    var packages: [Package] = []
    /// Secrets that the archive does not have, one line each.
    var toEnter: [SecretPlace] = []

    var factsSame: Int { facts.reduce(0) { $0 + $1.same } }
    var factsDiffering: Int { facts.reduce(0) { $0 + $1.differing.count } }
    var factsOnlyHere: Int { facts.reduce(0) { $0 + $1.onlyHere.count } }
    var factsOnlyThere: Int { facts.reduce(0) { $0 + $1.onlyThere.count } }
    var factsUncompared: Int { facts.reduce(0) { $0 + $1.uncompared.count } }

    var counts: [JSON.Member] {
        [
            ("files-same", same + sameButSecrets.count), ("files-differing", differing.count),
            ("files-only-here", onlyHere.count), ("files-only-there", onlyThere.count),
            ("files-not-compared", uncompared.count), ("facts-same", factsSame),
            ("facts-differing", factsDiffering), ("facts-only-here", factsOnlyHere),
            ("facts-only-there", factsOnlyThere), ("facts-not-compared", factsUncompared),
            ("secrets-to-enter", toEnter.count),
        ].map { .init($0.0, .integer(Int64($0.1))) }
    }
}

/// What a report says about itself.
struct DifferencesTitle: Sendable {
    let source: String
    /// Where the compared machine has its files.
    let machine: String
    let takenAt: String
}
