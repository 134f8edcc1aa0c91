import Basics

/// What a guest of Proxmox VE is: a virtual machine or a container.
public enum GuestKind: String, Sendable, CaseIterable {
    case qemu
    case lxc
}

/// The configuration of a guest: keys and values in order, as `qm config` and `pct config` show them.
///
/// The file form (`/etc/pve/…/100.conf`, `qemu-server.conf` in an archive) and the API's form give the
/// same model; only the file form has snapshots, pending changes and the map of devices. Values are
/// bytes, since files hold what somebody once typed.
public struct GuestConfiguration: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public let key: String
        public var bytes: [UInt8]

        public init(_ key: String, _ bytes: [UInt8]) {
            self.key = key
            self.bytes = bytes
        }

        public init(_ key: String, _ text: String) { self.init(key, Array(text.utf8)) }

        /// The value; bytes that are not UTF-8 show as U+FFFD.
        public var text: String { String(decoding: bytes, as: UTF8.self) }
        public var isText: Bool { String(validating: bytes, as: UTF8.self) != nil }
    }

    /// A `[NAME]` part of the file: a snapshot, pending changes, or what Proxmox calls special.
    public struct Section: Sendable, Equatable {
        public let name: String
        public var description: String?
        public var entries: [Entry]

        public init(name: String, description: String? = nil, entries: [Entry] = []) {
            self.name = name
            self.description = description
            self.entries = entries
        }
    }

    /// A line `#qmdump#map:scsi0:drive-scsi0:local-lvm:raw:` of an archive.
    public struct MappedDevice: Sendable, Equatable {
        public let key: String
        public let device: String
        public let storage: String
        public let format: String

        public init(key: String, device: String, storage: String, format: String) {
            self.key = key
            self.device = device
            self.storage = storage
            self.format = format
        }
    }

    /// A line that is none of the forms Proxmox writes: kept, and told.
    public struct UnreadLine: Sendable, Equatable {
        public let number: Int
        public let bytes: [UInt8]
    }

    public let kind: GuestKind
    /// The notes, decoded, without white space at the end.
    public var description: String?
    public var entries: [Entry]
    public var snapshots: [Section]
    /// Changes that wait for a restart; nil where there is no such section.
    public var pending: Section?
    public var specials: [Section]
    public var devices: [MappedDevice]
    public var unread: [UnreadLine]

    public init(kind: GuestKind, description: String? = nil, entries: [Entry] = []) {
        self.kind = kind
        self.description = description
        self.entries = entries
        snapshots = []
        pending = nil
        specials = []
        devices = []
        unread = []
    }
}

extension GuestConfiguration {
    /// The value of a key; of a repeated one the last, which is the one that Proxmox uses.
    public subscript(key: String) -> String? { entries.last { $0.key == key }?.text }

    /// Whether a switch is on. Proxmox takes 1, on, yes and true for on.
    public func flag(_ key: String, otherwise: Bool = false) -> Bool {
        guard let text = self[key] else { return otherwise }
        return PropertyString.flag(text) ?? otherwise
    }

    public func integer(_ key: String) -> Int? { self[key].flatMap { Int($0) } }

    /// The name of the guest: `name` of a virtual machine, `hostname` of a container.
    public var name: String? { self[kind == .qemu ? "name" : "hostname"] }

    /// Sets the last entry of the key, or adds one.
    public mutating func set(_ key: String, _ text: String) {
        let entry = Entry(key, text)
        if let index = entries.lastIndex(where: { $0.key == key }) {
            entries[index] = entry
        } else {
            entries.append(entry)
        }
    }

    public mutating func remove(_ key: String) { entries.removeAll { $0.key == key } }

    /// Entries whose key is `base` followed by a number, by number: `scsi0`, `scsi1`, `scsi10`.
    public func numbered(_ base: String) -> [(number: Int, entry: Entry)] {
        var found: [(number: Int, entry: Entry)] = []
        for entry in entries {
            let key = GuestKey(entry.key)
            guard key.base == base, let number = key.number else { continue }
            found.removeAll { $0.number == number }
            found.append((number, entry))
        }
        return found.sorted { $0.number < $1.number }
    }
}

// MARK: - The form of the API

extension GuestConfiguration {
    /// The configuration that `GET …/config` answers with, in the order of the file: by key.
    ///
    /// The raw `lxc.*` keys come as pairs in the member `lxc`. `digest` is no part of a guest.
    public init(kind: GuestKind, api: JSON) throws(Failure) {
        guard let members = api.members else {
            throw Failure(.jsonMalformed, "a guest's configuration is not an object")
        }
        self.init(kind: kind)
        for member in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            switch member.key {
            case "digest": continue
            case "description":
                description = member.value.string.map(Self.trimmedEnd).flatMap {
                    $0.isEmpty ? nil : $0
                }
            case "lxc" where kind == .lxc:
                guard let pairs = member.value.array else { throw Self.malformed("lxc") }
                for pair in pairs {
                    guard let both = pair.array, both.count == 2, let key = both[0].string,
                        key.hasPrefix("lxc."), let value = both[1].string
                    else { throw Self.malformed("lxc") }
                    entries.append(Entry(key, value))
                }
            default:
                let text: String
                switch member.value {
                case .string(let value): text = value
                case .integer(let value): text = String(value)
                case .bool(let value): text = value ? "1" : "0"
                case .null: continue
                case .array, .object: throw Self.malformed(member.key)
                }
                guard GuestKey.isWellFormed(member.key) else { throw Self.malformed(member.key) }
                entries.append(Entry(member.key, text))
            }
        }
        // Raw lines stand where their keys do in the file: behind the others.
        entries =
            entries.filter { !$0.key.hasPrefix("lxc.") }
            + entries.filter { $0.key.hasPrefix("lxc.") }
    }

    private static func malformed(_ key: String) -> Failure {
        Failure(.jsonMalformed, "a guest's configuration has no readable \"\(key)\"")
    }

    static func trimmedEnd(_ text: String) -> String {
        var bytes = Array(text.utf8)
        while let last = bytes.last, ConfigurationReader.isSpace(last) { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
