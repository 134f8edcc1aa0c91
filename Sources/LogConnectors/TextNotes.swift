import Basics
import Logs
import Primitives

/// What the export of one item, or of one part of a large member, has learnt; a line of a private file.
struct TextNote: Sendable {
    /// The place of the item in the layout.
    var item: Int
    /// Where its header lies in its segment.
    var offset: Int64 = 0
    /// Why nothing of it was exported.
    var omitted: LogOmission?
    /// Why what was exported is not all, or not readable.
    var lacks: LogOmission?
    var detail = ""
    /// As the tar says it.
    var size: Int64 = 0
    /// Of the content as it is in the tar: all of it, or for a part its leaves.
    var sha256: Digest256?
    var leaves: MerkleRange?
    /// Of a large member: its root when its text was read, which is another time than that of its parts.
    var whole: Digest256?
    /// What was read of its text, and the digest of that.
    var facts: TextFacts?
    var text: Digest256?

    init(item: Int) { self.item = item }

    var json: JSON {
        var members: [JSON.Member] = [
            .init("item", .integer(Int64(item))), .init("offset", .integer(offset)),
            .init("size", .integer(size)), .init("detail", .string(detail)),
        ]
        if let omitted { members.append(.init("omitted", .string(omitted.rawValue))) }
        if let lacks { members.append(.init("lacks", .string(lacks.rawValue))) }
        if let sha256 { members.append(.init("sha256", .string(sha256.hex))) }
        if let text { members.append(.init("text", .string(text.hex))) }
        if let whole { members.append(.init("whole", .string(whole.hex))) }
        if let facts { members.append(.init("facts", facts.json)) }
        if let leaves {
            members.append(.init("start", .integer(leaves.start)))
            members.append(
                .init(
                    "leaves",
                    .array(
                        leaves.nodes.flatMap {
                            [.integer(Int64($0.level)), .string($0.digest.hex)]
                        })))
        }
        return .object(members)
    }

    init(_ json: JSON) throws(Failure) {
        guard let item = json["item"]?.integer, let offset = json["offset"]?.integer,
            let size = json["size"]?.integer
        else {
            throw Failure(
                .failed, "a private note of the run is damaged", hint: "Export to a new output.")
        }
        self.item = Int(item)
        self.offset = offset
        self.size = size
        detail = json["detail"]?.string ?? ""
        omitted = json["omitted"]?.string.flatMap { LogOmission(rawValue: $0) }
        lacks = json["lacks"]?.string.flatMap { LogOmission(rawValue: $0) }
        sha256 = json["sha256"]?.string.flatMap { Digest256(hex: $0) }
        text = json["text"]?.string.flatMap { Digest256(hex: $0) }
        whole = json["whole"]?.string.flatMap { Digest256(hex: $0) }
        facts = try json["facts"].map { (json) throws(Failure) in try TextFacts(json) }
        guard let nodes = json["leaves"]?.array else { return }
        var range = MerkleRange(start: json["start"]?.integer ?? 0)
        for place in stride(from: 0, to: nodes.count - 1, by: 2) {
            guard let level = nodes[place].integer,
                let digest = nodes[place + 1].string.flatMap({ Digest256(hex: $0) })
            else { continue }
            range.append(.init(level: Int(level), digest: digest))
        }
        leaves = range
    }

    static func write(_ notes: [TextNote], to path: String) throws(Failure) {
        try Files.write(JSON.array(notes.map(\.json)).canonical, to: path, mode: 0o600)
    }

    static func read(_ path: String) throws(Failure) -> [TextNote] {
        try (JSON(parsing: Files.read(path)).array ?? []).map { (json) throws(Failure) in
            try TextNote(json)
        }
    }
}

extension TextFacts {
    /// As the streams of an archive say it.
    var json: JSON {
        var members: [JSON.Member] = [
            .init("bytes", .integer(bytes)), .init("lines", .integer(lines)),
            .init("entries", .integer(entries)), .init("undated", .integer(undated)),
            .init("leading", .integer(leading)),
        ]
        if isUnterminated { members.append(.init("unterminated", true)) }
        for (key, time) in [
            ("first", first), ("last", last), ("earliest", earliest), ("latest", latest),
        ] {
            if let time { members.append(.init(key, .string(time.exact))) }
        }
        members += [
            .init("formats", .array(formats.map(\.rawValue).sorted().map { .string($0) })),
            .init(
                "zones",
                [
                    "found": .integer(clock.found), "applied": .integer(clock.applied),
                    "ambiguous": .integer(clock.ambiguous), "skipped": .integer(clock.skipped),
                ]),
            .init("yearless", .integer(clock.yearless)), .init("steps", .integer(steps)),
            .init("stepList", .array(stepList.map(\.json))),
            .init("gaps", .array(gaps.map(\.json))),
        ]
        return .object(members)
    }

    init(_ json: JSON) throws(Failure) {
        self.init()
        func number(_ key: String, of json: JSON?) throws(Failure) -> Int64 {
            guard let number = json?[key]?.integer, number >= 0 else {
                throw Failure(.manifestMalformed, "the facts of a log lack \"\(key)\"")
            }
            return number
        }
        func time(_ key: String) -> Timestamp? { json[key]?.string.flatMap { Timestamp($0) } }
        bytes = try number("bytes", of: json)
        lines = try number("lines", of: json)
        entries = try number("entries", of: json)
        undated = try number("undated", of: json)
        leading = try number("leading", of: json)
        isUnterminated = json["unterminated"]?.bool ?? false
        first = time("first")
        last = time("last")
        earliest = time("earliest")
        latest = time("latest")
        formats = Set(
            (json["formats"]?.array ?? []).compactMap {
                $0.string.flatMap { TextFormat(rawValue: $0) }
            })
        clock.found = try number("found", of: json["zones"])
        clock.applied = try number("applied", of: json["zones"])
        clock.ambiguous = try number("ambiguous", of: json["zones"])
        clock.skipped = try number("skipped", of: json["zones"])
        clock.yearless = try number("yearless", of: json)
        steps = try number("steps", of: json)
        stepList = (json["stepList"]?.array ?? []).compactMap { Jump($0) }
        gaps = (json["gaps"]?.array ?? []).compactMap { Jump($0) }
    }
}

extension TextFacts.Jump {
    var json: JSON {
        ["line": .integer(line), "from": .string(from.exact), "to": .string(to.exact)]
    }

    init?(_ json: JSON) {
        guard let line = json["line"]?.integer,
            let from = json["from"]?.string.flatMap({ Timestamp($0) }),
            let to = json["to"]?.string.flatMap({ Timestamp($0) })
        else { return nil }
        self.init(line: line, from: from, to: to)
    }
}
