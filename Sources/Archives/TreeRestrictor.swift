public import Basics
import CLinux
import Glibc

/// Takes from files and directories the bits that an import without root's rights had to leave them,
/// so that the comparison could read what it compares.
///
/// The last step of an import; takes all entries of the index in their order. Does nothing for root.
public struct TreeRestrictor: ~Copyable {
    private let target: TreeTarget
    private var cursor: TreeCursor
    private var levels = PathLevels<Entry?>()

    public init(_ target: TreeTarget) {
        self.target = target
        cursor = TreeCursor(target.root)
    }

    /// Whether there can be anything to do.
    public static func isNeeded(for target: TreeTarget) -> Bool { !target.isPrivileged }

    public mutating func add(_ indexed: IndexedEntry) throws(Failure) {
        let entry = indexed.entry
        while let left = levels.popLeft(by: entry.path) {
            if let directory = left { try restrict(directory) }
        }
        let isOpen =
            target.readableMode(entry) != entry.mode && entry.kind != .hardlink
            && !target.shortfalls.covers(entry.path, .existing)
        if isOpen, entry.kind == .file { try restrict(entry) }
        levels.push(entry.path, isOpen && entry.kind == .directory ? entry : nil)
    }

    public mutating func finish() throws(Failure) {
        while let left = levels.pop() {
            if let directory = left { try restrict(directory) }
        }
    }

    private mutating func restrict(_ entry: Entry) throws(Failure) {
        let target = self.target
        try unsafe cursor.withParent(of: entry.path) { (directory, name) throws(Failure) in
            let flags = exeat_o_path | O_NOFOLLOW | O_CLOEXEC
            let raw = retrying { unsafe openat(directory, name, flags) }
            guard raw >= 0 else { return try target.note(entry.path, .mode) }
            let object = Descriptor(owning: raw)
            let kind = try object.status().st_mode & S_IFMT
            let isRight =
                kind == (entry.kind == .file ? S_IFREG : S_IFDIR)
                && MadeObject.path(raw).set(mode: entry.mode) == 0
            if !isRight { try target.note(entry.path, .mode) }
        }
    }
}
