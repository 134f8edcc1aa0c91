import Basics

/// A virtual machine as an OVF 1.1 descriptor (DMTF DSP0243), for hypervisors that import it.
///
/// The hardware is spelled as VMware's tools do, which VirtualBox and virt-v2v read too. Firmware
/// variables and TPM state have no place in it; `notes` says so.
public struct OVFEnvelope: Sendable, Equatable {
    public let xml: String
    public let notes: [DescriptorNote]

    public init(of guest: GuestConfiguration, disks: [GuestDisk]) throws(Failure) {
        guard guest.kind == .qemu else {
            throw Failure(.unsupported, "a container cannot be described by OVF")
        }
        for disk in disks where guest[disk.key] == nil {
            throw Failure(.invalidValue, "the guest has no disk \"\(disk.key)\"")
        }
        var writer = EnvelopeWriter(guest: guest, disks: disks)
        xml = writer.write()
        notes = writer.notes
    }

    /// The text of the `.mf` beside a descriptor: digests of it and of every file it names.
    ///
    /// Throws for a name that would make two lines, or end the name early.
    public static func manifest(
        _ files: [(name: String, sha256: String)]
    ) throws(Failure) -> String {
        var text = ""
        for file in files {
            guard !file.name.isEmpty,
                file.name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x28 && $0 != 0x29 && $0 != 0x2f })
            else {
                throw Failure(.invalidValue, "a manifest cannot name the file \"\(file.name)\"")
            }
            text += "SHA256(\(file.name))= \(file.sha256)\n"
        }
        return text
    }
}

private struct EnvelopeWriter {
    let guest: GuestConfiguration
    let files: [GuestDisk]
    var notes: [DescriptorNote] = []
    private var instance = 0

    init(guest: GuestConfiguration, disks: [GuestDisk]) {
        self.guest = guest
        let order = guest.bootOrder
        let usable = disks.filter { $0.key != "efidisk0" && $0.key != "tpmstate0" }
        // Importers boot from the first disk: the guest's own comes first.
        files =
            order.compactMap { key in usable.first { $0.key == key } }
            + usable.filter { !order.contains($0.key) }
        for disk in disks where disk.key == "efidisk0" || disk.key == "tpmstate0" {
            notes.append(
                DescriptorNote(
                    disk.key, "\"\(disk.file)\" has no place in OVF and is kept beside it"))
        }
    }

    private mutating func note(_ key: String?, _ what: String) {
        notes.append(DescriptorNote(key, what))
    }

    private mutating func next() -> String {
        instance += 1
        return String(instance)
    }

    /// A path relative to the descriptor, as a URI.
    private static func reference(_ file: String) -> String {
        let bytes = PercentCode.encode(file.utf8) { byte in
            (0x61...0x7a).contains(byte | 0x20) && byte >= 0x41 || (0x30...0x39).contains(byte)
                || byte == 0x2d || byte == 0x2e || byte == 0x5f || byte == 0x7e || byte == 0x2f
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    mutating func write() -> String {
        var xml = XMLWriter()
        let networks = networkNames()
        xml.element(
            "Envelope",
            [
                ("xmlns", "http://schemas.dmtf.org/ovf/envelope/1"),
                ("xmlns:ovf", "http://schemas.dmtf.org/ovf/envelope/1"),
                (
                    "xmlns:rasd",
                    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"
                ),
                (
                    "xmlns:vssd",
                    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"
                ),
                ("xmlns:vmw", "http://www.vmware.com/schema/ovf"),
            ]
        ) { xml in
            references(&xml)
            xml.element("NetworkSection") { xml in
                xml.leaf("Info", "Logical networks")
                for name in networks {
                    xml.element("Network", [("ovf:name", name)]) { xml in
                        xml.leaf("Description", "The bridge \(name) of Proxmox VE")
                    }
                }
            }
            system(&xml)
        }
        if xml.altered { note(nil, "characters that XML cannot hold were replaced by U+FFFD") }
        rest()
        return xml.text
    }

    private mutating func references(_ xml: inout XMLWriter) {
        xml.element("References") { xml in
            for (index, disk) in files.enumerated() {
                xml.empty(
                    "File",
                    [
                        ("ovf:id", "file\(index + 1)"), ("ovf:href", Self.reference(disk.file)),
                        ("ovf:size", disk.fileSize.map(String.init)),
                    ])
            }
        }
        xml.element("DiskSection") { xml in
            xml.leaf("Info", "Virtual disks")
            for (index, disk) in files.enumerated() {
                if disk.format != .vmdk {
                    note(
                        disk.key,
                        "importers of VMware take VMDK only, and \"\(disk.file)\" is \(disk.format)"
                    )
                }
                xml.empty(
                    "Disk",
                    [
                        ("ovf:capacity", String(disk.size)),
                        ("ovf:capacityAllocationUnits", "byte"),
                        ("ovf:diskId", "disk\(index + 1)"), ("ovf:fileRef", "file\(index + 1)"),
                        ("ovf:format", Self.format(disk.format)),
                    ])
            }
        }
    }

    private static func format(_ format: GuestDisk.Format) -> String {
        switch format {
        case .vmdk: "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized"
        case .qcow2: "http://www.gnome.org/~markmc/qcow-image-format.html"
        case .raw: "http://www.qemu.org/raw-disk-image"
        }
    }

    private func networkNames() -> [String] {
        var names: [String] = []
        for (_, entry) in guest.numbered("net") {
            let name = Self.network(NetworkCard(entry.text))
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    private static func network(_ card: NetworkCard) -> String {
        (card.bridge ?? "nat") + (card.tag.map { " VLAN \($0)" } ?? "")
    }

    private mutating func system(_ xml: inout XMLWriter) {
        let name = guest.name ?? "guest"
        xml.element("VirtualSystem", [("ovf:id", name)]) { xml in
            xml.leaf("Info", "A virtual machine exported from Proxmox VE")
            xml.leaf("Name", name)
            if let description = guest.description {
                xml.element("AnnotationSection") { xml in
                    xml.leaf("Info", "Notes")
                    xml.leaf("Annotation", description)
                }
            }
            let system = OVFSystem.of(guest["ostype"] ?? "other")
            xml.element(
                "OperatingSystemSection",
                [("ovf:id", String(system.number)), ("vmw:osType", system.name)]
            ) { xml in
                xml.leaf("Info", "The kind of operating system")
                xml.leaf("Description", guest["ostype"] ?? "other")
            }
            xml.element("VirtualHardwareSection") { xml in
                xml.leaf("Info", "Virtual hardware")
                xml.element("System") { xml in
                    xml.leaf("vssd:ElementName", "Virtual Hardware Family")
                    xml.leaf("vssd:InstanceID", "0")
                    xml.leaf("vssd:VirtualSystemIdentifier", name)
                    xml.leaf("vssd:VirtualSystemType", "vmx-13")
                }
                hardware(&xml)
            }
        }
    }

    /// One `Item`; values stand in the order of the CIM class, which is alphabetical.
    private func item(_ xml: inout XMLWriter, _ values: [(String, String?)]) {
        xml.element("Item") { xml in
            for (name, value) in values.sorted(by: { $0.0 < $1.0 }) {
                if let value { xml.leaf("rasd:" + name, value) }
            }
        }
    }

    private mutating func hardware(_ xml: inout XMLWriter) {
        let processors = guest.sockets * guest.cores
        item(
            &xml,
            [
                ("AllocationUnits", "hertz * 10^6"),
                ("ElementName", "\(processors) virtual CPU(s)"),
                ("InstanceID", next()), ("ResourceType", "3"),
                ("VirtualQuantity", String(processors)),
            ])
        item(
            &xml,
            [
                ("AllocationUnits", "byte * 2^20"), ("ElementName", "\(guest.memory) MB of memory"),
                ("InstanceID", next()), ("ResourceType", "4"),
                ("VirtualQuantity", String(guest.memory)),
            ])
        storage(&xml)
        for (number, entry) in guest.numbered("net") { card(&xml, number, entry) }
        if guest["bios"] == "ovmf" {
            xml.empty(
                "vmw:Config",
                [("ovf:required", "false"), ("vmw:key", "firmware"), ("vmw:value", "efi")])
            let secure = DriveOptions(guest["efidisk0"] ?? "").properties.flag("pre-enrolled-keys")
            xml.empty(
                "vmw:Config",
                [
                    ("ovf:required", "false"), ("vmw:key", "bootOptions.efiSecureBootEnabled"),
                    ("vmw:value", secure ? "true" : "false"),
                ])
        }
    }

    private mutating func storage(_ xml: inout XMLWriter) {
        // Kind of controller and position of each drive; virtio has no other place than SCSI.
        var scsi: [String: Int] = [:]
        var count = 0
        for disk in files where ["scsi", "virtio"].contains(GuestKey(disk.key).base) {
            scsi[disk.key] = count
            count += 1
            if disk.key.hasPrefix("virtio") {
                note(
                    disk.key,
                    "virtio became SCSI: the guest needs the driver of that controller to boot")
            }
        }
        if count > 60 { note(nil, "there are more disks than four controllers of VMware hold") }
        let subtype: String
        switch guest["scsihw"] ?? "lsi" {
        case "lsi", "lsi53c810": subtype = "lsilogic"
        case "pvscsi": subtype = "VirtualSCSI"
        default: subtype = guest.isWindows ? "lsilogicsas" : "lsilogic"
        }
        if count > 0, guest["scsihw"]?.hasPrefix("virtio") == true {
            note("scsihw", "\(guest["scsihw"] ?? "") became \(subtype)")
        }
        var parents: [String: String] = [:]
        for index in 0..<((count + 14) / 15) {
            parents["scsi\(index)"] = controller(
                &xml, "SCSI controller \(index)", "6", subtype, index)
        }
        let media = guest.entries.filter { entry in
            GuestKeyFacts.of(entry.key, kind: .qemu)?.class == .drive
                && DriveOptions(entry.text).isMedium
        }
        let keys = files.map(\.key) + media.map(\.key)
        if keys.contains(where: { $0.hasPrefix("sata") }) {
            parents["sata0"] = controller(&xml, "SATA controller", "20", "vmware.sata.ahci", 0)
        }
        for index in 0..<2
        where keys.contains(where: {
            let key = GuestKey($0)
            return key.base == "ide" && (key.number ?? 0) / 2 == index
                || $0 == "cdrom" && index == 1
        }) {
            parents["ide\(index)"] = controller(
                &xml, "IDE controller \(index)", "5", "PIIX4", index)
        }
        for (index, disk) in files.enumerated() {
            let place: (parent: String, address: Int)
            if let position = scsi[disk.key] {
                let slot = position % 15
                // Unit 7 is the controller itself.
                place = ("scsi\(position / 15)", slot < 7 ? slot : slot + 1)
            } else {
                place = Self.place(disk.key)
            }
            item(
                &xml,
                [
                    ("AddressOnParent", String(place.address)), ("ElementName", "Disk \(disk.key)"),
                    ("HostResource", "ovf:/disk/disk\(index + 1)"), ("InstanceID", next()),
                    ("Parent", parents[place.parent]), ("ResourceType", "17"),
                ])
        }
        for entry in media where entry.key.hasPrefix("scsi") || entry.key.hasPrefix("virtio") {
            note(entry.key, "a drive for media at that controller is not told")
        }
        for entry in media where !entry.key.hasPrefix("scsi") && !entry.key.hasPrefix("virtio") {
            let place = Self.place(entry.key == "cdrom" ? "ide2" : entry.key)
            if DriveOptions(entry.text).volume != .none {
                note(entry.key, "the drive is empty: its medium is not carried")
            }
            item(
                &xml,
                [
                    ("AddressOnParent", String(place.address)), ("AutomaticAllocation", "false"),
                    ("ElementName", "CD/DVD drive \(entry.key)"), ("InstanceID", next()),
                    ("Parent", parents[place.parent]), ("ResourceType", "15"),
                ])
        }
    }

    private static func place(_ key: String) -> (parent: String, address: Int) {
        let parts = GuestKey(key)
        let number = parts.number ?? 0
        return parts.base == "ide" ? ("ide\(number / 2)", number % 2) : ("sata0", number)
    }

    private mutating func controller(
        _ xml: inout XMLWriter, _ name: String, _ type: String, _ subtype: String, _ address: Int
    ) -> String {
        let id = next()
        item(
            &xml,
            [
                ("Address", String(address)), ("ElementName", name), ("InstanceID", id),
                ("ResourceSubType", subtype), ("ResourceType", type),
            ])
        return id
    }

    private mutating func card(
        _ xml: inout XMLWriter, _ number: Int, _ entry: GuestConfiguration.Entry
    ) {
        let card = NetworkCard(entry.text)
        let model: String
        switch card.model {
        case "virtio", "vmxnet3": model = "VmxNet3"
        case "e1000e": model = "E1000e"
        case "pcnet": model = "PCNet32"
        default: model = "E1000"
        }
        if model.lowercased() != card.model {
            note(entry.key, "the card \(card.model) became \(model)")
        }
        if card.address != nil {
            note(entry.key, "importers may give the card another address than the one that is told")
        }
        item(
            &xml,
            [
                ("Address", card.address), ("AddressOnParent", String(number)),
                ("AutomaticAllocation", card.properties.flag("link_down") ? "false" : "true"),
                ("Connection", Self.network(card)), ("ElementName", "Network card \(number)"),
                ("InstanceID", next()), ("ResourceSubType", model), ("ResourceType", "10"),
            ])
    }

    /// OVF tells little: what else the guest has is told here.
    private mutating func rest() {
        let said: Set<String> = [
            "name", "memory", "cores", "sockets", "smp", "ostype", "scsihw", "bios", "boot",
            "bootdisk", "cdrom", "description",
        ]
        for entry in guest.entries where !said.contains(entry.key) {
            switch GuestKeyFacts.of(entry.key, kind: .qemu)?.class {
            case .generated, .state, .request, .network: continue
            case .drive, .firmware, .tpm:
                let options = DriveOptions(entry.text)
                if !options.isMedium, !files.contains(where: { $0.key == entry.key }),
                    !notes.contains(where: { $0.key == entry.key })
                {
                    note(entry.key, "\(entry.key) (\"\(options.source)\") has no file here")
                }
            case .cloudInit: note(entry.key, "the cloud-init setting is not told")
            default: note(entry.key, "\(entry.key) is not told: \"\(entry.text)\"")
            }
        }
    }
}
