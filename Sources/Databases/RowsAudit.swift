public import Basics
public import Connectors
public import Manifests
import Primitives
public import Streams
import Synchronization

/// Takes the digests of all stored rows of a source again, segment by segment from several lanes.
public final class RowsAudit: Sendable {
    private let source: SourceRecord
    private let artifacts: any ArtifactSource
    private let salt: [UInt8]
    private let progress: Progress
    private let units: [SegmentNumber]
    private let found = Mutex<[Int: MultisetDigest]>([:])

    public init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, salt: [UInt8],
        progress: Progress
    ) {
        self.source = source
        self.artifacts = artifacts
        self.salt = salt
        self.progress = progress
        units = source.artifacts.indices.filter { source.artifacts[$0].rows != nil }.flatMap {
            place in
            source.artifacts[place].segments.indices.map {
                SegmentNumber(artifact: place, segment: $0)
            }
        }
    }

    public var slices: Int { units.count }

    public func audit(_ slice: Int) throws(Failure) {
        let unit = units[slice]
        let digest = try StoredRows.digest(
            of: source.artifacts[unit.artifact], segment: unit.segment, from: artifacts, salt: salt,
            progress)
        found.withLock { $0[unit.artifact, default: MultisetDigest()].add(digest) }
    }

    /// What was found against what the manifest says.
    public func conclude() -> [ImportResult.Comparison] {
        let found = found.withLock { $0 }
        return source.artifacts.indices.compactMap { place in
            source.artifacts[place].rows.map { expected in
                let digest = found[place] ?? MultisetDigest()
                return .init(
                    "rows-sha256-sum", of: .init("table", source.artifacts[place].name),
                    expected: "\(expected.count) \(expected.sum.hex)",
                    found: "\(digest.count) \(digest.sum.hex)")
            }
        }
    }
}
