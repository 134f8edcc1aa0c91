import Manifests

/// What of a source can be restored where stored files of it are damaged.
///
/// Guests of a hypervisor and images of disks are left out whole, with all that belongs to them: half a machine is
/// none. Of databases, trees and logs what is lost is left out file by file, and the comparison names it.
struct IntactParts: Sendable, Equatable {
    /// The source without guests or images that are damaged.
    let record: SourceRecord
    /// Names of guests or images left out, such as `101`.
    let lost: [String]
    /// Every artifact with damaged files, whether left out or not.
    let damage: [Damage]

    struct Damage: Sendable, Equatable {
        let artifact: String
        let kind: String
        let damagedFiles: Int
        let files: Int
    }

    /// nil where nothing is damaged.
    init?(of source: SourceRecord, isDamaged: (SegmentRecord) -> Bool) {
        let damage = source.artifacts.map { artifact in
            Damage(
                artifact: artifact.name, kind: artifact.kind,
                damagedFiles: artifact.segments.count(where: isDamaged),
                files: artifact.segments.count)
        }.filter { $0.damagedFiles > 0 }
        guard !damage.isEmpty else { return nil }
        self.damage = damage
        var record = source
        var lost: [String] = []
        if ["proxmox", "disks"].contains(source.kind) {
            func part(_ artifact: String) -> String {
                // `101/scsi0` is of guest 101; images have no guest, and stand for themselves.
                source.kind == "disks" ? artifact : String(artifact.prefix { $0 != "/" })
            }
            for name in damage.map({ part($0.artifact) }) where !lost.contains(name) {
                lost.append(name)
            }
            record.artifacts.removeAll { lost.contains(part($0.name)) }
        }
        self.record = record
        self.lost = lost
    }

    /// Whether anything is left that would show something.
    var isWorthwhile: Bool {
        switch record.kind {
        // Without a disk there is nothing to show.
        case "proxmox": record.artifacts.contains { $0.name.contains("/") }
        default: !record.artifacts.isEmpty
        }
    }

    var damagedFiles: Int { damage.reduce(0) { $0 + $1.damagedFiles } }

    /// Numbers of guests that were left out.
    var lostGuests: [Int64] { record.kind == "proxmox" ? lost.compactMap { Int64($0) } : [] }
}
