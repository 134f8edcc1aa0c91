import Basics

/// A virtual machine as a domain of libvirt.
///
/// Source of the form: libvirt's "Domain XML format". What has no equivalent is in `notes`.
public struct LibvirtDomain: Sendable, Equatable {
    public struct Options: Sendable {
        /// The name of the domain; nil takes that of the guest.
        public var name: String?
        /// For a guest that has none of its own. Without any, libvirt makes one up each time, and takes the
        /// same domain for another of the same name.
        public var uuid: String?
        /// KVM, or QEMU's own emulation.
        public var usesKVM: Bool
        /// The code of OVMF, where the firmware is UEFI: `/usr/share/OVMF/OVMF_CODE_4M.fd`.
        public var loader: String?
        /// The bridge or network for each bridge of Proxmox; one that is not named stays as it is.
        public var bridges: [String: String]
        /// Replaces bridges by QEMU's own network, for machines that are only tried.
        public var usesUserNetwork: Bool
        public var keepsAddresses: Bool
        public var linkDown: Bool
        /// Takes the version of the machine type, so that devices stay where the guest knows them.
        public var pinsMachine: Bool

        public init(
            name: String? = nil, uuid: String? = nil, usesKVM: Bool = true, loader: String? = nil,
            bridges: [String: String] = [:], usesUserNetwork: Bool = false,
            keepsAddresses: Bool = true, linkDown: Bool = false, pinsMachine: Bool = true
        ) {
            self.name = name
            self.uuid = uuid
            self.usesKVM = usesKVM
            self.loader = loader
            self.bridges = bridges
            self.usesUserNetwork = usesUserNetwork
            self.keepsAddresses = keepsAddresses
            self.linkDown = linkDown
            self.pinsMachine = pinsMachine
        }
    }

    public let xml: String
    public let notes: [DescriptorNote]

    /// - Throws: `.unsupported` for a container, `.invalidValue` for a disk that the guest has not.
    public init(
        of guest: GuestConfiguration, disks: [GuestDisk], options: Options
    ) throws(Failure) {
        guard guest.kind == .qemu else {
            throw Failure(.unsupported, "a container cannot be a domain of libvirt for QEMU")
        }
        for disk in disks where guest[disk.key] == nil {
            throw Failure(.invalidValue, "the guest has no disk \"\(disk.key)\"")
        }
        var writer = DomainWriter(guest: guest, disks: disks, options: options)
        writer.write()
        xml = writer.xml.text
        notes = writer.notes
    }
}

extension LibvirtDomain {
    /// A name that libvirt takes, which makes file names of it.
    public static func name(_ given: String) -> String {
        let name = String(given.map { $0 == "/" || $0.isNewline ? "-" : $0 })
        return name.isEmpty ? "guest" : name
    }
}

/// Writes one domain, part by part; `said` holds the keys that found a place.
struct DomainWriter {
    let guest: GuestConfiguration
    let disks: [GuestDisk]
    let options: LibvirtDomain.Options
    let boot: [String]
    var xml = XMLWriter()
    var notes: [DescriptorNote] = []
    /// Threads for input and output that the drives name.
    var threads = 0
    private var said: Set<String> = []

    init(guest: GuestConfiguration, disks: [GuestDisk], options: LibvirtDomain.Options) {
        self.guest = guest
        self.disks = disks
        self.options = options
        boot = guest.bootOrder
    }

    mutating func note(_ key: String?, _ what: String) { notes.append(DescriptorNote(key, what)) }

    /// The value, and that it has found its place.
    mutating func take(_ key: String) -> String? {
        said.insert(key)
        return guest[key]
    }

    var isQ35: Bool { (guest["machine"] ?? "").contains("q35") }
    var isUEFI: Bool { guest["bios"] == "ovmf" }
    var isARM: Bool { guest["arch"] == "aarch64" }

    mutating func write() {
        // The writer is taken out while closures that use it also change the rest.
        var xml = XMLWriter()
        xml.element("domain", [("type", options.usesKVM ? "kvm" : "qemu")]) { xml in
            identity(&xml)
            memoryAndProcessors(&xml)
            system(&xml)
            features(&xml)
            processor(&xml)
            clock(&xml)
            xml.element("devices") { xml in devices(&xml) }
            if threads > 0 { xml.leaf("iothreads", String(threads)) }
        }
        if xml.altered {
            note(nil, "characters that XML cannot hold were replaced by U+FFFD")
        }
        rest()
        self.xml = xml
    }

    private mutating func identity(_ xml: inout XMLWriter) {
        let given = options.name ?? take("name") ?? "guest"
        said.insert("name")
        let name = LibvirtDomain.name(given)
        if name != given { note("name", "the name \"\(given)\" became \"\(name)\"") }
        xml.leaf("name", name)
        if let uuid = take("smbios1").flatMap({ MachineIdentity($0).uuid }) ?? options.uuid {
            xml.leaf("uuid", uuid)
        }
        if let generation = take("vmgenid"), MachineIdentity.isUUID(generation) {
            xml.leaf("genid", generation.lowercased())
        }
        if let description = guest.description { xml.leaf("description", description) }
    }

    private mutating func memoryAndProcessors(_ xml: inout XMLWriter) {
        let memory = guest.memory
        _ = take("memory")
        xml.leaf("memory", [("unit", "MiB")], String(memory))
        if let text = take("balloon"), let least = Int(text), least > 0, least < memory {
            note(
                "balloon",
                "memory is \(memory) MiB; Proxmox VE may take it down to \(least) MiB, libvirt does not by itself"
            )
        }
        if let pages = take("hugepages") {
            xml.element("memoryBacking") { xml in
                xml.element("hugepages") { xml in
                    if let size = Int(pages), size > 0 {
                        xml.empty("page", [("size", String(size)), ("unit", "MiB")])
                    }
                }
            }
        }
        for key in ["sockets", "cores", "smp"] { _ = take(key) }
        let all = guest.sockets * guest.cores
        let active = take("vcpus").flatMap { Int($0) }.flatMap { (1...all).contains($0) ? $0 : nil }
        xml.leaf(
            "vcpu",
            [("placement", "static"), ("current", active.flatMap { $0 < all ? String($0) : nil })],
            String(all))
        if let limit = take("cpulimit"), limit != "0" {
            note("cpulimit", "the limit of \(limit) processors is not set")
        }
        if let weight = take("cpuunits") {
            note("cpuunits", "the weight \(weight) of processor time is not set")
        }
    }

    private mutating func system(_ xml: inout XMLWriter) {
        let machine = machineType()
        let uuid = take("smbios1").map { MachineIdentity($0) }
        if let fields = uuid?.fields, !fields.isEmpty {
            xml.element("sysinfo", [("type", "smbios")]) { xml in
                xml.element("system") { xml in
                    for field in fields {
                        xml.leaf("entry", [("name", field.name)], field.value)
                    }
                }
            }
        }
        let firmware = disks.first { $0.key == "efidisk0" }
        let efi = take("efidisk0").map { DriveOptions($0) }
        _ = take("bios")
        let secure = efi?.properties.flag("pre-enrolled-keys") ?? false
        if secure, isUEFI, !isQ35 {
            note("efidisk0", "secure boot needs the machine type q35; it is not switched on")
        }
        xml.element("os") { xml in
            xml.leaf(
                "type", [("arch", isARM ? "aarch64" : "x86_64"), ("machine", machine)], "hvm")
            guard isUEFI else { return uuidMode(&xml, uuid) }
            xml.leaf(
                "loader",
                [
                    ("readonly", "yes"), ("secure", secure && isQ35 ? "yes" : nil),
                    ("type", "pflash"),
                ], options.loader ?? "/usr/share/OVMF/OVMF_CODE_4M\(secure ? ".ms" : "").fd")
            if let firmware { xml.leaf("nvram", firmware.file) }
            uuidMode(&xml, uuid)
        }
        if isUEFI {
            if options.loader == nil {
                note("bios", "the path of OVMF is that of Debian; other systems keep it elsewhere")
            }
            if efi?.properties["efitype"] != "4m", efi != nil {
                note(
                    "efidisk0", "the variables are of the 2 MiB kind and need an OVMF of that size")
            }
            if let firmware, firmware.format != .raw {
                note("efidisk0", "the variables must be a raw file, and are \(firmware.format)")
            }
            if firmware == nil {
                note("efidisk0", "without its variables the firmware starts with defaults")
            }
        }
    }

    private func uuidMode(_ xml: inout XMLWriter, _ identity: MachineIdentity?) {
        if identity?.fields.isEmpty == false { xml.empty("smbios", [("mode", "sysinfo")]) }
    }

    /// The machine type without what only Proxmox VE's QEMU knows: `pc-q35-8.1+pve0` is `pc-q35-8.1`.
    private mutating func machineType() -> String {
        let value = PropertyString(take("machine") ?? "")
        let text = value.first("type") ?? ""
        for part in value.parts where part.name != nil && part.name != "type" {
            note("machine", "the option \(part.name ?? "")=\(part.value) of the machine is not set")
        }
        var type = text.split(separator: "+").first.map(String.init) ?? ""
        if type.hasSuffix(".pxe") { type.removeLast(4) }
        let known = type.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d || $0 == 0x2e
        }
        if !known {
            note("machine", "the machine type \"\(text)\" is not one that QEMU has")
            type = ""
        }
        if text.contains("+") {
            note(
                "machine",
                "\"\(text)\" became \"\(type)\": Proxmox VE's own revision is not upstream")
        }
        let bare = ["", "pc", "q35", "virt"].contains(type)
        if bare {
            note("machine", "no version of the machine type is pinned; devices may move")
        }
        if bare || !options.pinsMachine {
            return isARM ? "virt" : type.contains("q35") ? "q35" : "pc"
        }
        return type
    }

    private mutating func features(_ xml: inout XMLWriter) {
        let acpi = take("acpi").flatMap(PropertyString.flag) ?? true
        let secure =
            isUEFI && isQ35
            && DriveOptions(guest["efidisk0"] ?? "").properties.flag("pre-enrolled-keys")
        let cpu = PropertyString(guest["cpu"] ?? "")
        xml.element("features") { xml in
            if acpi { xml.empty("acpi") }
            if !isARM { xml.empty("apic") }
            if guest.isWindows, options.usesKVM {
                xml.element("hyperv", [("mode", "custom")]) { xml in
                    for name in ["relaxed", "vapic"] { xml.empty(name, [("state", "on")]) }
                    xml.empty("spinlocks", [("state", "on"), ("retries", "8191")])
                    for name in ["vpindex", "runtime", "synic", "stimer", "reset"] {
                        xml.empty(name, [("state", "on")])
                    }
                    if let vendor = cpu["hv-vendor-id"] {
                        xml.empty("vendor_id", [("state", "on"), ("value", vendor)])
                    }
                }
            }
            if cpu.flag("hidden"), options.usesKVM {
                xml.element("kvm") { xml in xml.empty("hidden", [("state", "on")]) }
            }
            if secure { xml.empty("smm", [("state", "on")]) }
        }
    }

    private mutating func clock(_ xml: inout XMLWriter) {
        let ostype = take("ostype")
        let local = take("localtime").flatMap(PropertyString.flag) ?? guest.isWindows
        xml.element("clock", [("offset", local ? "localtime" : "utc")]) { xml in
            if guest.isWindows, !isARM {
                xml.empty("timer", [("name", "rtc"), ("tickpolicy", "catchup")])
                xml.empty("timer", [("name", "pit"), ("tickpolicy", "delay")])
                xml.empty("timer", [("name", "hpet"), ("present", "no")])
                if options.usesKVM {
                    xml.empty("timer", [("name", "hypervclock"), ("present", "yes")])
                }
            }
        }
        xml.leaf("on_poweroff", "destroy")
        let reboots = take("reboot").flatMap(PropertyString.flag) ?? true
        xml.leaf("on_reboot", reboots ? "restart" : "destroy")
        if ostype == "solaris" { note("ostype", "nothing is set for Solaris by itself") }
    }

    /// Every key that found no place is told.
    private mutating func rest() {
        for entry in guest.entries where !said.contains(entry.key) {
            said.insert(entry.key)
            let facts = GuestKeyFacts.of(entry.key, kind: .qemu)
            switch facts?.class {
            case .generated, .state, .request: continue
            case .unused: note(entry.key, "the unused disk \"\(entry.text)\" is not attached")
            case .cloudInit:
                // Its value may be a password.
                note(entry.key, "the cloud-init setting has no equivalent in a domain")
            case .passthrough:
                note(entry.key, "the host's device \"\(entry.text)\" is not attached")
            default:
                note(entry.key, "\(entry.key) has no equivalent in a domain: \"\(entry.text)\"")
            }
        }
        if guest.snapshots.count > 0 {
            note(nil, "the domain has none of the \(guest.snapshots.count) snapshots")
        }
    }
}
