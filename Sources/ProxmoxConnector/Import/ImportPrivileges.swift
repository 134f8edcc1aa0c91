import Basics
import Guests

/// What an import needs to be allowed.
///
/// Source: the permissions that the API declares for each call, and docs/connectors/proxmox.md.
struct ImportPrivileges {
    let all: [NeededPrivilege]

    /// - Parameter zones: of the virtual networks that the target has; every other bridge is of its node.
    init(
        _ settings: ProxmoxTarget, _ guests: [GuestCreation], zones: [String: String],
        _ version: ProxmoxVersion
    ) {
        var all: [NeededPrivilege] = []
        for guest in guests {
            let path = "/vms/\(guest.target.number)"
            let purpose = "make \(guest.guest.title)"
            for privilege in [
                "VM.Allocate", "VM.Audit", "VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory",
                "VM.Config.Network", "VM.Config.HWType", "VM.Config.Options", "VM.Config.Cloudinit",
                "VM.Config.CDROM",
            ] {
                all.append(.init(privilege, on: path, for: purpose))
            }
            for storage in guest.storages {
                all.append(
                    .init("Datastore.AllocateSpace", on: "/storage/\(storage)", for: purpose))
            }
            for entry in guest.configuration.numbered("net") {
                let card = settings.mapping.card(NetworkCard(entry.entry.text))
                guard let bridge = card.bridge else { continue }
                all.append(
                    .init(
                        "SDN.Use",
                        on: "/sdn/zones/\(zones[bridge] ?? "localnetwork")/\(bridge)",
                        for: "connect \(guest.guest.title) to \(bridge)"))
            }
            if settings.transport?.storage != nil {
                all.append(.init("VM.Backup", on: path, for: "read its disks again"))
            }
        }
        if let storage = settings.transport?.storage, !guests.isEmpty {
            all.append(
                .init(
                    "Datastore.AllocateSpace", on: "/storage/\(storage)",
                    for: "read and write backups there"))
        }
        if let storage = settings.uploads, guests.contains(where: { $0.route == .import }) {
            all.append(
                .init("Datastore.AllocateTemplate", on: "/storage/\(storage)", for: "upload disks"))
            all.append(
                .init(
                    anyOf: ["Datastore.Audit", "Datastore.AllocateSpace"],
                    on: "/storage/\(storage)", for: "import what was uploaded"))
        }
        self.all = all
    }

    func failure(_ check: PrivilegeCheck) -> Failure {
        let missing = check.missing.map { "\($0.anyOf[0]) on \($0.path)" }
        return Failure(
            .serverRights, "rights are missing: \(missing.joined(separator: "; "))",
            hint: "On a node, as root:\n"
                + check.commands.map { "  " + $0 }.joined(separator: "\n"))
    }
}
