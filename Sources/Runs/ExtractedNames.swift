import Bags
import Basics
import Manifests

/// What artifacts are called when they are extracted: like their folder in the archive, and those of a guest
/// as its descriptors call them, so that an OVF finds its disks beside it.
struct ExtractedNames {
    private let names: [String]

    /// Throws for a manifest whose folders are none of a bag.
    init(_ records: [ArtifactRecord]) throws(Failure) {
        let plain = try records.map { (record) throws(Failure) in
            try BagPath("\(record.folder).\(record.format)").text
        }
        var uses: [String: Int] = [:]
        for name in plain { uses[name, default: 0] += 1 }
        let own = records.map { Self.ofGuest($0) }
        for name in own.compactMap({ $0 }) { uses[name, default: 0] += 1 }
        // A name that two would have is nobody's: folders of a manifest are its own.
        names = own.indices.map { index in
            if let name = own[index], uses[name] == 1 { name } else { plain[index] }
        }
    }

    /// Below the directory, in the order of the records.
    subscript(index: Int) -> String { names[index] }

    private static let kinds: Set<String> = [
        "guest", "guest-configuration", "guest-firewall", "guest-ovf", "guest-libvirt", "disk",
        "container", "vzdump",
    ]

    /// `SOURCE/100/scsi0.raw`; nil for what belongs to no guest.
    private static func ofGuest(_ record: ArtifactRecord) -> String? {
        let parts = record.name.split(separator: "/", omittingEmptySubsequences: false)
        guard kinds.contains(record.kind), parts.count == 2,
            let number = Int64(parts[0]), number > 0, String(number) == parts[0],
            let source = record.folder.split(separator: "/").first
        else { return nil }
        return (try? BagPath("\(source)/\(number)/\(parts[1]).\(record.format)"))?.text
    }
}
