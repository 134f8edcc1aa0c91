import Primitives

/// One object of a file tree, as the pax stream and the index describe it.
///
/// Names are bytes, never text: Linux allows everything but NUL and "/" in them.
public struct Entry: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        case file, directory, symlink, hardlink, fifo, character, block
    }

    /// Relative to the root of the tree, components joined by "/"; empty for the root itself.
    public var path: [UInt8]
    public var kind: Kind
    /// The twelve permission bits, setuid, setgid and sticky included.
    public var mode: UInt32 = 0o644
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    /// Names of owner and group at the source; empty when the system knew none.
    public var owner: [UInt8] = []
    public var group: [UInt8] = []
    public var modified = FileTime(seconds: 0, nanoseconds: 0)
    /// The visible bytes of a file; 0 for everything else.
    public var size: Int64 = 0
    /// A symbolic link's target, or for a hard link the path of the first name in path order.
    public var target: [UInt8] = []
    /// Major and minor number of a device.
    public var device = DeviceNumber(major: 0, minor: 0)
    /// Extended attributes without the two POSIX ACLs, sorted by the bytes of their names.
    public var attributes: [ExtendedAttribute] = []
    public var accessACL: AccessControlList?
    public var defaultACL: AccessControlList?
    /// Where a file's data lies, ascending and not touching; nil for a file without holes.
    public var extents: [Extent]?

    /// The mode of every symbolic link.
    static let linkMode: UInt32 = 0o777

    public init(path: [UInt8], kind: Kind) {
        self.path = path
        self.kind = kind
    }
}

/// Seconds since 1970, rounded down, and the nanoseconds (0..<1e9) after that second.
public struct FileTime: Sendable, Hashable {
    public var seconds: Int64
    public var nanoseconds: Int32

    public init(seconds: Int64, nanoseconds: Int32) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }
}

public struct DeviceNumber: Sendable, Hashable {
    public var major: UInt32
    public var minor: UInt32

    public init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }
}

public struct ExtendedAttribute: Sendable, Hashable {
    public var name: [UInt8]
    public var value: [UInt8]

    public init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// A run of data in a file with holes, in bytes.
public struct Extent: Sendable, Hashable {
    public var offset: Int64
    public var length: Int64

    public init(offset: Int64, length: Int64) {
        self.offset = offset
        self.length = length
    }
}

/// The digest of a file's visible bytes.
public enum ContentDigest: Sendable, Hashable {
    /// Plain SHA-256: files up to 256 MiB without holes.
    case sha256(Digest256)
    /// `sha256-tree-1m`: large files and files with holes.
    case tree(Digest256)
}
