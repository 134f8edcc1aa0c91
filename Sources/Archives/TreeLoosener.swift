public import Basics
import CLinux
import Glibc

/// Gives files and directories back the bits that `TreeRestrictor` took from them, so that an import
/// that is run again without root's rights can reach and read what it made before.
///
/// Takes all entries of the index in their order. What is not there or not this user's is left as it
/// is: the import or the comparison will say so.
public struct TreeLoosener: ~Copyable {
    private let target: TreeTarget
    private var cursor: TreeCursor

    public init(_ target: TreeTarget) {
        self.target = target
        cursor = TreeCursor(target.root)
    }

    public mutating func add(_ indexed: IndexedEntry) throws(Failure) {
        let entry = target.owners.applied(to: indexed.entry)
        let mode = target.readableMode(entry)
        let kind = entry.kind == .directory ? S_IFDIR : S_IFREG
        guard mode != entry.mode, !entry.path.isEmpty else { return }
        do throws(Failure) {
            try unsafe cursor.withParent(of: entry.path) { (directory, name) throws(Failure) in
                let flags = exeat_o_path | O_NOFOLLOW | O_CLOEXEC
                let raw = retrying { unsafe openat(directory, name, flags) }
                guard raw >= 0 else { return }
                let object = Descriptor(owning: raw)
                let status = try object.status()
                // Anything else was there before this import, or was changed since.
                guard status.st_mode & S_IFMT == kind, status.st_uid == geteuid(),
                    status.st_mode & 0o7777 == entry.mode,
                    FileTime(status.st_mtim) == entry.modified
                else { return }
                _ = MadeObject.path(raw).set(mode: mode)
            }
        } catch {
            guard
                error.code == .notFound || error.code == .denied
                    || error.code == .treePathUnsafe
            else { throw error }
        }
    }
}
