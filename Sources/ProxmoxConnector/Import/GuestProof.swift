import Basics
import Connectors
import Disks
import Guests
import Manifests
import Primitives
import Streams
import Synchronization

/// Reads a guest that was made on a cluster again: its settings by the API, its disks out of a backup
/// that is made for this and deleted.
final class GuestProof: Sendable {
    private let creation: GuestCreation
    private let room: Room
    private let artifacts: any ArtifactSource
    private let found = Mutex<Found?>(nil)
    private let wasAsked = Mutex(false)
    /// Nil where the server does not tell.
    private let excluded = Mutex<ExcludedPaths?>(nil)

    private enum Found: Sendable {
        /// Digests of disks by their key.
        case disks([String: Digest256])
        case files(ContainerProof.Result)
        /// It could not be read, and why.
        case nothing(Reservation.Kind)
    }

    init(_ creation: GuestCreation, from artifacts: any ArtifactSource, room: Room) {
        self.creation = creation
        self.artifacts = artifacts
        self.room = room
    }

    /// Reads disks, or files, as the cluster has them now.
    func compareContent() throws(Failure) {
        wasAsked.withLock { $0 = true }
        guard creation.settings.transport?.storage != nil else {
            let reason: Reservation.Kind =
                isContainer ? .filesWithoutTransport : .disksWithoutTransport
            found.withLock { $0 = .nothing(reason) }
            return
        }
        let directory = room.directory + "/proof-\(creation.guest.id)"
        try Files.makeDirectory(directory, mode: 0o700)
        let guest = PlannedGuest(
            id: Int64(creation.target.number), kind: creation.kind, name: creation.guest.name,
            node: creation.node, pool: nil, disks: [], leftOut: [], isPortable: true,
            isNative: false, declaredBytes: 0)
        let provider = try BackupProviders.make(
            ProxmoxSettings(proof: creation.settings.server, creation.settings.transport),
            run: "proof-\(creation.guest.id)", room: room)
        do throws(Failure) {
            let read = try read(guest, provider, in: directory)
            found.withLock { $0 = read }
        } catch {
            // What cannot be taken away now stays noted, and the next run takes it away.
            do throws(Failure) {
                if try provider.finish(guest, in: directory) == nil { try Files.remove(directory) }
            } catch {}
            throw error.during(
                "cannot read \(creation.guest.title) again",
                hint: error.code == .cancelled
                    ? nil
                    : "It is made, and not proven yet: when the reason is gone, run the same command "
                        + "again.")
        }
        if let left = try provider.finish(guest, in: directory) {
            throw Failure(.serverRefused, "a temporary backup could not be deleted: \(left)")
        }
        try Files.remove(directory)
    }

    private func read(
        _ guest: PlannedGuest, _ provider: any BackupProvider, in directory: String
    ) throws(Failure) -> Found {
        let backup: OpenBackup
        do throws(Failure) { backup = try provider.open(guest, in: directory) } catch {
            // An interrupted import was done with it: another one tells the same.
            guard error.code == .guestBackupLost else { throw error }
            try Files.remove(directory)
            try Files.makeDirectory(directory, mode: 0o700)
            backup = try provider.open(guest, in: directory)
        }
        guard guest.kind == .container else {
            return .disks(try digests(of: guest, backup, in: directory))
        }
        guard let stream = creation.guest.stream else {
            return .nothing(.filesNotInArchive)
        }
        let excluded = try creation.reader.excludedPaths(
            on: creation.node, storage: creation.settings.transport?.storage)
        self.excluded.withLock { $0 = excluded }
        let proof = ContainerProof(
            mounts: BackupContent(of: creation.configuration).carried.map(\.device),
            unread: excluded ?? ExcludedPaths(), directory: directory, progress: room.progress)
        return .files(
            try proof.compare(
                StoredStream(stream.record, from: artifacts), StreamSource(backup.stream())))
    }

    private func digests(
        of guest: PlannedGuest, _ backup: OpenBackup, in directory: String
    ) throws(Failure) -> [String: Digest256] {
        let spool = GuestSpool(guest, directory: directory, isKept: false, progress: Progress())
        spool.begin(backup)
        let contents = try spool.contents(toTheEnd: true)
        let configuration = try contents.configurations.first { $0.name.hasSuffix(".conf") }
            .map { (file) throws(Failure) in
                try GuestConfiguration(kind: .qemu, file: file.bytes)
            }
        var digests: [String: Digest256] = [:]
        for device in contents.devices {
            guard
                let key = configuration?.devices.first(where: { $0.device == device.name })?.key
            else { continue }
            digests[key] = try digest(spool.path(of: device.name), of: key, size: device.size)
        }
        return digests
    }

    /// The digest over as many bytes as the archive has; what a storage adds must be zeros.
    private func digest(_ path: String, of key: String, size: Int64) throws(Failure) -> Digest256 {
        let expected = expectedDisks.first { $0.key == key }?.size ?? size
        guard size >= expected else { return Digest256() }
        var disk = try RawDisk(opening: path)
        var chunk = Chunk()
        if size > expected, try !isZero(&disk, expected..<size, &chunk) { return Digest256() }
        let leaves = try DiskDigest.leaves(
            of: &disk, in: 0..<expected, &chunk, progress: room.progress)
        return leaves.root
    }

    private func isZero(
        _ disk: inout RawDisk, _ range: Range<Int64>, _ chunk: inout Chunk
    ) throws(Failure) -> Bool {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let extent = disk.extent(at: offset, before: range.upperBound)
            if extent.isHole {
                offset = extent.end
                continue
            }
            let count = Int(min(Int64(chunk.capacity), extent.end - offset))
            try disk.read(count, at: offset, into: &chunk)
            let isZero = try unsafe chunk.withBytes { (bytes) throws(Failure) in
                unsafe bytes.allSatisfy { $0 == 0 }
            }
            if !isZero { return false }
            offset += Int64(count)
        }
        return true
    }

    // MARK: - Result

    /// - Parameter number: of the guest in the receipt, which tells no names.
    func conclude(_ number: Int, into result: inout ImportResult) throws(Failure) {
        try compareSettings(number, into: &result)
        try creation.firewall()?.compare(
            number, String(creation.target.number), into: &result)
        // Whoever asked for digests must not take what was not read for equal.
        guard wasAsked.withLock({ $0 }) else { return }
        switch found.withLock({ $0 }) {
        case .disks(let digests): concludeDisks(digests, number, into: &result)
        case .files(let files): conclude(files, number, into: &result)
        case .nothing(let reason): concludeNothing(reason, into: &result)
        case nil:
            concludeNothing(
                isContainer ? .filesWithoutBackup : .disksWithoutBackup, into: &result)
        }
    }

    private var isContainer: Bool { creation.kind == .container }

    private func concludeNothing(_ reason: Reservation.Kind, into result: inout ImportResult) {
        let reservation = Reservation(reason)
        result.reservations.append(reservation)
        result.shortfallCount += 1
        result.shortfalls.append([
            "object": .string(String(creation.target.number)), "what": .string(reservation.text),
        ])
    }

    /// What the target must have of a disk.
    private struct ExpectedDisk {
        let key: String
        let size: Int64
        let digest: Digest256
    }

    /// The disks of the archive; of a restored stream also those that are nowhere else.
    private var expectedDisks: [ExpectedDisk] {
        let guest = creation.guest
        var all = guest.disks.map { ExpectedDisk(key: $0.key, size: $0.size, digest: $0.digest) }
        guard creation.route == .restore, !isContainer, let stream = guest.stream
        else { return all }
        let prefix = "sha256-tree-1m/"
        for member in stream.record.digests where member.key.hasPrefix(prefix) {
            let name = String(member.key.dropFirst(prefix.count))
            let device = guest.description["devices"]?.array?.first { $0["name"]?.string == name }
            // Without a key it is nowhere to be found on the target, and that is a difference.
            let key =
                creation.configuration.devices.first { $0.device == name }?.key
                ?? device?["key"]?.string ?? name
            guard let digest = member.value.string.flatMap({ Digest256(hex: $0) }),
                !all.contains(where: { $0.key == key })
            else { continue }
            all.append(
                ExpectedDisk(key: key, size: device?["bytes"]?.integer ?? 0, digest: digest))
        }
        return all
    }

    private func concludeDisks(
        _ digests: [String: Digest256], _ number: Int, into result: inout ImportResult
    ) {
        let disks = expectedDisks
        if creation.route == .restore {
            let known = Set(disks.map(\.key))
            let carried = BackupContent(of: creation.configuration).carried
            if carried.contains(where: { !known.contains($0.key) }) {
                concludeNothing(.disksWithoutDigests, into: &result)
            }
        }
        for (place, disk) in disks.enumerated() {
            let comparison = ImportResult.Comparison(
                name: "sha256-tree-1m of disk \(place + 1) of guest \(number)",
                expected: disk.digest.hex, found: digests[disk.key]?.hex ?? "missing")
            result.comparisons.append(comparison)
            if !comparison.equal {
                result.differenceCount += 1
                result.differences.append([
                    "object": .string("\(creation.target.number)/\(disk.key)"),
                    "what": "other bytes than the archive has",
                ])
            }
        }
    }

    private func conclude(
        _ files: ContainerProof.Result, _ number: Int, into result: inout ImportResult
    ) {
        let comparison = files.comparison
        result.comparisons.append(
            .init(
                name: "files of guest \(number)", expected: String(comparison.expectedCount),
                found: String(comparison.foundCount)))
        result.comparisons.append(
            .init(
                name: "sha256 of all files of guest \(number)",
                expected: comparison.expected.hex, found: comparison.found.hex))
        result.differenceCount += comparison.differenceCount
        for difference in comparison.differences {
            let path = "/" + String(decoding: difference.path, as: UTF8.self)
            result.differences.append([
                "object": .string("\(creation.target.number)\(path)"),
                "what": .string(difference.what.map(\.rawValue).joined(separator: ", ")),
            ])
        }
        result.remarks.append([
            "object": .string(String(creation.target.number)),
            "what": .string(ContainerProof.notCompared(files.deviceCount)),
        ])
        concludeMade(files.made, into: &result)
        concludeUnread(files, into: &result)
    }

    /// Directories of mount points, which the server has made: a person gives them what they had.
    private func concludeMade(
        _ made: [ContainerProof.MadeDirectory], into result: inout ImportResult
    ) {
        for directory in made {
            let name =
                directory.path == [0x2e]
                ? "/" : "/" + String(decoding: directory.path, as: UTF8.self)
            let (owner, mode) = ("\(directory.owner):\(directory.group)", octal(directory.mode))
            let inside = "pct exec \(creation.target.number) --"
            let path = PrivilegeCheck.quoted(name)
            result.shortfallCount += 1
            result.shortfalls.append([
                "object": .string("\(creation.target.number)\(name)"),
                "what": .string(
                    "a directory that Proxmox VE makes before it unpacks: it had the owner \(owner) and "
                        + "the mode \(mode)"
                        + (directory.hasAttributes ? ", and extended attributes or an ACL" : "")),
                "command": .string(
                    "\(inside) chown \(owner) \(path) && \(inside) chmod \(mode) \(path)"),
            ])
        }
    }

    private func octal(_ mode: UInt32) -> String {
        let text = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - text.count)) + text
    }

    /// What the backup for the proof could not hold.
    private func concludeUnread(
        _ files: ContainerProof.Result, into result: inout ImportResult
    ) {
        let file = "/etc/vzdump.conf of \(creation.node)"
        guard let excluded = excluded.withLock({ $0 }) else {
            let isMissing = files.comparison.differences.contains { $0.what == [.missing] }
            guard isMissing else { return }
            result.remarks.append([
                "object": .string(String(creation.target.number)),
                "what": .string(
                    "what is missing may be left out of every backup by exclude-path in \(file), which "
                        + "the server does not tell"),
            ])
            return
        }
        if files.unreadCount == 0 { return }
        result.reservations.append(Reservation(.filesLeftOut, count: files.unreadCount))
        result.shortfallCount += 1
        result.shortfalls.append([
            "object": .string(String(creation.target.number)),
            "what": .string(
                "\(files.unreadCount) objects were not read again: exclude-path in \(file) leaves "
                    + "\(excluded.text) out of every backup"),
        ])
    }

    private func compareSettings(
        _ number: Int, into result: inout ImportResult
    ) throws(Failure) {
        let guest = creation.guest
        let actions = try creation.request().actions
        let now = try GuestConfiguration(
            kind: creation.kind.guestKind,
            api: creation.client.get(creation.path + ["config"]))
        // A stream brings all that is in it, also what the archive has no image of.
        let carried = Set(
            guest.disks.map(\.key)
                + (guest.disks.isEmpty || creation.route == .restore
                    ? BackupContent(of: creation.configuration).carried.map(\.key) : []))
        let comparison = try ConfigurationComparison(
            source: creation.configuration, found: now, at: creation.target, carried: carried,
            keepsMedia: creation.route == .restore, actions: actions)
        let wrong = comparison.items.filter {
            [.differs, .missing, .extra].contains($0.verdict)
        }
        result.comparisons.append(
            .init(
                name: "mapped settings of guest \(number)",
                expected: "\(comparison.items.count) of \(comparison.items.count)",
                found: "\(comparison.items.count - wrong.count) of \(comparison.items.count)"))
        for item in wrong {
            result.differenceCount += 1
            result.differences.append([
                "object": .string("\(creation.target.number)/\(item.key)"),
                "what": .string(item.verdict.rawValue),
                "expected": item.expected.map { .string($0) } ?? .null,
                "found": item.found.map { .string($0) } ?? .null,
            ])
        }
        for lack in try RestoredMedia(creation).lacking(now) {
            result.shortfallCount += 1
            result.shortfalls.append(lack)
        }
        for volume in creation.leftBehind {
            let storage = volume.prefix { $0 != ":" }
            result.shortfallCount += 1
            result.shortfalls.append([
                "object": .string(volume),
                "what": .string(
                    "an upload that could not be removed: that takes Datastore.Allocate on "
                        + "/storage/\(storage)"),
                "command": .string("pvesm free \(volume)"),
            ])
        }
        // What is left to a person is not set yet, unless the server has restored it.
        let isSet = Set(
            comparison.items.filter { [.equal, .mapped].contains($0.verdict) }.map(\.key))
        for action in actions where !isSet.contains(action.key) {
            result.shortfallCount += 1
            result.shortfalls.append([
                "object": .string("\(creation.target.number)/\(action.key)"),
                "what": .string(action.what),
                "command": action.command.map { .string($0) } ?? .null,
            ])
        }
    }
}
