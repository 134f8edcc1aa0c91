public import Basics
import CLinux
import Glibc
import Primitives
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
    /// Nothing is written to a finished target, and that needs none.
    private let lock: TargetLock?
    public let existing: Existing
    /// Entries that an earlier run of this import made may be there, and may be made again.
    public let isResuming: Bool
    public let owners: OwnerMapping
    public let shortfalls: ShortfallList
    let probe: TargetProbe
    /// Tells what this import has half made from what another one has, that writes to the same target.
    private let mark: [UInt8]
    /// May do what only root may: own files for others, look into directories closed to all.
    let isPrivileged: Bool
    /// Large files that this run has begun.
    private let begun = Mutex<Set<[UInt8]>>([])

    /// Opens the target and makes it where it is not there (0700).
    ///
    /// Throws `.targetOccupied` when it holds something and `existing` is `.refuse`, `.locked` when
    /// another import writes to it: what that one makes would be taken for this one's own when this
    /// one is resumed.
    ///
    /// - Parameter mark: the same for an import that is resumed, and no other one's.
    public init(
        _ path: String, existing: Existing, resuming: Bool, owners: OwnerMapping,
        shortfalls: ShortfallList = ShortfallList(), mark: [UInt8] = []
    ) throws(Failure) {
        try Files.makeDirectory(path, mode: 0o700)
        root = try Self.open(path, resuming: resuming)
        lock = try TargetLock(root, alone: existing == .refuse)
        if existing == .refuse, !resuming {
            let names = try Files.names(in: path)
            guard !names.contains(where: { $0 != TargetProbe.name }) else {
                throw Failure(
                    .targetOccupied, "the target \"\(path)\" is not empty",
                    hint: "Choose another one, or say `existing: add` or `existing: replace`.")
            }
        }
        self.existing = existing
        isResuming = resuming
        self.owners = owners
        self.shortfalls = shortfalls
        self.mark = mark
        let isAlone = existing == .refuse || mark.isEmpty
        probe = try TargetProbe(
            root,
            as: TargetProbe.name + (isAlone ? "" : "-" + SHA256.hash(mark).hex.prefix(16)))
        isPrivileged = probe.isPrivileged
    }

    /// Whether a directory holds nothing, or nothing but trees of these names that were opened and never
    /// written to.
    public static func isVacant(_ path: String, but trees: [String]) throws(Failure) -> Bool {
        for name in try Files.names(in: path) {
            let tree = path + "/" + name
            guard trees.contains(name), Files.kind(tree) == S_IFDIR,
                try Files.names(in: tree).allSatisfy({ $0 == TargetProbe.name })
            else { return false }
        }
        return true
    }

    /// Opens a target that an earlier import finished. Nothing is tried out in it: whoever stops a
    /// process in the middle of that finds another time on the root, and nobody to put it right.
    ///
    /// - Parameter findings: what that import's target had as its `findings`.
    public init(
        finished path: String, _ findings: JSON, existing: Existing, owners: OwnerMapping,
        shortfalls: ShortfallList = ShortfallList()
    ) throws(Failure) {
        root = try Self.open(path, resuming: true)
        lock = nil
        self.existing = existing
        isResuming = true
        self.owners = owners
        self.shortfalls = shortfalls
        mark = []
        probe = try TargetProbe(findings)
        isPrivileged = probe.isPrivileged
    }

    /// Without root's rights, a root that is closed to its own owner (`TreeRestrictor` leaves it as the
    /// archive has it) is opened to him by the import that made it; the comparison reads it.
    private static func open(_ path: String, resuming: Bool) throws(Failure) -> TreeRoot {
        let user = geteuid()
        var status = stat()
        let isClosed =
            unsafe user != 0 && stat(path, &status) == 0 && status.st_uid == user
            && status.st_mode & 0o500 != 0o500
        if isClosed, resuming { unsafe chmod(path, status.st_mode & 0o7777 | 0o500) }
        do throws(Failure) { return try TreeRoot(path) } catch {
            guard isClosed else { throw error }
            throw error.during(
                "the target is closed to its own owner",
                hint: "Give yourself rights there (chmod u+rwx), then run the same command again.")
        }
    }

    /// The same target with what was learnt of owners since.
    public init(_ target: TreeTarget, owners: OwnerMapping) {
        root = target.root
        lock = target.lock
        existing = target.existing
        isResuming = target.isResuming
        self.owners = owners
        shortfalls = target.shortfalls
        probe = target.probe
        mark = target.mark
        isPrivileged = target.isPrivileged
    }

    /// What was found out about the file system by making a file there, to be kept until a finished
    /// target is opened again.
    public var findings: JSON { probe.findings }

    /// Whether it takes names that differ in case or Unicode form only for the same one.
    public var folds: Bool { probe.folds }

    /// What is not known to be as this import makes it is looked at before it is relied upon.
    var isFresh: Bool { existing == .refuse }

    /// Entries of this kind get their final name and their metadata when all segments are done.
    func isLate(_ entry: Entry) -> Bool {
        entry.kind == .file && (entry.extents != nil || entry.size > Self.largestSimpleFile)
    }

    /// The name that an object has until it is whole, where it is not made under its own.
    func partialName(of path: [UInt8]) -> String { Self.partialName(of: path, mark) }

    static func partialName(of path: [UInt8], _ mark: [UInt8] = []) -> String {
        ".exeat-" + SHA256.hash(mark + path).hex.prefix(32) + ".partial"
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
