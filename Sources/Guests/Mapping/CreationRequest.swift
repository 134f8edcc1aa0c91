import Basics

/// Something that only root@pam may do, or that has no counterpart: for the operator's list.
public struct ManualAction: Sendable, Equatable {
    public let key: String
    public let what: String
    /// The line to type on the node; nil where there is none.
    public let command: String?

    public init(_ key: String, _ what: String, command: String? = nil) {
        self.key = key
        self.what = what
        self.command = command
    }
}

/// The parameters of the call that makes a guest, and what it leaves to do.
public struct CreationRequest: Sendable, Equatable {
    public struct Parameter: Sendable, Equatable {
        public let name: String
        public let value: String

        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    public private(set) var parameters: [Parameter] = []
    public private(set) var actions: [ManualAction] = []
    public private(set) var notes: [DescriptorNote] = []
    /// The `ostype` that a container gets once it is there; nil where there is nothing to set.
    public internal(set) var systemType: String?

    public subscript(name: String) -> String? { parameters.last { $0.name == name }?.value }

    mutating func send(_ name: String, _ value: String) {
        parameters.append(Parameter(name, value))
    }

    mutating func act(_ key: String, _ what: String, command: String? = nil) {
        actions.append(ManualAction(key, what, command: command))
    }

    mutating func note(_ key: String?, _ what: String) { notes.append(DescriptorNote(key, what)) }
}

/// The guest that a call makes, and where.
public struct CreationTarget: Sendable {
    public var number: Int
    public var version: ProxmoxVersion
    public var mapping: GuestMapping
    /// The pool at the source.
    public var pool: String?

    public init(
        number: Int, version: ProxmoxVersion, mapping: GuestMapping, pool: String? = nil
    ) {
        self.number = number
        self.version = version
        self.mapping = mapping
        self.pool = pool
    }
}

extension CreationRequest {
    /// `POST /nodes/{node}/qemu` from uploaded disks: each key of a disk with its import volume.
    ///
    /// Throws `.unsupported` for a server that cannot take these disks (`import-from` came with 7.2,
    /// volumes of the kind `import` with 8.3), `.invalidValue` where the mapping has no place.
    public static func machine(
        _ guest: GuestConfiguration, from imports: [String: String], at target: CreationTarget
    ) throws(Failure) -> CreationRequest {
        guard guest.kind == .qemu else {
            throw Failure(.invalidValue, "a container is not made by the call for machines")
        }
        let least =
            imports.values.contains { $0.contains(":import/") }
            ? ProxmoxVersion(8, 3) : ProxmoxVersion(7, 2)
        guard imports.isEmpty || target.version >= least else {
            throw Failure(
                .unsupported, "Proxmox VE \(target.version) cannot import disks by its API",
                hint: "Restore native archives from a shared dump directory instead.")
        }
        var request = CreationRequest()
        request.send("vmid", String(target.number))
        request.sendCommon(guest, target)
        for entry in guest.entries {
            guard let facts = request.facts(of: entry, guest, target) else { continue }
            switch facts.class {
            case .drive, .firmware, .tpm:
                try request.sendDrive(entry, guest, imports[entry.key], target)
            default: request.sendPlain(entry, facts, guest, target)
            }
        }
        request.keepBootable()
        for key in imports.keys.sorted() where guest[key] == nil {
            throw Failure(.invalidValue, "the guest has no disk \"\(key)\"")
        }
        request.send("start", "0")
        return request
    }

    /// `POST …/qemu` with `archive=`: the server makes the drives itself, other keys override.
    public static func restore(
        _ guest: GuestConfiguration, archive: String, at target: CreationTarget
    ) -> CreationRequest {
        var request = CreationRequest()
        request.send("vmid", String(target.number))
        request.send("archive", archive)
        if let storage = target.mapping.storage?.storage { request.send("storage", storage) }
        if target.mapping.addresses == .new { request.send("unique", "1") }
        if let pool = target.pool { request.send("pool", target.mapping.pool(of: pool)) }
        // A device of the host comes as a volume, but with `backup=0` as a line of the description.
        let carried = Set(BackupContent(of: guest).carried.map(\.key))
        for entry in guest.entries {
            let options = DriveOptions(entry.text)
            guard GuestKeyFacts.of(entry.key, kind: guest.kind)?.class == .drive,
                !options.isMedium, case .path = options.volume, !carried.contains(entry.key)
            else { continue }
            request.rootOnly(entry, target)
        }
        if !target.mapping.storages.isEmpty || !target.mapping.volumes.isEmpty {
            request.note(
                nil, "a restore has one storage for all disks; rules for single ones do not hold")
        }
        guard target.version >= ProxmoxVersion(7, 2) else {
            request.note(
                nil, "before 7.2 a restore overrides nothing; names and cards are set after")
            request.send("start", "0")
            return request
        }
        if let name = guest.name, !target.mapping.namePrefix.isEmpty {
            request.send("name", target.mapping.name(name))
        }
        for (_, entry) in guest.numbered("net") {
            let card = target.mapping.card(NetworkCard(entry.text))
            // With `unique` the server draws an address; one that is sent would stay.
            if card.text != entry.text { request.send(entry.key, card.text) }
        }
        request.send("start", "0")
        return request
    }

    /// Takes devices out of the boot order that the call does not make: the server refuses such.
    private mutating func keepBootable() {
        guard let index = parameters.firstIndex(where: { $0.name == "boot" }) else {
            // The server would write down an order of its own, and that would count from then on.
            return send("boot", "cdn")
        }
        if ServerChoices.isOpen(order: parameters[index].value) {
            parameters.remove(at: index)
            return
        }
        var boot = PropertyString(parameters[index].value)
        guard let order = boot["order"] else { return }
        let all = order.split(separator: ";").map(String.init)
        let kept = all.filter { self[$0] != nil }
        guard kept.count < all.count else { return }
        let gone = all.filter { self[$0] == nil }.joined(separator: ", ")
        note("boot", "the boot order is without \(gone), which this call does not make")
        boot.set("order", kept.joined(separator: ";"))
        if kept.isEmpty { boot.remove("order") }
        parameters[index] = Parameter("boot", boot.text)
        if boot.text.isEmpty { parameters.remove(at: index) }
    }

    private mutating func sendCommon(_ guest: GuestConfiguration, _ target: CreationTarget) {
        let nameKey = guest.kind == .qemu ? "name" : "hostname"
        if let name = guest.name { send(nameKey, target.mapping.name(name)) }
        if let description = guest.description { send("description", description) }
        if let pool = target.pool { send("pool", target.mapping.pool(of: pool)) }
    }

    /// The facts of a key that may be sent; nil, with a note, for one that may not.
    mutating func facts(
        of entry: GuestConfiguration.Entry, _ guest: GuestConfiguration, _ target: CreationTarget
    ) -> GuestKeyFacts? {
        guard let facts = GuestKeyFacts.of(entry.key, kind: guest.kind) else {
            act(entry.key, "no known version of Proxmox VE has \"\(entry.key): \(entry.text)\"")
            return nil
        }
        if let since = facts.since, target.version < since {
            act(
                entry.key,
                "\"\(entry.key): \(entry.text)\" needs Proxmox VE \(since), and the target is \(target.version)"
            )
            return nil
        }
        guard entry.isText else {
            act(entry.key, "the value of \(entry.key) is not UTF-8 and is not sent")
            return nil
        }
        return facts
    }

    private mutating func sendPlain(
        _ entry: GuestConfiguration.Entry, _ facts: GuestKeyFacts, _ guest: GuestConfiguration,
        _ target: CreationTarget
    ) {
        let text = entry.text
        switch facts.class {
        case .unused, .generated, .state, .request, .rootDisk, .mountPoint, .raw:
            // A generation id that stays the same would say that nothing happened; none says nothing.
            if entry.key == "vmgenid", text == "0" { send("vmgenid", "0") }
            if facts.class == .unused { note(entry.key, "the unused disk is not carried") }
        case .network:
            let card = target.mapping.card(NetworkCard(text))
            send(entry.key, filtered(entry.key, card.text, target.version))
        case .passthrough:
            let options = PropertyString(text)
            let mapped =
                options["mapping"] != nil || options.unnamed == "spice"
                || options["host"] == "spice" || GuestKey(entry.key).base == "virtiofs"
            if mapped {
                note(entry.key, "\"\(text)\" must be known to the target as a resource")
                send(entry.key, text)
            } else {
                rootOnly(entry, target)
            }
        case .cloudInit:
            if entry.key == "cipassword", !text.isEmpty, text.utf8.allSatisfy({ $0 == 0x2a }) {
                act(entry.key, "the cloud-init password was masked and has to be set again")
            } else if entry.key == "sshkeys" {
                // A file has them encoded already; the API wants them so.
                let keys = PercentCode.decode(text.utf8).map { String(decoding: $0, as: UTF8.self) }
                send("sshkeys", PercentCode.encodeAll(keys ?? text))
            } else {
                if entry.key == "cicustom" {
                    note(entry.key, "the snippets must exist: \"\(text)\"")
                }
                send(entry.key, text)
            }
        case .hardware, .option:
            if ["name", "hostname", "description", "template"].contains(entry.key) {
                if entry.key == "template", PropertyString.flag(text) == true {
                    act(
                        "template", "the guest was a template",
                        command: "qm template \(target.number)")
                }
                return
            }
            let isHostDevice =
                GuestKey(entry.key).base == "serial" && text.hasPrefix("/")
                || entry.key == "rng0" && text.contains("hwrng")
            if facts.rootOnly || isHostDevice {
                rootOnly(entry, target)
            } else if entry.key == "vmstatestorage" {
                send(entry.key, (try? target.mapping.place(of: "\(text):x"))?.storage ?? text)
            } else if entry.key == "smbios1", target.mapping.addresses == .new {
                var options = PropertyString(text)
                options.remove("uuid")
                if !options.parts.isEmpty { send(entry.key, options.text) }
                note(entry.key, "the machine gets a new UUID")
            } else {
                if entry.key == "startup" {
                    note(entry.key, "the order at start needs Sys.Modify on / at the target")
                }
                if entry.key == "cpu", text.contains("custom-") {
                    note(entry.key, "the processor model must be known to the target: \"\(text)\"")
                }
                send(entry.key, filtered(entry.key, text, target.version))
            }
        case .drive, .firmware, .tpm: break
        }
    }

    mutating func rootOnly(_ entry: GuestConfiguration.Entry, _ target: CreationTarget) {
        act(
            entry.key, "only root@pam sets \"\(entry.key)\"",
            command: "qm set \(target.number) --\(entry.key) \(Self.quoted(entry.text))")
    }

    /// A word for the shell.
    static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }

    /// Options of values that came after 7.4, with the first schema that is known to have them.
    private static let optionsSince: [String: ProxmoxVersion] = [
        "agent.freeze-fs": ProxmoxVersion(9, 2), "agent.guest-fsfreeze": ProxmoxVersion(9, 2),
        "efidisk.ms-cert": ProxmoxVersion(8, 4), "machine.aw-bits": ProxmoxVersion(9, 2),
        "machine.enable-s3": ProxmoxVersion(8, 4), "machine.enable-s4": ProxmoxVersion(8, 4),
        "machine.viommu": ProxmoxVersion(8, 4), "net.host-tunnel": ProxmoxVersion(9, 2),
        "net.host-managed": ProxmoxVersion(9, 2), "scsi.product": ProxmoxVersion(8, 4),
        "scsi.vendor": ProxmoxVersion(8, 4), "vga.clipboard": ProxmoxVersion(8, 4),
        "mp.idmap": ProxmoxVersion(9, 2), "mp.keepattrs": ProxmoxVersion(9, 2),
        "rootfs.idmap": ProxmoxVersion(9, 2), "memory.current": ProxmoxVersion(8, 4),
    ]
    /// Options that 9 no longer has: the geometry of disks.
    private static let optionsUntil9: Set<String> = ["cyls", "heads", "secs", "trans"]

    /// The value without options that the target's version refuses.
    mutating func filtered(_ key: String, _ text: String, _ version: ProxmoxVersion) -> String {
        let base = GuestKey(key).base
        var value = PropertyString(text)
        let isDrive = ["ide", "sata", "scsi", "virtio"].contains(base)
        value.parts.removeAll { part in
            guard let name = part.name else { return false }
            let since = Self.optionsSince["\(base).\(name)"]
            let isGone =
                isDrive && version >= ProxmoxVersion(9, 0) && Self.optionsUntil9.contains(name)
            guard since.map({ version < $0 }) == true || isGone else { return false }
            note(key, "Proxmox VE \(version) does not have the option \(name)=\(part.value)")
            return true
        }
        return value.text
    }

    private mutating func sendDrive(
        _ entry: GuestConfiguration.Entry, _ guest: GuestConfiguration, _ source: String?,
        _ target: CreationTarget
    ) throws(Failure) {
        let key = entry.key == "cdrom" ? "ide2" : entry.key
        let options = DriveOptions(entry.text)
        if options.isCloudInit {
            let place = try target.mapping.place(of: options.source)
            send(key, "\(place.storage):cloudinit")
            return
        }
        if options.isMedium {
            if options.volume != .none {
                note(key, "the medium \"\(options.source)\" is not carried; the drive is empty")
            }
            send(key, "none,media=cdrom")
            return
        }
        guard let source else {
            if case .path = options.volume {
                rootOnly(entry, target)
            } else {
                note(key, "\(key) (\"\(options.source)\") is not carried and not made")
            }
            return
        }
        let place = try target.mapping.place(of: options.source)
        var value = PropertyString([
            PropertyString.Part(nil, "\(place.storage):0"),
            PropertyString.Part("import-from", source),
        ])
        if let format = place.format, key != "tpmstate0" {
            value.parts.append(PropertyString.Part("format", format))
        }
        let dropped: Set<String> = ["file", "volume", "size", "format", "import-from", "media"]
        for part in options.properties.parts {
            guard let name = part.name, !dropped.contains(name) else { continue }
            value.parts.append(part)
        }
        // Proxmox VE refuses state without these; the defaults are those of a guest that says nothing.
        if key == "efidisk0" {
            if value["efitype"] == nil { value.set("efitype", "2m") }
            if value["pre-enrolled-keys"] == nil { value.set("pre-enrolled-keys", "0") }
        }
        if key == "tpmstate0", value["version"] == nil { value.set("version", "v1.2") }
        send(key, filtered(key, value.text, target.version))
    }
}
