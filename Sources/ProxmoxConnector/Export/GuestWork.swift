import Basics
import Connectors
import Disks
import Glibc
import Manifests
import Primitives
import Streams
import Synchronization

/// One guest on its way into the archive: backup, spool, segments, conclusions.
///
/// What is known for good stands in files of `directory`, so that an interrupted run goes on:
/// `complete` once the backup is decoded, `done-PART` once a part is concluded, `lost` when the backup
/// turned out to be damaged and all that came of it is void.
final class GuestWork: Sendable {
    let guest: PlannedGuest
    let directory: String
    private let provider: any BackupProvider
    private let documents: GuestDocuments
    private let room: Room
    private let spool: GuestSpool
    private let state = Mutex(State())
    /// One part is concluded after the other, so that exactly one of them is the last.
    private let concluding = Mutex(())

    private struct State {
        /// What the backup holds, once that is known to this process.
        var contents: GuestSpool.Contents?
    }

    init(
        _ guest: PlannedGuest, provider: any BackupProvider, documents: GuestDocuments, room: Room
    ) {
        self.guest = guest
        self.provider = provider
        self.documents = documents
        self.room = room
        directory = room.directory + "/guest-\(guest.id)"
        spool = GuestSpool(
            guest, directory: directory, isKept: !provider.canReadAgain, progress: room.progress)
    }

    // MARK: - Cutting

    /// How many segments a part has; the first call makes the backup and waits for it.
    func cut(_ part: GuestPart) throws(Failure) -> Int {
        if let done = try Done(reading: donePath(part)) { return done.segments }
        let contents = try ready()
        switch part {
        case .disk(let key):
            guard let place = place(of: key, in: contents) else { return 1 }
            return DiskCut(size: contents.devices[place].size).count
        case .stream: return StreamCut(size: contents.streamBytes ?? 0).count
        default: return 1
        }
    }

    private func ready() throws(Failure) -> GuestSpool.Contents {
        if let known = state.withLock({ $0.contents }) { return known }
        try Files.makeDirectory(directory, mode: 0o700)
        if GuestSpool.isComplete(in: directory) {
            try spool.reopen()
        } else {
            let backup: OpenBackup
            do throws(Failure) { backup = try provider.open(guest, in: directory) } catch {
                throw error.code == .guestBackupLost
                    ? damaged(error) : error.during("cannot back up \(guest.title)")
            }
            spool.begin(backup)
            let toTheEnd = !provider.canReadAgain || guest.kind == .container || guest.isNative
            do throws(Failure) { _ = try spool.contents(toTheEnd: toTheEnd) } catch {
                throw damaged(error)
            }
        }
        let contents = try spool.contents(toTheEnd: false)
        state.withLock { $0.contents = contents }
        return contents
    }

    /// A stream that is damaged is no backup; what came of it must not stay.
    private func damaged(_ failure: Failure) -> Failure {
        switch failure.code {
        case .vmaMalformed, .vmaClusters, .guestBackupLost, .zstdCorrupt, .gzipCorrupt, .truncated,
            .digestMismatch:
            try? Files.write([], to: directory + "/lost", mode: 0o600)
            return Failure(
                failure.code, "the backup of \(guest.title) is damaged: \(failure.what)",
                hint: "Run the same command again: this guest begins anew with another backup.",
                cause: failure.cause)
        default: return failure.during("cannot read the backup of \(guest.title)")
        }
    }

    /// Takes away what is left of a damaged backup; true when there was one, and what is in the
    /// archive of this guest is void.
    func restart() throws(Failure) -> Bool {
        guard Files.exists(directory + "/lost") else { return false }
        // Noted before what tells where it lies is gone: a process that is killed in between comes back here.
        if let left = try provider.discard(guest, in: directory) {
            try note(omission: .leftBehind, left)
        }
        let kept = [
            "omitted-\(ProxmoxOmission.leftBehind.rawValue)-", TaskRemains.fileName, "lost",
        ]
        for name in try Files.names(in: directory)
        where !kept.contains(where: { name.hasPrefix($0) }) {
            try Files.remove(directory + "/" + name)
        }
        try Files.remove(directory + "/lost")
        return true
    }

    // MARK: - Segments

    func export(
        _ part: GuestPart, _ segment: Int, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        let contents = try ready()
        switch part {
        case .disk(let key):
            guard let place = place(of: key, in: contents) else {
                try note(omission: .vanished, "\(guest.id)/\(key)")
                return SegmentResult(exported: 0, omitted: 1)
            }
            try exportDisk(part, place, contents.devices[place], segment, into: &sink)
        case .stream:
            let file = SharedDescriptor(
                try Descriptor(opening: spool.streamPath, O_RDONLY), name: "\"\(spool.streamPath)\""
            )
            var disk = try RawDisk(file)
            let range = StreamCut(size: disk.size).range(segment)
            try DiskRange.export(&disk, range, into: &sink, room.progress)
                .write(to: notePath(part, segment))
        default:
            let text = try documents.text(part, of: guest, contents)
            try sink.write(text)
            room.progress.add(bytes: Int64(text.count))
        }
        let isFirst = segment == 0
        if isFirst { room.progress.add(objects: 1) }
        return SegmentResult(exported: isFirst ? 1 : 0, omitted: 0)
    }

    private func exportDisk(
        _ part: GuestPart, _ place: Int, _ device: GuestSpool.Device, _ segment: Int,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        do throws(Failure) { try spool.wait(for: segment, of: place) } catch {
            throw damaged(error)
        }
        var disk = try RawDisk(opening: spool.path(of: device.name))
        let range = DiskCut(size: device.size).range(segment)
        let note = try DiskRange.export(&disk, range, into: &sink, room.progress)
        try note.write(to: notePath(part, segment))
        try spool.release(segment, of: place)
    }

    /// The place of a disk's device in the backup; nil where it is not in there.
    private func place(of key: String, in contents: GuestSpool.Contents) -> Int? {
        guard let device = guest.disks.first(where: { $0.key == key })?.device else { return nil }
        return contents.devices.firstIndex { $0.name == device }
    }

    // MARK: - Conclusion

    func conclude(_ part: GuestPart) throws(Failure) -> Conclusion {
        try concluding.withLock { (_) throws(Failure) in try concludeAlone(part) }
    }

    private func concludeAlone(_ part: GuestPart) throws(Failure) -> Conclusion {
        let path = donePath(part)
        if let done = try Done(reading: path) {
            try tidy(behind: part)
            return conclusion(part, done)
        }
        let contents = try ready()
        let done: Done
        switch part {
        case .disk(let key):
            if let place = place(of: key, in: contents) {
                do throws(Failure) { try spool.checkWritten(place) } catch {
                    try? Self.markLost(in: directory)
                    throw error
                }
                done = try total(part, contents.devices[place].size)
            } else {
                done = Done(segments: 1, exported: 0)
            }
        case .stream:
            var total = try total(part, contents.streamBytes ?? 0)
            if guest.kind == .machine { total.digests += try deviceDigests(contents) }
            done = total
        default:
            let text = try documents.text(part, of: guest, contents)
            done = Done(
                segments: 1, exported: 1,
                digests: [.init("sha256", .string(SHA256.hash(text).hex))],
                counts: [.init("bytes", .integer(Int64(text.count)))])
        }
        try noteSurplus(contents)
        if part == .description { try noteWarnings(contents) }
        try Files.write(done.json.canonical, to: path, mode: 0o600)
        try tidy(behind: part)
        return conclusion(part, done)
    }

    private func total(_ part: GuestPart, _ size: Int64) throws(Failure) -> Done {
        let segments = part == .stream ? StreamCut(size: size).count : DiskCut(size: size).count
        var leaves = MerkleRange()
        var data: Int64 = 0
        for segment in 0..<segments {
            let note = try DiskRange.Note(reading: notePath(part, segment))
            leaves.append(note.leaves)
            data += note.data
        }
        return Done(
            segments: segments, exported: 1,
            digests: [.init("sha256-tree-1m", .string(leaves.root.hex))],
            counts: [.init("bytes", .integer(size)), .init("data", .integer(data))])
    }

    /// The digests of devices that the archive has in the stream alone.
    private func deviceDigests(_ contents: GuestSpool.Contents) throws(Failure) -> [JSON.Member] {
        let alone = contents.devices.filter { device in
            !guest.isPortable || !guest.disks.contains { $0.device == device.name }
        }
        return try alone.map { (device) throws(Failure) in
            var disk = try RawDisk(opening: spool.path(of: device.name))
            var chunk = Chunk()
            let leaves = try DiskDigest.leaves(
                of: &disk, in: 0..<device.size, &chunk, progress: room.progress)
            return .init("sha256-tree-1m/" + device.name, .string(leaves.root.hex))
        }
    }

    private func conclusion(_ part: GuestPart, _ done: Done) -> Conclusion {
        let name =
            switch part {
            case .description: "guest.json"
            case .configuration: guest.kind == .machine ? "qemu-server.conf" : "pct.conf"
            case .firewall: guest.kind == .machine ? "qemu-server.fw" : "pct.fw"
            case .ovf: guest.folder + ".ovf"
            case .libvirt: "domain.xml"
            case .disk(let key): key + ".raw"
            case .stream:
                guest.kind == .machine
                    ? "vzdump-qemu-\(guest.id).vma" : "vzdump-lxc-\(guest.id).tar"
            }
        let place = "\"$HERE/\(guest.folder)\""
        let write: String
        if case .disk = part {
            write = "dd of=\(place)/\(name) conv=sparse bs=65536 iflag=fullblock status=none"
        } else {
            write = "cat > \(place)/\(name)"
        }
        return Conclusion(
            exported: done.exported, digests: done.digests, counts: done.counts,
            restoring: done.exported == 0 ? nil : "{ mkdir -p \(place); \(write); }")
    }

    /// Removes what nothing needs any more; at the end of the last part also the backup itself.
    private func tidy(behind part: GuestPart) throws(Failure) {
        let isDone = guest.parts.allSatisfy { Files.exists(donePath($0)) }
        if case .disk(let key) = part, !guest.isNative,
            let device = guest.disks.first(where: { $0.key == key })?.device
        {
            try Files.remove(spool.path(of: device))
        }
        guard isDone, !Files.exists(directory + "/finished") else { return }
        // The backup goes only when all of it was read, and was good to its end.
        if !spool.isVerified {
            do throws(Failure) {
                _ = try ready()
                _ = try spool.contents(toTheEnd: true)
            } catch { throw damaged(error) }
        }
        let left: String?
        do throws(Failure) { left = try provider.finish(guest, in: directory) } catch {
            throw error.code == .guestBackupLost ? damaged(error) : error
        }
        if let left { try note(omission: .leftBehind, left) }
        for name in try Files.names(in: directory)
        where name.hasPrefix("device-") || name == "stream" || name.hasPrefix("note-") {
            try Files.remove(directory + "/" + name)
        }
        try Files.write([], to: directory + "/finished", mode: 0o600)
    }

    // MARK: - Omissions

    /// Devices of the backup that the inventory did not know.
    private func noteSurplus(_ contents: GuestSpool.Contents) throws(Failure) {
        guard guest.isPortable else { return }
        for device in contents.devices
        where !guest.disks.contains(where: { $0.device == device.name })
            && !guest.leftOut.contains(device.name)
        {
            try note(omission: .added, "\(guest.id)/\(device.name)")
        }
    }

    private func noteWarnings(_ contents: GuestSpool.Contents) throws(Failure) {
        for warning in contents.facts.first(where: { $0.key == "warnings" })?.value.array ?? [] {
            try note(omission: .backupWarnings, "\(guest.id): \(warning.string ?? "")")
        }
    }

    private func note(omission: ProxmoxOmission, _ object: String) throws(Failure) {
        let name = "omitted-\(omission.rawValue)-" + SHA256.hash(Array(object.utf8)).hex.prefix(16)
        let json: JSON = ["reason": .string(omission.rawValue), "object": .string(object)]
        try Files.write(json.canonical, to: directory + "/" + name, mode: 0o600)
    }

    /// What this guest lacks, found while it was exported.
    func omissions() throws(Failure) -> [(reason: ProxmoxOmission, object: String)] {
        guard Files.exists(directory) else { return [] }
        var omissions: [(ProxmoxOmission, String)] = []
        for name in try Files.names(in: directory) where name.hasPrefix("omitted-") {
            let json = try JSON(parsing: Files.read(directory + "/" + name))
            guard let reason = json["reason"]?.string.flatMap({ ProxmoxOmission(rawValue: $0) }),
                let object = json["object"]?.string
            else { throw Failure(.failed, "a note of \"\(directory)\" is damaged") }
            omissions.append((reason, object))
        }
        return omissions
    }

    private func donePath(_ part: GuestPart) -> String { directory + "/done-" + part.word }

    private func notePath(_ part: GuestPart, _ segment: Int) -> String {
        directory + "/note-\(part.word)-\(segment)"
    }
}

/// A stream that is kept as it is, in segments of the same length.
struct StreamCut {
    let size: Int64
    static let step: Int64 = 256 << 20

    var count: Int { Int(max(1, (size + Self.step - 1) / Self.step)) }

    func range(_ segment: Int) -> Range<Int64> {
        let start = min(Int64(segment) * Self.step, size)
        return start..<min(start + Self.step, size)
    }
}

/// What is known of a part of a guest once all of it is in the archive.
private struct Done {
    var segments: Int
    var exported: Int64
    var digests: [JSON.Member] = []
    var counts: [JSON.Member] = []

    init(
        segments: Int, exported: Int64, digests: [JSON.Member] = [], counts: [JSON.Member] = []
    ) {
        self.segments = segments
        self.exported = exported
        self.digests = digests
        self.counts = counts
    }

    var json: JSON {
        [
            "segments": .integer(Int64(segments)), "exported": .integer(exported),
            "digests": .object(digests), "counts": .object(counts),
        ]
    }

    /// nil where there is no such file yet.
    init?(reading path: String) throws(Failure) {
        guard Files.exists(path) else { return nil }
        let json = try JSON(parsing: Files.read(path))
        guard let segments = json["segments"]?.integer, let exported = json["exported"]?.integer,
            let digests = json["digests"]?.members, let counts = json["counts"]?.members
        else { throw Failure(.failed, "the note \"\(path)\" is damaged") }
        self.init(
            segments: Int(segments), exported: exported, digests: digests, counts: counts)
    }
}

extension GuestWork {
    /// Notes durably that all of a guest is void.
    static func markLost(in directory: String) throws(Failure) {
        try Files.makeDirectory(directory, mode: 0o700)
        try Files.write([], to: directory + "/lost", mode: 0o600)
    }

    static func isLost(in directory: String) -> Bool { Files.exists(directory + "/lost") }
}
