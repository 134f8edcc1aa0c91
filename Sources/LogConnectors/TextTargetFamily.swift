import Basics
import Connectors
import Manifests
import Streams

/// Text logs on their way to a target: written by the text half.
struct TextTargetFamily: LogTargetFamily {
    static let artifactKinds: [String] = []

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

/// The text logs of an archive, whose digests are taken again: written by the text half.
struct TextAudit: LogAudit {
    let slices = 0

    init(_ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress)
        throws(Failure)
    {}

    func audit(_ slice: Int) throws(Failure) {}

    func conclude() throws(Failure) -> [ImportResult.Comparison] { [] }
}
