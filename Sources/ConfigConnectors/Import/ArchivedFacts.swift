public import Basics

/// The facts of two archives against each other.
public struct ArchivedFacts: Sendable {
    /// A document of facts as an archive has it.
    public struct Document: Sendable {
        public let source: String
        public let name: String
        public let bytes: [UInt8]

        public init(source: String, name: String, bytes: [UInt8]) {
            self.source = source
            self.name = name
            self.bytes = bytes
        }
    }

    /// Two sources of one name, or the only ones of their archives.
    public struct Pair: Sendable {
        public let here: String
        public let there: String
        public let families: [FactsComparison]
        /// Families of one side alone.
        public let missing: [String]
    }

    public let pairs: [Pair]
    /// Sources that have no counterpart.
    public let alone: [String]

    public var isEqual: Bool {
        alone.isEmpty
            && pairs.allSatisfy { $0.missing.isEmpty && $0.families.allSatisfy(\.isEqual) }
    }

    /// Every source of items could be read on both sides.
    public var isComplete: Bool {
        pairs.allSatisfy { $0.families.allSatisfy(\.uncompared.isEmpty) }
    }

    /// 0 equal; 3 different; 2 where nothing differs and something could not be compared.
    public var status: Int32 { isEqual ? (isComplete ? 0 : 2) : 3 }

    public static func compare(
        _ here: [Document], _ there: [Document]
    ) throws(Failure) -> ArchivedFacts {
        guard !here.isEmpty, !there.isEmpty else {
            throw Failure(
                .notFound,
                "\(here.isEmpty ? "the first" : "the second") archive has no facts about a machine",
                hint: "Sources of kind configs have them.")
        }
        let (left, right) = (sources(here), sources(there))
        var names = left.filter { right.contains($0) }.map { ($0, $0) }
        if names.isEmpty, left.count == 1, right.count == 1 { names = [(left[0], right[0])] }
        var pairs: [Pair] = []
        for (one, other) in names {
            let mine = here.filter { $0.source == one }
            let theirs = there.filter { $0.source == other }
            var families: [FactsComparison] = []
            for document in mine {
                guard let counterpart = theirs.first(where: { $0.name == document.name }) else {
                    continue
                }
                families.append(try FactsComparison(document.bytes, counterpart.bytes))
            }
            let missing = Set(mine.map(\.name)).symmetricDifference(theirs.map(\.name)).sorted()
            pairs.append(Pair(here: one, there: other, families: families, missing: missing))
        }
        let alone = (left + right).filter { name in
            !names.contains { $0.0 == name || $0.1 == name }
        }
        return ArchivedFacts(pairs: pairs, alone: alone)
    }

    private static func sources(_ documents: [Document]) -> [String] {
        var names: [String] = []
        for document in documents where !names.contains(document.source) {
            names.append(document.source)
        }
        return names
    }

    public var json: JSON {
        [
            "equal": .bool(isEqual), "complete": .bool(isComplete),
            "sources": .array(
                pairs.map { pair in
                    [
                        "here": .string(pair.here), "there": .string(pair.there),
                        "facts": .array(pair.families.map(\.json)),
                        "families-of-one-side": .strings(pair.missing),
                    ]
                }), "sources-of-one-side": .strings(alone),
        ]
    }

    public var text: String {
        var lines: [String] = []
        for pair in pairs {
            lines.append(
                pair.here == pair.there
                    ? "source \(pair.here)" : "source \(pair.here) (here), \(pair.there) (there)")
            for family in pair.families {
                let count =
                    family.differing.count + family.onlyHere.count + family.onlyThere.count
                lines.append(
                    "\(family.family): \(family.same) alike, \(counted(count, "difference"))"
                        + (family.uncompared.isEmpty
                            ? "" : ", \(counted(family.uncompared.count, "source")) not compared"))
                lines += family.lines.map { "  " + $0.replacing("\n", with: "\\u{a}") }
            }
            lines += pair.missing.map { "\($0): in one archive alone" }
        }
        lines += alone.map { "source \($0): in one archive alone" }
        lines.append(
            !isEqual
                ? "the facts differ"
                : isComplete
                    ? "the facts are equal" : "nothing differs of what could be compared")
        lines.append("nothing was verified: \"exeat verify\" does that")
        return lines.joined(separator: "\n")
    }
}
