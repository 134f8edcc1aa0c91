extension DomainWriter {
    /// How the SCSI disks of a guest are attached: `scsihw`, in libvirt's words.
    private struct SCSIController {
        let model: String
        let isSingle: Bool
        /// virtio counts units of one target; of the others SeaBIOS finds one unit for each target.
        let countsTargets: Bool

        init(_ hardware: String) {
            isSingle = hardware == "virtio-scsi-single"
            switch hardware {
            case "virtio-scsi-pci", "virtio-scsi-single": model = "virtio-scsi"
            case "megasas": model = "lsisas1078"
            case "pvscsi": model = "vmpvscsi"
            default: model = "lsilogic"
            }
            countsTargets = model != "virtio-scsi"
        }

        var takesThreads: Bool { model == "virtio-scsi" }
    }

    /// Controllers, disks and CD drives. Returns how many threads for input and output they name.
    mutating func drives(_ xml: inout XMLWriter) -> Int {
        let hardware = take("scsihw") ?? "lsi"
        _ = take("boot")
        _ = take("bootdisk")
        let scsi = SCSIController(hardware)
        if hardware == "lsi53c810" {
            note("scsihw", "the controller lsi53c810 became its relative lsilogic")
        }
        var threads = 0
        var letters: [String: Int] = [:]
        var controllers: Set<String> = []
        for bus in ["scsi", "virtio", "sata", "ide"] {
            for (number, entry) in guest.numbered(bus) {
                _ = take(entry.key)
                let options = DriveOptions(entry.text)
                let disk = disks.first { $0.key == entry.key }
                guard attaches(entry, options, disk) else { continue }
                let usesThread =
                    options.properties.flag("iothread") && disk != nil
                    && (bus == "virtio" || bus == "scsi" && scsi.isSingle)
                if usesThread {
                    threads += 1
                } else if options.properties.flag("iothread") {
                    note(entry.key, "a thread of its own is not set for this kind of drive")
                }
                // q35 has no IDE: such drives go to a second SATA controller.
                let moved = bus == "ide" && isQ35
                let place = moved ? "sata" : bus
                let (controller, target, unit): (Int, Int, Int) =
                    switch place {
                    case "scsi" where scsi.isSingle: (number, 0, number)
                    case "scsi" where scsi.countsTargets: (number / 7, number % 7, 0)
                    case "scsi": (0, 0, number)
                    case "sata": (moved ? 1 : 0, 0, number)
                    default: (0, 0, number % 2)
                    }
                if moved { note(entry.key, "q35 has no IDE; \(entry.key) is a SATA drive") }
                if place == "scsi", controllers.insert("scsi\(controller)").inserted {
                    let attributes: XMLWriter.Attributes = [
                        ("type", "scsi"), ("index", String(controller)), ("model", scsi.model),
                    ]
                    if usesThread {
                        xml.element("controller", attributes) { xml in
                            xml.empty("driver", [("iothread", String(threads))])
                        }
                    } else {
                        xml.empty("controller", attributes)
                    }
                }
                if place == "sata", controllers.insert("sata\(controller)").inserted {
                    xml.empty("controller", [("type", "sata"), ("index", String(controller))])
                }
                let prefix = place == "virtio" ? "vd" : place == "ide" ? "hd" : "sd"
                let letter = letters[prefix, default: 0]
                letters[prefix] = letter + 1
                let isMedium = disk == nil
                xml.element("disk", [("type", "file"), ("device", isMedium ? "cdrom" : "disk")]) {
                    xml in
                    xml.empty(
                        "driver",
                        driver(
                            entry.key, options, disk, bus == "virtio" && usesThread ? threads : nil)
                    )
                    if let disk { xml.empty("source", [("file", disk.file)]) }
                    let spins = options.properties.flag("ssd") && place != "virtio"
                    xml.empty(
                        "target",
                        [
                            ("dev", prefix + Self.letters(letter)), ("bus", place),
                            ("rotation_rate", spins ? "1" : nil),
                        ])
                    limits(&xml, entry.key, options)
                    if isMedium || options.properties.flag("ro") { xml.empty("readonly") }
                    if !isMedium { labels(&xml, options, place) }
                    if let order = boot.firstIndex(of: entry.key) {
                        xml.empty("boot", [("order", String(order + 1))])
                    }
                    if place != "virtio" {
                        xml.empty(
                            "address",
                            [
                                ("type", "drive"), ("controller", String(controller)),
                                ("bus", String(place == "ide" ? number / 2 : 0)),
                                ("target", String(target)), ("unit", String(unit)),
                            ])
                    }
                }
                tellUnknown(entry.key, options)
            }
        }
        return threads
    }

    /// Whether there is something to attach: a disk that has a file, or a drive for media.
    private mutating func attaches(
        _ entry: GuestConfiguration.Entry, _ options: DriveOptions, _ disk: GuestDisk?
    ) -> Bool {
        if options.isCloudInit {
            note(entry.key, "the cloud-init drive is empty: settings of cloud-init are not carried")
            return !entry.key.hasPrefix("virtio")
        }
        if options.isMedium {
            if options.volume != .none {
                note(
                    entry.key, "the medium \"\(options.source)\" is not carried; the drive is empty"
                )
            }
            if entry.key.hasPrefix("virtio") {
                note(entry.key, "a medium cannot be on virtio; the drive is left out")
                return false
            }
            return true
        }
        guard disk == nil else { return true }
        note(entry.key, "\(entry.key) (\"\(options.source)\") has no file here and is not attached")
        return false
    }

    private mutating func driver(
        _ key: String, _ options: DriveOptions, _ disk: GuestDisk?, _ thread: Int?
    ) -> XMLWriter.Attributes {
        let properties = options.properties
        let cache = properties["cache"].flatMap {
            ["none", "writethrough", "writeback", "unsafe", "directsync"].contains($0) ? $0 : nil
        }
        let direct = cache == nil || cache == "none" || cache == "directsync"
        var io = properties["aio"].flatMap {
            ["native", "threads", "io_uring"].contains($0) ? $0 : nil
        }
        if io == "native", !direct {
            note(key, "aio=native needs a cache mode without the host's cache and is not set")
            io = nil
        }
        let format = disk?.format.rawValue ?? "raw"
        return [
            ("name", "qemu"), ("type", format),
            // Proxmox VE takes none where nothing is said, QEMU writeback.
            ("cache", disk == nil ? nil : cache ?? "none"),
            (
                "error_policy",
                properties["werror"].flatMap {
                    ["stop", "report", "ignore"].contains($0)
                        ? $0 : $0 == "enospc" ? "enospace" : nil
                }
            ),
            (
                "rerror_policy",
                properties["rerror"].flatMap {
                    ["stop", "report", "ignore"].contains($0) ? $0 : nil
                }
            ),
            ("io", io),
            ("discard", properties["discard"] == "on" ? "unmap" : nil),
            ("iothread", thread.map(String.init)),
            (
                "detect_zeroes",
                properties["detect_zeroes"].flatMap(PropertyString.flag).map {
                    $0 ? (properties["discard"] == "on" ? "unmap" : "on") : "off"
                }
            ),
        ]
    }

    private func labels(_ xml: inout XMLWriter, _ options: DriveOptions, _ bus: String) {
        // The serial number is percent-encoded in the configuration.
        if let serial = options.properties["serial"] {
            let decoded = PercentCode.decode(serial.utf8)
            xml.leaf("serial", decoded.map { String(decoding: $0, as: UTF8.self) } ?? serial)
        }
        if bus != "virtio", let wwn = options.properties["wwn"], wwn.hasPrefix("0x"),
            wwn.utf8.count == 18, wwn.dropFirst(2).allSatisfy(\.isHexDigit)
        {
            xml.leaf("wwn", String(wwn.dropFirst(2)))
        }
        if bus == "scsi" {
            if let vendor = options.properties["vendor"] { xml.leaf("vendor", [], vendor) }
            if let product = options.properties["product"] { xml.leaf("product", [], product) }
        }
    }

    private static let limitNames = [
        ("mbps", "total_bytes_sec"), ("mbps_rd", "read_bytes_sec"),
        ("mbps_wr", "write_bytes_sec"), ("iops", "total_iops_sec"),
        ("iops_rd", "read_iops_sec"), ("iops_wr", "write_iops_sec"),
    ]

    private mutating func limits(_ xml: inout XMLWriter, _ key: String, _ options: DriveOptions) {
        var set: [(String, String)] = []
        for (name, element) in Self.limitNames {
            guard let text = options.properties[name],
                let value = GuestSize.bytes(text + (name.hasPrefix("mbps") ? "M" : ""))
            else { continue }
            // libvirt takes a total or two halves.
            let halves = element.hasSuffix("bytes_sec") ? "mbps" : "iops"
            if name != halves, options.properties[halves] != nil {
                note(key, "the limit \(name) stands beside \(halves) and is not set")
                continue
            }
            set.append((element, String(value)))
        }
        guard !set.isEmpty else { return }
        xml.element("iotune") { xml in
            for (element, value) in set { xml.leaf(element, [], value) }
        }
    }

    private static let knownOptions: Set<String> = Set(
        limitNames.map(\.0) + [
            "file", "volume", "size", "media", "format", "backup", "replicate", "shared", "cache",
            "aio", "werror", "rerror", "discard", "iothread", "detect_zeroes", "ssd", "serial",
            "wwn", "ro", "vendor", "product",
        ])

    private mutating func tellUnknown(_ key: String, _ options: DriveOptions) {
        for part in options.properties.parts {
            guard let name = part.name, !Self.knownOptions.contains(name) else { continue }
            note(key, "the option \(name)=\(part.value) of the drive is not set")
        }
    }

    /// a … z, aa, ab …
    private static func letters(_ number: Int) -> String {
        var number = number
        var text = ""
        repeat {
            text = String(Character(Unicode.Scalar(UInt8(0x61 + number % 26)))) + text
            number = number / 26 - 1
        } while number >= 0
        return text
    }
}
