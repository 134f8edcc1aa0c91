public import Basics
public import Manifests
public import Plans
public import Streams

/// Replays one source of a verified archive on a target.
///
/// The run asks in this order: `prepare`, `begin` once all sources are prepared, then `replay` for every
/// unit, round by round and within a round from several lanes at once,
/// `finish`, then `compare` for every slice from several lanes, and `conclude`. Everything is
/// idempotent: an import that was interrupted is built anew in the same room, `prepare` comes
/// again, and only the units not yet done are replayed.
///
/// All calls block, and are made on lanes.
public protocol Importer: Sendable {
    static var kind: String { get }

    /// The kinds of sources that such a target takes: unless said otherwise, its own.
    static var sources: [String] { get }

    /// Whether the target itself remembers what is done, in the transaction that does it. Then every
    /// unit is asked for again when an import is resumed: the run's own record could say more than a
    /// target that has crashed.
    static var targetRemembers: Bool { get }

    /// Notes what is wrong with the settings, so that a plan shows all its problems at once.
    static func check(_ target: TargetPlan, _ problems: PlanProblems)

    /// - Parameter resuming: an earlier import in this room has begun to write to the target.
    init(
        _ target: TargetPlan, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure)

    /// Checks archive and target against each other, and refuses what it must refuse; writes nothing to
    /// the target but its root, and keeps no note of having begun: another source may yet be refused,
    /// and then the plan is corrected.
    func prepare() throws(Failure) -> ImportOutline

    /// No source was refused. Notes that what is on the target from now on is of this import.
    func begin() throws(Failure)

    func replay(_ segment: SegmentNumber) throws(Failure)

    /// What can only be done once all units are replayed (links, constraints, …).
    func finish() throws(Failure)

    /// Takes the content digest again, from the target, for one slice.
    func compare(_ slice: Int) throws(Failure)

    /// - Parameter counting: count what the target holds, in place of the digests of `compare`.
    func conclude(counting: Bool) throws(Failure) -> ImportResult

    /// What a unit of `prepare` is for; rehearsals tell the times apart.
    func phase(of unit: SegmentNumber) -> ImportPhase

    /// Asks the target the question that the source was asked at its export; see `Exporter.answer`.
    func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer
}

extension Importer {
    public static var sources: [String] { [kind] }
    public static var targetRemembers: Bool { false }

    public func phase(of unit: SegmentNumber) -> ImportPhase { .load }

    public func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        throw ProbeQuestion.unknown(question, to: "a target of kind \"\(Self.kind)\"")
    }
}

/// What an import does to its target, one after the other.
public enum ImportPhase: String, Sendable, CaseIterable {
    /// Definitions and content.
    case load
    /// Indexes, constraints and what else is made of the rows.
    case index
    /// Statistics for the planner of a database.
    case analyse
    /// The target read again.
    case compare
}

/// What an import will do.
public struct ImportOutline: Sendable {
    /// Units of work: those of a round in parallel, the next round when all of them are done. A unit
    /// is a segment of the archive, or another step that the connector numbers in the same way.
    public var rounds: [[SegmentNumber]]
    public var slices: Int
    public var bytes: Int64

    public init(rounds: [[SegmentNumber]], slices: Int, bytes: Int64) {
        self.rounds = rounds
        self.slices = slices
        self.bytes = bytes
    }
}

/// What an import has done, for the receipt.
public struct ImportResult: Sendable {
    public struct Comparison: Sendable {
        /// What was compared, for whoever may know what an object is called.
        public var name: String
        /// The same without the name of an object: a receipt travels.
        public var measure: String
        public let object: Object?
        public var expected: String
        public var found: String
        public var equal: Bool { expected == found }

        /// What a comparison is about, where it is about one object of many.
        public struct Object: Sendable, Hashable {
            /// Such as `table`.
            public let kind: String
            public let name: String

            public init(_ kind: String, _ name: String) {
                self.kind = kind
                self.name = name
            }
        }

        /// - Parameter name: names no object.
        public init(name: String, expected: String, found: String) {
            self.name = name
            measure = name
            object = nil
            self.expected = expected
            self.found = found
        }

        /// - Parameter name: what people read who may; `rows of public.visits` unless given.
        public init(
            _ measure: String, of object: Object, name: String? = nil, expected: String,
            found: String
        ) {
            self.name = name ?? "\(measure) of \(object.name)"
            self.measure = measure
            self.object = object
            self.expected = expected
            self.found = found
        }
    }

    public var comparisons: [Comparison]
    /// Objects on the target that are not as the archive says; the first of them.
    public var differences: [JSON]
    public var differenceCount: Int64
    /// What the target or our rights did not allow to set; the first of them.
    public var shortfalls: [JSON]
    public var shortfallCount: Int64
    public var counts: [JSON.Member]
    public var mappings: JSON
    /// What somebody who relies on the receipt must know; no names of objects.
    public var reservations: [Reservation]
    /// What explains these, object by object.
    public var remarks: [JSON]

    public init(
        comparisons: [Comparison], differences: [JSON], differenceCount: Int64,
        shortfalls: [JSON], shortfallCount: Int64, counts: [JSON.Member], mappings: JSON,
        reservations: [Reservation] = [], remarks: [JSON] = []
    ) {
        self.comparisons = comparisons
        self.differences = differences
        self.differenceCount = differenceCount
        self.shortfalls = shortfalls
        self.shortfallCount = shortfallCount
        self.counts = counts
        self.mappings = mappings
        self.reservations = reservations
        self.remarks = remarks
    }
}

/// Where an importer gets plaintext from: checked, decrypted and decompressed on the way.
public protocol ArtifactSource: Sendable {
    /// Throws `.bagFileChanged` for a segment that is lost.
    func open(
        _ record: ArtifactRecord, segment: Int
    ) throws(Failure) -> SegmentStream

    /// Whether segments of an artifact are lost, and what is left is replayed all the same, as in the rehearsal
    /// of a damaged archive. What then cannot be made for want of them is no failure: the comparison tells it.
    func lacks(_ record: ArtifactRecord) -> Bool
}

extension ArtifactSource {
    public func lacks(_ record: ArtifactRecord) -> Bool { false }

    /// Whether segments of any of these are lost.
    public func lacksAny(of source: SourceRecord) -> Bool {
        source.artifacts.contains(where: lacks)
    }
}

/// The plaintext of one segment. Belongs to one lane at a time.
public final class SegmentStream {
    private var source: any ByteSource & ~Copyable

    public init(_ source: consuming any ByteSource & ~Copyable) { self.source = source }

    public func read(into chunk: inout Chunk) throws(Failure) { try source.read(into: &chunk) }
}

/// A segment stream as a stage.
public struct StreamSource: ByteSource, ~Copyable {
    private let stream: SegmentStream

    public init(_ stream: SegmentStream) { self.stream = stream }

    public mutating func read(into chunk: inout Chunk) throws(Failure) {
        try stream.read(into: &chunk)
    }
}
