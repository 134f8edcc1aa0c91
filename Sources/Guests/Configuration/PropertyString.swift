import Basics

/// A value made of options: `local-lvm:vm-100-disk-0,size=32G,backup=0`.
///
/// The parts keep their order and their spelling, so that what was read is written back unchanged.
public struct PropertyString: Sendable, Equatable {
    public struct Part: Sendable, Equatable {
        /// Nil for a value without a name: the volume of a drive, the model of a processor.
        public let name: String?
        public var value: String

        public init(_ name: String?, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public var parts: [Part]

    public init(_ parts: [Part]) { self.parts = parts }

    public init(_ text: String) {
        parts = text.utf8.split(separator: 0x2c, omittingEmptySubsequences: false).map { part in
            guard let equals = part.firstIndex(of: 0x3d), equals > part.startIndex else {
                return Part(nil, String(decoding: part, as: UTF8.self))
            }
            return Part(
                String(decoding: part[..<equals], as: UTF8.self),
                String(decoding: part[part.index(after: equals)...], as: UTF8.self))
        }
    }

    public var text: String {
        parts.map { ($0.name.map { $0 + "=" } ?? "") + $0.value }.joined(separator: ",")
    }

    /// The value of a named option; the last one counts.
    public subscript(name: String) -> String? { parts.last { $0.name == name }?.value }

    /// The first value without a name.
    public var unnamed: String? { parts.first { $0.name == nil && !$0.value.isEmpty }?.value }

    /// The first value, named or not, with the names it may go by.
    public func first(_ names: String...) -> String? {
        for name in names { if let value = self[name] { return value } }
        return unnamed
    }

    public func flag(_ name: String, otherwise: Bool = false) -> Bool {
        self[name].flatMap(Self.flag) ?? otherwise
    }

    public mutating func set(_ name: String, _ value: String) {
        if let index = parts.lastIndex(where: { $0.name == name }) {
            parts[index].value = value
        } else {
            parts.append(Part(name, value))
        }
    }

    public mutating func remove(_ names: String...) {
        parts.removeAll { part in part.name.map { names.contains($0) } ?? false }
    }

    /// A switch as Proxmox reads it.
    public static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "1", "on", "yes", "true": true
        case "0", "off", "no", "false": false
        default: nil
        }
    }
}

/// What a drive's or mount point's first value names.
public enum VolumeReference: Sendable, Equatable {
    /// `local-lvm:vm-100-disk-0`.
    case volume(storage: String, name: String)
    /// A device, directory or file of the host.
    case path(String)
    /// An empty drive.
    case none
    /// The drive of the host.
    case hostDrive
    case unreadable(String)

    public init(_ text: String) {
        if text.hasPrefix("/") {
            self = .path(text)
        } else if text == "none" {
            self = .none
        } else if text == "cdrom" {
            self = .hostDrive
        } else if let colon = text.firstIndex(of: ":"), colon > text.startIndex,
            text.index(after: colon) < text.endIndex
        {
            self = .volume(
                storage: String(text[..<colon]), name: String(text[text.index(after: colon)...]))
        } else {
            self = .unreadable(text)
        }
    }

    public var storage: String? {
        if case .volume(let storage, _) = self { storage } else { nil }
    }
}

/// A drive of a virtual machine or a mount point of a container, with its options.
public struct DriveOptions: Sendable, Equatable {
    public var properties: PropertyString

    public init(_ text: String) { properties = PropertyString(text) }

    public var text: String { properties.text }
    /// The first value as it is written: a volume, a path, `none`.
    public var source: String { properties.first("file", "volume") ?? "" }
    public var volume: VolumeReference { VolumeReference(source) }
    /// The declared size in bytes; nil where there is none or it cannot be read.
    public var size: UInt64? { properties["size"].flatMap(GuestSize.bytes) }
    public var isMedium: Bool { properties["media"] == "cdrom" || volume == .hostDrive }

    /// A drive with the configuration of a first boot, which Proxmox makes anew.
    public var isCloudInit: Bool {
        guard case .volume(_, let name) = volume else { return false }
        let last = name.split(separator: "/").last.map(String.init) ?? name
        return last == "cloudinit" || (last.hasPrefix("vm-") && last.contains("-cloudinit"))
    }

    /// Whether the volume builds upon the disk of a template: `base-9000-disk-0/vm-100-disk-0`.
    public var isLinkedClone: Bool {
        guard case .volume(_, let name) = volume else { return false }
        let parts = name.split(separator: "/")
        return parts.count > 1
            && parts.dropLast().contains { $0.hasPrefix("base-") || $0.hasPrefix("basevol-") }
    }

    /// The format that the name of the volume or the option `format` tells; nil if neither does.
    public var format: String? {
        if let format = properties["format"] { return format }
        guard let dot = source.lastIndex(of: ".") else { return nil }
        let ending = String(source[source.index(after: dot)...])
        return ["raw", "qcow2", "vmdk"].contains(ending) ? ending : nil
    }
}

/// Sizes as Proxmox writes them: `32G`, `528K`, `1.5T`, or bytes without a letter.
public enum GuestSize {
    private static let units: [(letter: UInt8, shift: UInt64)] = [
        (0x4b, 10), (0x4d, 20), (0x47, 30), (0x54, 40),
    ]

    /// The exact number of bytes; nil for anything else, and beyond 2^63.
    public static func bytes(_ text: String) -> UInt64? {
        var digits = Array(text.utf8)
        var shift: UInt64 = 0
        if let unit = units.first(where: { $0.letter == digits.last }) {
            shift = unit.shift
            digits.removeLast()
        }
        let parts = digits.split(separator: 0x2e, omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.count <= 19 }),
            parts.allSatisfy({ $0.allSatisfy { (0x30...0x39).contains($0) } }),
            let whole = UInt64(String(decoding: parts[0], as: UTF8.self)),
            whole < 1 << (63 - shift)
        else { return nil }
        guard parts.count == 2 else { return whole << shift }
        // Three digits behind the point are what a size ever has; more would be lost in the product.
        guard parts[1].count <= 6, let fraction = UInt64(String(decoding: parts[1], as: UTF8.self))
        else { return nil }
        let scale = parts[1].reduce(UInt64(1)) { product, _ in product * 10 }
        return whole << shift + (fraction << shift) / scale
    }

    /// The shortest form without loss.
    public static func text(_ bytes: UInt64) -> String {
        for unit in units.reversed() where bytes > 0 && bytes & (1 << unit.shift - 1) == 0 {
            return "\(bytes >> unit.shift)\(Character(Unicode.Scalar(unit.letter)))"
        }
        return String(bytes)
    }

    /// Whole GiB, rounded up: the unit in which Proxmox makes volumes.
    public static func gibibytes(_ bytes: UInt64) -> UInt64 {
        max(1, (bytes + (1 << 30 - 1)) >> 30)
    }
}

/// Percent-encoding of RFC 3986, over bytes.
public enum PercentCode {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Encodes all bytes but those that `keep` lets through; `%` is always encoded.
    public static func encode(
        _ bytes: some Sequence<UInt8>, keeping keep: (UInt8) -> Bool
    ) -> [UInt8] {
        var encoded: [UInt8] = []
        for byte in bytes {
            if keep(byte), byte != 0x25 {
                encoded.append(byte)
            } else {
                encoded += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return encoded
    }

    /// Only unreserved characters stay: what `sshkeys` wants.
    public static func encodeAll(_ text: String) -> String {
        let bytes = encode(text.utf8) { byte in
            (0x61...0x7a).contains(byte | 0x20) && byte >= 0x41 || (0x30...0x39).contains(byte)
                || byte == 0x2d || byte == 0x2e || byte == 0x5f || byte == 0x7e
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The bytes; nil where a `%` is not followed by two digits.
    public static func decode(_ bytes: some Sequence<UInt8>) -> [UInt8]? {
        let bytes = Array(bytes)
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == 0x25 else {
                decoded.append(bytes[index])
                index += 1
                continue
            }
            guard index + 2 < bytes.count, let high = digit(bytes[index + 1]),
                let low = digit(bytes[index + 2])
            else { return nil }
            decoded.append(high << 4 | low)
            index += 3
        }
        return decoded
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
