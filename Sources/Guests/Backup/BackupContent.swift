import Basics

/// What a backup of a guest carries, and what it does not: the rules of vzdump, read from a configuration.
///
/// Nothing that the guest has is in neither list.
public struct BackupContent: Sendable, Equatable {
    /// A disk whose bytes are in the archive.
    public struct Carried: Sendable, Equatable {
        public let key: String
        public let options: DriveOptions
        /// The name of the stream in a VMA archive; for containers the path inside, `/` for the root.
        public let device: String

        public var volume: String { options.source }
        public var declaredSize: UInt64? { options.size }
        /// Whether the content is of the secret class: keys of the TPM, variables of the firmware.
        public var isSecret: Bool { key == "tpmstate0" || key == "efidisk0" }
    }

    /// What stays behind, or arrives otherwise than it was.
    public struct Left: Sendable, Equatable {
        public let code: Code
        /// The key or the name of the section; nil for what concerns the whole guest.
        public let key: String?
        /// A sentence for people, lower case, without a full stop.
        public let what: String

        /// Whether data is missing from the archive, as opposed to a circumstance to know of.
        public var isLoss: Bool { code.isLoss }

        public init(_ code: Code, _ key: String?, _ what: String) {
            self.code = code
            self.key = key
            self.what = what
        }
    }

    /// Stable: scripts and plans name them.
    public enum Code: String, Sendable, CaseIterable {
        case backupDisabled = "backup-disabled"
        case unusedDisk = "unused-disk"
        case medium = "medium"
        case emptyDrive = "empty-drive"
        case cloudInitDrive = "cloud-init-drive"
        case firmwareWithoutUEFI = "firmware-without-uefi"
        case physicalDisk = "physical-disk"
        case passthrough = "passthrough"
        case hostDirectory = "host-directory"
        case mountPointNotIncluded = "mount-point-not-included"
        case bindMount = "bind-mount"
        case deviceMount = "device-mount"
        case snapshot = "snapshot"
        case pendingChanges = "pending-changes"
        case specialSection = "special-section"
        case memoryState = "memory-state"
        case template = "template"
        case linkedClone = "linked-clone"
        case notReplicated = "not-replicated"
        case noAgent = "no-agent"
        case noFreeze = "no-freeze"
        case locked = "locked"
        case externalFile = "external-file"
        case unreadable = "unreadable"
        case unknownKey = "unknown-key"

        public var isLoss: Bool {
            switch self {
            case .backupDisabled, .unusedDisk, .medium, .hostDirectory, .mountPointNotIncluded,
                .bindMount, .deviceMount, .snapshot, .pendingChanges, .specialSection,
                .memoryState, .firmwareWithoutUEFI, .externalFile, .unreadable:
                true
            case .emptyDrive, .cloudInitDrive, .physicalDisk, .passthrough, .template,
                .linkedClone, .notReplicated, .noAgent, .noFreeze, .locked, .unknownKey:
                false
            }
        }
    }

    public private(set) var carried: [Carried] = []
    public private(set) var left: [Left] = []

    public init(of guest: GuestConfiguration) {
        for key in Self.lastOfEach(guest.entries) { consider(key, guest) }
        considerSections(guest)
        if guest.kind == .qemu { considerFreezing(guest) }
        if guest.flag("template") {
            leave(.template, nil, "the guest is a template and arrives as one")
        }
        if let lock = guest["lock"] {
            leave(.locked, "lock", "the guest is locked by \"\(lock)\"; a backup would be refused")
        }
        for line in guest.unread {
            leave(
                .unreadable, nil,
                "line \(line.number) of the configuration is no form of Proxmox VE")
        }
    }

    private static func lastOfEach(
        _ entries: [GuestConfiguration.Entry]
    ) -> [GuestConfiguration.Entry] {
        var seen: Set<String> = []
        return entries.reversed().filter {
            $0.key.hasPrefix("lxc.") || seen.insert($0.key).inserted
        }
        .reversed()
    }

    private mutating func leave(_ code: Code, _ key: String?, _ what: String) {
        left.append(Left(code, key, what))
    }

    private mutating func consider(
        _ entry: GuestConfiguration.Entry, _ guest: GuestConfiguration
    ) {
        guard let facts = GuestKeyFacts.of(entry.key, kind: guest.kind) else {
            leave(.unknownKey, entry.key, "no known version of Proxmox VE has \"\(entry.key)\"")
            return
        }
        switch facts.class {
        case .drive: considerDrive(entry)
        case .firmware:
            if guest["bios"] == "ovmf" {
                carry(entry, "drive-\(entry.key)")
            } else {
                leave(
                    .firmwareWithoutUEFI, entry.key,
                    "\(entry.key) is left out, since the firmware is not OVMF")
            }
        case .tpm: carry(entry, "drive-\(entry.key)-backup")
        case .unused:
            let volume = DriveOptions(entry.text).source
            leave(.unusedDisk, entry.key, "the unused disk \"\(volume)\" is in no backup")
        case .rootDisk: considerRoot(entry)
        case .mountPoint: considerMountPoint(entry)
        case .passthrough: considerPassthrough(entry)
        case .hardware:
            if GuestKey(entry.key).base == "serial", entry.text.hasPrefix("/") {
                leave(
                    .passthrough, entry.key, "\(entry.key) is \"\(entry.text)\" of the host")
            }
        case .option, .cloudInit:
            if entry.key == "hookscript" || entry.key == "cicustom" {
                leave(
                    .externalFile, entry.key,
                    "\(entry.key) names \"\(entry.text)\", a file that is in no backup")
            }
        case .state:
            if entry.key == "vmstate" {
                leave(
                    .memoryState, entry.key,
                    "the memory of the suspended guest, \"\(entry.text)\", is in no backup")
            }
        case .raw:
            if entry.key == "lxc.mount.entry" {
                leave(
                    .bindMount, entry.key,
                    "\"\(entry.text)\" is mounted from the host and in no backup")
            }
        case .network, .generated, .request: break
        }
    }

    private mutating func carry(_ entry: GuestConfiguration.Entry, _ device: String) {
        let options = DriveOptions(entry.text)
        switch options.volume {
        case .volume:
            carried.append(Carried(key: entry.key, options: options, device: device))
            if options.isLinkedClone {
                leave(
                    .linkedClone, entry.key,
                    "\(entry.key) builds upon a template's disk and arrives as a whole one")
            }
            if options.properties.flag("replicate", otherwise: true) == false {
                leave(.notReplicated, entry.key, "\(entry.key) is kept out of replication")
            }
        case .path(let path):
            // A backup reads it like any other disk, all of it.
            carried.append(Carried(key: entry.key, options: options, device: device))
            leave(
                .physicalDisk, entry.key,
                "\(entry.key) is \"\(path)\" of the host and arrives as a volume")
        case .none: leave(.emptyDrive, entry.key, "\(entry.key) is empty")
        case .hostDrive: leave(.medium, entry.key, "\(entry.key) is the drive of the host")
        case .unreadable(let text):
            leave(.unreadable, entry.key, "\(entry.key) names no volume: \"\(text)\"")
        }
    }

    private mutating func considerDrive(_ entry: GuestConfiguration.Entry) {
        let options = DriveOptions(entry.text)
        if options.isCloudInit {
            leave(
                .cloudInitDrive, entry.key,
                "\(entry.key) is made anew from the cloud-init settings at the target")
        } else if options.isMedium || entry.key == "cdrom" {
            switch options.volume {
            case .none: leave(.emptyDrive, entry.key, "\(entry.key) is an empty drive")
            case .hostDrive: leave(.medium, entry.key, "\(entry.key) is the drive of the host")
            default:
                leave(
                    .medium, entry.key,
                    "\(entry.key) has the medium \"\(options.source)\", which is in no backup")
            }
        } else if !options.properties.flag("backup", otherwise: true) {
            leave(
                .backupDisabled, entry.key,
                "\(entry.key) (\"\(options.source)\") has backup=0 and is in no backup")
        } else {
            carry(entry, "drive-\(entry.key)")
        }
    }

    private mutating func considerRoot(_ entry: GuestConfiguration.Entry) {
        let options = DriveOptions(entry.text)
        // The root is in the archive whatever it stands on.
        carried.append(Carried(key: entry.key, options: options, device: "/"))
        if options.isLinkedClone {
            leave(
                .linkedClone, entry.key, "rootfs builds upon a template's and arrives whole")
        }
    }

    private mutating func considerMountPoint(_ entry: GuestConfiguration.Entry) {
        let options = DriveOptions(entry.text)
        let place = options.properties["mp"] ?? "?"
        switch options.volume {
        case .volume:
            if options.properties.flag("backup") {
                carry(entry, place)
            } else {
                leave(
                    .mountPointNotIncluded, entry.key,
                    "\(entry.key) (\"\(place)\" on \"\(options.source)\") has no backup=1 and is in no backup"
                )
            }
        case .path(let path) where path.hasPrefix("/dev/"):
            leave(
                .deviceMount, entry.key, "\(entry.key) (\"\(place)\") is the device \"\(path)\"")
        case .path(let path):
            leave(
                .bindMount, entry.key,
                "\(entry.key) (\"\(place)\") is the directory \"\(path)\" of the host")
        case .none, .hostDrive, .unreadable:
            leave(.unreadable, entry.key, "\(entry.key) names no volume: \"\(options.source)\"")
        }
    }

    private mutating func considerPassthrough(_ entry: GuestConfiguration.Entry) {
        if GuestKey(entry.key).base == "virtiofs" {
            let name = PropertyString(entry.text).first("dirid") ?? entry.text
            leave(
                .hostDirectory, entry.key,
                "\(entry.key) shares the host's directory \"\(name)\", which is in no backup")
            return
        }
        let text = PropertyString(entry.text)
        // A USB port of SPICE is a device of the client, not of the host.
        if GuestKey(entry.key).base == "usb", text.first("host") == "spice" { return }
        leave(
            .passthrough, entry.key,
            "\(entry.key) is a device of the host (\"\(entry.text)\"), which a target may not have")
    }

    private mutating func considerSections(_ guest: GuestConfiguration) {
        for snapshot in guest.snapshots {
            leave(.snapshot, snapshot.name, "the snapshot \"\(snapshot.name)\" is in no backup")
        }
        if let pending = guest.pending, !pending.entries.isEmpty {
            let keys = pending.entries.map(\.key).joined(separator: ", ")
            leave(
                .pendingChanges, nil, "changes that wait for a restart are in no backup: \(keys)")
        }
        for section in guest.specials where !section.entries.isEmpty {
            leave(.specialSection, section.name, "the part [\(section.name)] is in no backup")
        }
    }

    private mutating func considerFreezing(_ guest: GuestConfiguration) {
        switch AgentSettings(of: guest).freezing {
        case .yes: break
        case .noAgent:
            leave(
                .noAgent, "agent",
                "the guest agent is not enabled: disks are as after a power failure")
        case .switchedOff:
            leave(
                .noFreeze, "agent",
                "file systems are not frozen for backups: disks are as after a power failure")
        }
    }
}

/// What the configuration says about the guest agent; whether it answers, only the running guest tells.
public struct AgentSettings: Sendable, Equatable {
    public enum Freezing: String, Sendable {
        case yes
        case noAgent
        case switchedOff
    }

    public let enabled: Bool
    public let freezing: Freezing
    /// `virtio` or `isa`.
    public let type: String

    public init(of guest: GuestConfiguration) {
        let options = PropertyString(guest["agent"] ?? "0")
        enabled = options.first("enabled").flatMap(PropertyString.flag) ?? false
        type = options["type"] ?? "virtio"
        let freezes = ["freeze-fs-on-backup", "freeze-fs", "guest-fsfreeze"].allSatisfy {
            options.flag($0, otherwise: true)
        }
        freezing = !enabled ? .noAgent : freezes ? .yes : .switchedOff
    }
}
