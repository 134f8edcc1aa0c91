import Guests

extension ProxmoxVersion {
    /// The versions that this program knows.
    var isKnown: Bool { self >= ProxmoxVersion(7, 4) && major <= 9 }

    func has(_ feature: PVEFeature) -> Bool {
        if let until = feature.until, self >= until { return false }
        return self >= feature.since
    }
}

/// What one version can and another cannot.
enum PVEFeature: Sendable, CaseIterable {
    /// Content `import` with .qcow2, .raw and .vmdk.
    case importOfDisks
    /// Content `import` with .ova.
    case importOfAppliances
    case fleecing
    /// `notification-mode` of vzdump.
    case notificationMode
    /// `mailnotification` and `maxfiles` of vzdump.
    case oldVzdumpOptions
    /// `protected` and `notes-template` of vzdump, `import-from` of disks, overrides on restore.
    case importFrom
    /// `/cluster/ha/rules`; groups before.
    case haRules
    case haGroups
    /// The privilege SDN.Use on bridges, and `/cluster/mapping`.
    case mappings
    case directoryMappings
    /// The privileges VM.GuestAgent.*; VM.Monitor before.
    case guestAgentPrivileges
    case monitorPrivilege
    /// A privileged container takes Sys.Modify on /.
    case guardedPrivilegedContainers
    /// `/cluster/notifications`.
    case notifications
    /// `/cluster/jobs/realm-sync`.
    case realmSyncJobs
    /// `/cluster/sdn/vnets/{vnet}/firewall`.
    case vnetFirewall
    /// `/cluster/qemu/custom-cpu-models`.
    case customCPUModels
    /// `/nodes/{node}/lxc/{vmid}/interfaces`.
    case containerInterfaces
    /// Bodies of requests up to 512 KiB; 64 KiB before.
    case largeBodies

    var since: ProxmoxVersion {
        switch self {
        case .oldVzdumpOptions, .haGroups, .monitorPrivilege: ProxmoxVersion(1, 0)
        case .importFrom: ProxmoxVersion(7, 2)
        case .mappings, .realmSyncJobs, .containerInterfaces: ProxmoxVersion(8, 0)
        case .notificationMode, .notifications: ProxmoxVersion(8, 1)
        case .fleecing: ProxmoxVersion(8, 2)
        case .importOfAppliances: ProxmoxVersion(8, 3)
        case .importOfDisks, .directoryMappings, .vnetFirewall, .largeBodies: ProxmoxVersion(8, 4)
        case .haRules, .guestAgentPrivileges, .customCPUModels, .guardedPrivilegedContainers:
            ProxmoxVersion(9, 0)
        }
    }

    /// The first version that has it no more.
    var until: ProxmoxVersion? {
        switch self {
        case .oldVzdumpOptions, .haGroups, .monitorPrivilege: ProxmoxVersion(9, 0)
        default: nil
        }
    }
}
