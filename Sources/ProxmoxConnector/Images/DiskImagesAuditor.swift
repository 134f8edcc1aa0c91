public import Basics
public import Connectors
public import Manifests
public import Streams

/// Reads stored images of disks through, as the auditor of guests does.
public final class DiskImagesAuditor: Auditor {
    public static let kind = "disks"

    private let disks: ProxmoxAuditor

    public init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress
    ) throws(Failure) {
        disks = try ProxmoxAuditor(source, from: artifacts, progress: progress)
    }

    public var slices: Int { disks.slices }

    public func audit(_ slice: Int) throws(Failure) { try disks.audit(slice) }

    public func conclude() throws(Failure) -> [ImportResult.Comparison] { try disks.conclude() }
}
