import Basics
import Connectors
import Manifests

/// What a run must know of its database when the moment is gone, but all segments are stored.
struct SavedInventory: Sendable {
    struct Artifact: Sendable {
        let outline: ArtifactOutline
        let restoring: String?
    }

    let artifacts: [Artifact]
    let objects: Int64
    let moment: Moment
    let facts: JSON
    let counts: [JSON.Member]
    let omissions: OmissionSummary

    var inventory: Inventory {
        Inventory(
            artifacts: artifacts.map(\.outline), objects: objects, moment: moment, facts: facts,
            counts: counts)
    }

    func write(to path: String) throws(Failure) {
        try Files.write(json.canonical, to: path, mode: 0o600)
    }

    private var json: JSON {
        [
            "artifacts": .array(
                artifacts.map { artifact in
                    let outline = artifact.outline
                    return [
                        "name": .string(outline.name), "slug": .string(outline.slug),
                        "kind": .string(outline.kind), "legal": .string(outline.legal.rawValue),
                        "format": .string(outline.format),
                        "segments": .integer(Int64(outline.segments)),
                        "expected": .integer(outline.expected), "bytes": .integer(outline.bytes),
                        "restoring": artifact.restoring.map(JSON.string) ?? .null,
                    ]
                }),
            "objects": .integer(objects), "momentKind": .string(moment.kind),
            "moment": .string(moment.value), "facts": facts, "counts": .object(counts),
            "omissionCounts": .array(
                omissions.counts.map {
                    [
                        "reason": .string($0.reason), "count": .integer($0.count),
                        "accepted": .bool($0.accepted),
                    ]
                }), "omissionLines": .array(omissions.lines),
        ]
    }

    init(
        artifacts: [Artifact], objects: Int64, moment: Moment, facts: JSON,
        counts: [JSON.Member], omissions: OmissionSummary
    ) {
        self.artifacts = artifacts
        self.objects = objects
        self.moment = moment
        self.facts = facts
        self.counts = counts
        self.omissions = omissions
    }

    init(reading path: String) throws(Failure) {
        let json = try JSON(parsing: Files.read(path, limit: 1 << 30))
        func text(_ json: JSON, _ key: String) throws(Failure) -> String {
            guard let value = json[key]?.string else { throw Self.damaged(path) }
            return value
        }
        func number(_ json: JSON, _ key: String) throws(Failure) -> Int64 {
            guard let value = json[key]?.integer else { throw Self.damaged(path) }
            return value
        }
        guard let artifacts = json["artifacts"]?.array, let facts = json["facts"],
            let counts = json["counts"]?.members, let reasons = json["omissionCounts"]?.array,
            let lines = json["omissionLines"]?.array
        else { throw Self.damaged(path) }
        self.artifacts = try artifacts.map { (item) throws(Failure) in
            guard let legal = LegalCategory(rawValue: try text(item, "legal")) else {
                throw Self.damaged(path)
            }
            return Artifact(
                outline: ArtifactOutline(
                    name: try text(item, "name"), slug: try text(item, "slug"),
                    kind: try text(item, "kind"), legal: legal, format: try text(item, "format"),
                    segments: Int(try number(item, "segments")),
                    expected: try number(item, "expected"), bytes: try number(item, "bytes")),
                restoring: item["restoring"]?.string)
        }
        objects = try number(json, "objects")
        moment = Moment(kind: try text(json, "momentKind"), value: try text(json, "moment"))
        self.facts = facts
        self.counts = counts
        omissions = OmissionSummary(
            counts: try reasons.map { (item) throws(Failure) in
                OmissionSummary.Count(
                    reason: try text(item, "reason"), count: try number(item, "count"),
                    accepted: item["accepted"]?.bool == true)
            }, lines: lines)
    }

    private static func damaged(_ path: String) -> Failure {
        Failure(
            .failed, "the run's private file \"\(path)\" is damaged",
            hint: "Begin the run again in a new output.")
    }
}
