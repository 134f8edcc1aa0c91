extension DomainWriter {
    /// The processor: `host`, a name that QEMU knows, or one that Proxmox VE made up of others.
    mutating func processor(_ xml: inout XMLWriter) {
        let value = PropertyString(take("cpu") ?? "")
        let type = value.first("cputype") ?? "kvm64"
        var flags: [(name: String, on: Bool)] = []
        for flag in (value["flags"] ?? "").split(separator: ";") {
            guard let sign = flag.first, sign == "+" || sign == "-" else { continue }
            flags.append((Self.libvirtFlag(String(flag.dropFirst())), sign == "+"))
        }
        for name in ["reported-model", "phys-bits", "guest-phys-bits"] {
            if let option = value[name] {
                note("cpu", "the option \(name)=\(option) of the processor is not set")
            }
        }
        flags.removeAll { flag in
            let known = flag.name.utf8.allSatisfy {
                (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
                    || $0 == 0x5f || $0 == 0x2e
            }
            if !known || flag.name.hasPrefix("hv-") {
                note("cpu", "the flag \"\(flag.name)\" of the processor is not set")
                return true
            }
            return false
        }
        var model: String?
        var added: [String] = []
        switch type {
        case "host" where options.usesKVM, "max" where options.usesKVM: model = nil
        case "host", "max":
            model = "qemu64"
            note("cpu", "\(type) needs KVM; emulated, the processor is qemu64")
        case "x86-64-v2": (model, added) = ("qemu64", Self.v2)
        case "x86-64-v2-AES": (model, added) = ("qemu64", Self.v2 + ["aes"])
        case "x86-64-v3": (model, added) = ("qemu64", Self.v2 + ["aes"] + Self.v3)
        case "x86-64-v4": (model, added) = ("qemu64", Self.v2 + ["aes"] + Self.v3 + Self.v4)
        case "kvm64", "kvm32", "qemu64", "qemu32": model = type
        default:
            if type.hasPrefix("custom-") || !Self.isName(type) {
                model = "qemu64"
                note("cpu", "the custom processor \"\(type)\" is not known; it is qemu64")
            } else {
                model = type
            }
        }
        if !added.isEmpty {
            note("cpu", "\(type) is spelled as qemu64 with its flags, as Proxmox VE does")
        }
        let features =
            added.filter { name in !flags.contains { $0.name == name } }
            .map { (name: $0, on: true) } + flags
        let rooms = numa()
        xml.element(
            "cpu",
            model == nil
                ? [("mode", "host-passthrough"), ("check", "none")]
                : [("mode", "custom"), ("match", "exact"), ("check", "none")]
        ) { xml in
            if let model { xml.leaf("model", [("fallback", "allow")], model) }
            xml.empty(
                "topology",
                [
                    ("sockets", String(guest.sockets)), ("cores", String(guest.cores)),
                    ("threads", "1"),
                ])
            for feature in features {
                xml.empty(
                    "feature",
                    [("policy", feature.on ? "require" : "disable"), ("name", feature.name)])
            }
            if !rooms.isEmpty {
                xml.element("numa") { xml in
                    for (index, room) in rooms.enumerated() {
                        xml.empty(
                            "cell",
                            [
                                ("id", String(index)), ("cpus", room.processors),
                                ("memory", String(room.memory)), ("unit", "MiB"),
                            ])
                    }
                }
            }
        }
    }

    static let v2 = ["cx16", "lahf_lm", "popcnt", "pni", "sse4.1", "sse4.2", "ssse3"]
    static let v3 = [
        "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave",
    ]
    static let v4 = ["avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"]

    /// Some flags have another name in libvirt.
    private static func libvirtFlag(_ name: String) -> String {
        switch name {
        case "sse4_1": "sse4.1"
        case "sse4_2": "sse4.2"
        case "sse3": "pni"
        default: name
        }
    }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy {
                (0x61...0x7a).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x2d
                    || $0 == 0x2e || $0 == 0x5f
            }
    }

    /// The nodes of memory: those that are given, or one for each socket where `numa` is on.
    private mutating func numa() -> [(processors: String, memory: Int)] {
        let given = guest.numbered("numa")
        for item in given { _ = take(item.entry.key) }
        let isOn = take("numa").flatMap(PropertyString.flag) ?? false
        guard isOn else { return [] }
        var rooms: [(processors: String, memory: Int)] = []
        for item in given {
            let value = PropertyString(item.entry.text)
            let processors = (value.first("cpus") ?? "").split(separator: ";").joined(
                separator: ",")
            let isList = processors.utf8.allSatisfy {
                (0x30...0x39).contains($0) || $0 == 0x2c || $0 == 0x2d
            }
            guard let memory = value["memory"].flatMap({ Int($0) }), (1...1 << 40).contains(memory),
                isList,
                !processors.isEmpty
            else {
                note(item.entry.key, "the memory node \"\(item.entry.text)\" is not set")
                continue
            }
            if value["hostnodes"] != nil {
                note(item.entry.key, "the node is not bound to memory of the host")
            }
            rooms.append((processors, memory))
        }
        if !given.isEmpty {
            if rooms.count == given.count, rooms.reduce(0, { $0 + $1.memory }) == guest.memory {
                return rooms
            }
            note("numa", "memory nodes do not add up to the memory of the guest and are not set")
            return []
        }
        let sockets = guest.sockets
        guard guest.memory % sockets == 0 else {
            note("numa", "memory cannot be divided by sockets; there is one node")
            return [("0-\(sockets * guest.cores - 1)", guest.memory)]
        }
        return (0..<sockets).map { socket in
            let first = socket * guest.cores
            let last = first + guest.cores - 1
            return (first == last ? "\(first)" : "\(first)-\(last)", guest.memory / sockets)
        }
    }
}
