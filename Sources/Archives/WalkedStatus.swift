import CLinux
import Glibc

/// What kind of object a walk met; sockets too, which no archive holds.
public enum WalkedKind: String, Sendable, CaseIterable {
    case file, directory, symlink, fifo, character, block, socket

    /// From the type bits of `st_mode`; nil for none that Linux knows.
    public init?(mode: mode_t) {
        switch mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .directory
        case S_IFLNK: self = .symlink
        case S_IFIFO: self = .fifo
        case S_IFCHR: self = .character
        case S_IFBLK: self = .block
        case S_IFSOCK: self = .socket
        default: return nil
        }
    }

    /// From the kind in a directory's record, which some file systems leave open.
    init?(directoryRecord kind: UInt8) { self.init(mode: mode_t(kind) << 12) }
}

extension Entry.Kind {
    /// The kind of a first name; nil for a socket.
    public init?(_ kind: WalkedKind) { self.init(rawValue: kind.rawValue) }
}

/// The status of an object itself, links not followed (stat(2)).
public struct WalkedStatus: Sendable, Equatable {
    public var kind: WalkedKind
    public var device: UInt64
    public var inode: UInt64
    /// How many names the object has.
    public var links: UInt64
    /// The twelve permission bits.
    public var mode: UInt32
    public var uid: UInt32
    public var gid: UInt32
    public var size: Int64
    /// Allocated units of 512 bytes.
    public var blocks: Int64
    public var modified: FileTime
    public var changed: FileTime
    /// Which device a device node stands for.
    public var represents: DeviceNumber

    public init?(_ status: stat) {
        guard let kind = WalkedKind(mode: status.st_mode) else { return nil }
        self.kind = kind
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        links = UInt64(status.st_nlink)
        mode = UInt32(status.st_mode & 0o7777)
        uid = status.st_uid
        gid = status.st_gid
        size = Int64(status.st_size)
        blocks = Int64(status.st_blocks)
        modified = FileTime(status.st_mtim)
        changed = FileTime(status.st_ctim)
        represents = DeviceNumber(
            major: exeat_major(UInt64(status.st_rdev)), minor: exeat_minor(UInt64(status.st_rdev)))
    }
}

extension FileTime {
    public init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }
}
