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
        case .configuration: return configuration(of: guest, contents)
        case .firewall:
            return contents.configurations.first { $0.name.hasSuffix(".fw") }?.bytes ?? []
        default: return []
        }
    }

    private func description(of guest: PlannedGuest, _ contents: GuestSpool.Contents) -> JSON {
        .object([
            .init("exeat-guest", 1), .init("id", .integer(guest.id)),
            .init("type", .string(guest.kind.rawValue)), .init("name", .string(guest.name)),
            .init("node", .string(guest.node)), .init("backup", .object(contents.facts)),
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

    private func configuration(
        of guest: PlannedGuest, _ contents: GuestSpool.Contents
    ) -> [UInt8] {
        let bytes = contents.configurations.first { $0.name.hasSuffix(".conf") }?.bytes ?? []
        guard !keepsSecrets,
            let read = try? GuestConfiguration(kind: guest.kind.guestKind, file: bytes)
        else { return bytes }
        let (clean, taken) = read.withoutSecrets()
        return taken.isEmpty ? bytes : clean.file
    }
}
