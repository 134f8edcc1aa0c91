import Glibc

/// What stays the same as long as nobody touches a file: taken before and after reading it, from
/// the same descriptor, it tells whether it changed meanwhile.
public struct FileIdentity: Sendable, Hashable {
    public var device: UInt64
    public var inode: UInt64
    public var size: Int64
    public var modified: FileTime
    /// When content or metadata changed last (ctime), which no ordinary program can set back.
    public var changed: FileTime

    public init(_ status: WalkedStatus) {
        device = status.device
        inode = status.inode
        size = status.size
        modified = status.modified
        changed = status.changed
    }

    public init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        modified = FileTime(status.st_mtim)
        changed = FileTime(status.st_ctim)
    }

    /// Whether content or metadata may differ from what they were at `earlier`, or it is another
    /// file altogether.
    public func hasChanged(since earlier: FileIdentity) -> Bool { self != earlier }
}
