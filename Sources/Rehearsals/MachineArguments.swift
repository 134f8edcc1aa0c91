import Basics
import Guests

/// A guest's configuration as arguments of QEMU, for a machine that is only tried: the same firmware,
/// controllers, disks and cards; disks as overlays, cards on a network with nothing in it.
struct MachineArguments {
    struct Disk: Sendable, Equatable {
        let key: String
        /// The overlay, qcow2.
        let path: String
    }

    struct Firmware: Sendable, Equatable {
        let code: String
        /// Raw, and a copy.
        let variables: String?
    }

    let configuration: GuestConfiguration
    let disks: [Disk]
    let firmware: Firmware?
    let usesKVM: Bool
    /// MiB, and processors: not more than this machine has.
    let memory: Int
    let cores: Int
    /// Files of the machine.
    let directory: String
    /// Sockets, whose paths must be short.
    let sockets: MachineSockets
    /// Whether a TPM listens at its socket.
    let hasTPM: Bool
    /// Ports of this machine that lead to ports of the guest.
    let ports: [(here: UInt16, there: UInt16)]
    private(set) var notes: [String] = []

    init(
        _ configuration: GuestConfiguration, disks: [Disk], firmware: Firmware?, usesKVM: Bool,
        mostMemory: Int, mostCores: Int, directory: String, sockets: MachineSockets,
        hasTPM: Bool = false, ports: [(here: UInt16, there: UInt16)]
    ) {
        self.configuration = configuration
        self.disks = disks
        self.firmware = firmware
        self.usesKVM = usesKVM
        memory = min(configuration.memory, mostMemory)
        cores = max(1, min(configuration.sockets * configuration.cores, mostCores))
        self.directory = directory
        self.sockets = sockets
        self.hasTPM = hasTPM
        self.ports = ports
        if memory < configuration.memory {
            notes.append("it got \(memory) MiB of memory in place of \(configuration.memory)")
        }
    }

    var serialPath: String { directory + "/serial" }
    private var isQ35: Bool { (configuration["machine"] ?? "").contains("q35") }

    var words: [String] {
        var words = [
            "-nodefaults", "-no-user-config", "-display", "none",
            "-machine", machineType + ",accel=" + (usesKVM ? "kvm" : "tcg"),
            "-cpu", usesKVM ? "host" : "max,la57=off", "-m", String(memory), "-smp",
            String(cores),
            "-rtc", "base=" + (isLocalTime ? "localtime" : "utc"),
            "-chardev", "file,id=serial0,path=\(escaped(serialPath))", "-serial",
            "chardev:serial0",
            "-chardev", "socket,id=agent0,path=\(escaped(sockets.agent)),server=on,wait=off",
            "-chardev", "socket,id=monitor0,path=\(escaped(sockets.monitor)),server=on,wait=off",
            "-mon", "chardev=monitor0,mode=control",
            "-device", "virtio-serial", "-device",
            "virtserialport,chardev=agent0,name=org.qemu.guest_agent.0",
            "-device", "virtio-rng-pci",
        ]
        if let firmware {
            words += [
                "-drive", "if=pflash,format=raw,readonly=on,file=\(escaped(firmware.code))",
            ]
            if let variables = firmware.variables {
                words += ["-drive", "if=pflash,format=raw,file=\(escaped(variables))"]
            }
        } else {
            // SeaBIOS then tells on the serial port, too, what it boots from.
            words += ["-fw_cfg", "name=etc/sercon-port,file=\(escaped(directory + "/sercon"))"]
        }
        if hasTPM {
            words += [
                "-chardev", "socket,id=tpm0,path=\(escaped(sockets.tpm))",
                "-tpmdev", "emulator,id=tpmdev0,chardev=tpm0", "-device", "tpm-tis,tpmdev=tpmdev0",
            ]
        }
        let vga = configuration["vga"] ?? ""
        words += ["-vga", vga.hasPrefix("serial") || vga.hasPrefix("none") ? "none" : "std"]
        if let identity = configuration["smbios1"].map({ PropertyString($0)["uuid"] }) ?? nil {
            words += ["-uuid", identity]
        }
        return words + drives + cards
    }

    private var isLocalTime: Bool {
        configuration["localtime"].flatMap(PropertyString.flag) ?? configuration.isWindows
    }

    /// Without what only Proxmox VE's QEMU knows: `pc-q35-8.1+pve0` is `pc-q35-8.1`, and a version that
    /// this QEMU may not have is left to it.
    private var machineType: String { isQ35 ? "q35" : "pc" }

    // MARK: - Drives

    private var drives: [String] {
        var words: [String] = []
        var controllers: Set<String> = []
        let hardware = configuration["scsihw"] ?? "lsi"
        let order = configuration.bootOrder
        for disk in disks {
            let key = GuestKey(disk.key)
            guard let number = key.number else { continue }
            var device: String
            switch key.base {
            case "scsi":
                let model = Self.controller(hardware)
                let isVirtio = model == "virtio-scsi-pci"
                let single = hardware == "virtio-scsi-single"
                let place = single ? number : isVirtio ? 0 : number / 7
                if controllers.insert("scsi\(place)").inserted {
                    words += ["-device", "\(model),id=scsi\(place)"]
                }
                let target = isVirtio ? 0 : number % 7
                let unit = isVirtio ? number : 0
                device = "scsi-hd,bus=scsi\(place).0,scsi-id=\(target),lun=\(unit)"
            case "virtio": device = "virtio-blk-pci"
            case "sata", "ide":
                if key.base == "ide", !isQ35 {
                    device = "ide-hd,bus=ide.\(number / 2),unit=\(number % 2)"
                } else {
                    let name = key.base == "ide" ? "ahci1" : "ahci0"
                    if controllers.insert(name).inserted {
                        words += ["-device", "ahci,id=\(name)"]
                    }
                    device = "ide-hd,bus=\(name).\(number)"
                }
            default: continue
            }
            device += ",drive=\(disk.key)"
            if let place = order.firstIndex(of: disk.key) { device += ",bootindex=\(place + 1)" }
            if let text = configuration[disk.key], let serial = PropertyString(text)["serial"],
                let decoded = PercentCode.decode(serial.utf8)
            {
                device += ",serial=" + escaped(String(decoding: decoded, as: UTF8.self))
            }
            words += [
                "-drive",
                "if=none,id=\(disk.key),format=qcow2,cache=unsafe,discard=unmap,"
                    + "file=\(escaped(disk.path))",
                "-device", device,
            ]
        }
        return words
    }

    private static func controller(_ hardware: String) -> String {
        switch hardware {
        case "virtio-scsi-pci", "virtio-scsi-single": "virtio-scsi-pci"
        case "megasas": "megasas"
        case "pvscsi": "pvscsi"
        default: "lsi53c895a"
        }
    }

    // MARK: - Cards

    /// Every card is there, so that names and addresses are what the guest knows; behind it is QEMU's
    /// own network, which leads nowhere (`restrict=on`).
    private var cards: [String] {
        var words: [String] = []
        var cards = configuration.numbered("net").map {
            ("net\($0.number)", NetworkCard($0.entry.text))
        }
        if cards.isEmpty, !ports.isEmpty { cards = [("net0", NetworkCard("virtio"))] }
        for (place, card) in cards.enumerated() {
            let (name, card) = card
            var network = "user,id=\(name),restrict=on"
            if place == 0 {
                for port in ports {
                    network += ",hostfwd=tcp:127.0.0.1:\(port.here)-:\(port.there)"
                }
            }
            var device = "\(Self.model(card.model)),netdev=\(name),romfile="
            if let address = card.address { device += ",mac=\(address)" }
            words += ["-netdev", network, "-device", device]
        }
        return words
    }

    private static func model(_ name: String) -> String {
        switch name {
        case "virtio": "virtio-net-pci"
        case "e1000", "e1000e", "rtl8139", "vmxnet3", "i82551", "i82557b", "i82559er", "ne2k_pci",
            "pcnet":
            name
        case let name where name.hasPrefix("e1000-"): name
        default: "virtio-net-pci"
        }
    }

    /// QEMU takes a comma for the end of a value unless it stands twice.
    private func escaped(_ text: String) -> String {
        String(text.flatMap { $0 == "," ? [$0, $0] : [$0] })
    }
}

/// Where a machine is spoken with: by its guest agent, about itself (QMP), and with its TPM.
struct MachineSockets: Sendable, Equatable {
    let agent: String
    let monitor: String
    let tpm: String

    /// - Parameter path: short, so that sockets stay within 107 bytes (unix(7)).
    init(_ path: String) {
        agent = path
        monitor = path + ".monitor"
        tpm = path + ".tpm"
    }
}
