import Basics
import Connectors
import Manifests
import Streams

/// The journal on its way to a target.
struct JournalTargetFamily: LogTargetFamily {
    static let artifactKinds = ["journal", "journal-file"]

    init(
        _ target: LogsTarget, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {}

    func prepare() throws(Failure) -> ImportOutline {
        ImportOutline(rounds: [], slices: 0, bytes: 0)
    }

    func replay(_ unit: SegmentNumber) throws(Failure) {}

    func finish() throws(Failure) {}

    func compare(_ slice: Int) throws(Failure) {}

    func conclude(counting: Bool) throws(Failure) -> ImportResult {
        ImportResult(
            comparisons: [], differences: [], differenceCount: 0, shortfalls: [],
            shortfallCount: 0, counts: [], mappings: [:])
    }
}

/// The journal of an archive, whose digests are taken again.
struct JournalAudit: LogAudit {
    let slices = 0

    init(_ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress)
        throws(Failure)
    {}

    func audit(_ slice: Int) throws(Failure) {}

    func conclude() throws(Failure) -> [ImportResult.Comparison] { [] }
}
