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

    private var notePath: String { directory + "/remains" }

    /// Notes what a task that has ended may have left, by the name that its own log tells.
    func note(_ log: [String], of guest: PlannedGuest, on node: String) throws(Failure) {
        guard let path = StoredBackups.archivePath(in: log) else { return }
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
