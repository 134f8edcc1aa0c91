public import Basics
public import Connectors
public import Manifests
public import Plans

/// Brings guests into a directory: images of disks, their descriptions, and what vzdump wrote where
/// the archive has that.
public final class DirectoryImporter: Importer {
    public static let kind = "directory"
    public static let sources = ["proxmox", DiskImagesExporter.kind]
    public static let targetRemembers = true

    private let images: ImageImport

    public static func check(_ target: TargetPlan, _ problems: PlanProblems) {
        _ = ImageTarget(target, isLibvirt: false, problems)
    }

    public init(
        _ target: TargetPlan, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        let problems = PlanProblems()
        let settings = ImageTarget(target, isLibvirt: false, problems)
        try problems.check()
        images = ImageImport(settings, source, artifacts, room, resuming: resuming)
    }

    public func prepare() throws(Failure) -> ImportOutline { try images.prepare() }

    public func begin() throws(Failure) { try images.begin() }

    public func replay(_ unit: SegmentNumber) throws(Failure) { try images.replay(unit) }

    public func finish() throws(Failure) { try images.finish() }

    public func compare(_ slice: Int) throws(Failure) { try images.compare(slice) }

    public func conclude(counting: Bool) throws(Failure) -> ImportResult {
        try images.conclude(counting: counting)
    }
}
