import Basics
import Primitives

/// One family of facts: items by name, and for every source of them whether it could be read.
///
/// An item's name begins with its source and a slash. What changes by itself (process numbers,
/// counters, times of the last start) is left out, and everything is sorted, so that the documents of
/// two machines differ where the machines do, and nowhere else.
struct FactDocument: Sendable, Equatable {
    enum State: Sendable, Equatable {
        case read
        /// This machine has nothing of the sort.
        case absent
        /// It is or may be there and could not be read, for a reason.
        case unread(String)
    }

    let family: FactFamily
    private(set) var sources: [String: State] = [:]
    private(set) var items: [String: JSON] = [:]

    static let version: Int64 = 1

    init(_ family: FactFamily) { self.family = family }

    /// Reads one source. A failure makes it `unread`, and takes what it has given so far away: half of
    /// a list would compare as if the rest were missing.
    ///
    /// - Parameter body: returns false when the machine has no such thing.
    mutating func source(
        _ name: String, _ body: (inout FactItems) throws(Failure) -> Bool
    ) throws(Failure) {
        var found = FactItems()
        do throws(Failure) {
            guard try body(&found) else {
                sources[name] = .absent
                return
            }
        } catch {
            if error.code == .cancelled { throw error }
            sources[name] = .unread(error.what)
            return
        }
        sources[name] = .read
        for (id, value) in found.items { items["\(name)/\(id)"] = value }
    }

    /// A source that needs a running machine.
    mutating func liveSource(
        _ name: String, _ machine: Machine, _ body: (inout FactItems) throws(Failure) -> Bool
    ) throws(Failure) {
        guard machine.isLive else {
            sources[name] = .unread(Self.ofRunningMachine)
            return
        }
        try source(name, body)
    }

    /// The reason why a source of a mounted machine is not read.
    static let ofRunningMachine = "needs the machine to be running"

    /// Sources that could not be read, with the reasons.
    var unread: [(source: String, reason: String)] {
        sources.sorted { $0.key < $1.key }.compactMap { source in
            if case .unread(let reason) = source.value { (source.key, reason) } else { nil }
        }
    }

    // MARK: - As JSON

    var json: JSON {
        let states = sources.sorted { FactDocument.isBefore($0.key, $1.key) }.map { source in
            JSON.Member(source.key, source.value.json)
        }
        return [
            "facts": .string(family.rawValue),
            "items": .object(
                items.sorted { FactDocument.isBefore($0.key, $1.key) }
                    .map { .init($0.key, $0.value.ordered) }),
            "sources": .object(states),
            "version": .integer(Self.version),
        ]
    }

    /// The document as it is stored: one value a line, sorted, for `diff` and people.
    var text: [UInt8] { Array(json.pretty.utf8) + [0x0a] }

    /// SHA-256 of the canonical form (RFC 8785).
    var digest: Digest256 { SHA256.hash(json.canonical) }

    static func isBefore(_ left: String, _ right: String) -> Bool {
        left.utf16.lexicographicallyPrecedes(right.utf16)
    }

    /// Reads a stored document.
    init(parsing bytes: [UInt8]) throws(Failure) {
        let json = try JSON(parsing: bytes)
        guard let family = json["facts"]?.string.flatMap({ FactFamily(rawValue: $0) }),
            json["version"]?.integer == Self.version, let sources = json["sources"]?.members,
            let items = json["items"]?.members
        else { throw Failure(.manifestMalformed, "a document of facts is not one") }
        self.family = family
        for source in sources {
            guard let state = State(source.value) else {
                throw Failure(.manifestMalformed, "a document of facts has a source without state")
            }
            self.sources[source.key] = state
        }
        for item in items { self.items[item.key] = item.value }
    }
}

/// What one source has given.
struct FactItems: Sendable {
    fileprivate(set) var items: [String: JSON] = [:]

    /// One more item; of two with one name both are kept.
    mutating func add(_ id: String, _ value: JSON) {
        guard let earlier = items[id], earlier != value else {
            items[id] = value
            return
        }
        var number = 2
        while let other = items["\(id)#\(number)"], other != value { number += 1 }
        items["\(id)#\(number)"] = value
    }
}

extension FactDocument.State {
    fileprivate var json: JSON {
        switch self {
        case .read: ["state": "read"]
        case .absent: ["state": "absent"]
        case .unread(let reason): ["reason": .string(reason), "state": "unread"]
        }
    }

    fileprivate init?(_ json: JSON) {
        switch json["state"]?.string {
        case "read": self = .read
        case "absent": self = .absent
        case "unread": self = .unread(json["reason"]?.string ?? "")
        default: return nil
        }
    }
}

extension JSON {
    /// The same value with all members sorted as RFC 8785 sorts them.
    var ordered: JSON {
        switch self {
        case .object(let members):
            .object(
                members.sorted { FactDocument.isBefore($0.key, $1.key) }
                    .map { Member($0.key, $0.value.ordered) })
        case .array(let elements): .array(elements.map(\.ordered))
        default: self
        }
    }

    static func strings(_ texts: some Sequence<String>) -> JSON {
        .array(texts.map { .string($0) })
    }
}
