public import Basics
public import Manifests
public import Plans
public import Streams

/// Pulls one source into segments.
///
/// The run asks in this order: `survey` (for `exeat plan` alone), or `inventory` once, then
/// `export` for every segment from several lanes at once, then `conclude` for each artifact whose
/// segments are all committed. A run that was interrupted builds the exporter anew in the same room
/// and goes on: `inventory` must then return what it returned before.
///
/// All calls block, and are made on lanes.
public protocol Exporter: Sendable {
    /// The word after `kind:` in a plan.
    static var kind: String { get }

    /// Whether what an interrupted process has exported can be gone on with. A source whose one
    /// consistent moment ends with the process begins anew: what it had stored is void, its room
    /// empty.
    static var outlivesProcess: Bool { get }

    /// Reads the settings; throws all problems of the plan at once.
    init(_ source: SourcePlan, room: Room) throws(Failure)

    /// Notes what is wrong with the settings, so that a plan shows all its problems at once.
    static func check(_ source: SourcePlan, _ problems: PlanProblems)

    /// Looks at the source without changing it: rights, volumes, risks.
    func survey() throws(Failure) -> Survey

    /// Fixes what must be in the archive, before the first byte moves. What it needs later (real
    /// names, layouts) it keeps in its room.
    func inventory() throws(Failure) -> Inventory

    /// Artifacts that begin anew although their source does not: because what they were read from is
    /// lost, or because they were read together with those in `voided`, whose segments no longer
    /// count. Asked when a run is resumed, before the inventory, and more than once; what was stored
    /// of them is void.
    func restarts(voided: Set<Int>) throws(Failure) -> Set<Int>

    /// How many segments an artifact has whose outline has a `deferral`; called once, before its
    /// first segment, and may block for as long as the source needs to get it ready. Built anew in
    /// the same room, the exporter gives the same answer.
    func cut(_ artifact: Int) throws(Failure) -> Int

    /// Writes the plaintext of one segment, and keeps what it learnt (digests, omissions) durably in
    /// its room before it returns. Does not finish the sink.
    ///
    /// May be called again for the same segment after a throw or a crash. A failure that says
    /// `mayRetry` is tried again with a fresh sink.
    func export(
        _ segment: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult

    /// Called once all segments of an artifact, and of those it comes `after`, are committed.
    func conclude(_ artifact: Int) throws(Failure) -> Conclusion

    /// All omissions, once every artifact is concluded.
    func omissions() throws(Failure) -> OmissionSummary

    /// Answers a question about what is exported, as of its one consistent moment; asked right after
    /// the inventory. The same question is asked of what is restored, and must have the same answer.
    func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer
}

extension Exporter {
    public static var outlivesProcess: Bool { true }

    public func restarts(voided: Set<Int>) throws(Failure) -> Set<Int> { [] }

    public func cut(_ artifact: Int) throws(Failure) -> Int {
        throw Failure(.failed, "artifact \(artifact) has no number of segments")
    }

    public func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        throw ProbeQuestion.unknown(question, to: "a source of kind \"\(Self.kind)\"")
    }
}

/// A segment by its artifact's place in the inventory and its own place in the artifact.
public struct SegmentNumber: Sendable, Hashable {
    public let artifact: Int
    public let segment: Int

    public init(artifact: Int, segment: Int) {
        self.artifact = artifact
        self.segment = segment
    }
}

/// What one segment acknowledges of the expected list.
public struct SegmentResult: Sendable, Equatable {
    /// Expected objects that are now in the archive.
    public var exported: Int64
    /// Expected objects that are not, each with an omission line.
    public var omitted: Int64

    public init(exported: Int64, omitted: Int64) {
        self.exported = exported
        self.omitted = omitted
    }
}

/// What is known of an artifact once all of it is stored.
public struct Conclusion: Sendable {
    /// How many of the inventory's objects it holds.
    public var exported: Int64
    public var digests: [JSON.Member]
    public var counts: [JSON.Member]
    /// A shell command that reads the artifact's stream on standard input and restores it below
    /// `$HERE` with standard tools; nil where the stream as a file is all there is.
    public var restoring: String?
    /// For RESTORE.txt: sentences that may name objects.
    public var notes: [String]

    public init(
        exported: Int64 = 0, digests: [JSON.Member] = [], counts: [JSON.Member] = [],
        restoring: String? = nil, notes: [String] = []
    ) {
        self.exported = exported
        self.digests = digests
        self.counts = counts
        self.restoring = restoring
        self.notes = notes
    }
}

/// The expected list of one source.
public struct Inventory: Sendable {
    public var artifacts: [ArtifactOutline]
    /// All objects that were found, those that will be omitted included.
    public var objects: Int64
    public var moment: Moment
    /// Facts for the manifest that only this kind of source has.
    public var facts: JSON
    /// How many objects of each kind there are, for people and the catalogue.
    public var counts: [JSON.Member]

    public init(
        artifacts: [ArtifactOutline], objects: Int64, moment: Moment, facts: JSON,
        counts: [JSON.Member]
    ) {
        self.artifacts = artifacts
        self.objects = objects
        self.moment = moment
        self.facts = facts
        self.counts = counts
    }
}

/// An artifact before it is exported.
public struct ArtifactOutline: Sendable {
    public var name: String
    /// Letters for its folder, `[a-z0-9-]`; a number follows.
    public var slug: String
    public var kind: String
    public var legal: LegalCategory
    /// The suffix of its segments before `.zst`, and the name of the format.
    public var format: String
    /// 0 where it is known later; see `deferral`.
    public var segments: Int
    public var deferral: Deferral?
    /// Places of artifacts that must be concluded before this one's segments can be written.
    public var after: [Int]
    /// Objects that its segments must acknowledge between them.
    public var expected: Int64
    /// Plaintext bytes as far as they can be foretold.
    public var bytes: Int64
    /// All segments, in the order in which they are best begun; nil for their own. Long ones first
    /// keep all lanes busy until the end.
    public var order: [Int]?

    public init(
        name: String, slug: String, kind: String, legal: LegalCategory, format: String,
        segments: Int, after: [Int] = [], expected: Int64, bytes: Int64
    ) {
        self.init(
            name: name, slug: slug, kind: kind, legal: legal, format: format, segments: segments,
            deferral: nil, after: after, expected: expected, bytes: bytes)
    }

    /// An artifact whose segments are counted when its turn comes.
    public init(
        name: String, slug: String, kind: String, legal: LegalCategory, format: String,
        deferral: Deferral, after: [Int] = [], expected: Int64, bytes: Int64
    ) {
        self.init(
            name: name, slug: slug, kind: kind, legal: legal, format: format, segments: 0,
            deferral: deferral, after: after, expected: expected, bytes: bytes)
    }

    private init(
        name: String, slug: String, kind: String, legal: LegalCategory, format: String,
        segments: Int, deferral: Deferral?, after: [Int], expected: Int64, bytes: Int64
    ) {
        self.name = name
        self.slug = slug
        self.kind = kind
        self.legal = legal
        self.format = format
        self.segments = segments
        self.deferral = deferral
        self.after = after
        self.expected = expected
        self.bytes = bytes
    }
}

/// Why the segments of an artifact can only be counted when its turn comes: the source has to get it
/// ready first, such as by a backup.
public struct Deferral: Sendable, Hashable {
    /// Artifacts that the source gets ready together (those of a guest).
    public var group: String
    /// Groups of a queue are got ready one after the other (those of a node).
    public var queue: String

    public init(group: String, queue: String) {
        self.group = group
        self.queue = queue
    }
}

/// What `exeat plan` tells of a source.
public struct Survey: Sendable {
    /// As a user sees it: of files, holes included.
    public var bytes: Int64
    /// What has to be read and stored for that.
    public var bytesToMove: Int64
    public var counts: [JSON.Member]
    /// What a person wants to see one by one, such as guests.
    public var parts: [Part]
    public var findings: [Finding]
    public var omissions: OmissionSummary

    public struct Part: Sendable {
        public var name: String
        public var bytes: Int64
        /// What it consists of, with bytes.
        public var pieces: [(name: String, bytes: Int64)]

        public init(name: String, bytes: Int64, pieces: [(name: String, bytes: Int64)] = []) {
            self.name = name
            self.bytes = bytes
            self.pieces = pieces
        }
    }

    /// - Parameter bytesToMove: unless given, `bytes`.
    public init(
        bytes: Int64, bytesToMove: Int64? = nil, counts: [JSON.Member], parts: [Part] = [],
        findings: [Finding], omissions: OmissionSummary
    ) {
        self.parts = parts
        self.bytes = bytes
        self.bytesToMove = bytesToMove ?? bytes
        self.counts = counts
        self.findings = findings
        self.omissions = omissions
    }
}

/// Something that a person should know or decide before the run.
public struct Finding: Sendable {
    public enum Severity: String, Sendable {
        case note, warning
        /// The run would fail or end with status 2 if nothing is decided.
        case decision
    }

    public var code: String
    public var severity: Severity
    public var what: String
    public var decision: String?

    public init(_ code: String, _ severity: Severity, _ what: String, decision: String? = nil) {
        self.code = code
        self.severity = severity
        self.what = what
        self.decision = decision
    }

    public var json: JSON {
        var members: [JSON.Member] = [
            .init("code", .string(code)), .init("severity", .string(severity.rawValue)),
            .init("what", .string(what)),
        ]
        if let decision { members.append(.init("decision", .string(decision))) }
        return .object(members)
    }
}

/// What the run lends to a connector.
public struct Room: Sendable {
    /// A private directory (0700) of this source alone, kept until the run is sealed.
    public let directory: String
    public let progress: Progress
    public let world: World
    /// Whether the archive is encrypted: secrets may be in no other.
    public let isEncrypted: Bool
    /// How many lanes may ask for something at once.
    public let workers: Int

    public init(
        directory: String, progress: Progress, world: World, isEncrypted: Bool = false,
        workers: Int = 1
    ) {
        self.directory = directory
        self.progress = progress
        self.world = world
        self.isEncrypted = isEncrypted
        self.workers = workers
    }
}
