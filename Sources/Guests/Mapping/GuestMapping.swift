import Basics

/// How guests are renamed and moved on import: storages, bridges, ids, addresses, nodes, pools.
///
/// Texts are those of the plan, in the words of `qm remote-migrate`: `vmbr0` or `vmbr0:30` for a
/// bridge and a VLAN of it, `+1000` for an offset of ids.
public struct GuestMapping: Sendable, Equatable {
    public struct Place: Sendable, Equatable {
        public let storage: String
        /// `raw`, `qcow2` or `vmdk`; nil leaves it to the storage.
        public let format: String?

        public init(storage: String, format: String? = nil) {
            self.storage = storage
            self.format = format
        }

        /// `local-lvm` or `nfs:qcow2`.
        public init(parsing text: String) throws(Failure) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, GuestMapping.isName(String(parts[0])),
                parts.count == 1 || ["raw", "qcow2", "vmdk"].contains(parts[1])
            else {
                throw Failure(
                    .invalidValue, "\"\(text)\" is no storage",
                    hint: "Write STORAGE or STORAGE:FORMAT; formats are raw, qcow2 and vmdk.")
            }
            self.init(storage: String(parts[0]), format: parts.count == 2 ? String(parts[1]) : nil)
        }
    }

    public struct Bridge: Sendable, Equatable {
        public let name: String
        public let tag: Int?

        public init(name: String, tag: Int? = nil) {
            self.name = name
            self.tag = tag
        }

        public init(parsing text: String) throws(Failure) {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            let tag = parts.count == 2 ? Int(parts[1]) : nil
            guard parts.count <= 2, GuestMapping.isName(String(parts[0])),
                parts.count == 1 || tag.map({ (1...4094).contains($0) }) == true
            else {
                throw Failure(
                    .invalidValue, "\"\(text)\" is no bridge",
                    hint: "Write BRIDGE or BRIDGE:VLAN; a VLAN is a number from 1 to 4094.")
            }
            self.init(name: String(parts[0]), tag: tag)
        }
    }

    public enum Addresses: String, Sendable {
        case keep
        case new
    }

    public enum Numbers: Sendable, Equatable {
        case keep
        case offset(Int)
        case explicit([Int: Int])

        /// `keep`, `+1000` or `-1000`.
        public init(parsing text: String) throws(Failure) {
            if text == "keep" {
                self = .keep
                return
            }
            guard let sign = text.first, sign == "+" || sign == "-", text.count > 1,
                text.utf8.dropFirst().allSatisfy({ (0x30...0x39).contains($0) }),
                let offset = Int(text), abs(offset) < 1_000_000_000
            else {
                throw Failure(
                    .invalidValue, "\"\(text)\" is no offset of ids",
                    hint: "Write \"+1000\", or a map of ids.")
            }
            self = .offset(offset)
        }
    }

    /// Where disks go that no other rule names; nil keeps the storage of the source.
    public var storage: Place?
    public var storages: [String: Place] = [:]
    /// By volume, `local-lvm:vm-100-disk-0`.
    public var volumes: [String: Place] = [:]
    /// By `vmbr0` or `vmbr0:30`; the second is looked up first.
    public var bridges: [String: Bridge] = [:]
    public var numbers = Numbers.keep
    public var addresses = Addresses.keep
    public var nodes: [String: String] = [:]
    public var pools: [String: String] = [:]
    /// Cards begin unplugged, so that a rehearsal does not meet the guest it was made of.
    public var linkDown = false
    public var namePrefix = ""

    public init() {}

    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7a).contains(first | 0x20),
            text.utf8.count <= 100
        else { return false }
        return text.utf8.allSatisfy {
            (0x61...0x7a).contains($0 | 0x20) || (0x30...0x39).contains($0) || $0 == 0x2d
                || $0 == 0x2e || $0 == 0x5f
        }
    }
}

extension GuestMapping {
    /// The id of a guest at the target. Throws where the map has none, or Proxmox allows none.
    public func number(of source: Int) throws(Failure) -> Int {
        let number: Int
        switch numbers {
        case .keep: number = source
        case .offset(let offset): number = source + offset
        case .explicit(let map):
            guard let found = map[source] else {
                throw Failure(
                    .invalidValue, "the map of ids has none for guest \(source)",
                    hint: "Add \(source) to the map, or give an offset such as \"+1000\".")
            }
            number = found
        }
        guard (100...999_999_999).contains(number) else {
            throw Failure(
                .invalidValue, "guest \(source) would get the id \(number)",
                hint: "Ids of Proxmox VE are from 100 to 999999999.")
        }
        return number
    }

    /// The ids of all guests; throws where two would get the same.
    public func numbers(of sources: [Int]) throws(Failure) -> [Int: Int] {
        var found: [Int: Int] = [:]
        var taken: [Int: Int] = [:]
        for source in sources {
            let number = try number(of: source)
            if let other = taken[number], other != source {
                throw Failure(
                    .invalidValue, "guests \(other) and \(source) would both get the id \(number)")
            }
            taken[number] = source
            found[source] = number
        }
        return found
    }

    /// The storage that a restore of Proxmox VE takes where a disk comes from none.
    public static let storageOfNone = "local"

    /// Where a volume goes, or a disk that was one of the host. Throws where nothing says so.
    public func place(of volume: String) throws(Failure) -> Place {
        if let place = volumes[volume] { return place }
        let reference = VolumeReference(volume)
        let source = reference.storage
        if let source, let place = storages[source] { return place }
        if let storage { return storage }
        if case .path = reference { return Place(storage: Self.storageOfNone) }
        guard let source else {
            throw Failure(
                .invalidValue, "no storage is given for \"\(volume)\"",
                hint: "Give a storage for all disks.")
        }
        return Place(storage: source)
    }

    public func node(of source: String) -> String { nodes[source] ?? source }
    public func pool(of source: String) -> String { pools[source] ?? source }

    /// A card with bridge, VLAN, address and link as they are at the target.
    public func card(_ source: NetworkCard) -> NetworkCard {
        var card = source
        if let name = card.bridge {
            let exact = card.tag.flatMap { bridges["\(name):\($0)"] }
            if let target = exact ?? bridges[name] {
                card.properties.set("bridge", target.name)
                if let tag = target.tag {
                    card.properties.set("tag", String(tag))
                } else if exact != nil {
                    card.properties.remove("tag")
                }
            }
        }
        if addresses == .new { card.removeAddress() }
        if linkDown { card.properties.set("link_down", "1") }
        return card
    }

    func name(_ source: String) -> String { namePrefix + source }

    /// Whether a guest of Proxmox VE may have the name that the mapping gives one: a name of DNS.
    public func isHostName(_ source: String) -> Bool {
        name(source).split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && !label.hasPrefix("-") && !label.hasSuffix("-")
                && label.utf8.allSatisfy { byte in
                    byte == 0x2d || (0x30...0x39).contains(byte)
                        || (0x61...0x7a).contains(byte | 0x20)
                }
        }
    }
}
