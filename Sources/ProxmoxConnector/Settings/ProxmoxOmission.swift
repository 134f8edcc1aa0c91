import Guests

/// Why something of a cluster or a guest is not in the archive; the words that `accept` takes.
enum ProxmoxOmission: String, Sendable, CaseIterable {
    /// Disks with `backup=0`, and mount points of containers without `backup=1`.
    case notBackedUp = "not-backed-up"
    /// Directories and devices of the node that a container mounts.
    case bindMounts = "bind-mounts"
    /// Disks that no guest uses any more.
    case unusedDisks = "unused-disks"
    /// Devices and disks of the node that a machine has to itself.
    case passthrough
    /// ISO images in drives.
    case media
    /// Earlier states; only the current one is exported.
    case snapshots
    /// Changes that wait for the next start.
    case pendingChanges = "pending-changes"
    /// The memory of a guest that is suspended, and parts of a configuration that no backup has.
    case states
    /// Scripts of the node that run when a guest starts, and snippets for cloud-init.
    case hookScripts = "hook-scripts"
    /// Lines of a configuration that are no form of Proxmox VE.
    case unreadable
    /// Firmware variables, TPM states and passwords of cloud-init, in an archive in clear.
    case secrets
    /// What no call of the API shows; to be entered again.
    case withheld
    /// Parts of the configuration that are not there to be asked for: not installed, or not in this version.
    case unavailable
    /// Parts of the configuration that a server failed to tell.
    case unanswered
    /// Parts of the configuration that the rights do not reach.
    case denied
    /// Gone between the inventory and the backup.
    case vanished
    /// New since the inventory.
    case added
    /// A temporary backup that could not be deleted.
    case leftBehind = "left-behind"
    /// What the task of a backup warned of, and errors that have not ended it. Nothing is known to be
    /// missing, and whoever relies on the backup sees it named.
    case backupWarnings = "backup-warnings"
}

extension ProxmoxOmission {
    /// For what a backup does not carry.
    init(_ code: BackupContent.Code) {
        self =
            switch code {
            case .backupDisabled, .mountPointNotIncluded, .firmwareWithoutUEFI: .notBackedUp
            case .bindMount, .deviceMount, .hostDirectory: .bindMounts
            case .unusedDisk: .unusedDisks
            case .physicalDisk, .passthrough: .passthrough
            case .medium, .emptyDrive, .cloudInitDrive: .media
            case .snapshot: .snapshots
            case .pendingChanges: .pendingChanges
            case .memoryState, .specialSection: .states
            case .externalFile: .hookScripts
            case .template, .linkedClone, .notReplicated, .noAgent, .noFreeze, .locked,
                .unreadable, .unknownKey:
                .unreadable
            }
    }
}
