import Basics

extension CreationRequest {
    /// `POST /nodes/{node}/lxc` with the archive as a template, or as a backup that is restored: either
    /// way the configuration is sent, with volumes where the mapping wants them.
    ///
    /// The server must not touch what is inside: of a system that it knows it would make new SSH host keys,
    /// empty the machine's id and rewrite host name and network (`PVE::LXC::Setup`, `post_create_hook`).
    /// So the container is made as `unmanaged`, and `systemType` is set once it is there.
    ///
    /// - Parameters:
    ///   - archive: a volume with the content `vztmpl`, or `backup` when it is restored.
    ///   - sizes: bytes of a volume whose size the configuration does not tell.
    public static func container(
        _ guest: GuestConfiguration, from archive: String, restores: Bool = false,
        sizes: [String: UInt64] = [:], at target: CreationTarget
    ) throws(Failure) -> CreationRequest {
        guard guest.kind == .lxc else {
            throw Failure(.invalidValue, "a virtual machine is not made by the call for containers")
        }
        var request = CreationRequest()
        request.send("vmid", String(target.number))
        request.send("ostemplate", archive)
        if restores { request.send("restore", "1") }
        request.send("ostype", "unmanaged")
        if let name = guest.name { request.send("hostname", target.mapping.namePrefix + name) }
        if let description = guest.description { request.send("description", description) }
        if let pool = target.pool { request.send("pool", target.mapping.pool(of: pool)) }
        let carried = Set(BackupContent(of: guest).carried.map(\.key))
        for entry in guest.entries {
            if entry.key.hasPrefix("lxc.") {
                request.act(
                    entry.key, "only root@pam sets \"\(entry.key)\"",
                    command: "echo \(quoted("\(entry.key): \(entry.text)")) >> "
                        + "/etc/pve/lxc/\(target.number).conf")
                continue
            }
            guard let facts = request.facts(of: entry, guest, target) else { continue }
            switch facts.class {
            case .rootDisk, .mountPoint:
                try request.sendVolume(entry, sizes[entry.key], carried, target)
            case .network:
                let card = target.mapping.card(NetworkCard(entry.text))
                request.send(entry.key, request.filtered(entry.key, card.text, target.version))
            case .hardware, .option: request.sendContainerOption(entry, facts, guest, target)
            case .passthrough: request.containerRootOnly(entry, target)
            case .unused: request.note(entry.key, "the unused volume is not carried")
            case .generated, .state, .request, .raw, .drive, .firmware, .tpm, .cloudInit: break
            }
        }
        if guest["rootfs"] == nil {
            throw Failure(.invalidValue, "the container's configuration has no rootfs")
        }
        if !guest.flag("unprivileged") {
            request.note(
                "unprivileged", "a privileged container needs Sys.Modify on / at the target")
            if guest["unprivileged"] == nil { request.send("unprivileged", "0") }
        }
        request.send("start", "0")
        return request
    }

    private mutating func containerRootOnly(
        _ entry: GuestConfiguration.Entry, _ target: CreationTarget
    ) {
        act(
            entry.key, "only root@pam sets \"\(entry.key)\"",
            command: "pct set \(target.number) --\(entry.key) \(Self.quoted(entry.text))")
    }

    private mutating func sendContainerOption(
        _ entry: GuestConfiguration.Entry, _ facts: GuestKeyFacts, _ guest: GuestConfiguration,
        _ target: CreationTarget
    ) {
        switch entry.key {
        case "hostname", "description": return
        case "ostype": if entry.text != "unmanaged" { systemType = entry.text }
        case "template":
            if PropertyString.flag(entry.text) == true {
                act(
                    "template", "the container was a template",
                    command: "pct template \(target.number)")
            }
        case "features":
            // A token may switch on nesting and nothing else, and of a privileged container not even that.
            guard guest.flag("unprivileged") else { return containerRootOnly(entry, target) }
            var options = PropertyString(entry.text)
            let nesting = options.flag("nesting")
            options.remove("nesting")
            if nesting { send("features", "nesting=1") }
            if !options.parts.isEmpty { containerRootOnly(entry, target) }
        default:
            if facts.rootOnly {
                containerRootOnly(entry, target)
            } else {
                send(entry.key, entry.text)
            }
        }
    }

    private mutating func sendVolume(
        _ entry: GuestConfiguration.Entry, _ measured: UInt64?, _ carried: Set<String>,
        _ target: CreationTarget
    ) throws(Failure) {
        let options = DriveOptions(entry.text)
        if case .path = options.volume, entry.key != "rootfs" {
            containerRootOnly(entry, target)
            return
        }
        guard carried.contains(entry.key) else {
            note(entry.key, "\(entry.key) (\"\(options.source)\") is not carried and not made")
            return
        }
        guard let size = max(options.size ?? 0, measured ?? 0) as UInt64?, size > 0 else {
            throw Failure(
                .invalidValue, "the size of \(entry.key) is not known",
                hint: "A volume is made with its size: it has to be told.")
        }
        let place = try target.mapping.place(of: options.source)
        // Volumes are made in whole GiB.
        var value = PropertyString([
            PropertyString.Part(nil, "\(place.storage):\(GuestSize.gibibytes(size))")
        ])
        let dropped: Set<String> = ["volume", "file", "size"]
        value.parts += options.properties.parts.filter { part in
            part.name.map { !dropped.contains($0) } ?? false
        }
        send(entry.key, filtered(entry.key, value.text, target.version))
    }
}
