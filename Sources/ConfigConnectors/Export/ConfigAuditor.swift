public import Basics
public import Connectors
public import Manifests
import Primitives
public import Streams
import Trees

/// Reads a stored source of configurations through: the tree against its index, every document against its
/// digest.
public final class ConfigAuditor: Auditor {
    public static let kind = "configs"

    private let source: SourceRecord
    private let artifacts: any ArtifactSource
    private let tree: TreeAudit

    public init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress
    ) throws(Failure) {
        self.source = source
        self.artifacts = artifacts
        tree = try TreeAudit(source, from: artifacts, progress: progress)
    }

    public var slices: Int { tree.slices }

    public func audit(_ slice: Int) throws(Failure) { try tree.audit(slice) }

    public func conclude() throws(Failure) -> [ImportResult.Comparison] {
        var comparisons = try tree.conclude()
        let stored = try StoredDocuments(source, from: artifacts)
        for document in stored.documents {
            comparisons.append(
                .init(name: document.name, expected: document.expected, found: document.found))
        }
        return comparisons
    }
}
