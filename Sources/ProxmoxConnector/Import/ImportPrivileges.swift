import Basics
import Guests

/// What an import needs to be allowed.
///
/// Source: the permissions that the API declares for each call, and docs/connectors/proxmox.md.
struct ImportPrivileges {
    private(set) var all: [NeededPrivilege]
    private let version: ProxmoxVersion

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
            all += Self.ofOptions(guest, purpose)
            if let pool = guest.target.pool.map({ settings.mapping.pool(of: $0) }) {
                all += Self.toJoin(pool, guest, purpose)
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
        for part in settings.cluster { all += Self.toSee(part) }
        self.all = all
        self.version = version
    }

    /// Source: `PVE::API2::Pool`, `index`, and `PVE::API2::LXC`, `create_vm`.
    private static func toJoin(
        _ pool: String, _ guest: GuestCreation, _ purpose: String
    ) -> [NeededPrivilege] {
        let path = "/pool/\(pool)"
        let see = NeededPrivilege("Pool.Audit", on: path, for: "find the pool of \(guest.guest.title)")
        guard guest.kind == .container else { return [see] }
        return [see, .init(anyOf: ["Pool.Allocate", "Permissions.Modify"], on: path, for: purpose)]
    }

    /// What is not a disk or a card, and takes a right of its own.
    ///
    /// Source: `PVE::API2::Qemu`, `check_vm_modify_config_perm` and `check_mapping_access`.
    private static func ofOptions(_ guest: GuestCreation, _ purpose: String) -> [NeededPrivilege] {
        guard guest.kind == .machine, guest.route == .import else { return [] }
        var all: [NeededPrivilege] = []
        // The order in which a node starts its guests is the node's.
        if guest.configuration["startup"] != nil {
            all.append(.init("Sys.Modify", on: "/", for: purpose))
        }
        for (base, kind) in [("hostpci", "pci"), ("usb", "usb"), ("virtiofs", "dir")] {
            for entry in guest.configuration.numbered(base) {
                let options = PropertyString(entry.entry.text)
                let name = kind == "dir" ? options["dirid"] ?? options.unnamed : options["mapping"]
                guard let name else { continue }
                all.append(.init("Mapping.Use", on: "/mapping/\(kind)/\(name)", for: purpose))
            }
        }
        return all
    }

    // MARK: - The cluster's configuration

    /// A list that the rights show in part would make objects look as if they were missing.
    private static func toSee(_ part: ClusterPart) -> [NeededPrivilege] {
        let (privilege, path): (String, String)
        switch part {
        case .pools: (privilege, path) = ("Pool.Audit", "/pool")
        case .roles: return []
        case .groups, .users: (privilege, path) = ("Sys.Audit", "/access/groups")
        case .acl: (privilege, path) = ("Sys.Audit", "/access")
        case .storages: (privilege, path) = ("Datastore.Audit", "/storage")
        case .firewall: (privilege, path) = ("Sys.Audit", "/")
        case .sdn: (privilege, path) = ("SDN.Audit", "/sdn")
        }
        return [
            .init(
                privilege, on: path, propagates: path != "/",
                for: "compare \(part.rawValue) of the cluster")
        ]
    }

    /// What changes of the cluster's configuration need, each by itself.
    mutating func add(_ changes: [ClusterChanges.Change]) {
        for change in changes {
            let purpose = "make \(change.object)"
            switch change.part {
            case .pools:
                all.append(.init("Pool.Allocate", on: "/pool/\(change.object)", for: purpose))
            case .roles: all.append(.init("Sys.Modify", on: "/access", for: purpose))
            case .groups: all.append(.init("Group.Allocate", on: "/access/groups", for: purpose))
            case .users:
                let realm = change.object.split(separator: "@").last.map(String.init) ?? ""
                all.append(.init("Realm.AllocateUser", on: "/access/realm/\(realm)", for: purpose))
                let groups = (change["groups"] ?? "").split(separator: ",")
                for path in groups.isEmpty ? [""] : groups.map({ "/" + String($0) }) {
                    all.append(.init("User.Modify", on: "/access/groups" + path, for: purpose))
                }
            case .acl:
                all.append(.init("Permissions.Modify", on: change["path"] ?? "/", for: purpose))
            case .storages: all.append(.init("Datastore.Allocate", on: "/storage", for: purpose))
            case .firewall: all.append(.init("Sys.Modify", on: "/", for: purpose))
            case .sdn: all.append(.init("SDN.Allocate", on: networkPath(change), for: purpose))
            }
        }
    }

    /// Since 8 a network belongs to its zone.
    private func networkPath(_ change: ClusterChanges.Change) -> String {
        let kind = change.path.last ?? ""
        if kind == "zones" { return "/sdn/zones" }
        guard version.has(.mappings) else {
            return kind == "vnets"
                ? "/sdn/vnets" : "/" + change.path.dropFirst().joined(separator: "/")
        }
        let zone = "/sdn/zones/" + (change.zone ?? change["zone"] ?? "")
        return kind == "vnets" ? zone : zone + "/" + (change.path.dropLast().last ?? "")
    }

    /// Throws what is missing, with the commands that grant it.
    func check(_ reader: ClusterReader) throws(Failure) {
        let check = try PrivilegeCheck(all, version, reader.client)
        if check.missing.isEmpty { return }
        let missing = check.missing.map { "\($0.anyOf[0]) on \($0.path)" }
        throw Failure(
            .serverRights, "rights are missing: \(missing.joined(separator: "; "))",
            hint: "On a node, as root:\n"
                + check.commands.map { "  " + $0 }.joined(separator: "\n"))
    }
}
