import Basics
import Glibc

/// Which part of a machine's files an export covers.
///
/// One directory: its paths are relative to it, and it is itself the entry with the empty path.
/// Several: the tree's root is "/", paths are absolute ones without the slash in front, and the
/// directories that lead to a given one are entries as well. A directory that was given is never
/// left out by a pattern or as a mount point, nor are those that lead to it.
public struct TreeScope: Sendable {
    public let root: TreeRoot
    /// The directories given, relative to `root`, sorted by bytes, without duplicates.
    public let roots: [[UInt8]]
    public let oneFileSystem: Bool
    public let excludes: GlobSet
    /// Some of `roots` lie below others.
    let hasNestedRoots: Bool

    enum Place { case root, way, inside }

    /// Opens the tree. Links in the paths given are followed, here and never again.
    ///
    /// - Parameter base: the directory where the files of another machine hang; `paths` begin there.
    ///   The tree's root is that directory then, also for one path, and paths in it are those of that
    ///   machine. "/" gives this machine the same form.
    public init(
        paths: [String], below base: String? = nil, oneFileSystem: Bool = true,
        excludes: GlobSet = GlobSet()
    ) throws(Failure) {
        guard let first = paths.first else {
            throw Failure(
                .invalidValue, "no directory to export", hint: "Give at least one path.")
        }
        self.oneFileSystem = oneFileSystem
        self.excludes = excludes
        let base = base.map { $0 == "/" ? "" : $0 }
        let paths = base.map { base in paths.map { base + $0 } } ?? paths
        for path in paths { try Self.check(path) }
        if paths.count == 1, base == nil {
            root = try TreeRoot(first)
            roots = [[]]
            hasNestedRoots = false
            return
        }
        let top = try (base == nil || base == "") ? [] : Self.resolve(base ?? "")
        root = try TreeRoot(base == nil || base == "" ? "/" : base ?? "")
        var resolved: Set<[UInt8]> = []
        for path in paths {
            let whole = try Self.resolve(path)
            guard whole == top || whole.starts(with: top + [0x2f]) else {
                throw Failure(
                    .invalidValue, "\"\(path)\" leads out of \"\(base ?? "")\" by a link",
                    hint: "Name the directory that it stands for, below the root.")
            }
            resolved.insert(Array(whole.dropFirst(top.count + 1)))
        }
        let sorted = resolved.sorted { $0.lexicographicallyPrecedes($1) }
        roots = sorted
        hasNestedRoots = sorted.contains { outer in
            sorted.contains { $0 != outer && Self.leads(outer, to: $0) }
        }
    }

    /// Where a path stands to the directories given.
    func place(of path: [UInt8]) -> Place {
        var isWay = false
        for root in roots {
            if root == path { return .root }
            if Self.leads(path, to: root) { isWay = true }
        }
        return isWay ? .way : .inside
    }

    /// The names in `path` that lead to directories given.
    func names(towardsRootsFrom path: [UInt8]) -> Set<ArraySlice<UInt8>> {
        let below = roots.filter { $0 != path && Self.leads(path, to: $0) }
        return Set(
            below.map { $0.dropFirst(path.isEmpty ? 0 : path.count + 1).prefix { $0 != 0x2f } })
    }

    private static func leads(_ path: [UInt8], to root: [UInt8]) -> Bool {
        path.isEmpty
            || root.count > path.count && root[path.count] == 0x2f && root.starts(with: path)
    }

    private static func check(_ path: String) throws(Failure) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            throw Failure(
                errno: errno, "cannot find \"\(path)\"", hint: "Correct the path in the plan.")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw Failure(
                .invalidValue, "\"\(path)\" is not a directory",
                hint: "Give the directory that holds it, and exclude the rest.")
        }
    }

    private static func resolve(_ path: String) throws(Failure) -> [UInt8] {
        guard let resolved = unsafe realpath(path, nil) else {
            throw Failure(errno: errno, "cannot resolve \"\(path)\"")
        }
        defer { unsafe free(resolved) }
        let length = unsafe strlen(resolved)
        return unsafe UnsafeRawBufferPointer(start: resolved, count: length).map { $0 }
    }
}
