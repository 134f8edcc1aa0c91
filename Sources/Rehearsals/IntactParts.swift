import Manifests

/// What of a source can be restored by itself where stored files of other parts of it are damaged: guests
/// of a hypervisor, images of disks. Tables and trees hang together, and are restored whole or not.
struct IntactParts: Sendable, Equatable {
    /// The source without its damaged parts.
    let record: SourceRecord
    /// Names of the parts left out, such as `101`.
    let lost: [String]

    /// nil where the source has no parts of that sort, or none that is whole.
    init?(of source: SourceRecord, isDamaged: (SegmentRecord) -> Bool) {
        guard ["proxmox", "disks"].contains(source.kind) else { return nil }
        func part(_ artifact: ArtifactRecord) -> String {
            // `101/scsi0` is of guest 101; images have no guest, and stand for themselves.
            source.kind == "disks"
                ? artifact.name : String(artifact.name.prefix { $0 != "/" })
        }
        var lost: [String] = []
        for artifact in source.artifacts where artifact.segments.contains(where: isDamaged) {
            if !lost.contains(part(artifact)) { lost.append(part(artifact)) }
        }
        var record = source
        record.artifacts.removeAll { lost.contains(part($0)) }
        // Without a disk there is nothing to show.
        guard record.artifacts.contains(where: { $0.name.contains("/") }) else { return nil }
        self.record = record
        self.lost = lost
    }

    /// The number of a guest that was left out; nil for other parts.
    static func guest(_ part: String) -> Int64? { Int64(part) }
}
