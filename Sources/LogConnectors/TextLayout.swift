import Archives
import Basics
import Logs
import Primitives
import Streams

/// The inventory of text logs: what is exported, in the order of the tar, and how that is cut.
struct TextLayout: Sendable {
    /// Something of the tar: a directory on the way, or a member.
    enum Item: Sendable {
        case directory(Entry)
        case member(TextMember)

        var entry: Entry {
            switch self {
            case .directory(let entry): entry
            case .member(let member): member.entry
            }
        }
    }

    /// What was met and is not exported.
    struct Omitted: Sendable {
        var reason: LogOmission
        var path: [UInt8]
        var detail: String
    }

    /// What the plan leaves out.
    struct Excluded: Sendable {
        var path: [UInt8]
        var reason: String
    }

    enum Segment: Sendable {
        case items(Range<Int>)
        /// Part of the content of a large member, in bytes of it; the first has the header in front.
        case part(Int, Range<Int64>)
    }

    /// Ascending by the bytes of their paths in the tar.
    var items: [Item] = []
    var streams: [TextStream] = []
    var omitted: [Omitted] = []
    var excluded: [Excluded] = []
    /// Names that lead to a file which is exported under another one.
    var links: Int64 = 0
    private(set) var segments: [Segment] = []
    private(set) var bytes: Int64 = 0

    /// A member beyond this gets segments of its own.
    static let largest = TreeTarget.largestSimpleFile
    static let partSize: Int64 = 128 << 20

    func member(_ place: Int) -> TextMember? {
        guard items.indices.contains(place), case .member(let member) = items[place] else {
            return nil
        }
        return member
    }

    /// Cuts the tar: 1/64 of it for each segment, within 16 and 128 MiB; the same for the same items.
    mutating func cut() {
        bytes = items.reduce(0) { $0 + Self.length(of: $1.entry) }
        let target = min(max(bytes / 64, 16 << 20), Self.partSize)
        segments = []
        var start = 0
        var held: Int64 = 0
        func close(_ end: Int) {
            if start < end { segments.append(.items(start..<end)) }
            start = end
            held = 0
        }
        for (place, item) in items.enumerated() {
            let entry = item.entry
            if entry.size > Self.largest {
                close(place)
                var from: Int64 = 0
                while from < entry.size {
                    let to = min(entry.size, from + Self.partSize)
                    segments.append(.part(place, from..<to))
                    from = to
                }
                start = place + 1
                continue
            }
            let length = Self.length(of: entry)
            if held > 0, held + length > target { close(place) }
            held += length
        }
        close(items.count)
    }

    private static func length(of entry: Entry) -> Int64 {
        1024 + entry.size + Int64(PaxWriter.padding(after: entry.size))
    }
}

// MARK: - In the room

extension TextLayout {
    func write(to path: String) throws(Failure) {
        let json: JSON = [
            "items": .array(items.map(Self.json)),
            "streams": .array(
                streams.map { stream in
                    [
                        "base": .string(Base64.encode(stream.base)),
                        "members": .array(stream.members.map { .integer(Int64($0)) }),
                        "order": .string(stream.order), "given": .bool(stream.isZoneGiven),
                        "zone": .string(stream.zone), "outside": .integer(stream.outside),
                        "membersOutside": .integer(stream.membersOutside),
                    ]
                }),
            "omitted": .array(
                omitted.map {
                    [
                        "reason": .string($0.reason.rawValue),
                        "path": .string(Base64.encode($0.path)), "detail": .string($0.detail),
                    ]
                }),
            "excluded": .array(
                excluded.flatMap { [.string(Base64.encode($0.path)), .string($0.reason)] }),
            "links": .integer(links),
        ]
        try Files.write(json.canonical, to: path, mode: 0o600)
    }

    private static func json(_ item: Item) -> JSON {
        let entry = item.entry
        var members: [JSON.Member] = [
            .init("path", .string(Base64.encode(entry.path))),
            .init("mode", .integer(Int64(entry.mode))), .init("uid", .integer(Int64(entry.uid))),
            .init("gid", .integer(Int64(entry.gid))),
            .init("owner", .string(Base64.encode(entry.owner))),
            .init("group", .string(Base64.encode(entry.group))),
            .init("seconds", .integer(entry.modified.seconds)),
            .init("nanoseconds", .integer(Int64(entry.modified.nanoseconds))),
            .init("size", .integer(entry.size)),
            .init(
                "attributes",
                .array(
                    entry.attributes.flatMap {
                        [JSON.string(Base64.encode($0.name)), .string(Base64.encode($0.value))]
                    })),
        ]
        if let list = entry.accessACL { members.append(.init("acl", .string(list.text))) }
        if let list = entry.defaultACL { members.append(.init("default-acl", .string(list.text))) }
        if case .member(let member) = item {
            members += [
                .init("source", .string(Base64.encode(member.path))),
                .init("device", .string(String(member.device))),
                .init("inode", .string(String(member.inode))),
                .init("stored", .integer(member.size)),
                .init("stream", .integer(Int64(member.stream))),
                .init("place", .integer(Int64(member.place))),
                .init("clock", member.clock.json),
                .init("others", .array(member.others.map { .string(Base64.encode($0)) })),
            ]
            if let head = member.head { members.append(.init("head", .string(head.hex))) }
            if let packing = member.packing {
                members.append(.init("packing", .string(packing.rawValue)))
            }
            if let format = member.format {
                members.append(.init("format", .string(format.rawValue)))
            }
            if let runs = member.runs {
                members.append(
                    .init(
                        "runs",
                        .array(
                            runs.flatMap { [.integer($0.lowerBound), .integer($0.upperBound)] })))
            }
        }
        return .object(members)
    }

    init(reading path: String) throws(Failure) {
        let json = try JSON(parsing: Files.read(path, limit: 1 << 30))
        let damaged = Failure(
            .failed, "the inventory in \"\(path)\" is damaged",
            hint: "Export to a new output.")
        func bytes(_ json: JSON?) throws(Failure) -> [UInt8] {
            guard let bytes = json?.string.flatMap({ Base64.decode($0) }) else { throw damaged }
            return bytes
        }
        func integer(_ json: JSON?) throws(Failure) -> Int64 {
            guard let number = json?.integer else { throw damaged }
            return number
        }
        for item in json["items"]?.array ?? [] {
            let isMember = item["source"] != nil
            var entry = Entry(
                path: try bytes(item["path"]), kind: isMember ? .file : .directory)
            entry.mode = UInt32(try integer(item["mode"]))
            entry.uid = UInt32(try integer(item["uid"]))
            entry.gid = UInt32(try integer(item["gid"]))
            entry.owner = try bytes(item["owner"])
            entry.group = try bytes(item["group"])
            entry.modified = FileTime(
                seconds: try integer(item["seconds"]),
                nanoseconds: Int32(try integer(item["nanoseconds"])))
            entry.size = try integer(item["size"])
            let attributes = item["attributes"]?.array ?? []
            for place in stride(from: 0, to: attributes.count - 1, by: 2) {
                entry.attributes.append(
                    ExtendedAttribute(
                        name: try bytes(attributes[place]), value: try bytes(attributes[place + 1]))
                )
            }
            entry.accessACL = item["acl"]?.string.flatMap { AccessControlList(text: $0) }
            entry.defaultACL = item["default-acl"]?.string.flatMap { AccessControlList(text: $0) }
            guard isMember else {
                items.append(.directory(entry))
                continue
            }
            guard let device = item["device"]?.string.flatMap({ UInt64($0) }),
                let inode = item["inode"]?.string.flatMap({ UInt64($0) }),
                let clock = item["clock"]
            else { throw damaged }
            var member = TextMember(
                entry: entry, path: try bytes(item["source"]), device: device, inode: inode,
                size: try integer(item["stored"]),
                packing: item["packing"]?.string.flatMap { Packing(rawValue: $0) },
                stream: Int(try integer(item["stream"])), place: Int(try integer(item["place"])),
                format: item["format"]?.string.flatMap { TextFormat(rawValue: $0) },
                clock: try TextClockSetting(clock))
            member.head = item["head"]?.string.flatMap { Digest256(hex: $0) }
            for other in item["others"]?.array ?? [] { member.others.append(try bytes(other)) }
            if let runs = item["runs"]?.array {
                var ranges: [Range<Int64>] = []
                for place in stride(from: 0, to: runs.count - 1, by: 2) {
                    let from = try integer(runs[place])
                    let to = try integer(runs[place + 1])
                    guard from <= to else { throw damaged }
                    ranges.append(from..<to)
                }
                member.runs = ranges
            }
            items.append(.member(member))
        }
        for stream in json["streams"]?.array ?? [] {
            var read = TextStream(base: try bytes(stream["base"]))
            for member in stream["members"]?.array ?? [] {
                read.members.append(Int(try integer(member)))
            }
            read.order = stream["order"]?.string ?? ""
            read.isZoneGiven = stream["given"]?.bool ?? false
            read.zone = stream["zone"]?.string ?? ""
            read.outside = try integer(stream["outside"])
            read.membersOutside = try integer(stream["membersOutside"])
            streams.append(read)
        }
        for line in json["omitted"]?.array ?? [] {
            guard let reason = line["reason"]?.string.flatMap({ LogOmission(rawValue: $0) }) else {
                throw damaged
            }
            omitted.append(
                Omitted(
                    reason: reason, path: try bytes(line["path"]),
                    detail: line["detail"]?.string ?? ""))
        }
        let pairs = json["excluded"]?.array ?? []
        for place in stride(from: 0, to: pairs.count - 1, by: 2) {
            excluded.append(
                Excluded(path: try bytes(pairs[place]), reason: pairs[place + 1].string ?? ""))
        }
        links = try integer(json["links"])
        cut()
    }
}

extension TextClockSetting {
    var json: JSON {
        var members: [JSON.Member] = [
            .init("zone", .string(zone.name)), .init("latest", .string(latest.text)),
        ]
        if let firstYear { members.append(.init("firstYear", .integer(firstYear))) }
        if let previous { members.append(.init("previous", .integer(previous))) }
        return .object(members)
    }

    init(_ json: JSON) throws(Failure) {
        guard let name = json["zone"]?.string,
            let latest = json["latest"]?.string.flatMap({ Timestamp($0) })
        else { throw Failure(.manifestMalformed, "a log does not say how its times are read") }
        self.init(
            zone: name == "localtime" ? .local() : try TextTimeZone(named: name), latest: latest,
            firstYear: json["firstYear"]?.integer, previous: json["previous"]?.integer)
    }
}
