import Basics
import Connectors
import Disks
import Guests
import Primitives
import Streams
import Synchronization

/// Reads a guest that was made on a cluster again: its settings by the API, its disks out of a backup
/// that is made for this and deleted.
final class GuestProof: Sendable {
    private let creation: GuestCreation
    private let room: Room
    private let found = Mutex<[String: Digest256]?>(nil)
    private let wasAsked = Mutex(false)

    init(_ creation: GuestCreation, room: Room) {
        self.creation = creation
        self.room = room
    }

    private var canReadDisks: Bool {
        creation.settings.transport?.storage != nil && creation.kind == .machine
    }

    /// Takes the digests of all disks as the cluster has them now.
    func compareDisks() throws(Failure) {
        wasAsked.withLock { $0 = true }
        guard canReadDisks else { return }
        let directory = room.directory + "/proof-\(creation.guest.id)"
        try Files.makeDirectory(directory, mode: 0o700)
        let guest = PlannedGuest(
            id: Int64(creation.target.number), kind: .machine, name: creation.guest.name,
            node: creation.node, pool: nil, disks: [], leftOut: [], isPortable: true,
            isNative: false, declaredBytes: 0)
        let provider = try BackupProviders.make(
            ProxmoxSettings(proof: creation.settings.server, creation.settings.transport),
            run: "proof-\(creation.guest.id)", room: room)
        do throws(Failure) {
            let digests = try digests(of: guest, provider, in: directory)
            found.withLock { $0 = digests }
        } catch {
            // What cannot be taken away now stays noted, and the next run takes it away.
            do throws(Failure) {
                if try provider.finish(guest, in: directory) == nil { try Files.remove(directory) }
            } catch {}
            throw error.during("cannot read the disks of \(creation.guest.title) again")
        }
        if let left = try provider.finish(guest, in: directory) {
            throw Failure(.serverRefused, "a temporary backup could not be deleted: \(left)")
        }
        try Files.remove(directory)
    }

    private func digests(
        of guest: PlannedGuest, _ provider: any BackupProvider, in directory: String
    ) throws(Failure) -> [String: Digest256] {
        let backup: OpenBackup
        do throws(Failure) { backup = try provider.open(guest, in: directory) } catch {
            // An interrupted import was done with it: another one tells the same.
            guard error.code == .guestBackupLost else { throw error }
            try Files.remove(directory)
            try Files.makeDirectory(directory, mode: 0o700)
            backup = try provider.open(guest, in: directory)
        }
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
        let expected = creation.guest.disks.first { $0.key == key }?.size ?? size
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
        let guest = creation.guest
        try compareSettings(number, into: &result)
        let found = found.withLock { $0 }
        guard let found else {
            // Whoever asked for digests must not take this for equal.
            guard wasAsked.withLock({ $0 }) else { return }
            let what =
                creation.kind == .container
                ? "the files of a container were not read again"
                : "the disks of a machine were not read again: the target names no transport"
            result.reservations.append(what)
            result.shortfallCount += 1
            result.shortfalls.append([
                "object": .string(String(creation.target.number)), "what": .string(what),
            ])
            return
        }
        for (place, disk) in guest.disks.enumerated() {
            let comparison = ImportResult.Comparison(
                name: "sha256-tree-1m of disk \(place + 1) of guest \(number)",
                expected: disk.digest.hex, found: found[disk.key]?.hex ?? "missing")
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

    private func compareSettings(
        _ number: Int, into result: inout ImportResult
    ) throws(Failure) {
        let guest = creation.guest
        let actions = try creation.request().actions
        let now = try GuestConfiguration(
            kind: creation.kind.guestKind,
            api: creation.client.get(creation.path + ["config"]))
        let carried = Set(
            guest.disks.map(\.key)
                + (guest.disks.isEmpty
                    ? BackupContent(of: creation.configuration).carried.map(\.key) : []))
        let comparison = try ConfigurationComparison(
            source: creation.configuration, found: now, at: creation.target, carried: carried,
            actions: actions)
        let wrong = comparison.items.filter {
            [.differs, .missing, .extra].contains($0.verdict)
        }
        result.comparisons.append(
            .init(
                name: "settings of guest \(number) as mapped",
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
        // What is left to a person is not set yet.
        for action in actions {
            result.shortfallCount += 1
            result.shortfalls.append([
                "object": .string("\(creation.target.number)/\(action.key)"),
                "what": .string(action.what),
                "command": action.command.map { .string($0) } ?? .null,
            ])
        }
    }
}
