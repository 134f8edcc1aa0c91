public import Basics
public import Connectors
public import Manifests
public import Streams

/// Takes the digests of stored logs again, from the archive alone.
public final class LogsAuditor: Auditor {
    public static let kind = "logs"

    private let audits: [any LogAudit]

    public init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress
    ) throws(Failure) {
        audits = [
            try JournalAudit(source, from: artifacts, progress: progress),
            try TextAudit(source, from: artifacts, progress: progress),
        ]
    }

    public var slices: Int { audits.reduce(0) { $0 + $1.slices } }

    public func audit(_ slice: Int) throws(Failure) {
        var slice = slice
        for audit in audits {
            if slice < audit.slices { return try audit.audit(slice) }
            slice -= audit.slices
        }
    }

    public func conclude() throws(Failure) -> [ImportResult.Comparison] {
        var comparisons: [ImportResult.Comparison] = []
        for audit in audits { comparisons += try audit.conclude() }
        return comparisons
    }
}
