public import Basics
public import Connectors
import Databases
public import Manifests
public import Streams

/// Reads the stored rows of databases through, and takes their digests again.
public final class MariaDBAuditor: Auditor {
    public static let kind = "mariadb"

    private let rows: RowsAudit

    public init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress
    ) throws(Failure) {
        let stored = try StoredServer(source, from: artifacts)
        rows = RowsAudit(source, from: artifacts, salt: stored.salt, progress: progress)
    }

    public var slices: Int { rows.slices }

    public func audit(_ slice: Int) throws(Failure) { try rows.audit(slice) }

    public func conclude() throws(Failure) -> [ImportResult.Comparison] { rows.conclude() }
}
