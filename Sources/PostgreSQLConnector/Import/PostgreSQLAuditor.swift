public import Basics
public import Connectors
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
        let stream = try stored.artifacts.open(
            source.artifacts[unit.artifact], segment: unit.segment)
        var hasher = RowHasher(salt: stored.salt)
        var chunk = Chunk()
        repeat {
            try progress.checkCancelled()
            try stream.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                unsafe hasher.update(lines: bytes)
                progress.add(bytes: Int64(bytes.count))
            }
        } while !chunk.isEmpty
        guard hasher.isAtEnd else { throw StoredDatabase.malformed("a segment ends inside a row") }
        let digest = hasher.digest
        found.withLock { $0[unit.artifact, default: MultisetDigest()].add(digest) }
    }

    public func conclude() throws(Failure) -> [ImportResult.Comparison] {
        let found = found.withLock { $0 }
        return source.artifacts.indices.compactMap { place in
            source.artifacts[place].rows.map { expected in
                let digest = found[place] ?? MultisetDigest()
                return .init(
                    name: "rows-sha256-sum of \(source.artifacts[place].name)",
                    expected: "\(expected.count) \(expected.sum.hex)",
                    found: "\(digest.count) \(digest.sum.hex)")
            }
        }
    }
}
