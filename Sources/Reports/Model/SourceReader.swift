import Basics
import Manifests

/// Puts together what catalogue, journal, manifest and receipts say of each source.
struct SourceReader {
    private let evidence: Evidence
    private let receipts: [ReceiptFacts]
    private let withNames: Bool
    /// Bytes before compression by source, as far as the journal tells them.
    private var plain: [Int: Int64] = [:]

    /// How many artifacts of a source a report lists; the rest is in the catalogue.
    static let mostArtifacts = 400
    static let mostExamples = 8

    init(_ evidence: Evidence, _ receipts: [ReceiptFacts], withNames: Bool) {
        self.evidence = evidence
        self.receipts = receipts
        self.withNames = withNames
        for commit in evidence.history?.commits ?? [] {
            plain[commit.source, default: 0] &+= commit.plainBytes
        }
    }

    var sources: [SourceFacts] {
        (evidence.catalogue["sources"]?.array ?? []).enumerated().map { place, json in
            source(place, json)
        }
    }

    private func source(_ place: Int, _ json: JSON) -> SourceFacts {
        let folder = json["folder"]?.string ?? "?"
        let record = evidence.manifest?.sources.first { $0.folder == folder }
        let listed = json["artifacts"]?.array ?? []
        let omissions = omissions(json, record)
        return SourceFacts(
            place: place, folder: folder, kind: json["kind"]?.string ?? "?",
            label: withNames ? record?.name ?? folder : folder, moment: record?.moment,
            facts: withNames ? Self.facts(record) : [],
            counts: (json["counts"]?.members ?? []).numbers.filter { $0.name != "bytes" },
            artifacts: artifacts(listed, record),
            artifactCount: listed.count, omissions: omissions, coverage: Self.coverage(json),
            expected: json["expected"]?.integer, exported: json["exported"]?.integer,
            storedBytes: listed.reduce(0) { $0 &+ ($1["bytes"]?.integer ?? 0) },
            plainBytes: plain[place],
            legal: Self.legal(listed), retaken: retaken(record),
            imports: receipts.filter { !$0.isRehearsal }.compactMap { receipt in
                receipt.sources.first { $0.folder == folder }?.imported
            })
    }

    private static func facts(_ record: SourceRecord?) -> [(name: String, value: String)] {
        (record?.facts.members ?? []).compactMap { member in
            // Of use to a program only.
            if ["salt", "snapshot"].contains(member.key) { return nil }
            if let text = member.value.string { return (member.key, text) }
            let names = (member.value.array ?? []).compactMap { $0.string ?? $0["name"]?.string }
            return names.isEmpty ? nil : (member.key, names.joined(separator: ", "))
        }
    }

    private func artifacts(_ listed: [JSON], _ record: SourceRecord?) -> [SourceFacts.Artifact] {
        listed.prefix(Self.mostArtifacts).enumerated().map { number, json in
            let folder = json["folder"]?.string ?? ""
            let known = record.flatMap { record in
                record.artifacts.indices.contains(number)
                    && record.artifacts[number].folder == folder
                    ? record.artifacts[number] : record.artifacts.first { $0.folder == folder }
            }
            // The folder's slug is made from a name where nothing is encrypted; its number is not.
            let label = withNames ? known?.name : nil
            return SourceFacts.Artifact(
                label: label ?? String(folder.split(separator: "-").last ?? "?"),
                kind: json["kind"]?.string ?? "?", legal: json["legal"]?.string ?? "?",
                format: json["format"]?.string ?? "?", segments: json["segments"]?.integer ?? 0,
                bytes: json["bytes"]?.integer ?? 0, digests: (known?.digests ?? []).texts,
                counts: (known?.counts ?? []).numbers)
        }
    }

    private func omissions(_ json: JSON, _ record: SourceRecord?) -> [SourceFacts.Omission] {
        (json["omitted"]?.array ?? []).map { omission in
            let reason = omission["reason"]?.string ?? "?"
            let lines = withNames ? record?.omissions.lines ?? [] : []
            let named = lines.lazy.filter { $0["reason"]?.string == reason }
            return SourceFacts.Omission(
                reason: reason, count: omission["count"]?.integer ?? 0,
                isAccepted: omission["accepted"]?.bool ?? false,
                examples: named.prefix(Self.mostExamples).map(Self.object))
        }
    }

    static func coverage(_ json: JSON) -> CoverageFacts? {
        guard let coverage = json["coverage"] else { return nil }
        return CoverageFacts(
            declared: (coverage["declared"]?.array ?? []).map {
                CoverageFacts.Declared(
                    category: $0["category"]?.string ?? "?",
                    artifacts: $0["artifacts"]?.integer ?? 0, legal: $0["legal"]?.string,
                    ground: $0["ground"]?.string, clause: $0["clause"]?.string)
            }, unexplained: coverage["unexplained"]?.integer ?? 0,
            gaps: (coverage["gaps"]?.members ?? []).numbers.filter { $0.value > 0 })
    }

    /// The name in a line of omissions, whichever kind of source it is of.
    private static func object(_ line: JSON) -> String {
        line["object"]?.string ?? line["path"]?.string
            ?? (line["path64"]?.string).flatMap { Base64.decode($0) }
            .map { String(decoding: $0, as: UTF8.self) } ?? "?"
    }

    private static func legal(
        _ artifacts: [JSON]
    ) -> [(category: String, artifacts: Int, bytes: Int64)] {
        var tally: [String: (artifacts: Int, bytes: Int64)] = [:]
        for artifact in artifacts {
            let category = artifact["legal"]?.string ?? "?"
            let before = tally[category] ?? (0, 0)
            tally[category] = (
                before.artifacts + 1, before.bytes &+ (artifact["bytes"]?.integer ?? 0)
            )
        }
        return tally.sorted { $0.key < $1.key }.map { ($0.key, $0.value.artifacts, $0.value.bytes) }
    }

    private func retaken(_ record: SourceRecord?) -> [Comparison] {
        guard let record else { return [] }
        // By name or, in a report that shows none, by folder.
        let key = withNames ? record.name : record.folder
        let source = (evidence.retaken.array ?? []).first { $0["source"]?.string == key }
        return (source?["comparisons"]?.array ?? []).compactMap {
            Comparison($0, withNames: withNames)
        }
    }
}
