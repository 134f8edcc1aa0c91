import Basics

/// What an archive holds, with real names: the content of `exeat/manifest.json[.age]`.
///
/// Written as canonical JSON, read strictly; the schema is `Manifests/schemas/v1`.
public struct Manifest: Sendable, Equatable {
    /// `urn:uuid:…`, the same as in the seal.
    public var bag: String
    public var name: String
    public var createdAt: Timestamp
    /// Purpose, contract and parties as the plan gives them.
    public var run: JSON
    public var sources: [SourceRecord]

    public init(bag: String, name: String, createdAt: Timestamp, run: JSON, sources: [SourceRecord])
    {
        self.bag = bag
        self.name = name
        self.createdAt = createdAt
        self.run = run
        self.sources = sources
    }
}

/// One source of the plan: its artifacts, and what was left out.
public struct SourceRecord: Sendable, Equatable {
    public var name: String
    public var kind: String
    /// Below `data/`.
    public var folder: String
    /// The one consistent moment that all artifacts share, and how it was fixed.
    public var moment: Moment
    /// Facts that only this kind of source has (for files: the paths).
    public var facts: JSON
    public var artifacts: [ArtifactRecord]
    public var omissions: OmissionSummary
    /// Questions to ask again of what is restored.
    public var probes: [ProbeRecord]

    public init(
        name: String, kind: String, folder: String, moment: Moment, facts: JSON,
        artifacts: [ArtifactRecord], omissions: OmissionSummary, probes: [ProbeRecord] = []
    ) {
        self.name = name
        self.kind = kind
        self.folder = folder
        self.moment = moment
        self.facts = facts
        self.artifacts = artifacts
        self.omissions = omissions
        self.probes = probes
    }
}

/// A question about a source, and what it was answered at the export.
public struct ProbeRecord: Sendable, Equatable {
    public var name: String
    /// `{"kind": "sql", "sql": …}`, as the plan asks it.
    public var request: JSON
    /// The answer that must come; nil where the recorded one, or any, will do.
    public var expect: String?
    /// What the source answered in its moment; nil where the question was not for it.
    public var answer: JSON?
    /// Seconds that an answer is waited for.
    public var within: Int64

    public init(name: String, request: JSON, expect: String?, answer: JSON?, within: Int64) {
        self.name = name
        self.request = request
        self.expect = expect
        self.answer = answer
        self.within = within
    }
}

public struct Moment: Sendable, Equatable {
    /// `file-system-time`, later `lsn`, `gtid`, `snapshot`.
    public var kind: String
    public var value: String

    public init(kind: String, value: String) {
        self.kind = kind
        self.value = value
    }
}

/// The categories of Regulation (EU) 2023/2854: what a customer may take along.
public enum LegalCategory: String, Sendable {
    case exportableData = "exportable-data"
    case digitalAsset = "digital-asset"
    case exempt
}

/// A thing that is restored, compared and proven as a whole: a tree, a table, a disk.
public struct ArtifactRecord: Sendable, Equatable {
    public var name: String
    /// Below `data/`.
    public var folder: String
    public var kind: String
    public var legal: LegalCategory
    /// What the concatenated plaintexts of the segments are: `tar`, `jsonl`, …
    public var format: String
    public var segments: [SegmentRecord]
    /// Digests of the meaning, by name.
    public var digests: [JSON.Member]
    /// How many objects of each kind, by name.
    public var counts: [JSON.Member]

    public init(
        name: String, folder: String, kind: String, legal: LegalCategory, format: String,
        segments: [SegmentRecord], digests: [JSON.Member], counts: [JSON.Member]
    ) {
        self.name = name
        self.folder = folder
        self.kind = kind
        self.legal = legal
        self.format = format
        self.segments = segments
        self.digests = digests
        self.counts = counts
    }

    public var plainBytes: Int64 { segments.reduce(0) { $0 + $1.plainBytes } }
}

/// One stored file: the unit of parallelism, of resume and of loss.
public struct SegmentRecord: Sendable, Equatable {
    public var path: String
    /// Of the stored bytes.
    public var bytes: Int64
    public var sha256: String
    /// Before compression and encryption.
    public var plainBytes: Int64

    public init(path: String, bytes: Int64, sha256: String, plainBytes: Int64) {
        self.path = path
        self.bytes = bytes
        self.sha256 = sha256
        self.plainBytes = plainBytes
    }

    /// No reader accepts a longer segment of a format; writers aim at 256 MiB at most.
    ///
    /// Rows of a database may turn out longer: a range of a table is chosen by the pages it takes,
    /// where long values lie compressed, and some servers give a table only as a whole. Rows are only
    /// ever streamed.
    public static func longestPlain(in format: String) -> Int64 {
        format == "copy" || format == "tsv" ? 1 << 45 : 1 << 30
    }
}

/// What is not in the archive although it was found, with reasons.
public struct OmissionSummary: Sendable, Equatable {
    public struct Count: Sendable, Equatable {
        public var reason: String
        public var count: Int64
        /// Whether `exclude` or `accept` of the plan covers these.
        public var accepted: Bool

        public init(reason: String, count: Int64, accepted: Bool) {
            self.reason = reason
            self.count = count
            self.accepted = accepted
        }
    }

    public var counts: [Count]
    /// The first of them, one object each; all of them are in the index of the source.
    public var lines: [JSON]

    public init(counts: [Count] = [], lines: [JSON] = []) {
        self.counts = counts
        self.lines = lines
    }

    public static let mostLines = 1000

    public var total: Int64 { counts.reduce(0) { $0 &+ $1.count } }
    public var notAccepted: Int64 { counts.reduce(0) { $0 &+ ($1.accepted ? 0 : $1.count) } }
}
