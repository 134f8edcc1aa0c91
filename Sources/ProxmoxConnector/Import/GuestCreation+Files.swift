import Basics
import Connectors
import Disks
import Glibc
import Guests
import Primitives
import Streams

/// What is brought to a storage for a guest, and taken away when the guest has it.
extension GuestCreation {
    /// Unique to this archive's guest and number, so that nothing of anybody else is ever meant.
    private var stem: String { "exeat-\(guest.id)-\(target.number)" }

    private func uploadName(_ key: String) -> String {
        let ending = images[key]?.format.rawValue ?? "raw"
        return reader.version.has(.importOfDisks)
            ? "\(stem)-\(key).\(ending)" : "\(stem)-\(key).ova"
    }

    /// As `import-from` names it.
    func importVolume(_ key: String) -> String {
        let volume = "\(settings.uploads ?? ""):import/\(uploadName(key))"
        if reader.version.has(.importOfDisks) { return volume }
        return volume + "/\(key).\(images[key]?.format.rawValue ?? "raw")"
    }

    var templateVolume: String { "\(settings.uploads ?? ""):vztmpl/\(stem).tar.zst" }

    /// Of the new number: rights on a backup are those on the guest that its name tells.
    var archiveName: String { guest.streamName(Int64(target.number)) }

    var archiveVolume: String {
        "\(settings.transport?.storage ?? ""):backup/\(archiveName)"
    }

    func bringFiles(_ state: inout State) throws(Failure) {
        switch route {
        case .restore: try bringArchive(&state)
        case .import where kind == .container:
            guard let image = images["stream"] else { return }
            let packed = image.path + ".zst"
            try compress(image.path, to: packed)
            try upload(packed, "\(stem).tar.zst", .template, &state)
            try Files.remove(packed)
        case .import:
            for disk in guest.disks {
                guard let image = images[disk.key] else { continue }
                var path = image.path
                if !reader.version.has(.importOfDisks) {
                    path = try wrapped(image, disk)
                }
                try upload(path, uploadName(disk.key), .disk, &state)
            }
        }
    }

    private func upload(
        _ path: String, _ name: String, _ content: ContentUpload.Content, _ state: inout State
    ) throws(Failure) {
        let place = ContentUpload.Place(
            node: node, storage: settings.uploads ?? "", content: content, name: name)
        if state.uploads.contains(place.volume) {
            // Brought before the interruption, or half of it: only a whole one has its name.
            if try isThere(place.volume, on: place.storage) { return }
        }
        let digest = try digest(of: path)
        if !state.uploads.contains(place.volume) {
            state.uploads.append(place.volume)
            try save(state)
        }
        let file = SharedDescriptor(try Descriptor(opening: path, O_RDONLY), name: "\"\(path)\"")
        let size = Int64(try file.descriptor.status().st_size)
        let upload = ContentUpload(
            client: client, follower: TaskFollower(client), version: reader.version)
        let progress = room.progress
        do throws(Failure) {
            _ = try upload.upload(
                FileSource(file, from: 0, size: size), size: size, digest: digest, to: place,
                sent: { progress.add(stored: $0) })
        } catch {
            if error.code == .cancelled { throw error }
            throw error.during(
                "cannot bring \"\(place.volume)\" for \(guest.title)",
                hint: error.code == .noSpace ? roomForUploads(size) : nil)
        }
    }

    /// A node keeps an upload in its /var/tmp until it is whole, and only then copies it to the storage.
    private func roomForUploads(_ size: Int64) -> String {
        let status = try? client.get(["nodes", node, "status"])
        let free = status?["rootfs"]?["avail"]?.number.map {
            "; its root file system has \($0 >> 20) MiB left"
        }
        return "An upload lies in /var/tmp of the node \"\(node)\" first, and this one has "
            + "\((size + 1 << 20 - 1) >> 20) MiB\(free ?? "")."
    }

    func isThere(_ volume: String, on storage: String) throws(Failure) -> Bool {
        let answer = try client.get(["nodes", node, "storage", storage, "content"])
        return (answer.array ?? []).contains { $0["volid"]?.string == volume }
    }

    private func digest(of path: String) throws(Failure) -> Digest256 {
        var source = try FileSource(opening: path)
        var hasher = SHA256()
        var chunk = Chunk()
        repeat {
            try room.progress.checkCancelled()
            try source.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in unsafe hasher.update(bytes) }
        } while !chunk.isEmpty
        return hasher.finish()
    }

    private func compress(_ path: String, to packed: String) throws(Failure) {
        try Files.remove(packed)
        let file = SharedDescriptor(
            try Descriptor(opening: packed, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600),
            name: "\"\(packed)\"")
        var sink = try Compressing(.standard, into: DescriptorSink(file))
        var source = try FileSource(opening: path)
        var chunk = Chunk()
        repeat {
            try room.progress.checkCancelled()
            try source.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                try unsafe sink.write(buffer: bytes)
            }
        } while !chunk.isEmpty
        try sink.finish()
    }

    /// An appliance with one disk, the only thing that 8.3 takes.
    private func wrapped(
        _ image: RestoredDisk, _ disk: StoredGuests.Disk
    ) throws(Failure) -> String {
        let directory = Files.parent(of: image.path)
        let name = "\(disk.key).ovf"
        let file = Files.lastComponent(of: image.path)
        let envelope = try OVFEnvelope(
            of: configuration,
            disks: [
                GuestDisk(
                    key: disk.key, file: file,
                    format: GuestDisk.Format(rawValue: image.format.rawValue) ?? .raw,
                    size: UInt64(disk.size))
            ])
        try Files.write(Array(envelope.xml.utf8), to: directory + "/" + name, mode: 0o600)
        let path = directory + "/\(disk.key).ova"
        let outcome = try Command(
            "tar", ["--format=gnu", "-C", directory, "-cf", path, "--", name, file]
        ).run(output: "/dev/null", errors: directory + "/tar.err")
        guard outcome.status == 0 else {
            throw Failure(.diskTool, "cannot make \"\(path)\": \(outcome.errors)")
        }
        return path
    }

    /// Puts what vzdump wrote where the storage keeps backups, under a name that nothing has yet.
    private func bringArchive(_ state: inout State) throws(Failure) {
        guard let image = images["stream"] else { return }
        let volume = archiveVolume
        let mayBeThere = state.uploads.contains(volume)
        if !mayBeThere {
            state.uploads.append(volume)
            try save(state)
        }
        switch settings.transport {
        case .directory(_, let mount):
            let path = mount + "/dump/" + archiveName
            // It was restored right there, or lies beside.
            guard image.path != path else { return }
            throw Failure(.failed, "\"\(image.path)\" is not where it should be")
        case .sftp(_, let ssh):
            let remote = SFTPTarget(ssh, node: node)
            let storage = try reader.storage(settings.transport?.storage ?? "", on: node)
            do throws(Failure) {
                try remote.put(
                    image.path, as: archiveName, storage: storage, mayBeThere: mayBeThere,
                    room.progress)
            } catch {
                // Somebody else's file must not count as brought.
                if error.code == .targetOccupied, !mayBeThere {
                    state.uploads.removeAll { $0 == volume }
                    try save(state)
                }
                throw error
            }
        case .ssh, nil: return
        }
    }

    /// Takes away what was brought, now that the guest has it.
    func removeFiles(_ state: inout State) throws(Failure) {
        while let volume = state.uploads.last {
            let storage = String(volume.prefix { $0 != ":" })
            do throws(Failure) {
                let answer = try client.deleteAnyway(
                    ["nodes", node, "storage", storage, "content", volume])
                if let upid = answer.string.flatMap({ UPID($0) }) {
                    _ = try TaskFollower(client).follow(upid)
                }
            } catch {
                // To delete an upload takes more than to make it, and not everybody grants that.
                guard
                    [.serverRights, .notFound, .serverRefused, .serverTaskFailed]
                        .contains(error.code)
                else { throw error.during("cannot remove \"\(volume)\" after the import") }
                // What is gone already is no loss.
                if try isThere(volume, on: storage) { state.left.append(volume) }
            }
            state.uploads.removeLast()
            try save(state)
        }
    }
}
