public import Basics
import CLinux
import Glibc
import Synchronization

/// The directory that an import writes a tree to, and what all its lanes share.
///
/// Everything below it is reached through `TreeCursor`, so no link leads a write elsewhere.
public final class TreeTarget: Sendable {
    /// What to do where the target already holds something.
    public enum Existing: String, Sendable {
        /// It must be empty.
        case refuse
        /// What is there stays as it is and is listed; directories are entered.
        case add
        /// Files and links are replaced; directories are entered and get the archive's metadata.
        case replace
    }

    /// Larger files, and all with holes, are made by several lanes under a name of their own. The same
    /// limit decides at export which files are cut.
    public static let largestSimpleFile: Int64 = 255 << 20

    public let root: TreeRoot
    public let existing: Existing
    /// Entries that an earlier run of this import made may be there, and may be made again.
    public let isResuming: Bool
    public let owners: OwnerMapping
    public let shortfalls: ShortfallList
    let probe: TargetProbe
    /// May do what only root may: own files for others, look into directories closed to all.
    let isPrivileged: Bool
    /// Large files that this run has begun.
    private let begun = Mutex<Set<[UInt8]>>([])

    /// Opens the target and makes it where it is not there (0700).
    ///
    /// Throws `.targetOccupied` when it holds something and `existing` is `.refuse`.
    public init(
        _ path: String, existing: Existing, resuming: Bool, owners: OwnerMapping,
        shortfalls: ShortfallList = ShortfallList()
    ) throws(Failure) {
        try Files.makeDirectory(path, mode: 0o700)
        if existing == .refuse, !resuming {
            let names = try Files.names(in: path)
            guard !names.contains(where: { $0 != TargetProbe.name }) else {
                throw Failure(
                    .targetOccupied, "the target \"\(path)\" is not empty",
                    hint: "Choose another one, or say `existing: add` or `existing: replace`.")
            }
        }
        root = try TreeRoot(path)
        self.existing = existing
        isResuming = resuming
        self.owners = owners
        self.shortfalls = shortfalls
        probe = try TargetProbe(root)
        // On a file system that takes root for somebody else, root is not.
        isPrivileged = geteuid() == 0 && probe.uid == 0
    }

    /// Whether it takes names that differ in case or Unicode form only for the same one.
    public var folds: Bool { probe.folds }

    /// What is not known to be as this import makes it is looked at before it is relied upon.
    var isFresh: Bool { existing == .refuse }

    /// Entries of this kind get their final name and their metadata when all segments are done.
    func isLate(_ entry: Entry) -> Bool {
        entry.kind == .file && (entry.extents != nil || entry.size > Self.largestSimpleFile)
    }

    /// Calls `clear` once for each large file, before any lane writes to it: what an import that was
    /// given up left under its partial name must not show through the holes.
    func begin(_ path: [UInt8], _ clear: () -> Void) {
        if isResuming { return }
        begun.withLock { begun in if begun.insert(path).inserted { clear() } }
    }

    /// The mode to give before the comparison, which has to read what it compares.
    ///
    /// Without root's rights, files that their owner may not read and directories that he may not
    /// enter or list get these bits as well, and lose them in `TreeRestrictor`.
    func readableMode(_ entry: Entry) -> UInt32 {
        if isPrivileged { return entry.mode }
        switch entry.kind {
        case .file: return entry.mode | 0o400
        case .directory: return entry.mode | 0o500
        default: return entry.mode
        }
    }

    func record(_ path: [UInt8], _ attribute: Shortfall.Attribute, _ number: Int32) {
        shortfalls.record(Shortfall(path: path, attribute: attribute, errno: number))
    }

    static func cannotReplace(_ number: Int32) -> Failure {
        guard number == EISDIR else {
            return Failure(errno: number, "cannot replace what is there")
        }
        return Failure(
            .targetOccupied, "a directory is in its place",
            hint: "Move it away: `existing: replace` takes files and links, never directories.")
    }
}

/// What a target does to a fresh file, found out by making one.
struct TargetProbe: Sendable {
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

    init(_ root: TreeRoot) throws(Failure) {
        let top = root.descriptor.raw
        // An import that is only compared again must find the root as it left it.
        let before = FileTime(try root.descriptor.status().st_mtim)
        Self.clean(top)
        guard unsafe mkdirat(top, Self.name, 0o700) == 0 else {
            throw Self.failed(root, errno)
        }
        defer {
            Self.clean(top)
            _ = exeat_set_modified(top, before.seconds, before.nanoseconds)
        }
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let raw = unsafe openat(top, Self.name, flags)
        guard raw >= 0 else { throw Self.failed(root, errno) }
        let directory = Descriptor(owning: raw)
        let file = Descriptor(owning: try Self.make("case", in: directory.raw, root) ?? -1)
        let status = try file.status()
        uid = status.st_uid
        gid = status.st_gid
        mode = status.st_mode & 0o777
        hasACL = unsafe exeat_fgetxattr(file.raw, "system.posix_acl_access", nil, 0) > 0
        times = TimeLimits(of: file)
        var isTwin = false
        for (first, second) in Self.pairs {
            if let raw = try Self.make(first, in: directory.raw, root) { close(raw) }
            if let raw = try Self.make(second, in: directory.raw, root) {
                close(raw)
            } else {
                isTwin = true
            }
        }
        folds = isTwin
    }

    /// A new file; nil when there is one of that name.
    private static func make(
        _ name: String, in directory: Int32, _ root: TreeRoot
    ) throws(Failure) -> Int32? {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        let raw = unsafe openat(directory, name, flags, 0o777)
        if raw >= 0 { return raw }
        // A file system that takes no such name at all has no twins of it.
        if errno == EEXIST { return nil }
        throw failed(root, errno)
    }

    private static func failed(_ root: TreeRoot, _ number: Int32) -> Failure {
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

    private static func clean(_ top: Int32) {
        for (first, second) in pairs {
            unsafe unlinkat(top, name + "/" + first, 0)
            unsafe unlinkat(top, name + "/" + second, 0)
        }
        unsafe unlinkat(top, name, AT_REMOVEDIR)
    }
}
