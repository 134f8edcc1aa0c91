import Basics
import CLinux
import Glibc

/// A made object, for the calls that give it metadata.
struct MadeObject {
    let raw: Int32
    /// Open with O_PATH only: a FIFO, a device or a symbolic link.
    private let isPath: Bool

    /// Open for writing, or a directory open for reading.
    static func descriptor(_ raw: Int32) -> MadeObject { MadeObject(raw: raw, isPath: false) }
    static func path(_ raw: Int32) -> MadeObject { MadeObject(raw: raw, isPath: true) }

    /// Reaches the object itself, a link too, for calls that take no O_PATH descriptor.
    private var way: String { "/proc/self/fd/\(raw)" }

    /// The name goes to the system as the bytes it is, UTF-8 or not.
    func set(_ attribute: ExtendedAttribute) -> Int32 {
        let name = attribute.name.map { CChar(bitPattern: $0) } + [0]
        let value = attribute.value
        let size = UInt(value.count)
        return isPath
            ? unsafe exeat_setxattr(way, name, value, size)
            : unsafe exeat_fsetxattr(raw, name, value, size)
    }

    func set(_ attribute: String, _ value: [UInt8]) -> Int32 {
        let size = UInt(value.count)
        return isPath
            ? unsafe exeat_setxattr(way, attribute, value, size)
            : unsafe exeat_fsetxattr(raw, attribute, value, size)
    }

    func remove(_ attribute: String) -> Int32 {
        isPath
            ? unsafe exeat_removexattr(way, attribute) : unsafe exeat_fremovexattr(raw, attribute)
    }

    func set(mode: UInt32) -> Int32 { isPath ? unsafe chmod(way, mode) : fchmod(raw, mode) }

    func set(_ time: FileTime) -> Int32 {
        isPath
            ? unsafe exeat_set_modified_path(way, time.seconds, time.nanoseconds)
            : exeat_set_modified(raw, time.seconds, time.nanoseconds)
    }
}

extension TreeTarget {
    static let accessACL = "system.posix_acl_access"
    static let defaultACL = "system.posix_acl_default"

    /// What is known of an object just made, so that only calls that change something are made.
    struct Known {
        var uid: UInt32
        var gid: UInt32
        var mode: UInt32
        var mayHaveACL: Bool
    }

    /// Gives an object the metadata of its entry, which has gone through the owner mapping.
    ///
    /// The order matters: chown(2) takes setuid bits and capabilities away, an access control list
    /// changes the mode, and all but times and modes changes times. The mode comes last, since that of
    /// a directory says whether it is finished. What the system refuses is listed, not thrown; a failing
    /// disk is thrown.
    func apply(
        _ entry: Entry, to object: MadeObject, _ known: Known? = nil,
        attributes: (ExtendedAttribute) -> Bool = { _ in true }
    ) throws(Failure) {
        let path = entry.path
        if entry.uid != known?.uid || entry.gid != known?.gid {
            try setOwner(entry, object)
        }
        for attribute in entry.attributes where attributes(attribute) {
            if object.set(attribute) != 0 {
                try note(path, .extended(attribute.name))
            }
        }
        var mode = known?.mode
        if entry.kind != .symlink { try setLists(entry, object, known, &mode) }
        if object.set(entry.modified) != 0 {
            try note(path, .modified)
        } else if !probe.times.keep(entry.modified) {
            record(path, .modified, ERANGE)
        }
        guard entry.kind != .symlink else { return }
        // Set-id bits are set although the owner may be another one: they are the owner's to set,
        // and the owner is listed as not set (docs/SECURITY.md).
        let wanted = readableMode(entry)
        // With `add`, the mode is what tells a directory that is finished.
        if existing == .add, entry.kind == .directory { try shortfalls.check() }
        if wanted != mode, object.set(mode: wanted) != 0 { try note(path, .mode) }
    }

    private func setOwner(_ entry: Entry, _ object: MadeObject) throws(Failure) {
        if exeat_change_owner(object.raw, entry.uid, entry.gid) == 0 { return }
        try note(entry.path, .owner)
        // The group alone is often one of the user's own.
        _ = exeat_change_owner(object.raw, .max, entry.gid)
    }

    private func setLists(
        _ entry: Entry, _ object: MadeObject, _ known: Known?, _ mode: inout UInt32?
    ) throws(Failure) {
        if let list = entry.accessACL {
            if object.set(Self.accessACL, list.kernelForm) != 0 {
                try note(entry.path, .accessACL)
            }
            mode = nil
        } else if known?.mayHaveACL ?? true {
            _ = object.remove(Self.accessACL)
            mode = nil
        }
        guard entry.kind == .directory else { return }
        if let list = entry.defaultACL {
            if object.set(Self.defaultACL, list.kernelForm) != 0 {
                try note(entry.path, .defaultACL)
            }
        } else if known?.mayHaveACL ?? true {
            _ = object.remove(Self.defaultACL)
        }
    }

    /// Lists what the last call could not do; a fault of the disk is thrown.
    func note(_ path: [UInt8], _ attribute: Shortfall.Attribute) throws(Failure) {
        let number = errno
        switch number {
        case ENOSPC, EDQUOT, EIO:
            throw Failure(errno: number, "cannot set \(attribute) of \(EntryPath.quoted(path))")
        default: record(path, attribute, number)
        }
    }
}
