/// A key of a configuration, taken apart: `scsi10` is the base `scsi` and the number 10.
public struct GuestKey: Sendable, Equatable {
    public let base: String
    public let number: Int?

    public init(_ key: String) {
        let bytes = Array(key.utf8)
        let digits = bytes.reversed().prefix { (0x30...0x39).contains($0) }.count
        let text = String(decoding: bytes.suffix(digits), as: UTF8.self)
        // `smbios1` is a name; "scsi00" and numbers beyond any device are no keys of Proxmox.
        if digits > 0, digits < bytes.count, digits <= 3, !Self.whole.contains(key),
            digits == 1 || text.first != "0", let number = Int(text)
        {
            base = String(decoding: bytes.dropLast(digits), as: UTF8.self)
            self.number = number
        } else {
            base = key
            number = nil
        }
    }

    /// Keys that end in a digit without counting anything.
    private static let whole: Set<String> = ["smbios1"]

    /// Letters, digits, `_`, `-` and (for `lxc.*`) `.`, as Proxmox reads keys.
    public static func isWellFormed(_ key: String) -> Bool {
        guard let first = key.utf8.first, (0x61...0x7a).contains(first), key.utf8.count <= 128
        else { return false }
        return key.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f || $0 == 0x2d
                || (key.hasPrefix("lxc.") && ($0 == 0x2e || (0x41...0x5a).contains($0)))
        }
    }
}

/// What a key is about; decides what a backup carries and how a key is set elsewhere.
public enum GuestKeyClass: String, Sendable, CaseIterable {
    case drive
    /// `efidisk0`: the variables of the firmware.
    case firmware
    /// `tpmstate0`.
    case tpm
    /// A disk that the guest owns and does not use.
    case unused
    case rootDisk
    case mountPoint
    case network
    /// Devices of the host: `hostpciN`, `usbN`, `devN`, `virtiofsN`, `ivshmem`, `parallelN`.
    case passthrough
    case cloudInit
    case hardware
    case option
    /// Made by Proxmox, never sent: `meta`, `digest`.
    case generated
    /// The state of the guest, not its definition: `lock`, `parent`, `vmstate`.
    case state
    /// `lxc.*`: lines for the container library, which only root@pam sets.
    case raw
    /// A parameter of the call that makes a guest, never part of its configuration.
    case request
}

/// What is known of a key: from the API schemas of PVE 7.4, 8.4 and 9.2.
public struct GuestKeyFacts: Sendable, Equatable {
    public let `class`: GuestKeyClass
    /// The first version whose schema is known to have the key; nil where 7.4 has it.
    public let since: ProxmoxVersion?
    /// Whether only root@pam sets the key, whatever its value: an API token fails.
    public let rootOnly: Bool

    /// The facts of a key, or nil for one that no known version has.
    public static func of(_ key: String, kind: GuestKind) -> GuestKeyFacts? {
        if kind == .lxc, key.hasPrefix("lxc.") {
            return GuestKeyFacts(class: .raw, since: nil, rootOnly: true)
        }
        let parts = GuestKey(key)
        let table = kind == .qemu ? qemu : lxc
        let numbered = kind == .qemu ? qemuNumbered : lxcNumbered
        let found: GuestKeyClass?
        if let number = parts.number {
            found = numbered[parts.base].flatMap { number < $0.count ? $0.class : nil }
        } else {
            found = table[key]
        }
        guard let found else { return nil }
        let name = parts.number == nil ? key : parts.base
        return GuestKeyFacts(
            class: found, since: (kind == .qemu ? qemuSince : lxcSince)[name],
            rootOnly: rootOnly.contains(name) && !(kind == .lxc && name == "lock"))
    }

    private static let rootOnly: Set<String> = ["args", "hookscript", "lock", "parallel", "dev"]

    private static let qemuSince: [String: ProxmoxVersion] = [
        "amd-sev": ProxmoxVersion(8, 4), "ciupgrade": ProxmoxVersion(8, 0),
        "import-working-storage": ProxmoxVersion(8, 3), "virtiofs": ProxmoxVersion(8, 4),
        "allow-ksm": ProxmoxVersion(9, 2), "intel-tdx": ProxmoxVersion(9, 2),
        "ha-managed": ProxmoxVersion(9, 2),
    ]
    private static let lxcSince: [String: ProxmoxVersion] = [
        "dev": ProxmoxVersion(8, 4), "entrypoint": ProxmoxVersion(9, 2),
        "env": ProxmoxVersion(9, 2), "ha-managed": ProxmoxVersion(9, 2),
    ]

    private static let qemuNumbered: [String: (class: GuestKeyClass, count: Int)] = [
        "ide": (.drive, 4), "sata": (.drive, 6), "scsi": (.drive, 31), "virtio": (.drive, 16),
        "efidisk": (.firmware, 1), "tpmstate": (.tpm, 1), "unused": (.unused, 256),
        "net": (.network, 32), "ipconfig": (.cloudInit, 32), "hostpci": (.passthrough, 16),
        "usb": (.passthrough, 14), "serial": (.hardware, 4), "parallel": (.passthrough, 3),
        "numa": (.hardware, 8), "audio": (.hardware, 1), "rng": (.hardware, 1),
        "virtiofs": (.passthrough, 10),
    ]
    private static let lxcNumbered: [String: (class: GuestKeyClass, count: Int)] = [
        "mp": (.mountPoint, 256), "net": (.network, 32), "unused": (.unused, 256),
        "dev": (.passthrough, 256),
    ]

    private static func table(
        _ groups: [(GuestKeyClass, String)]
    ) -> [String: GuestKeyClass] {
        var table: [String: GuestKeyClass] = [:]
        for (group, names) in groups {
            for name in names.split(separator: " ") { table[String(name)] = group }
        }
        return table
    }

    private static let qemu = table([
        (.drive, "cdrom"),
        (.passthrough, "ivshmem"),
        (
            .cloudInit,
            "cicustom cipassword citype ciupgrade ciuser nameserver searchdomain sshkeys"
        ),
        (
            .hardware,
            "acpi affinity agent allow-ksm amd-sev arch args balloon bios boot bootdisk cores cpu "
                + "cpulimit cpuunits freeze hotplug hugepages intel-tdx keephugepages keyboard kvm "
                + "localtime machine memory migrate_downtime migrate_speed numa ostype scsihw "
                + "shares smbios1 smp sockets spice_enhancements startdate tablet tdf vcpus vga "
                + "watchdog"
        ),
        (
            .option,
            "autostart description hookscript name onboot protection reboot startup tags template "
                + "vmstatestorage"
        ),
        (.generated, "digest meta vmgenid"),
        (
            .state,
            "lock parent snapstate snaptime vmstate runningmachine runningcpu "
                + "running-nets-host-mtu cloudinit"
        ),
        (
            .request,
            "archive bwlimit force ha-managed import-working-storage live-restore node pool start "
                + "storage unique vmid"
        ),
    ])
    private static let lxc = table([
        (.rootDisk, "rootfs"),
        (
            .hardware,
            "arch cmode console cores cpulimit cpuunits debug entrypoint env features memory "
                + "nameserver ostype searchdomain swap timezone tty unprivileged"
        ),
        (
            .option,
            "description hookscript hostname onboot protection startup tags template"
        ),
        (.generated, "digest"),
        (.state, "lock parent snapstate snaptime"),
        (
            .request,
            "bwlimit force ha-managed ignore-unpack-errors node ostemplate password pool restore "
                + "ssh-public-keys start storage unique vmid"
        ),
    ])
}
