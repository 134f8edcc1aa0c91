extension DomainWriter {
    mutating func devices(_ xml: inout XMLWriter) {
        let threads = drives(&xml)
        self.threads = threads
        cards(&xml)
        ports(&xml)
        display(&xml)
        trustedModule(&xml)
        smallDevices(&xml)
    }

    private mutating func cards(_ xml: inout XMLWriter) {
        for (_, entry) in guest.numbered("net") {
            _ = take(entry.key)
            let card = NetworkCard(entry.text)
            let bridge = attachment(entry.key, card)
            let isUser = bridge == nil
            let tells: Set<String> = [
                "bridge", "macaddr", "model", "tag", "link_down", "mtu", "queues", card.model,
            ]
            for part in card.properties.parts {
                guard let name = part.name, !tells.contains(name) else { continue }
                note(entry.key, "the option \(name)=\(part.value) of the card is not set")
            }
            xml.element("interface", [("type", isUser ? "user" : "bridge")]) { xml in
                if options.keepsAddresses, let address = card.address {
                    xml.empty("mac", [("address", address)])
                }
                if let bridge { xml.empty("source", [("bridge", bridge)]) }
                xml.empty("model", [("type", Self.model(card.model))])
                if let queues = card.properties["queues"].flatMap({ Int($0) }), queues > 1, !isUser,
                    card.model == "virtio"
                {
                    xml.empty("driver", [("name", "vhost"), ("queues", String(queues))])
                }
                if let mtu = card.properties["mtu"].flatMap({ Int($0) }), mtu > 1, !isUser {
                    xml.empty("mtu", [("size", String(mtu))])
                }
                if options.linkDown || card.properties.flag("link_down") {
                    xml.empty("link", [("state", "down")])
                }
                if let order = boot.firstIndex(of: entry.key) {
                    xml.empty("boot", [("order", String(order + 1))])
                }
            }
        }
    }

    /// The bridge here; nil for QEMU's own network. `vmbr0:30` names a bridge of one VLAN.
    private mutating func attachment(_ key: String, _ card: NetworkCard) -> String? {
        if options.usesUserNetwork { return nil }
        guard let bridge = card.bridge else {
            note(key, "the card is on QEMU's own network, as in Proxmox VE")
            return nil
        }
        guard let tag = card.tag else { return options.bridges[bridge] ?? bridge }
        if let mapped = options.bridges["\(bridge):\(tag)"] { return mapped }
        note(
            key,
            "VLAN \(tag) is not set: libvirt tags no Linux bridge; attach the card to a bridge of that VLAN"
        )
        return options.bridges[bridge] ?? bridge
    }

    private static func model(_ name: String) -> String {
        name == "e1000-82540em" ? "e1000" : name
    }

    private mutating func ports(_ xml: inout XMLWriter) {
        for (number, entry) in guest.numbered("serial") {
            _ = take(entry.key)
            guard entry.text == "socket" else {
                note(entry.key, "the host's device \"\(entry.text)\" is not attached")
                continue
            }
            xml.element("serial", [("type", "pty")]) { xml in
                xml.empty("target", [("port", String(number))])
            }
        }
        let agent = PropertyString(take("agent") ?? "")
        let settings = AgentSettings(of: guest)
        guard settings.enabled else { return }
        if settings.type == "isa" {
            note("agent", "the agent's port is virtio here, and was an ISA port")
        }
        if agent.flag("fstrim_cloned_disks") {
            note("agent", "the option fstrim_cloned_disks has no equivalent")
        }
        xml.element("channel", [("type", "unix")]) { xml in
            xml.empty("target", [("type", "virtio"), ("name", "org.qemu.guest_agent.0")])
        }
    }

    private mutating func display(_ xml: inout XMLWriter) {
        let value = PropertyString(take("vga") ?? "")
        let type = value.first("type") ?? (isARM ? "virtio" : "std")
        let keyboard = take("keyboard")
        if let clipboard = value["clipboard"] {
            note("vga", "the clipboard of \(clipboard) is not set")
        }
        if let spice = take("spice_enhancements") {
            note("spice_enhancements", "the display is VNC, so \"\(spice)\" is not set")
        }
        if type == "none" || type.hasPrefix("serial") {
            if type.hasPrefix("serial"), guest[type] == nil {
                note("vga", "the display is \"\(type)\", which the guest does not have")
            }
            xml.element("video") { xml in xml.empty("model", [("type", "none")]) }
            return
        }
        var heads = 1
        let model: String
        switch type {
        case "std": model = "vga"
        case "cirrus", "virtio": model = type
        case "vmware": model = "vmvga"
        case "virtio-gl":
            model = "virtio"
            note("vga", "the display does without OpenGL")
        case "qxl", "qxl2", "qxl3", "qxl4":
            model = "qxl"
            heads = type.last.flatMap(\.wholeNumberValue) ?? 1
            note("vga", "the display is reached by VNC, and was by SPICE")
        default:
            model = "vga"
            note("vga", "the display \"\(type)\" became a standard one")
        }
        xml.empty(
            "graphics",
            [
                ("type", "vnc"), ("port", "-1"), ("autoport", "yes"), ("listen", "127.0.0.1"),
                ("keymap", keyboard),
            ])
        let memory = value["memory"].flatMap { Int($0) }.flatMap {
            (4...512).contains($0) ? $0 : nil
        }
        let kibibytes = memory.map { String($0 * 1024) }
        xml.element("video") { xml in
            xml.empty(
                "model",
                [
                    ("type", model), ("heads", heads > 1 ? String(heads) : nil),
                    ("vram", model == "vga" || model == "vmvga" ? kibibytes : nil),
                    ("vgamem", model == "qxl" ? kibibytes : nil),
                ])
        }
    }

    private mutating func trustedModule(_ xml: inout XMLWriter) {
        guard let text = take("tpmstate0") else { return }
        let version = DriveOptions(text).properties["version"] ?? "v1.2"
        xml.element("tpm", [("model", "tpm-tis")]) { xml in
            xml.empty(
                "backend",
                [("type", "emulator"), ("version", version == "v2.0" ? "2.0" : "1.2")])
        }
        if let state = disks.first(where: { $0.key == "tpmstate0" }) {
            note(
                "tpmstate0",
                "the state of the TPM is \"\(state.file)\", as swtpm reads it with backend-uri=file://; libvirt starts with an empty one until it is put in place"
            )
        } else {
            note("tpmstate0", "the TPM starts empty: keys that it sealed are lost to the guest")
        }
    }

    private mutating func smallDevices(_ xml: inout XMLWriter) {
        if take("tablet").flatMap(PropertyString.flag) ?? true {
            xml.empty("input", [("type", "tablet"), ("bus", "usb")])
        }
        if let text = take("rng0") {
            let value = PropertyString(text)
            var source = value.first("source") ?? "/dev/urandom"
            if source != "/dev/urandom" && source != "/dev/random" {
                note("rng0", "randomness comes from /dev/urandom, and did from \"\(source)\"")
                source = "/dev/urandom"
            }
            let bytes = value["max_bytes"].flatMap { Int($0) } ?? 1024
            xml.element("rng", [("model", "virtio")]) { xml in
                if bytes > 0 {
                    let period = value["period"].flatMap { Int($0) } ?? 1000
                    xml.empty(
                        "rate", [("bytes", String(bytes)), ("period", String(max(period, 1)))])
                }
                xml.leaf("backend", [("model", "random")], source)
            }
        }
        if let text = take("watchdog") {
            let value = PropertyString(text)
            let model = value.first("model") ?? "i6300esb"
            let action = value["action"] ?? "reset"
            let known = ["reset", "shutdown", "poweroff", "pause", "none"].contains(action)
            if !known { note("watchdog", "the action \"\(action)\" became reset") }
            xml.empty(
                "watchdog",
                [
                    ("model", model == "ib700" ? "ib700" : "i6300esb"),
                    ("action", known ? action : "reset"),
                ])
        }
        if let text = take("audio0") {
            let device = PropertyString(text).first("device") ?? ""
            let model = ["ich9-intel-hda": "ich9", "intel-hda": "ich6", "AC97": "ac97"][device]
            xml.empty("sound", [("model", model ?? "ich9")])
            note("audio0", "sound is not carried by VNC")
        }
        xml.empty("memballoon", [("model", guest["balloon"] == "0" ? "none" : "virtio")])
        if take("kvm").flatMap(PropertyString.flag) == false, options.usesKVM {
            note("kvm", "the guest did without KVM and has it here")
        }
    }
}
