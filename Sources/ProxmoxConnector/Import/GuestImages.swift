import Basics
import Connectors
import Streams

/// A guest of an archive as files of a directory.
struct GuestImages: Sendable {
    let guest: StoredGuests.Guest
    let directory: String
    let disks: [RestoredDisk]

    init(
        _ guest: StoredGuests.Guest, in directory: String, _ format: RestoredDisk.Format,
        room: Room
    ) {
        self.guest = guest
        self.directory = directory
        disks =
            guest.disks.map { disk in
                // What firmware keeps is read as raw bytes everywhere.
                let isFirmware = disk.key.hasPrefix("efidisk") || disk.key.hasPrefix("tpmstate")
                let own: RestoredDisk.Format = isFirmware ? .raw : format
                return RestoredDisk(
                    disk, to: "\(directory)/\(disk.key).\(own.rawValue)", own,
                    notes: "\(room.directory)/disk-\(disk.artifact)", progress: room.progress)
            }
            + [guest.stream].compactMap { $0 }.map { stream in
                RestoredDisk(
                    stream, to: "\(directory)/\(guest.streamName)", .raw,
                    notes: "\(room.directory)/disk-\(stream.artifact)", progress: room.progress)
            }
    }

    /// Closes the images and writes the small files.
    func finish(from artifacts: any ArtifactSource) throws(Failure) {
        for disk in disks { try disk.finish() }
        for (part, text) in guest.texts.sorted(by: { $0.key < $1.key }) {
            try Files.write(
                text.read(from: artifacts), to: directory + "/" + guest.fileName(of: part),
                mode: 0o600)
        }
    }
}

extension StoredGuests.Guest {
    /// A name for its directory: the number, and the letters of its name that every file system takes.
    var folder: String {
        let slug = String(
            String.UnicodeScalarView(
                name.unicodeScalars.prefix(40).map { scalar in
                    scalar.isASCII
                        && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
                        ? scalar : "-"
                }))
        return slug.isEmpty ? "\(id)" : "\(id)-\(slug)"
    }

    /// As vzdump would name it, so that Proxmox VE takes it again.
    var streamName: String {
        isContainer ? "vzdump-lxc-\(id)-\(taken).tar" : "vzdump-qemu-\(id)-\(taken).vma"
    }

    /// The time in the name of the backup.
    private var taken: String {
        description["backup"]?["taken"]?.string ?? "1970_01_01-00_00_00"
    }

    func fileName(of part: String) -> String {
        switch part {
        case "configuration": isContainer ? "pct.conf" : "qemu-server.conf"
        case "firewall": isContainer ? "pct.fw" : "qemu-server.fw"
        case "guest": "guest.json"
        case "ovf": folder + ".ovf"
        case "libvirt": "domain.xml"
        default: part + ".txt"
        }
    }
}
