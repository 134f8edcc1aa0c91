public import Basics
public import Connectors
public import Manifests
public import Streams
import Trees

/// Reads a stored tree through, and holds every header and all content against the index, and the
/// index against the digests of the manifest.
public final class FilesAuditor: Auditor {
    public static let kind = "files"

    private let tree: TreeAudit

    public init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress
    ) throws(Failure) {
        tree = try TreeAudit(source, from: artifacts, progress: progress)
    }

    public var slices: Int { tree.slices }

    public func audit(_ slice: Int) throws(Failure) { try tree.audit(slice) }

    public func conclude() throws(Failure) -> [ImportResult.Comparison] { try tree.conclude() }
}
