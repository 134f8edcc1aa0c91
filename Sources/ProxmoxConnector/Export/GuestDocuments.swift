import Basics
import Connectors
import Disks
import Guests

/// The small files that go with a guest.
struct GuestDocuments: Sendable {
    /// Whether secrets may stay in the configuration.
    let keepsSecrets: Bool

    func text(
        _ part: GuestPart, of guest: PlannedGuest, _ contents: GuestSpool.Contents
    ) throws(Failure) -> [UInt8] {
        switch part {
        case .description: return description(of: guest, contents).canonical
        case .configuration: return try configuration(of: guest, contents).bytes
        case .firewall:
            return contents.configurations.first { $0.name.hasSuffix(".fw") }?.bytes ?? []
        case .ovf:
            let read = try configuration(of: guest, contents).read
            return Array(try OVFEnvelope(of: read, disks: disks(guest, contents, read)).xml.utf8)
        case .libvirt:
            let read = try configuration(of: guest, contents).read
            let domain = try LibvirtDomain(
                of: read, disks: disks(guest, contents, read),
                options: .init(loader: LibvirtDomain.standardLoader))
            return Array(domain.xml.utf8)
        case .disk, .stream: return []
        }
    }

    /// As files beside the descriptors; a disk that the backup's own configuration does not know stays
    /// without a place in them.
    private func disks(
        _ guest: PlannedGuest, _ contents: GuestSpool.Contents, _ read: GuestConfiguration
    ) -> [GuestDisk] {
        guest.disks.compactMap { disk in
            guard read[disk.key] != nil,
                let device = contents.devices.first(where: { $0.name == disk.device })
            else { return nil }
            return GuestDisk(
                key: disk.key, file: disk.key + ".raw", format: .raw, size: UInt64(device.size),
                fileSize: UInt64(device.size))
        }
    }

    private func description(of guest: PlannedGuest, _ contents: GuestSpool.Contents) -> JSON {
        .object([
            .init("exeat-guest", 1), .init("id", .integer(guest.id)),
            .init("type", .string(guest.kind.rawValue)), .init("name", .string(guest.name)),
            .init("node", .string(guest.node)),
            .init("pool", guest.pool.map { .string($0) } ?? .null),
            .init("backup", .object(contents.facts)),
            .init(
                "devices",
                .array(
                    contents.devices.map { device in
                        .object([
                            .init(
                                "key",
                                guest.disks.first { $0.device == device.name }
                                    .map { .string($0.key) } ?? .null),
                            .init("name", .string(device.name)),
                            .init("bytes", .integer(device.size)),
                        ])
                    })),
        ])
    }

    /// What vzdump wrote of the configuration, without secrets where they may not stay.
    private func configuration(
        of guest: PlannedGuest, _ contents: GuestSpool.Contents
    ) throws(Failure) -> (bytes: [UInt8], read: GuestConfiguration) {
        let bytes = contents.configurations.first { $0.name.hasSuffix(".conf") }?.bytes ?? []
        let read = try GuestConfiguration(kind: guest.kind.guestKind, file: bytes)
        if keepsSecrets { return (bytes, read) }
        let (clean, taken) = read.withoutSecrets()
        return taken.isEmpty ? (bytes, read) : (clean.file, clean)
    }
}

extension LibvirtDomain {
    /// Where Debian and its relatives keep the code of OVMF (package ovmf).
    static var standardLoader: String { "/usr/share/OVMF/OVMF_CODE_4M.fd" }
}
