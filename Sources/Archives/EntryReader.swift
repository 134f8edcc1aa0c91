import Basics
import CLinux
import Glibc

/// Reads everything about one object that an archive keeps but the content of a file.
///
/// The object is opened once, links not followed, and all is read through that descriptor, so the
/// answers belong together. Buffers are used again: a file without extended attributes costs no
/// allocation. Calls block: one reader for each `Lane`.
public struct EntryReader: ~Copyable {
    public struct Reading: Sendable {
        /// A further name of a file is still a `.file` here: only the whole tree can tell.
        public var entry: Entry
        public var status: WalkedStatus
        /// Names of extended attributes that are there but could not be read.
        public var unreadableAttributes: [[UInt8]] = []

        public var identity: FileIdentity { FileIdentity(status) }
    }

    /// A regular file, open for reading at its start, and what was read of it.
    public struct OpenedFile: ~Copyable {
        public let reading: Reading
        public let descriptor: Descriptor

        /// Whether the file has been touched since it was opened; asked after its content was read.
        public func hasChanged() throws(Failure) -> Bool {
            FileIdentity(try descriptor.status()).hasChanged(since: reading.identity)
        }
    }

    private let names: OwnerNames
    /// The owners met last: most neighbours have the same, and `names` is shared under a lock.
    private var user: (id: UInt32, name: [UInt8])?
    private var group: (id: UInt32, name: [UInt8])?
    private var attributes = AttributeReader()

    public init(names: OwnerNames) { self.names = names }

    /// Reads an object of the kind expected.
    ///
    /// Throws `.sourceVanished` when it is not there, `.sourceChanged` when it is of another kind,
    /// `.sourceUnreadable` when it may not be read, `.unsupported` for a socket.
    public mutating func read(
        _ path: [UInt8], _ kind: WalkedKind, in directory: Int32, _ name: UnsafePointer<CChar>
    ) throws(Failure) -> Reading {
        if kind == .file { return try unsafe open(path, in: directory, name).reading }
        guard let entryKind = Entry.Kind(kind) else {
            throw Failure(.unsupported, "a socket cannot be archived: \(Self.quoted(path))")
        }
        let flags = exeat_o_path | O_NOFOLLOW | O_CLOEXEC
        let raw = retrying { unsafe openat(directory, name, flags) }
        guard raw >= 0 else { throw Self.failure(errno, path) }
        let object = Descriptor(owning: raw)
        let status = try Self.status(of: object, kind, path)
        var reading = try reading(path, entryKind, status)
        if kind == .symlink {
            do throws(Failure) {
                reading.entry.target = try unsafe LinkTarget.read(raw, "")
            } catch { throw error.during("cannot read \(Self.quoted(path))") }
        }
        try readAttributes(of: .path(raw), into: &reading)
        return reading
    }

    /// Opens a regular file and reads what is known of it, holes included.
    ///
    /// Throws as `read` does.
    public mutating func open(
        _ path: [UInt8], in directory: Int32, _ name: UnsafePointer<CChar>
    ) throws(Failure) -> OpenedFile {
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        // Only an owner may leave the access time alone; others are refused and ask again.
        var raw = retrying { unsafe openat(directory, name, flags | exeat_o_noatime) }
        if raw < 0, errno == EPERM { raw = retrying { unsafe openat(directory, name, flags) } }
        guard raw >= 0 else { throw Self.failure(errno, path) }
        let file = Descriptor(owning: raw)
        let status = try Self.status(of: file, .file, path)
        var reading = try reading(path, .file, status)
        reading.entry.size = status.size
        if status.blocks < (status.size + 511) / 512 {
            reading.entry.extents = HoleMap.read(raw, size: status.size)
        }
        try readAttributes(of: .descriptor(raw), into: &reading)
        return OpenedFile(reading: reading, descriptor: file)
    }

    /// The same by path, through the lane's cursor.
    public mutating func read(
        _ path: [UInt8], _ kind: WalkedKind, through cursor: inout TreeCursor
    ) throws(Failure) -> Reading {
        try unsafe cursor.withParent(of: path) { directory, name throws(Failure) in
            try unsafe read(path, kind, in: directory, name)
        }
    }

    /// The same by path, through the lane's cursor.
    public mutating func open(
        _ path: [UInt8], through cursor: inout TreeCursor
    ) throws(Failure) -> OpenedFile {
        var opened: OpenedFile?
        try unsafe cursor.withParent(of: path) { directory, name throws(Failure) in
            opened = try unsafe open(path, in: directory, name)
        }
        guard let opened else { throw Failure(.failed, "cannot open \(Self.quoted(path))") }
        return opened
    }

    private mutating func reading(
        _ path: [UInt8], _ kind: Entry.Kind, _ status: WalkedStatus
    ) throws(Failure) -> Reading {
        var entry = Entry(path: path, kind: kind)
        // The bits of a link mean nothing and cannot be set: /proc and some servers show others.
        entry.mode = kind == .symlink ? Entry.linkMode : status.mode
        entry.uid = status.uid
        entry.gid = status.gid
        entry.owner = try userName(status.uid)
        entry.group = try groupName(status.gid)
        entry.modified = status.modified
        if kind == .character || kind == .block { entry.device = status.represents }
        return Reading(entry: entry, status: status)
    }

    private mutating func userName(_ id: UInt32) throws(Failure) -> [UInt8] {
        if let user, user.id == id { return user.name }
        let name = try names.user(id)
        user = (id, name)
        return name
    }

    private mutating func groupName(_ id: UInt32) throws(Failure) -> [UInt8] {
        if let group, group.id == id { return group.name }
        let name = try names.group(id)
        group = (id, name)
        return name
    }

    private mutating func readAttributes(
        of object: AttributeReader.Object, into reading: inout Reading
    ) throws(Failure) {
        do throws(Failure) {
            try attributes.read(object, into: &reading)
        } catch { throw error.during("cannot read \(Self.quoted(reading.entry.path))") }
    }

    private static func status(
        of object: borrowing Descriptor, _ kind: WalkedKind, _ path: [UInt8]
    ) throws(Failure) -> WalkedStatus {
        guard let status = WalkedStatus(try object.status()), status.kind == kind else {
            throw Failure(
                .sourceChanged, "\(quoted(path)) is no longer a \(kind.rawValue)", mayRetry: true)
        }
        return status
    }

    private static func failure(_ number: Int32, _ path: [UInt8]) -> Failure {
        let cause = Failure(errno: number, "cannot open it")
        // Nothing is wrong with the object: to leave it out for that would lose it.
        if Failure.isExhaustion(number) { return cause.during("cannot read \(quoted(path))") }
        switch number {
        case ENOENT, ENOTDIR:
            return Failure(.sourceVanished, "\(quoted(path)) vanished", cause: cause)
        case ELOOP, ENXIO:
            return Failure(
                .sourceChanged, "\(quoted(path)) is no longer a file", mayRetry: true, cause: cause)
        default:
            return Failure(
                .sourceUnreadable, "cannot read \(quoted(path))",
                hint: "Run the export as root, or grant read access.", cause: cause)
        }
    }

    private static func quoted(_ path: [UInt8]) -> String {
        "\"\(String(decoding: path, as: UTF8.self))\""
    }
}
