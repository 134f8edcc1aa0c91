import Basics
import Guests

/// What an export needs to be allowed.
///
/// Source: the permissions that the API declares for each call, and docs/connectors/proxmox.md.
struct NeededPrivileges {
    let all: [NeededPrivilege]

    init(
        _ settings: ProxmoxSettings, _ transport: TransportSettings?, _ guests: [PlannedGuest],
        _ version: ProxmoxVersion
    ) {
        var all: [NeededPrivilege] = []
        for guest in guests {
            let path = "/vms/\(guest.id)"
            all.append(.init("VM.Audit", on: path, for: "read the configuration of \(guest.title)"))
            if transport?.storage != nil {
                all.append(.init("VM.Backup", on: path, for: "back up \(guest.title)"))
            }
        }
        if let storage = transport?.storage, !guests.isEmpty {
            all.append(
                .init(
                    "Datastore.AllocateSpace", on: "/storage/\(storage)",
                    for: "write backups to \(storage), and delete them"))
            all.append(
                .init(
                    anyOf: ["Datastore.Audit", "Datastore.AllocateSpace"],
                    on: "/storage/\(storage)", propagates: false, for: "find backups on \(storage)")
            )
        }
        if let fleecing = settings.fleecing, !guests.isEmpty, version.has(.fleecing) {
            all.append(
                .init(
                    "Datastore.AllocateSpace", on: "/storage/\(fleecing)",
                    for: "keep what guests overwrite meanwhile"))
        }
        if settings.cluster {
            for privilege in [
                "Sys.Audit", "Datastore.Audit", "Pool.Audit", "SDN.Audit", "Mapping.Audit",
            ] {
                all.append(
                    .init(
                        privilege, on: "/", propagates: true,
                        for: "read the cluster's configuration"))
            }
        }
        self.all = all
    }

    /// What is missing, and the commands that grant exactly that.
    func failure(_ check: PrivilegeCheck) -> Failure {
        let missing = check.missing.map { "\($0.anyOf[0]) on \($0.path) (to \($0.purpose))" }
        return Failure(
            .serverRights, "rights are missing: \(missing.joined(separator: "; "))",
            hint: "On a node, as root:\n" + check.commands.map { "  " + $0 }.joined(separator: "\n")
        )
    }
}
