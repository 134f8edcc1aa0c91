public import Basics

extension Manifest {
    public var json: JSON {
        [
            "exeat-manifest": 1,
            "bag": .string(bag),
            "name": .string(name),
            "createdAt": .string(createdAt.text),
            "run": run,
            "sources": .array(sources.map(\.json)),
        ]
    }

    /// Reads a manifest; anything that is missing, unknown or of another type is `.manifestMalformed`.
    public init(parsing bytes: [UInt8]) throws(Failure) {
        let fields = try Fields(JSON(parsing: bytes), "the manifest")
        guard try fields.integer("exeat-manifest") == 1 else {
            throw Failure(
                .manifestMalformed, "the manifest has an unknown version",
                hint: "Use a release of exeat that reads this archive's version.")
        }
        try fields.only(["exeat-manifest", "bag", "name", "createdAt", "run", "sources"])
        guard let created = Timestamp(try fields.string("createdAt")) else {
            throw fields.wrong("createdAt")
        }
        bag = try fields.string("bag")
        name = try fields.string("name")
        createdAt = created
        run = try fields.value("run")
        sources = try fields.list("sources", SourceRecord.init)
    }
}

extension SourceRecord {
    var json: JSON {
        var members: [JSON.Member] = [
            .init("name", .string(name)), .init("kind", .string(kind)),
            .init("folder", .string(folder)),
            .init("moment", ["kind": .string(moment.kind), "value": .string(moment.value)]),
            .init("facts", facts), .init("artifacts", .array(artifacts.map(\.json))),
            .init("omissions", omissions.json),
        ]
        // Readers of before know no such member.
        if !probes.isEmpty { members.append(.init("probes", .array(probes.map(\.json)))) }
        return .object(members)
    }

    init(_ json: JSON) throws(Failure) {
        let fields = try Fields(json, "a source of the manifest")
        try fields.only([
            "name", "kind", "folder", "moment", "facts", "artifacts", "omissions", "probes",
        ])
        let moment = try Fields(fields.value("moment"), "a moment of the manifest")
        try moment.only(["kind", "value"])
        self.init(
            name: try fields.string("name"), kind: try fields.string("kind"),
            folder: try fields.string("folder"),
            moment: Moment(kind: try moment.string("kind"), value: try moment.string("value")),
            facts: try fields.value("facts"),
            artifacts: try fields.list("artifacts", ArtifactRecord.init),
            omissions: try OmissionSummary(fields.value("omissions")),
            probes: json["probes"] == nil ? [] : try fields.list("probes", ProbeRecord.init))
    }
}

extension ProbeRecord {
    public var json: JSON {
        var members: [JSON.Member] = [
            .init("name", .string(name)), .init("request", request),
            .init("within", .integer(within)),
        ]
        if let expect { members.append(.init("expect", .string(expect))) }
        if let answer { members.append(.init("answer", answer)) }
        return .object(members)
    }

    public init(_ json: JSON) throws(Failure) {
        let fields = try Fields(json, "a probe of the manifest")
        try fields.only(["name", "request", "expect", "answer", "within"])
        self.init(
            name: try fields.string("name"), request: try fields.value("request"),
            expect: json["expect"] == nil ? nil : try fields.string("expect"),
            answer: json["answer"], within: try fields.integer("within"))
        guard request["kind"]?.string != nil, (1...1 << 32).contains(within) else {
            throw fields.wrong("request")
        }
    }
}

extension ArtifactRecord {
    var json: JSON {
        [
            "name": .string(name), "folder": .string(folder), "kind": .string(kind),
            "legal": .string(legal.rawValue), "format": .string(format),
            "segments": .array(segments.map(\.json)),
            "digests": .object(digests), "counts": .object(counts),
        ]
    }

    init(_ json: JSON) throws(Failure) {
        let fields = try Fields(json, "an artifact of the manifest")
        try fields.only([
            "name", "folder", "kind", "legal", "format", "segments", "digests", "counts",
        ])
        guard let legal = LegalCategory(rawValue: try fields.string("legal")) else {
            throw fields.wrong("legal")
        }
        self.init(
            name: try fields.string("name"), folder: try fields.string("folder"),
            kind: try fields.string("kind"), legal: legal, format: try fields.string("format"),
            segments: try fields.list("segments", SegmentRecord.init),
            digests: try fields.members("digests"), counts: try fields.members("counts"))
        let longest = SegmentRecord.longestPlain(in: format)
        guard segments.allSatisfy({ $0.plainBytes <= longest }) else {
            throw fields.wrong("segments")
        }
    }
}

extension SegmentRecord {
    var json: JSON {
        [
            "path": .string(path), "bytes": .integer(bytes), "sha256": .string(sha256),
            "plainBytes": .integer(plainBytes),
        ]
    }

    init(_ json: JSON) throws(Failure) {
        let fields = try Fields(json, "a segment of the manifest")
        try fields.only(["path", "bytes", "sha256", "plainBytes"])
        self.init(
            path: try fields.string("path"), bytes: try fields.integer("bytes"),
            sha256: try fields.string("sha256"), plainBytes: try fields.integer("plainBytes"))
        guard bytes >= 0, plainBytes >= 0 else {
            throw fields.wrong("plainBytes")
        }
    }
}

extension OmissionSummary {
    public var json: JSON {
        [
            "total": .integer(total),
            "counts": .array(
                counts.map {
                    [
                        "reason": .string($0.reason), "count": .integer($0.count),
                        "accepted": .bool($0.accepted),
                    ]
                }),
            "lines": .array(lines),
        ]
    }

    public init(_ json: JSON) throws(Failure) {
        let fields = try Fields(json, "the omissions of the manifest")
        try fields.only(["total", "counts", "lines"])
        let counts: [Count] = try fields.list("counts") { (json) throws(Failure) in
            let fields = try Fields(json, "an omission count of the manifest")
            try fields.only(["reason", "count", "accepted"])
            return Count(
                reason: try fields.string("reason"), count: try fields.integer("count"),
                accepted: try fields.bool("accepted"))
        }
        self.init(
            counts: counts, lines: try fields.list("lines") { (json) throws(Failure) in json })
        guard try fields.integer("total") == total else { throw fields.wrong("total") }
    }
}

/// Strict access to the members of one JSON object.
struct Fields {
    private let json: JSON
    private let subject: String

    init(_ json: JSON, _ subject: String) throws(Failure) {
        guard json.members != nil else {
            throw Failure(.manifestMalformed, "\(subject) is not an object")
        }
        self.json = json
        self.subject = subject
    }

    func wrong(_ key: String) -> Failure {
        Failure(.manifestMalformed, "\"\(key)\" of \(subject) is missing or of the wrong type")
    }

    func only(_ keys: Set<String>) throws(Failure) {
        for member in json.members ?? [] where !keys.contains(member.key) && member.key != "ext" {
            throw Failure(.manifestMalformed, "\(subject) has an unknown member \"\(member.key)\"")
        }
    }

    func value(_ key: String) throws(Failure) -> JSON {
        guard let value = json[key] else { throw wrong(key) }
        return value
    }

    func string(_ key: String) throws(Failure) -> String {
        guard let text = json[key]?.string else { throw wrong(key) }
        return text
    }

    func integer(_ key: String) throws(Failure) -> Int64 {
        guard let number = json[key]?.integer else { throw wrong(key) }
        return number
    }

    func bool(_ key: String) throws(Failure) -> Bool {
        guard let flag = json[key]?.bool else { throw wrong(key) }
        return flag
    }

    func members(_ key: String) throws(Failure) -> [JSON.Member] {
        guard let members = json[key]?.members else { throw wrong(key) }
        return members
    }

    func list<Element>(
        _ key: String, _ read: (JSON) throws(Failure) -> Element
    ) throws(Failure) -> [Element] {
        guard let array = json[key]?.array else { throw wrong(key) }
        var elements: [Element] = []
        elements.reserveCapacity(array.count)
        for json in array { elements.append(try read(json)) }
        return elements
    }
}
