import Basics
import Connectors
import Disks
import Glibc
import Streams

/// Backups that are files already: nothing is made, and nothing taken away.
struct DumpFiles: BackupProvider {
    struct Dump: Sendable, Equatable {
        let path: String
        let id: Int64
        let kind: GuestEntry.Kind
        /// From the name: the node's own time.
        let taken: String
    }

    let canReadAgain = true
    /// By the number of the guest.
    let dumps: [Int64: Dump]

    /// The backups that patterns mean: files, or directories with such; of each guest one.
    init(_ paths: [String]) throws(Failure) {
        var found: [Int64: Dump] = [:]
        for path in paths {
            let files: [String]
            if Files.kind(Files.absolute(path)) == S_IFDIR {
                files = try Files.names(in: path)
                    .filter { BackupFile.content(named: $0) != nil }.map { path + "/" + $0 }
            } else {
                files = [path]
            }
            for file in files {
                guard let dump = Dump(path: file) else {
                    throw Failure(
                        .planInvalidValue, "\"\(file)\" is not named as vzdump names its files",
                        hint: "Such as vzdump-qemu-100-2026_11_23-18_22_38.vma.zst.")
                }
                if let other = found[dump.id] {
                    throw Failure(
                        .planInvalidValue,
                        "\"\(other.path)\" and \"\(dump.path)\" are backups of the same guest",
                        hint: "Name the files to export one by one.")
                }
                found[dump.id] = dump
            }
        }
        guard !found.isEmpty else {
            throw Failure(
                .notFound,
                "there is no backup in \(paths.map { "\"\($0)\"" }.joined(separator: ", "))")
        }
        dumps = found
    }

    func open(_ guest: PlannedGuest, in directory: String) throws(Failure) -> OpenBackup {
        guard let dump = dumps[guest.id] else {
            throw Failure(.notFound, "the backup of \(guest.title) is no longer there")
        }
        let file = try BackupFile(opening: dump.path)
        // What an interrupted run has stored is of the file as it was then.
        let note = directory + "/origin"
        let origin = try Self.identity(of: dump.path)
        if Files.exists(note) {
            guard try Files.readText(note) == origin else { throw Self.changed(dump) }
        } else {
            try Files.write(Array(origin.utf8), to: note, mode: 0o600)
        }
        return OpenBackup(
            facts: [
                .init("file", .string(Files.lastComponent(of: dump.path))),
                .init("taken", .string(dump.taken)),
            ]
        ) { () throws(Failure) in SegmentStream(try file.open()) }
    }

    func discard(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String? { nil }

    func finish(_ guest: PlannedGuest, in directory: String) throws(Failure) -> String? {
        let note = directory + "/origin"
        guard let dump = dumps[guest.id], Files.exists(note),
            try Files.readText(note) == Self.identity(of: dump.path)
        else { throw Self.changed(dumps[guest.id]) }
        return nil
    }

    /// Whether something else than what was stored in part is there by now.
    func hasChanged(_ guest: Int64, in directory: String) throws(Failure) -> Bool {
        let note = directory + "/origin"
        guard let dump = dumps[guest], Files.exists(note),
            !Files.exists(directory + "/finished")
        else { return false }
        return try Files.readText(note) != Self.identity(of: dump.path)
    }

    /// Tells a file from what it was before, or what has taken its place.
    private static func identity(of path: String) throws(Failure) -> String {
        let status = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK).status()
        return "\(status.st_dev) \(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec)."
            + "\(status.st_mtim.tv_nsec)\n"
    }

    private static func changed(_ dump: Dump?) -> Failure {
        Failure(
            .guestBackupLost,
            dump.map { "\"\($0.path)\" has changed since it was read first" }
                ?? "it is no longer there")
    }
}

extension DumpFiles.Dump {
    /// Reads `vzdump-qemu-100-2026_11_23-18_22_38.vma.zst`.
    init?(path: String) {
        let parts = Files.lastComponent(of: path).split(separator: "-", maxSplits: 3)
        guard parts.count == 4, parts[0] == "vzdump",
            let kind = GuestEntry.Kind(rawValue: String(parts[1])),
            let id = Int64(parts[2]), id >= 100, BackupFile.content(named: path) != nil
        else { return nil }
        self.init(
            path: path, id: id, kind: kind, taken: String(parts[3].prefix { $0 != "." }))
    }
}
