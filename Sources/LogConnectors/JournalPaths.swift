import Basics
import Glibc
import Logs

/// Finds the journal files that a plan means.
enum JournalPaths {
    struct Found: Sendable {
        var files: [String] = []
        /// What could not be listed, with the reason.
        var unreadable: [(path: String, why: String)] = []
    }

    /// Deeper trees are no journals.
    private static let deepest = 4

    /// All files below the directories that have the name of a journal file, those that a crash has
    /// left (`.journal~`) included, sorted by path.
    static func find(_ directories: [String]) throws(Failure) -> Found {
        var found = Found()
        for directory in directories {
            switch Files.kind(directory) {
            case nil:
                throw Failure(
                    .notFound, "there is no directory \"\(directory)\"",
                    hint: "Name the directory that holds the journal files.")
            default: search(directory, depth: 0, &found)
            }
        }
        found.files = Array(Set(found.files)).sorted {
            $0.utf8.lexicographicallyPrecedes($1.utf8)
        }
        return found
    }

    /// The directories of this machine's journal, as journald names them.
    static func live() throws(Failure) -> [String] {
        guard let text = try? Files.readText("/etc/machine-id"),
            let machine = JournalID(text.prefix(32))
        else {
            throw Failure(
                .notFound, "this machine has no id in \"/etc/machine-id\"",
                hint: "Name the directory of the journal in place of live.")
        }
        var directories: [String] = []
        for parent in ["/var/log/journal", "/run/log/journal"] {
            for name in (try? Files.names(in: parent)) ?? []
            where name == machine.text || name.hasPrefix(machine.text + ".") {
                directories.append(parent + "/" + name)
            }
        }
        guard !directories.isEmpty else {
            throw Failure(
                .notFound, "this machine keeps no journal",
                hint: "Look whether systemd-journald runs, and what Storage= its settings have.")
        }
        return directories
    }

    static func isJournal(_ name: String) -> Bool {
        name.hasSuffix(".journal") || name.hasSuffix(".journal~")
    }

    private static func search(_ path: String, depth: Int, _ found: inout Found) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            // What has gone meanwhile is no loss; what may not be looked at is.
            if errno != ENOENT { found.unreadable.append((path, describeErrno(errno))) }
            return
        }
        if status.st_mode & S_IFMT == S_IFREG {
            if depth == 0 || isJournal(path) { found.files.append(path) }
            return
        }
        guard status.st_mode & S_IFMT == S_IFDIR, depth < deepest else { return }
        do throws(Failure) {
            for name in try Files.names(in: path) {
                let inner = path == "/" ? "/" + name : path + "/" + name
                // Links to files are followed, as journalctl does; to directories they could lead
                // round.
                let kind = Files.kind(inner)
                if kind == S_IFDIR || kind == nil || isJournal(name) {
                    search(inner, depth: depth + 1, &found)
                }
            }
        } catch {
            found.unreadable.append((path, error.what))
        }
    }
}
