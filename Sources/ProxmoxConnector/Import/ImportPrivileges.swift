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
            let pool = guest.target.pool.map { settings.mapping.pool(of: $0) }
            let joined = pool.map { "/pool/\($0)" }
            let purpose = "make \(guest.guest.title)"
            for privilege in [
                "VM.Allocate", "VM.Audit", "VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory",
                "VM.Config.Network", "VM.Config.HWType", "VM.Config.Options", "VM.Config.Cloudinit",
                "VM.Config.CDROM",
            ] {
                all.append(.init(privilege, on: path, or: joined, for: purpose))
            }
            for storage in Set(guest.placedDisks.map(\.storage)).sorted() {
                all.append(
                    .init("Datastore.AllocateSpace", on: "/storage/\(storage)", for: purpose))
            }
            for entry in guest.configuration.numbered("net") {
                let card = settings.mapping.card(NetworkCard(entry.entry.text))
                all += Self.toConnect(card, guest, zones)
            }
            all += Self.ofOptions(guest, purpose, version)
            if let pool { all += Self.toJoin(pool, guest, purpose) }
            if settings.transport?.storage != nil {
                all.append(.init("VM.Backup", on: path, or: joined, for: "read its disks again"))
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
        let see = NeededPrivilege(
            "Pool.Audit", on: path, for: "find the pool of \(guest.guest.title)")
        guard guest.kind == .container else { return [see] }
        return [
            see, .init(anyOf: ["Pool.Allocate", "Permissions.Modify"], on: path, for: purpose),
        ]
    }

    /// A card with a VLAN needs the right on it, which whoever has it on all of the bridge has, too.
    ///
    /// Source: `PVE::GuestHelpers`, `check_vnet_access`.
    private static func toConnect(
        _ card: NetworkCard, _ guest: GuestCreation, _ zones: [String: String]
    ) -> [NeededPrivilege] {
        guard let bridge = card.bridge else { return [] }
        let path = "/sdn/zones/\(zones[bridge] ?? "localnetwork")/\(bridge)"
        let purpose = "connect \(guest.guest.title) to \(bridge)"
        var all: [NeededPrivilege] = []
        let tag = card.properties["tag"]
        if let tag { all.append(.init("SDN.Use", on: path + "/" + tag, for: purpose)) }
        // Of a trunk, on each of its VLANs: they are below the bridge.
        if card.properties["trunks"] != nil {
            all.append(.init("SDN.Use", on: path, propagates: true, for: purpose))
        } else if tag == nil {
            all.append(.init("SDN.Use", on: path, for: purpose))
        }
        return all
    }

    /// What is not a disk or a card, and takes a right of its own.
    ///
    /// Source: `PVE::API2::Qemu`, `check_vm_modify_config_perm` and `check_mapping_access`;
    /// `PVE::QemuServer`, `check_restore_permissions`; `PVE::API2::LXC`, `create_vm`.
    private static func ofOptions(
        _ guest: GuestCreation, _ purpose: String, _ version: ProxmoxVersion
    ) -> [NeededPrivilege] {
        // A container whose root is the host's root is the host's affair.
        if guest.kind == .container, version.has(.guardedPrivilegedContainers),
            !guest.configuration.flag("unprivileged")
        {
            return [.init("Sys.Modify", on: "/", for: "\(purpose), which is privileged")]
        }
        guard guest.kind == .machine else { return [] }
        var all: [NeededPrivilege] = []
        // The order in which a node starts its guests is the node's; a restore sets it with all else.
        if guest.route == .import, guest.configuration["startup"] != nil {
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
        let seen: (privilege: String, path: String)? =
            switch part {
            case .pools: ("Pool.Audit", "/pool")
            case .roles: nil
            case .groups, .users: ("Sys.Audit", "/access/groups")
            case .acl: ("Sys.Audit", "/access")
            case .storages: ("Datastore.Audit", "/storage")
            case .firewall: ("Sys.Audit", "/")
            case .sdn: ("SDN.Audit", "/sdn")
            }
        guard let seen else { return [] }
        return [
            .init(
                seen.privilege, on: seen.path, propagates: seen.path != "/",
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
