public import Basics
public import Connectors
public import Manifests

/// Where the plaintext of an artifact comes from.
public protocol ContentsBody: Sendable {
    /// A file of the room, written by the inventory, as the artifact's one segment.
    static func file(_ name: String) -> Self

    var segments: Int { get }
    /// What the segments acknowledge between them.
    var expected: Int64 { get }
    /// For the room.
    var members: [JSON.Member] { get }

    init?(_ json: JSON)
}

/// What an export of databases consists of, fixed by the inventory and kept in the room.
public struct ExportContents<Body: ContentsBody>: Sendable {
    public struct Artifact: Sendable {
        public let name: String
        public let slug: String
        public let kind: String
        public let format: String
        public let bytes: Int64
        /// Objects of the database that it holds: a table, some sequences, a set of definitions.
        public let objects: Int64
        public let body: Body
        /// A shell command that reads the artifact's stream; see `Conclusion.restoring`.
        public let restoring: String?

        public init(
            name: String, slug: String, kind: String, format: String, bytes: Int64,
            objects: Int64 = 1, body: Body, restoring: String?
        ) {
            self.name = name
            self.slug = slug
            self.kind = kind
            self.format = format
            self.bytes = bytes
            self.objects = objects
            self.body = body
            self.restoring = restoring
        }
    }

    public let moment: Moment
    public let facts: JSON
    public let salt: [UInt8]
    public let counts: [JSON.Member]
    public let artifacts: [Artifact]
    public let omissions: OmissionSummary

    public init(
        moment: Moment, facts: JSON, salt: [UInt8], counts: [JSON.Member], artifacts: [Artifact],
        omissions: OmissionSummary
    ) {
        self.moment = moment
        self.facts = facts
        self.salt = salt
        self.counts = counts
        self.artifacts = artifacts
        self.omissions = omissions
    }

    public var inventory: Inventory {
        Inventory(
            artifacts: artifacts.map { artifact in
                ArtifactOutline(
                    name: artifact.name, slug: artifact.slug, kind: artifact.kind,
                    legal: .exportableData, format: artifact.format,
                    segments: artifact.body.segments, expected: artifact.body.expected,
                    bytes: artifact.bytes)
            },
            objects: artifacts.reduce(0) { $0 + $1.objects } + omissions.total,
            moment: moment, facts: facts, counts: counts)
    }
}

// MARK: - In the room

extension ExportContents {
    public func write(to path: String) throws(Failure) {
        try Files.write(json.canonical, to: path, mode: 0o600)
    }

    public init(reading path: String) throws(Failure) {
        guard let contents = Self(try JSON(parsing: Files.read(path, limit: 1 << 30))) else {
            throw Failure(.failed, "the inventory \"\(path)\" is damaged")
        }
        self = contents
    }

    private var json: JSON {
        [
            "moment": .array([.string(moment.kind), .string(moment.value)]),
            "facts": facts, "salt": .string(Hex.encode(salt)), "counts": .object(counts),
            "artifacts": .array(artifacts.map(\.json)),
            "omissions": omissions.json,
        ]
    }

    private init?(_ json: JSON) {
        guard let moment = json["moment"]?.array, moment.count == 2, let facts = json["facts"],
            let salt = json["salt"]?.string.flatMap({ Hex.decode($0) }),
            let counts = json["counts"]?.members,
            let artifacts = json["artifacts"]?.array?.map({ Artifact($0) }),
            let omissions = (json["omissions"].flatMap { try? OmissionSummary($0) })
        else { return nil }
        self.moment = Moment(kind: moment[0].string ?? "", value: moment[1].string ?? "")
        self.facts = facts
        self.salt = salt
        self.counts = counts
        self.artifacts = artifacts.compactMap { $0 }
        guard self.artifacts.count == artifacts.count else { return nil }
        self.omissions = omissions
    }
}

extension ExportContents.Artifact {
    fileprivate var json: JSON {
        var members: [JSON.Member] = [
            .init("name", .string(name)), .init("slug", .string(slug)),
            .init("kind", .string(kind)),
            .init("format", .string(format)), .init("bytes", .integer(bytes)),
            .init("objects", .integer(objects)),
        ]
        if let restoring { members.append(.init("restoring", .string(restoring))) }
        return .object(members + body.members)
    }

    fileprivate init?(_ json: JSON) {
        guard let name = json["name"]?.string, let slug = json["slug"]?.string,
            let kind = json["kind"]?.string, let format = json["format"]?.string,
            let bytes = json["bytes"]?.integer, let objects = json["objects"]?.integer,
            let body = json["file"]?.string.map({ Body.file($0) }) ?? Body(json)
        else { return nil }
        self.init(
            name: name, slug: slug, kind: kind, format: format, bytes: bytes, objects: objects,
            body: body, restoring: json["restoring"]?.string)
    }
}
