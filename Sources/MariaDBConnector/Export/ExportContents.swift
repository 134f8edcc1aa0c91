import Basics
import Connectors
import Manifests

/// What an export consists of, fixed by the inventory and kept in the room.
struct ExportContents: Sendable {
    enum Body: Sendable {
        /// A file of the room, written by the inventory.
        case file(String)
        case table(columns: [Column], hasHistory: Bool, segments: [[TablePiece]])
    }

    struct Artifact: Sendable {
        let name: String
        let slug: String
        let kind: String
        let format: String
        let bytes: Int64
        /// Objects of the server that it holds.
        let objects: Int64
        let body: Body
        /// A shell command that reads the artifact's stream; see `Conclusion.restoring`.
        let restoring: String?

        var segments: Int {
            if case .table(_, _, let segments) = body { segments.count } else { 1 }
        }

        /// What the segments acknowledge: pieces of a table.
        var expected: Int64 {
            if case .table(_, _, let segments) = body {
                Int64(segments.reduce(0) { $0 + $1.count })
            } else {
                1
            }
        }
    }

    let moment: Moment
    let facts: JSON
    let salt: [UInt8]
    let counts: [JSON.Member]
    let artifacts: [Artifact]
    let omissions: OmissionSummary

    var inventory: Inventory {
        Inventory(
            artifacts: artifacts.map { artifact in
                ArtifactOutline(
                    name: artifact.name, slug: artifact.slug, kind: artifact.kind,
                    legal: .exportableData, format: artifact.format, segments: artifact.segments,
                    expected: artifact.expected, bytes: artifact.bytes)
            },
            objects: artifacts.reduce(0) { $0 + $1.objects } + omissions.total,
            moment: moment, facts: facts, counts: counts)
    }
}

// MARK: - In the room

extension ExportContents {
    var json: JSON {
        [
            "moment": .array([.string(moment.kind), .string(moment.value)]),
            "facts": facts, "salt": .string(Hex.encode(salt)), "counts": .object(counts),
            "artifacts": .array(artifacts.map(\.json)),
            "omitted": .array(
                omissions.counts.map {
                    .array([.string($0.reason), .integer($0.count), .bool($0.accepted)])
                }),
            "lines": .array(omissions.lines),
        ]
    }

    init?(_ json: JSON) {
        guard let moment = json["moment"]?.array, moment.count == 2, let facts = json["facts"],
            let salt = json["salt"]?.string.flatMap({ Hex.decode($0) }),
            let counts = json["counts"]?.members,
            let artifacts = json["artifacts"]?.array?.map({ Artifact($0) }),
            let omitted = json["omitted"]?.array, let lines = json["lines"]?.array
        else { return nil }
        self.moment = Moment(kind: moment[0].string ?? "", value: moment[1].string ?? "")
        self.facts = facts
        self.salt = salt
        self.counts = counts
        self.artifacts = artifacts.compactMap { $0 }
        guard self.artifacts.count == artifacts.count else { return nil }
        omissions = OmissionSummary(
            counts: omitted.compactMap { entry in
                guard let parts = entry.array, parts.count == 3, let reason = parts[0].string,
                    let count = parts[1].integer
                else { return nil }
                return .init(reason: reason, count: count, accepted: parts[2] == .bool(true))
            }, lines: lines)
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
        switch body {
        case .file(let file): members.append(.init("file", .string(file)))
        case .table(let columns, let hasHistory, let segments):
            members.append(.init("columns", .array(columns.map(\.json))))
            members.append(.init("history", .bool(hasHistory)))
            members.append(
                .init("segments", .array(segments.map { .array($0.map(\.json)) })))
        }
        return .object(members)
    }

    fileprivate init?(_ json: JSON) {
        guard let name = json["name"]?.string, let slug = json["slug"]?.string,
            let kind = json["kind"]?.string, let format = json["format"]?.string,
            let bytes = json["bytes"]?.integer, let objects = json["objects"]?.integer
        else { return nil }
        let body: ExportContents.Body
        if let file = json["file"]?.string {
            body = .file(file)
        } else if let columns = json["columns"]?.array, let segments = json["segments"]?.array {
            body = .table(
                columns: columns.compactMap { Column($0) },
                hasHistory: json["history"] == .bool(true),
                segments: segments.map { ($0.array ?? []).compactMap { TablePiece($0) } })
        } else {
            return nil
        }
        self.init(
            name: name, slug: slug, kind: kind, format: format, bytes: bytes, objects: objects,
            body: body, restoring: json["restoring"]?.string)
    }
}
