import Basics

/// A version of Proxmox VE, as `GET /version` tells it.
struct PVEVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    let major: Int
    let minor: Int
    let patch: Int

    init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads "8.4.1", "7.4-17" or "9.0.0~11"; nil for anything that does not begin with two numbers.
    init?(_ text: some StringProtocol) {
        let parts = text.split(omittingEmptySubsequences: false) { ".-~+".contains($0) }
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]),
            (1...999).contains(major), (0...999).contains(minor)
        else { return nil }
        self.init(major, minor, parts.count > 2 ? Int(parts[2]) ?? 0 : 0)
    }

    static func < (left: PVEVersion, right: PVEVersion) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }

    var description: String { "\(major).\(minor).\(patch)" }

    /// The versions that this program knows.
    var isKnown: Bool { self >= PVEVersion(7, 4) && major <= 9 }

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

    var since: PVEVersion {
        switch self {
        case .oldVzdumpOptions, .haGroups, .monitorPrivilege: PVEVersion(1, 0)
        case .importFrom: PVEVersion(7, 2)
        case .mappings, .realmSyncJobs, .containerInterfaces: PVEVersion(8, 0)
        case .notificationMode, .notifications: PVEVersion(8, 1)
        case .fleecing: PVEVersion(8, 2)
        case .importOfAppliances: PVEVersion(8, 3)
        case .importOfDisks, .directoryMappings, .vnetFirewall, .largeBodies: PVEVersion(8, 4)
        case .haRules, .guestAgentPrivileges, .customCPUModels: PVEVersion(9, 0)
        }
    }

    /// The first version that has it no more.
    var until: PVEVersion? {
        switch self {
        case .oldVzdumpOptions, .haGroups, .monitorPrivilege: PVEVersion(9, 0)
        default: nil
        }
    }
}
