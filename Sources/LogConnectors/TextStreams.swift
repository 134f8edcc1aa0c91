import Archives
import Basics
import Logs
import Primitives
import Streams

/// What an archive says of one member of a stream.
struct TextMemberRecord: Sendable {
    /// In the tar.
    var path: [UInt8]
    /// Where it was read, from the root.
    var source: [UInt8]
    var packing: Packing?
    var isSelected = false
    var format: TextFormat?
    var clock: TextClockSetting
    /// Not there for a member whose text could not be read as a whole.
    var facts: TextFacts?
    /// SHA-256 of its text.
    var text: Digest256?
    var lacks: String?
    var others: [[UInt8]] = []
}

/// What an archive says of one log: a line of the artifact of streams.
struct TextStreamRecord: Sendable {
    var base: [UInt8]
    var order: String
    /// The zone of times that name none, and whether the plan gave it or it was assumed.
    var zone: String
    var isZoneGiven: Bool
    var outside: Int64 = 0
    var membersOutside: Int64 = 0
    /// Oldest first.
    var members: [TextMemberRecord]

    /// The digest of the log: each member's text chained to those before it.
    ///
    /// `c₀` is 32 zeros, `cᵢ = SHA-256(cᵢ₋₁ ‖ SHA-256(text of member i))`.
    static func chain(_ texts: [Digest256]) -> Digest256 {
        var chained = Digest256()
        for text in texts {
            var hasher = SHA256()
            hasher.update(chained)
            hasher.update(text)
            chained = hasher.finish()
        }
        return chained
    }

    var chain: Digest256 { Self.chain(members.compactMap(\.text)) }

    /// Sums over the members.
    var totals: TextTotals {
        var totals = TextTotals()
        for member in members { if let facts = member.facts { totals.add(facts) } }
        return totals
    }
}

/// What the members of a log add up to.
struct TextTotals: Sendable, Equatable {
    var lines: Int64 = 0
    var entries: Int64 = 0
    var undated: Int64 = 0
    var bytes: Int64 = 0
    var first: Timestamp?
    var last: Timestamp?

    mutating func add(_ facts: TextFacts) {
        lines += facts.lines
        entries += facts.entries
        undated += facts.undated
        bytes += facts.bytes
        first = first ?? facts.first
        last = facts.last ?? last
    }

    /// One line that says it all, for comparisons.
    func text(_ chain: Digest256) -> String {
        "\(entries) entries, \(lines) lines, \(first?.exact ?? "none") to \(last?.exact ?? "none"), "
            + "\(chain.hex)"
    }
}

extension TextStreamRecord {
    var json: JSON {
        let totals = totals
        var members: [JSON.Member] = [
            PathText.member("log", base), .init("order", .string(order)),
            .init("zone", ["name": .string(zone), "given": .bool(isZoneGiven)]),
            .init("lines", .integer(totals.lines)), .init("entries", .integer(totals.entries)),
            .init("undated", .integer(totals.undated)), .init("bytes", .integer(totals.bytes)),
        ]
        if let first = totals.first { members.append(.init("first", .string(first.exact))) }
        if let last = totals.last { members.append(.init("last", .string(last.exact))) }
        members += [
            .init("chain", .string(chain.hex)), .init("outsideRange", .integer(outside)),
            .init("membersOutsideRange", .integer(membersOutside)),
            .init("members", .array(self.members.map(\.json))),
        ]
        return .object(members)
    }

    init(_ json: JSON) throws(Failure) {
        guard let base = PathText.bytes("log", json), let list = json["members"]?.array,
            let zone = json["zone"]?["name"]?.string, let chain = json["chain"]?.string
        else { throw Failure(.manifestMalformed, "a log of the archive has no description") }
        self.base = base
        order = json["order"]?.string ?? ""
        self.zone = zone
        isZoneGiven = json["zone"]?["given"]?.bool ?? false
        outside = json["outsideRange"]?.integer ?? 0
        membersOutside = json["membersOutsideRange"]?.integer ?? 0
        members = try list.map { (json) throws(Failure) in try TextMemberRecord(json) }
        guard self.chain.hex == chain else {
            throw Failure(
                .treeMismatch,
                "the members of \"\(String(decoding: base, as: UTF8.self))\" do not "
                    + "give its digest",
                hint: "The archive is damaged or forged; get a fresh copy from its maker.")
        }
    }
}

extension TextMemberRecord {
    var json: JSON {
        var members: [JSON.Member] = [
            PathText.member("path", path), PathText.member("source", source),
        ]
        if let packing { members.append(.init("packing", .string(packing.rawValue))) }
        if isSelected { members.append(.init("selected", true)) }
        if let format { members.append(.init("format", .string(format.rawValue))) }
        members.append(.init("clock", clock.json))
        if let facts { members.append(.init("facts", facts.json)) }
        if let text { members.append(.init("sha256", .string(text.hex))) }
        if let lacks { members.append(.init("lacks", .string(lacks))) }
        let texts = others.compactMap { String(validating: $0, as: UTF8.self) }
        if !texts.isEmpty { members.append(.init("others", .array(texts.map { .string($0) }))) }
        let odd = others.filter { String(validating: $0, as: UTF8.self) == nil }
        if !odd.isEmpty {
            members.append(.init("others64", .array(odd.map { .string(Base64.encode($0)) })))
        }
        return .object(members)
    }

    init(_ json: JSON) throws(Failure) {
        guard let path = PathText.bytes("path", json), let source = PathText.bytes("source", json),
            let clock = json["clock"]
        else { throw Failure(.manifestMalformed, "a member of a log has no description") }
        self.path = path
        self.source = source
        packing = json["packing"]?.string.flatMap { Packing(rawValue: $0) }
        isSelected = json["selected"]?.bool ?? false
        format = json["format"]?.string.flatMap { TextFormat(rawValue: $0) }
        self.clock = try TextClockSetting(clock)
        facts = try json["facts"].map { (json) throws(Failure) in try TextFacts(json) }
        text = json["sha256"]?.string.flatMap { Digest256(hex: $0) }
        lacks = json["lacks"]?.string
    }
}

/// A path in JSON: as text, or in base64 under the key with "64" where it is not UTF-8.
enum PathText {
    static func member(_ key: String, _ path: [UInt8]) -> JSON.Member {
        String(validating: path, as: UTF8.self).map { .init(key, .string($0)) }
            ?? .init(key + "64", .string(Base64.encode(path)))
    }

    static func bytes(_ key: String, _ json: JSON) -> [UInt8]? {
        json[key]?.string.map { Array($0.utf8) }
            ?? json[key + "64"]?.string.flatMap { Base64.decode($0) }
    }
}
