public import Basics
public import Connectors
import Databases
public import Manifests
import Primitives
public import Streams
import Synchronization

/// Reads the stored rows of a database through, and takes their digests again.
public final class PostgreSQLAuditor: Auditor {
    public static let kind = "postgresql"

    private let stored: StoredDatabase
    private let source: SourceRecord
    private let progress: Progress
    private let units: [SegmentNumber]
    private let found = Mutex<[Int: MultisetDigest]>([:])

    public init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress
    ) throws(Failure) {
        self.source = source
        self.progress = progress
        stored = try StoredDatabase(source, from: artifacts)
        for kind in ["roles", "database", "pre-data", "sequences", "post-data", "role-passwords"]
        where kind != "role-passwords" {
            _ = try stored.statements("postgresql-\(kind)")
        }
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
            of: source.artifacts[unit.artifact], segment: unit.segment, from: stored.artifacts,
            salt: stored.salt, progress)
        found.withLock { $0[unit.artifact, default: MultisetDigest()].add(digest) }
    }

    public func conclude() throws(Failure) -> [ImportResult.Comparison] {
        StoredRows.comparisons(source, found.withLock { $0 })
    }
}
