import Basics
import Connectors

/// What a backup that failed leaves on its storage: the log beside it and, where the task was killed, what
/// it had written so far. No call of the API shows or deletes them.
///
/// Their names stand in a file of the guest's directory until they are gone.
struct TaskRemains {
    let files: any BackupFiles
    /// Of the guest, in the room.
    let directory: String

    /// Of the file with their names.
    static let fileName = "remains"

    private var notePath: String { directory + "/" + Self.fileName }

    /// The name of the log that a backup has left which ended before it had a file, as for a guest that is
    /// locked: it bears the time at which the task says it began.
    ///
    /// Source: `PVE::VZDump`, `exec_backup_task`.
    static func name(of guest: PlannedGuest, in log: [String]) -> String? {
        let words = "INFO: Backup started at "
        guard let line = log.last(where: { $0.hasPrefix(words) }) else { return nil }
        let time = line.dropFirst(words.count)
        let shape = time.map { $0.isNumber ? "0" : String($0) }.joined()
        guard shape == "0000-00-00 00:00:00" else { return nil }
        let stamp = time.map { $0 == "-" || $0 == ":" ? "_" : $0 == " " ? "-" : $0 }
        return "vzdump-\(guest.kind.rawValue)-\(guest.id)-\(String(stamp)).log"
    }

    /// Notes what a task that has ended may have left, by the name that its own log tells.
    func note(_ path: String, of guest: PlannedGuest, on node: String) throws(Failure) {
        let name = Files.lastComponent(of: path)
        let base = String(name.prefix { $0 != "." })
        // Nothing but a backup of this guest is ever meant.
        guard base.hasPrefix("vzdump-\(guest.kind.rawValue)-\(guest.id)-") else { return }
        let kind = guest.kind == .machine ? "vma" : "tar"
        let folder = String(path.dropLast(name.utf8.count))
        var lines = try noted()
        for ending in ["log", "\(kind).dat", "dat"] {
            lines.append((node, folder + base + "." + ending))
        }
        try write(lines)
    }

    /// Takes them away; gives those that cannot be, with the reason.
    func remove() throws(Failure) -> [String] {
        var left: [(node: String, path: String)] = []
        var told: [String] = []
        for (node, path) in try noted() {
            do throws(Failure) { try files.remove(path, on: node) } catch {
                if error.code == .cancelled { throw error }
                left.append((node, path))
                told.append("\(path) on \(node): \(error.what)")
            }
        }
        try write(left)
        return told
    }

    private func noted() throws(Failure) -> [(node: String, path: String)] {
        guard Files.exists(notePath) else { return [] }
        return try Files.readText(notePath).split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ", maxSplits: 1)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
    }

    private func write(_ lines: [(node: String, path: String)]) throws(Failure) {
        if lines.isEmpty { return try Files.remove(notePath) }
        let text = lines.map { "\($0.node) \($0.path)\n" }.joined()
        try Files.write(Array(text.utf8), to: notePath, mode: 0o600)
    }
}
