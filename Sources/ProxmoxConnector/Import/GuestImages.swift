import Basics
import Connectors
import Disks
import Glibc
import Guests
import Primitives
import Streams

/// A guest of an archive as files of a directory.
struct GuestImages: Sendable {
    let guest: StoredGuests.Guest
    let directory: String
    let disks: [RestoredDisk]
    private let target: ImageTarget

    init(_ guest: StoredGuests.Guest, _ target: ImageTarget, room: Room) {
        self.guest = guest
        self.target = target
        let directory = guest.isBare ? target.path : target.path + "/" + guest.folder
        self.directory = directory
        disks =
            guest.disks.map { disk in
                // What firmware keeps is read as raw bytes everywhere.
                let isFirmware =
                    !guest.isBare
                    && (disk.key.hasPrefix("efidisk") || disk.key.hasPrefix("tpmstate"))
                let own: RestoredDisk.Format = isFirmware ? .raw : target.format
                return RestoredDisk(
                    disk, to: "\(directory)/\(disk.key).\(own.rawValue)", own,
                    notes: "\(room.directory)/disk-\(disk.artifact)", progress: room.progress)
            }
            + [guest.stream].compactMap { $0 }.map { stream in
                RestoredDisk(
                    stream, to: "\(directory)/\(guest.streamName(guest.id))", .raw,
                    notes: "\(room.directory)/disk-\(stream.artifact)", progress: room.progress)
            }
    }

    /// The domain of libvirt, once the guest is there.
    var domainPath: String { directory + "/domain.xml" }

    /// Closes the images and writes the small files; gives what descriptions cannot say.
    func finish(from artifacts: any ArtifactSource) throws(Failure) -> [DescriptorNote] {
        for disk in disks { try disk.finish() }
        for (part, text) in guest.texts.sorted(by: { $0.key < $1.key }) {
            try Files.write(
                text.read(from: artifacts), to: directory + "/" + guest.fileName(of: part),
                mode: 0o600)
        }
        guard isMachine, let configuration = guest.configuration else { return [] }
        var notes: [DescriptorNote] = []
        let domain = try LibvirtDomain(
            of: configuration, disks: files(of: configuration, isAbsolute: true),
            options: domainOptions)
        notes += domain.notes
        try Files.write(Array(domain.xml.utf8), to: domainPath, mode: 0o600)
        let envelope = try OVFEnvelope(
            of: configuration, disks: files(of: configuration, isAbsolute: false))
        let name = directory + "/" + guest.folder
        try Files.write(Array(envelope.xml.utf8), to: name + ".ovf", mode: 0o600)
        if target.makesAppliances { try makeAppliance(name, configuration) }
        return notes
    }

    /// Whether it becomes a machine that can be started: with all of its disks, which may be none.
    var isMachine: Bool {
        guard !guest.isContainer, let configuration = guest.configuration else { return false }
        return !guest.disks.isEmpty || BackupContent(of: configuration).carried.isEmpty
    }

    /// What is there of a guest that does not become one; nil where nothing is to be told.
    var remains: (what: String, command: String?, isMissing: Bool)? {
        guard !guest.isBare, !isMachine, let stream = guest.stream,
            let file = disks.first(where: { $0.disk.artifact == stream.artifact })?.path
        else { return nil }
        if guest.isContainer {
            return target.isLibvirt
                ? ("a container is no domain of libvirt: its files lie in \"\(file)\"", nil, false)
                : nil
        }
        return (
            "the archive has its disks in vzdump's stream alone: neither images nor a machine were "
                + "made of \"\(file)\"",
            "exeat extract \(PrivilegeCheck.quoted(file)) --to "
                + "\(PrivilegeCheck.quoted(directory + "/images")) --unverified", true
        )
    }

    var domainName: String {
        LibvirtDomain.name(
            target.mapping.namePrefix + (guest.name.isEmpty ? "vm-\(guest.id)" : guest.name))
    }

    /// Of this guest of this archive under this name, so that defining it again is no other domain: a
    /// UUID of version 8 (RFC 9562) of its digest.
    private var domainID: String {
        var hasher = SHA256()
        hasher.update(Array("exeat-domain\n\(domainName)\n".utf8))
        hasher.update(guest.description.canonical)
        for disk in guest.disks { hasher.update(Array(disk.digest.hex.utf8)) }
        var digits = Array(hasher.finish().hex.utf8.prefix(32))
        digits[12] = 0x38
        digits[16] = 0x38
        let text = String(decoding: digits, as: UTF8.self)
        var groups: [Substring] = []
        var rest = text[...]
        for length in [8, 4, 4, 4, 12] {
            groups.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return groups.joined(separator: "-")
    }

    private var domainOptions: LibvirtDomain.Options {
        .init(
            name: domainName, uuid: domainID, usesKVM: target.usesKVM, loader: target.loader,
            bridges: target.mapping.bridges.mapValues(\.name),
            keepsAddresses: target.mapping.addresses == .keep, linkDown: target.mapping.linkDown)
    }

    private func files(of configuration: GuestConfiguration, isAbsolute: Bool) -> [GuestDisk] {
        disks.compactMap { image in
            guard configuration[image.disk.key] != nil,
                let format = GuestDisk.Format(rawValue: image.format.rawValue)
            else { return nil }
            var status = stat()
            let isThere = unsafe stat(image.path, &status) == 0
            return GuestDisk(
                key: image.disk.key,
                file: isAbsolute ? image.path : Files.lastComponent(of: image.path),
                format: format, size: UInt64(image.disk.size),
                fileSize: isThere ? UInt64(status.st_size) : nil)
        }
    }

    /// Puts descriptor, digests and disks into one tar, as importers of other hypervisors take it.
    private func makeAppliance(
        _ name: String, _ configuration: GuestConfiguration
    ) throws(Failure) {
        let folder = guest.folder
        var names = [folder + ".ovf"]
        names += files(of: configuration, isAbsolute: false)
            .filter { $0.format == .vmdk }.map(\.file)
        var digests: [(name: String, sha256: String)] = []
        var largest: Int64 = 0
        for file in names {
            let path = directory + "/" + file
            var source = try FileSource(opening: path)
            var hasher = SHA256()
            var chunk = Chunk()
            var size: Int64 = 0
            repeat {
                try source.read(into: &chunk)
                size += Int64(chunk.count)
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    unsafe hasher.update(bytes)
                }
            } while !chunk.isEmpty
            largest = max(largest, size)
            digests.append((file, hasher.finish().hex))
        }
        try Files.write(
            Array(try OVFEnvelope.manifest(digests).utf8), to: name + ".mf", mode: 0o600)
        // The form that OVF asks for ends at 8 GiB for a member.
        let format = largest < 8 << 30 ? "ustar" : "gnu"
        names.insert(folder + ".mf", at: 1)
        let partial = name + ".ova.partial"
        let outcome = try Command(
            "tar",
            ["--format=\(format)", "--owner=0", "--group=0", "-C", directory, "-cf", partial, "--"]
                + names
        ).run(output: "/dev/null", errors: partial + ".log")
        try Files.remove(partial + ".log")
        guard outcome.status == 0 else {
            throw Failure(
                .diskTool, "cannot make \"\(name).ova\": \(outcome.errors)")
        }
        try Files.rename(partial, to: name + ".ova")
    }
}

extension StoredGuests.Guest {
    /// A name for its directory: the number, and the letters of its name that every file system takes.
    var folder: String { GuestFolder.name(id, name) }

    /// As vzdump would name it, so that Proxmox VE takes it again.
    func streamName(_ number: Int64) -> String {
        isContainer
            ? "vzdump-lxc-\(number)-\(taken).tar" : "vzdump-qemu-\(number)-\(taken).vma"
    }

    /// The time in the name of the backup.
    private var taken: String {
        let text = description["backup"]?["taken"]?.string ?? ""
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x5f || $0 == 0x2d }
        return isPlain ? text : "1970_01_01-00_00_00"
    }

    func fileName(of part: String) -> String {
        switch part {
        case "configuration": isContainer ? "pct.conf" : "qemu-server.conf"
        case "firewall": isContainer ? "pct.fw" : "qemu-server.fw"
        case "guest": "guest.json"
        case "ovf": folder + ".ovf"
        case "libvirt": "domain.xml"
        default: part + ".txt"
        }
    }
}
