import Basics

/// A disk file that belongs to a guest outside of Proxmox VE.
public struct GuestDisk: Sendable, Equatable {
    public enum Format: String, Sendable {
        case raw
        case qcow2
        case vmdk
    }

    /// The key of the configuration: `scsi0`, `efidisk0`, `tpmstate0`.
    public let key: String
    /// The path or name that the descriptor shall contain.
    public let file: String
    public let format: Format
    /// Bytes that the guest sees.
    public let size: UInt64
    /// Bytes of the file, where known; OVF wants it.
    public let fileSize: UInt64?

    public init(
        key: String, file: String, format: Format, size: UInt64, fileSize: UInt64? = nil
    ) {
        self.key = key
        self.file = file
        self.format = format
        self.size = size
        self.fileSize = fileSize
    }
}

/// Something of a guest that a descriptor cannot say, or says otherwise.
public struct DescriptorNote: Sendable, Equatable {
    /// The key of the configuration; nil for the guest as a whole.
    public let key: String?
    public let what: String

    public init(_ key: String?, _ what: String) {
        self.key = key
        self.what = what
    }
}

/// A network card: `virtio=BC:24:11:00:11:22,bridge=vmbr0,tag=30`.
public struct NetworkCard: Sendable, Equatable {
    static let models: Set<String> = [
        "virtio", "e1000", "e1000e", "e1000-82540em", "e1000-82544gc", "e1000-82545em", "rtl8139",
        "vmxnet3", "i82551", "i82557b", "i82559er", "ne2k_isa", "ne2k_pci", "pcnet",
    ]

    public var properties: PropertyString

    public init(_ text: String) { properties = PropertyString(text) }

    public var text: String { properties.text }
    public var bridge: String? { properties["bridge"] }
    public var tag: Int? { properties["tag"].flatMap { Int($0) } }

    public var model: String {
        if let model = properties["model"] { return model }
        for part in properties.parts {
            let name = part.name ?? part.value
            if Self.models.contains(name) { return name }
        }
        return "virtio"
    }

    /// The address of a machine's card (`virtio=MAC`, `macaddr=`) or a container's (`hwaddr=`).
    public var address: String? {
        for name in ["macaddr", "hwaddr", model] {
            if let address = properties[name], Self.isAddress(address) {
                return address.lowercased()
            }
        }
        return nil
    }

    /// Takes the address out, so that the target makes a new one.
    public mutating func removeAddress() {
        properties.remove("macaddr", "hwaddr")
        for index in properties.parts.indices where properties.parts[index].name == model {
            properties.parts[index] = PropertyString.Part(nil, model)
        }
    }

    static func isAddress(_ text: String) -> Bool {
        let pairs = text.split(separator: ":", omittingEmptySubsequences: false)
        return pairs.count == 6
            && pairs.allSatisfy {
                $0.utf8.count == 2 && $0.allSatisfy(\.isHexDigit) && $0.allSatisfy(\.isASCII)
            }
    }
}

/// `smbios1`: what a guest finds out about its own machine.
struct MachineIdentity {
    let uuid: String?
    /// Names of SMBIOS fields as libvirt spells them, and values.
    var fields: [(name: String, value: String)] = []

    init(_ text: String) {
        let options = PropertyString(text)
        let encoded = options.flag("base64")
        uuid = options["uuid"].flatMap { Self.isUUID($0) ? $0.lowercased() : nil }
        for name in ["manufacturer", "product", "version", "serial", "sku", "family"] {
            guard let value = options[name] else { continue }
            let decoded =
                encoded
                ? Base64.decode(value).map { String(decoding: $0, as: UTF8.self) } ?? value : value
            fields.append((name, decoded))
        }
    }

    static func isUUID(_ text: String) -> Bool {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        return groups.map(\.utf8.count) == [8, 4, 4, 4, 12]
            && groups.allSatisfy { $0.allSatisfy { $0.isHexDigit && $0.isASCII } }
    }
}

extension GuestConfiguration {
    /// Memory in MiB: `memory: 2048` or `memory: current=2048`; 512 where nothing is said.
    public var memory: Int {
        self["memory"].flatMap { PropertyString($0).first("current") }.flatMap { Int($0) }
            .flatMap { (1...1 << 40).contains($0) ? $0 : nil } ?? 512
    }

    public var sockets: Int { positive("sockets") ?? 1 }
    public var cores: Int { positive("cores") ?? (kind == .qemu ? positive("smp") : nil) ?? 1 }

    private func positive(_ key: String) -> Int? {
        integer(key).flatMap { (1...8192).contains($0) ? $0 : nil }
    }

    public var isWindows: Bool { self["ostype"].map { $0.hasPrefix("w") } ?? false }

    /// Keys of drives and cards in the order in which the machine tries to boot from them.
    public var bootOrder: [String] {
        let boot = PropertyString(self["boot"] ?? "")
        if let order = boot["order"] {
            return order.split(separator: ";").map(String.init)
        }
        // The legacy form: letters for disk, network and CD, and the disk in `bootdisk`.
        var order: [String] = []
        for letter in boot.first("legacy") ?? "cdn" {
            switch letter {
            case "c":
                let first = entries.first { entry in
                    GuestKeyFacts.of(entry.key, kind: kind)?.class == .drive
                        && !DriveOptions(entry.text).isMedium
                }
                if let disk = self["bootdisk"] ?? first?.key { order.append(disk) }
            case "d":
                order += entries.filter { entry in
                    GuestKeyFacts.of(entry.key, kind: kind)?.class == .drive
                        && DriveOptions(entry.text).isMedium
                }.map(\.key)
            case "n": order += numbered("net").map(\.entry.key)
            default: break
            }
        }
        return order
    }
}
