import Basics

/// A guest at the target held against what the source was, key by key, with the mapping applied.
public struct ConfigurationComparison: Sendable, Equatable {
    public enum Verdict: String, Sendable {
        case equal
        /// As the mapping says, and so otherwise than at the source.
        case mapped
        case differs
        case missing
        case extra
        /// Missing, and on the list of what the operator does.
        case leftToDo = "left-to-do"
        /// The server does not show it, so nothing is known.
        case hidden
    }

    public struct Item: Sendable, Equatable {
        public let key: String
        public let verdict: Verdict
        public let source: String?
        public let expected: String?
        public let found: String?
    }

    public let items: [Item]

    /// Whether nothing differs, is missing or too much. What is hidden or left to do is no success
    /// of its own: the caller tells it.
    public var agrees: Bool {
        items.allSatisfy { ![.differs, .missing, .extra].contains($0.verdict) }
    }

    /// - Parameters:
    ///   - carried: keys of disks that were made at the target; others are not expected there.
    ///   - keepsMedia: whether the guest was restored: a server keeps media in their drives then.
    ///   - actions: what is left to the operator.
    public init(
        source: GuestConfiguration, found: GuestConfiguration, at target: CreationTarget,
        carried: Set<String>, keepsMedia: Bool = false, actions: [ManualAction] = []
    ) throws(Failure) {
        let expected = try source.expected(at: target, carried: carried, keepsMedia: keepsMedia)
        let left = Set(actions.map(\.key))
        var items: [Item] = []
        let notes = Self.notes(of: source, source, carried)
        let notesThere = Self.notes(of: found, source, carried)
        if notes != nil || notesThere != nil {
            items.append(
                Self.item("description", notes, notes, notesThere, left) { $0 == $1 })
        }
        var seen: Set<String> = []
        for entry in expected.entries where seen.insert(entry.key).inserted {
            var all = Self.all(entry.key, expected)
            let there = Self.all(entry.key, found)
            if entry.key == "boot" { all = all.map { Self.bootOrder($0, in: found) } }
            if let item = ServerChoices.item(
                entry.key, expected: all, source: Self.all(entry.key, source), found)
            {
                items.append(item)
                continue
            }
            if there == nil, let all, ConfigurationDefaults.has(entry.key, all, source.kind) {
                items.append(
                    Item(
                        key: entry.key, verdict: .equal, source: Self.all(entry.key, source),
                        expected: all, found: nil))
                continue
            }
            if GuestConfiguration.secretKeys.contains(entry.key), there != nil {
                items.append(
                    Item(
                        key: entry.key, verdict: .hidden, source: nil, expected: nil, found: nil))
                continue
            }
            items.append(
                Self.item(entry.key, Self.all(entry.key, source), all, there, left) {
                    Self.same(entry.key, $0, $1, source.kind, target)
                })
        }
        for entry in found.entries where seen.insert(entry.key).inserted {
            if Self.isGenerated(entry, found.kind) { continue }
            if let item = ServerChoices.item(entry.key, expected: nil, source: nil, found) {
                items.append(item)
                continue
            }
            if ConfigurationDefaults.has(entry.key, entry.text, found.kind) { continue }
            items.append(
                Item(
                    key: entry.key, verdict: .extra, source: nil, expected: nil,
                    found: GuestConfiguration.secretKeys.contains(entry.key) ? nil : entry.text))
        }
        self.items = items
    }

    /// The description without disks that no backup had: a restore makes comments of their lines, and
    /// comments are the description.
    private static func notes(
        of guest: GuestConfiguration, _ source: GuestConfiguration, _ carried: Set<String>
    ) -> String? {
        let gone = Set(
            source.entries.filter { entry in
                !carried.contains(entry.key)
                    && GuestKeyFacts.of(entry.key, kind: source.kind)?.class == .drive
            }.map { "\($0.key): \($0.text)" })
        guard let text = guest.description, !gone.isEmpty else { return guest.description }
        let kept = text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !gone.contains(String($0)) }
        let rest = GuestConfiguration.trimmedEnd(kept.joined(separator: "\n"))
        return rest.isEmpty ? nil : rest
    }

    private static func item(
        _ key: String, _ source: String?, _ expected: String?, _ found: String?,
        _ left: Set<String>, _ same: (String, String) -> Bool
    ) -> Item {
        let verdict: Verdict
        switch (expected, found) {
        case (let expected?, let found?):
            // What the operator shall still set may be there in part.
            verdict =
                !same(expected, found)
                ? (left.contains(key) ? .leftToDo : .differs)
                : source == expected ? .equal : .mapped
        case (_?, nil): verdict = left.contains(key) ? .leftToDo : .missing
        default: verdict = .extra
        }
        return Item(key: key, verdict: verdict, source: source, expected: expected, found: found)
    }

    /// The value; of raw keys, which repeat, all lines.
    private static func all(_ key: String, _ guest: GuestConfiguration) -> String? {
        guard key.hasPrefix("lxc.") else { return guest[key] }
        let values = guest.entries.filter { $0.key == key }.map(\.text)
        return values.isEmpty ? nil : values.joined(separator: "\n")
    }

    /// The order without devices that the target does not have; their absence is told by itself.
    private static func bootOrder(_ text: String, in found: GuestConfiguration) -> String {
        var boot = PropertyString(text)
        guard let order = boot["order"] else { return text }
        let kept = order.split(separator: ";").filter { found[String($0)] != nil }
        boot.set("order", kept.joined(separator: ";"))
        return boot.text
    }

    private static func isGenerated(
        _ entry: GuestConfiguration.Entry, _ kind: GuestKind
    ) -> Bool {
        let group = GuestKeyFacts.of(entry.key, kind: kind)?.class
        // A lock is a state that somebody has to look at.
        return group == .generated || (group == .state && entry.key != "lock")
            || (entry.key == "smbios1"
                && PropertyString(entry.text).parts.allSatisfy { $0.name == "uuid" })
    }

    private static let firstNames = [
        "agent": "enabled", "cpu": "cputype", "vga": "type", "machine": "type", "boot": "legacy",
        "watchdog": "model", "rng": "source", "memory": "current", "hostpci": "host", "usb": "host",
    ]

    private static func same(
        _ key: String, _ expected: String, _ found: String, _ kind: GuestKind,
        _ target: CreationTarget
    ) -> Bool {
        if expected == found { return true }
        let base = GuestKey(key).base
        switch GuestKeyFacts.of(key, kind: kind)?.class {
        case .drive, .firmware, .tpm, .rootDisk, .mountPoint:
            return sameDrive(DriveOptions(expected), DriveOptions(found))
        case .network:
            let comparesAddress =
                target.mapping.addresses == .keep && NetworkCard(expected).address != nil
            return options(normalised(expected, comparesAddress))
                == options(normalised(found, comparesAddress))
        case .cloudInit where key == "sshkeys":
            return PercentCode.decode(expected.utf8) == PercentCode.decode(found.utf8)
        default:
            if key == "tags" {
                let split: (String) -> Set<Substring> = { text in
                    Set(text.lowercased()[...].split { $0 == ";" || $0 == "," || $0 == " " })
                }
                return split(expected) == split(found)
            }
            if key == "smbios1", target.mapping.addresses == .new {
                return options(withoutUUID(expected)) == options(withoutUUID(found))
            }
            guard expected.contains(",") || expected.contains("=") || found.contains("=") else {
                return PropertyString.flag(expected) != nil
                    && PropertyString.flag(expected) == PropertyString.flag(found)
            }
            return options(expected, first: firstNames[base])
                == options(found, first: firstNames[base])
        }
    }

    /// Options without order, the first value under its name.
    private static func options(_ text: String, first: String? = nil) -> [String: String] {
        var found: [String: String] = [:]
        for part in PropertyString(text).parts where part.name != nil || !part.value.isEmpty {
            found[part.name ?? first ?? ""] = part.value
        }
        return found
    }

    private static func withoutUUID(_ text: String) -> String {
        var options = PropertyString(text)
        options.remove("uuid")
        return options.text
    }

    /// A card with its model and address under names, and the address as it shall be compared.
    private static func normalised(_ text: String, _ hasAddress: Bool) -> String {
        let card = NetworkCard(text)
        var rest = card.properties
        rest.remove("model", "macaddr", "hwaddr", card.model)
        rest.parts.removeAll { $0.name == nil && $0.value == card.model }
        rest.set("model", card.model)
        // Containers have one kind of card, which Proxmox VE spells out.
        rest.parts.removeAll { $0 == PropertyString.Part("type", "veth") }
        if hasAddress, let address = card.address {
            rest.set("macaddr", address)
        }
        return rest.text
    }

    /// Same storage and options; the name is the target's own, the size may be rounded up.
    private static func sameDrive(_ expected: DriveOptions, _ found: DriveOptions) -> Bool {
        switch (expected.volume, found.volume) {
        case (.volume(let left, _), .volume(let right, _)):
            guard left == right, expected.isCloudInit == found.isCloudInit else { return false }
            // Such a drive is made anew; its storage is all there is to say.
            if expected.isCloudInit { return true }
        case (.none, .none): break
        case (let left, let right): guard left == right else { return false }
        }
        if !expected.isMedium, !expected.isCloudInit, let least = expected.size {
            guard let size = found.size, size >= least, size - least < 1 << 30 else { return false }
        }
        let ignored: Set<String> = ["file", "volume", "size", "format", "media", "import-from"]
        let kept: (DriveOptions) -> [String: String] = { options in
            var found: [String: String] = [:]
            for part in options.properties.parts {
                guard let name = part.name, !ignored.contains(name) else { continue }
                if ConfigurationDefaults.ofDrives[name] != part.value { found[name] = part.value }
            }
            return found
        }
        return expected.isMedium == found.isMedium && kept(expected) == kept(found)
    }
}

extension GuestConfiguration {
    /// What the guest's configuration should be at the target, but for names of volumes and what
    /// Proxmox makes by itself.
    public func expected(
        at target: CreationTarget, carried: Set<String>, keepsMedia: Bool = false
    ) throws(Failure) -> GuestConfiguration {
        var expected = GuestConfiguration(kind: kind, description: description)
        for entry in entries {
            let group = GuestKeyFacts.of(entry.key, kind: kind)?.class
            switch group {
            case .generated, .state, .request, .unused: continue
            case .network:
                let card = target.mapping.card(NetworkCard(entry.text))
                expected.entries.append(Entry(entry.key, card.text))
            case .drive, .firmware, .tpm, .rootDisk, .mountPoint:
                let options = DriveOptions(entry.text)
                let key = entry.key == "cdrom" ? "ide2" : entry.key
                if options.isMedium, !options.isCloudInit {
                    expected.entries.append(
                        Entry(key, keepsMedia ? entry.text : "none,media=cdrom"))
                    continue
                }
                guard carried.contains(entry.key) || options.isCloudInit else {
                    // A device of the host that was not carried: a person sets it again.
                    if case .path = options.volume { expected.entries.append(entry) }
                    continue
                }
                let place = try target.mapping.place(of: options.source)
                // What the version does not have was told when the guest was made.
                var scratch = CreationRequest()
                let text = scratch.filtered(entry.key, entry.text, target.version)
                let name: String
                switch options.volume {
                case .volume(let storage, _) where storage == place.storage:
                    expected.entries.append(Entry(key, text))
                    continue
                case .volume(_, let own): name = own
                case .path: name = "\(target.number)/\(key)"
                case .none, .hostDrive, .unreadable:
                    expected.entries.append(Entry(key, text))
                    continue
                }
                // The first unnamed part, or the one called `file` or `volume`, is the volume.
                var value = PropertyString(text)
                if let index = value.parts.firstIndex(where: {
                    $0.value == options.source
                        && ($0.name == nil || $0.name == "file" || $0.name == "volume")
                }) {
                    value.parts[index].value = "\(place.storage):\(name)"
                }
                expected.entries.append(Entry(key, value.text))
            default:
                if entry.key == "smbios1", target.mapping.addresses == .new {
                    // The target draws its own identity; other fields stay.
                    var options = PropertyString(entry.text)
                    options.remove("uuid")
                    if !options.parts.isEmpty {
                        expected.entries.append(Entry(entry.key, options.text))
                    }
                } else if entry.key == "name" || entry.key == "hostname" {
                    expected.entries.append(
                        Entry(entry.key, target.mapping.namePrefix + entry.text))
                } else {
                    expected.entries.append(entry)
                }
            }
        }
        return expected
    }
}

/// Values that mean the same as no value: servers spell some of them out.
enum ConfigurationDefaults {
    static let ofDrives = [
        "efitype": "2m", "pre-enrolled-keys": "0", "version": "v1.2", "replicate": "1",
        "iothread": "0", "ssd": "0", "ro": "0", "discard": "ignore", "detect_zeroes": "1",
    ]
    private static let machines = [
        "acpi": "1", "agent": "0", "autostart": "0", "bios": "seabios", "cores": "1",
        "cpulimit": "0", "kvm": "1", "memory": "512", "numa": "0", "onboot": "0",
        "ostype": "other", "protection": "0", "scsihw": "lsi", "sockets": "1", "tablet": "1",
        "template": "0",
    ]
    private static let containers = [
        "arch": "amd64", "cmode": "tty", "console": "1", "cpulimit": "0", "memory": "512",
        "onboot": "0", "protection": "0", "swap": "512", "template": "0", "tty": "2",
        "unprivileged": "0",
    ]

    static func has(_ key: String, _ text: String, _ kind: GuestKind) -> Bool {
        (kind == .qemu ? machines : containers)[key] == text
    }
}
