import Basics
import CLinux
import Glibc

/// What a target does to a fresh file, found out by making one.
struct TargetProbe: Sendable, Equatable {
    static let name = ".exeat-probe"
    private static let pairs = [("case", "CASE"), ("\u{e9}", "e\u{301}")]

    let folds: Bool
    /// Who owns a fresh file: a set-group-id directory or the file system may have their say.
    let uid: UInt32
    let gid: UInt32
    /// The permission bits that a fresh file is given of those asked for.
    let mode: UInt32
    /// It gets an access control list from a default one above it.
    let hasACL: Bool
    let times: TimeLimits

    /// On a file system that takes root for somebody else, root is not.
    var isPrivileged: Bool { geteuid() == 0 && uid == 0 }

    /// Changes the root for a moment, so never to be done to one that is finished.
    ///
    /// - Parameter name: what it makes there; another import may be trying out the same directory.
    init(_ root: TreeRoot, as name: String = Self.name) throws(Failure) {
        let top = root.descriptor.raw
        try Self.checkAttributes(root)
        // With `add` the root stays as it was.
        let before = FileTime(try root.descriptor.status().st_mtim)
        Self.clean(top, name)
        guard unsafe mkdirat(top, name, 0o700) == 0 else {
            throw Self.failed(root, name, errno)
        }
        defer {
            Self.clean(top, name)
            _ = exeat_set_modified(top, before.seconds, before.nanoseconds)
        }
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let raw = unsafe openat(top, name, flags)
        guard raw >= 0 else { throw Self.failed(root, name, errno) }
        let directory = Descriptor(owning: raw)
        let file = Descriptor(owning: try Self.make("case", in: directory.raw, root, name) ?? -1)
        let status = try file.status()
        uid = status.st_uid
        gid = status.st_gid
        mode = status.st_mode & 0o777
        hasACL = unsafe exeat_fgetxattr(file.raw, "system.posix_acl_access", nil, 0) > 0
        times = TimeLimits(of: file)
        var isTwin = false
        for (first, second) in Self.pairs {
            if let raw = try Self.make(first, in: directory.raw, root, name) { close(raw) }
            if let raw = try Self.make(second, in: directory.raw, root, name) {
                close(raw)
            } else {
                isTwin = true
            }
        }
        folds = isTwin
    }

    /// Where nothing can be renamed or removed, nothing is tried out either: it would stay.
    private static func checkAttributes(_ root: TreeRoot) throws(Failure) {
        let forbidden = exeat_forbidden(root.descriptor.raw)
        if forbidden == 0 { return }
        let isImmutable = forbidden & 2 != 0
        throw Failure(
            .denied,
            "the target \"\(root.path)\" is \(isImmutable ? "immutable" : "append-only"): "
                + "nothing in it can be \(isImmutable ? "made" : "renamed or removed")",
            hint:
                "Take the attribute away (chattr -\(isImmutable ? "i" : "a")) until the import has ended."
        )
    }

    /// A new file; nil when there is one of that name.
    private static func make(
        _ name: String, in directory: Int32, _ root: TreeRoot, _ probe: String
    ) throws(Failure) -> Int32? {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let raw = unsafe openat(directory, name, flags, 0o777)
        if raw >= 0 { return raw }
        // A file system that takes no such name at all has no twins of it.
        if errno == EEXIST { return nil }
        throw failed(root, probe, errno)
    }

    private static func failed(_ root: TreeRoot, _ name: String, _ number: Int32) -> Failure {
        let advice =
            switch number {
            case EEXIST: "Something else has that name there: look at it, and move it away."
            case EACCES, EPERM: "Give the importing user the right to write there."
            case EROFS: "The file system is mounted read-only: mount it for writing."
            case ENOSPC, EDQUOT: "Free space or inodes there."
            default: "See that the file system takes new files and directories."
            }
        return Failure(
            errno: number,
            "cannot try out the target: nothing can be made as \"\(root.path)/\(name)\"",
            hint: advice)
    }

    private static func clean(_ top: Int32, _ name: String) {
        for (first, second) in pairs {
            unsafe unlinkat(top, name + "/" + first, 0)
            unsafe unlinkat(top, name + "/" + second, 0)
        }
        unsafe unlinkat(top, name, AT_REMOVEDIR)
    }
}

// MARK: - Findings that are kept

extension TargetProbe {
    var findings: JSON {
        .object([
            .init("folds", .bool(folds)), .init("uid", .integer(Int64(uid))),
            .init("gid", .integer(Int64(gid))), .init("mode", .integer(Int64(mode))),
            .init("acl", .bool(hasACL)), .init("times", times.findings),
        ])
    }

    init(_ findings: JSON) throws(Failure) {
        guard let folds = findings["folds"]?.bool, let hasACL = findings["acl"]?.bool,
            let uid = findings["uid"]?.integer.flatMap({ UInt32(exactly: $0) }),
            let gid = findings["gid"]?.integer.flatMap({ UInt32(exactly: $0) }),
            let mode = findings["mode"]?.integer.flatMap({ UInt32(exactly: $0) }),
            let times = findings["times"].flatMap({ TimeLimits($0) })
        else { throw Failure(.failed, "the import's record of its target is damaged") }
        self.folds = folds
        self.hasACL = hasACL
        self.uid = uid
        self.gid = gid
        self.mode = mode
        self.times = times
    }
}
