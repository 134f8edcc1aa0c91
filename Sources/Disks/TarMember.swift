/// A member of a tar stream: what makes an object of a file system, content aside.
public struct TarMember: Sendable, Equatable {
    /// The numbers of ustar.
    public enum Kind: UInt8, Sendable {
        case file = 0x30
        case hardLink = 0x31
        case symbolicLink = 0x32
        case characterDevice = 0x33
        case blockDevice = 0x34
        case directory = 0x35
        case fifo = 0x36
    }

    /// An extended attribute or an ACL, under the name that its pax record has.
    public struct Attribute: Sendable, Equatable {
        public let name: [UInt8]
        public let value: [UInt8]
    }

    /// Without `./` at its start and `/` at its end; `.` for the root.
    public internal(set) var path: [UInt8]
    public internal(set) var kind: Kind
    /// The twelve bits of permissions.
    public var mode: UInt32
    public var owner: UInt64
    public var group: UInt64
    /// Of the last change of the content: seconds since 1970, and nanoseconds after them.
    public var modified: (seconds: Int64, nanoseconds: Int64)
    /// Visible bytes, holes included.
    public internal(set) var size: Int64
    /// What a symbolic link holds; the path of the member that a hard link is another name of.
    public internal(set) var link: [UInt8]
    public internal(set) var device: (major: UInt64, minor: UInt64)
    /// By name.
    public var attributes: [Attribute]

    public static func == (left: TarMember, right: TarMember) -> Bool {
        left.path == right.path && left.kind == right.kind && left.mode == right.mode
            && left.owner == right.owner && left.group == right.group
            && left.modified == right.modified && left.size == right.size
            && left.link == right.link && left.device == right.device
            && left.attributes == right.attributes
    }

    /// Whether it is an object, or below it: a path as in `path`.
    public func isWithin(_ folder: String) -> Bool {
        let prefix = folder.utf8
        guard path.starts(with: prefix) else { return false }
        return path.count == prefix.count || path[prefix.count] == 0x2f
    }

    /// Takes the root's name and the slashes away that only say how tar was called.
    static func normalised(_ path: some Collection<UInt8>) -> [UInt8] {
        var rest = Array(path)[...]
        while true {
            if rest.starts(with: [0x2e, 0x2f]) {
                rest = rest.dropFirst(2)
            } else if rest.first == 0x2f {
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        while rest.last == 0x2f { rest = rest.dropLast() }
        return rest.isEmpty ? [0x2e] : Array(rest)
    }
}
