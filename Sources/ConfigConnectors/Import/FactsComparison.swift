public import Basics

/// What differs between two documents of one family.
public struct FactsComparison: Sendable {
    public struct Item: Sendable {
        public let name: String
        /// In the archive; nil where it is on the other side alone.
        public let here: JSON?
        public let there: JSON?
    }

    public let family: String
    public let same: Int
    public let differing: [Item]
    public let onlyHere: [Item]
    public let onlyThere: [Item]
    /// Sources that one side or the other could not read, with the reasons: their items prove nothing.
    public let uncompared: [(source: String, reason: String)]

    /// Nothing that could be compared differs.
    public var isEqual: Bool { differing.isEmpty && onlyHere.isEmpty && onlyThere.isEmpty }

    /// Compares two stored documents, such as `exeat extract` gives them.
    public init(_ here: [UInt8], _ there: [UInt8]) throws(Failure) {
        self.init(try FactDocument(parsing: here), try FactDocument(parsing: there))
    }

    init(_ here: FactDocument, _ there: FactDocument) {
        family = here.family.rawValue
        var uncompared: [String: String] = [:]
        for (document, side) in [(here, "in the archive"), (there, "there")] {
            for (source, reason) in document.unread {
                let text = "not read \(side): \(reason)"
                uncompared[source] = uncompared[source].map { "\($0); \(text)" } ?? text
            }
        }
        // A source that one side does not know at all comes from another version of this program.
        for source in Set(here.sources.keys).symmetricDifference(there.sources.keys)
        where uncompared[source] == nil {
            uncompared[source] = "known on one side alone"
        }
        func isCompared(_ item: String) -> Bool {
            uncompared[String(item.prefix { $0 != "/" })] == nil
        }
        var same = 0
        var differing: [Item] = []
        var onlyHere: [Item] = []
        var onlyThere: [Item] = []
        for (name, value) in here.items where isCompared(name) {
            guard let other = there.items[name] else {
                onlyHere.append(Item(name: name, here: value, there: nil))
                continue
            }
            if other.canonical == value.canonical {
                same += 1
            } else {
                differing.append(Item(name: name, here: value, there: other))
            }
        }
        for (name, value) in there.items where here.items[name] == nil && isCompared(name) {
            onlyThere.append(Item(name: name, here: nil, there: value))
        }
        self.same = same
        self.differing = differing.sorted { FactDocument.isBefore($0.name, $1.name) }
        self.onlyHere = onlyHere.sorted { FactDocument.isBefore($0.name, $1.name) }
        self.onlyThere = onlyThere.sorted { FactDocument.isBefore($0.name, $1.name) }
        self.uncompared = uncompared.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    public var json: JSON {
        [
            "family": .string(family), "same": .integer(Int64(same)),
            "differs": .array(
                differing.map {
                    [
                        "item": .string($0.name), "here": $0.here ?? .null,
                        "there": $0.there ?? .null,
                    ]
                }),
            "only-here": .array(
                onlyHere.map { ["item": .string($0.name), "here": $0.here ?? .null] }),
            "only-there": .array(
                onlyThere.map { ["item": .string($0.name), "there": $0.there ?? .null] }),
            "not-compared": .array(
                uncompared.map { ["source": .string($0.source), "reason": .string($0.reason)] }),
        ]
    }

    /// One line for each difference.
    public var lines: [String] {
        func text(_ value: JSON?) -> String {
            value.map { String(decoding: $0.canonical, as: UTF8.self) } ?? ""
        }
        return differing.flatMap { item in
            [
                "differs     \(family)/\(item.name)", "  here      \(text(item.here))",
                "  there     \(text(item.there))",
            ]
        }
            + onlyHere.map { "only here   \(family)/\($0.name)  \(text($0.here))" }
            + onlyThere.map { "only there  \(family)/\($0.name)  \(text($0.there))" }
            + uncompared.map { "not compared  \(family)/\($0.source)  \($0.reason)" }
    }
}
