import Basics
import CLinux
import Glibc
import Streams

/// Walks a `TreeScope`, or a range of it, in the byte order of full paths ("a", "a-b", "a/x"), one
/// event at a time.
///
/// What it holds are the names of the directories on the way to where it is, and at most about a
/// hundred descriptors, however deep the tree: those far above are closed and found again, by their
/// device and inode, on the way back. Paths may be longer than PATH_MAX. No link is followed and no
/// automount triggered. Calls block: make them on a `Lane`.
///
/// Stands on `openat`, `getdents64` and `fstatat`.
public struct TreeWalker: ~Copyable {
    /// The path that the last event is about, relative to the scope's root.
    public private(set) var path: [UInt8] = []

    private let scope: TreeScope
    private let mounts: MountTable
    private let user = geteuid()
    private var levels: [WalkLevel] = []
    /// How many of `levels` are in use; the others keep their memory for later.
    private var depth = 0
    /// The shallowest level whose descriptor is open.
    private var firstOpen = 0
    private var hasBegun = false
    private let range: WalkRange
    /// Directories at this depth are not entered; those at the top have depth 1.
    private let deepest: Int
    /// What is met is only on the way to where the range begins.
    private var isOnTheWay: Bool
    /// The event after the one that was given, about the same path.
    private var queued: WalkEvent?
    private var records = Chunk(capacity: 1 << 16)
    /// Why a directory further up could not be opened again, if for want of means.
    private var missing: Int32 = 0

    static let openLevels = 96

    public init(_ scope: TreeScope, _ range: WalkRange = .all) throws(Failure) {
        try self.init(scope, range, deepest: .max)
    }

    /// Walks down to a depth only.
    init(_ scope: TreeScope, deepest: Int) throws(Failure) {
        try self.init(scope, .all, deepest: deepest)
    }

    private init(_ scope: TreeScope, _ range: WalkRange, deepest: Int) throws(Failure) {
        self.scope = scope
        self.range = range
        self.deepest = deepest
        isOnTheWay = !range.start.isEmpty
        mounts =
            scope.oneFileSystem
            ? try MountTable(below: scope.root.descriptor) : MountTable(paths: [])
    }

    deinit {
        for level in levels.prefix(depth) {
            if level.descriptor >= 0 { close(level.descriptor) }
            for descent in level.descents where descent.descriptor >= 0 {
                close(descent.descriptor)
            }
        }
    }

    /// Gives every event in order. After a throw the walk is over.
    public mutating func walk(
        _ visit: (_ path: [UInt8], _ event: WalkEvent) throws(Failure) -> Void
    ) throws(Failure) {
        while let event = try next() { try visit(path, event) }
    }

    /// The next event, about `path`; nil at the end.
    ///
    /// Throws only when a directory that was given has gone, when there are no more descriptors or no
    /// memory, or, as `.sourceChanged`, when the way to the beginning of the range is no longer open;
    /// everything else is an event.
    public mutating func next() throws(Failure) -> WalkEvent? {
        while let event = try nextMet() {
            if case .unreadable(_, let number) = event { try checkMeans(number) }
            try checkMeans(missing)
            if !isOnTheWay { return event }
            // What is on the way belongs to the ranges before. News of it that those may not have
            // met would be lost here.
            switch event {
            case .entry, .excluded: continue
            case .mountPoint, .unreadable, .vanished:
                throw Failure(
                    .sourceChanged,
                    "\"\(String(decoding: path, as: UTF8.self))\" changed during the inventory")
            }
        }
        return nil
    }

    /// What this program has too little of is no reason to leave a part of the tree out.
    private func checkMeans(_ number: Int32) throws(Failure) {
        guard Failure.isExhaustion(number) else { return }
        throw Failure(errno: number, "cannot read \(EntryPath.quoted(path))")
    }

    private mutating func nextMet() throws(Failure) -> WalkEvent? {
        if let event = queued {
            queued = nil
            return event
        }
        if !hasBegun {
            hasBegun = true
            if let event = try begin() { return event }
        }
        while depth > 0 {
            let top = depth - 1
            guard levels[top].position < levels[top].keys.count else {
                leave()
                continue
            }
            let key = levels[top].keys[levels[top].position]
            levels[top].position += 1
            setPath(to: key)
            switch range.side(of: path, descends: key.descends) {
            case .before: continue
            case .onTheWay: isOnTheWay = true
            case .inside: isOnTheWay = false
            case .behind: return nil
            }
            if let event = key.descends ? enter(key) : try look(at: key) { return event }
        }
        return nil
    }

    /// Calls `body` with an open directory and the name in it of the object that the last event
    /// was about; for an `.entry` it is the quickest way to more than its status.
    public func withObject<Result>(
        _ body: (_ directory: Int32, _ name: UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard !path.isEmpty, depth > 0, levels[depth - 1].position > 0 else {
            return try unsafe body(scope.root.descriptor.raw, ".")
        }
        let level = levels[depth - 1]
        return try unsafe level.withName(at: level.keys[level.position - 1].offset) {
            name throws(Failure) in
            try unsafe body(level.descriptor, name)
        }
    }
}

// MARK: - One name

extension TreeWalker {
    private mutating func begin() throws(Failure) -> WalkEvent? {
        guard let status = WalkedStatus(try scope.root.descriptor.status()) else { return nil }
        let isRoot = scope.place(of: []) == .root
        let descriptor = unsafe open(".", in: scope.root.descriptor.raw, owner: status.uid)
        guard descriptor >= 0 else {
            guard isRoot else {
                throw Failure(errno: errno, "cannot read \"\(scope.root.path)\"")
            }
            queued = .unreadable(.directory, errno: errno)
            return .entry(status)
        }
        let mode = isRoot ? WalkLevel.Mode.inside(device: status.device) : .way
        let failure = push(descriptor, status, mode)
        if isRoot {
            queued = failure
            return .entry(status)
        }
        return failure
    }

    /// A name's first place: its entry, or why there is none.
    private mutating func look(at key: WalkLevel.Key) throws(Failure) -> WalkEvent? {
        let top = depth - 1
        let above = levels[top].mode
        let place: TreeScope.Place =
            if case .inside = above, !scope.hasNestedRoots {
                .inside
            } else {
                scope.place(of: path)
            }
        var status = stat()
        let result = try unsafe levels[top].withName(at: key.offset) { name throws(Failure) in
            unsafe fstatat(
                levels[top].descriptor, name, &status,
                AT_SYMLINK_NOFOLLOW | exeat_at_no_automount)
        }
        guard result == 0, let walked = WalkedStatus(status) else {
            let number = result == 0 ? EINVAL : errno
            if place != .inside { throw lost(number) }
            let kind = WalkedKind(directoryRecord: key.kind)
            // EBADF: the directory itself could not be found again.
            return number == ENOENT || number == EBADF
                ? .vanished(kind) : .unreadable(kind, errno: number)
        }
        if place != .inside, walked.kind != .directory { throw lost(ENOTDIR) }
        var mode = above
        if place == .root {
            mode = .inside(device: walked.device)
        } else {
            switch above {
            case .way: break
            case .omitted(let omission):
                if place != .way { return Self.event(omission, walked) }
            case .inside(let device):
                guard let omission = omission(of: walked, on: device) else { break }
                if place != .way { return Self.event(omission, walked) }
                mode = .omitted(omission)
            }
        }
        if walked.kind == .directory { prepare(key, walked, mode) }
        return .entry(walked)
    }

    private func omission(of status: WalkedStatus, on device: UInt64) -> WalkLevel.Omission? {
        let isDirectory = status.kind == .directory
        if let pattern = scope.excludes.excluding(path, isDirectory: isDirectory) {
            return .excluded(pattern: pattern)
        }
        guard scope.oneFileSystem else { return nil }
        // Only directories are told by their device: on overlayfs, that of a file may differ from
        // its directory's. The mount table knows them all.
        if isDirectory, status.device != device { return .mountPoint }
        return !mounts.paths.isEmpty && mounts.paths.contains(path) ? .mountPoint : nil
    }

    private static func event(_ omission: WalkLevel.Omission, _ status: WalkedStatus) -> WalkEvent {
        switch omission {
        case .mountPoint: .mountPoint(status)
        case .excluded(let pattern): .excluded(status, pattern: pattern)
        }
    }

    private func lost(_ number: Int32) -> Failure {
        Failure(
            .sourceVanished, "\"/\(String(decoding: path, as: UTF8.self))\" has gone",
            hint: "Correct the paths in the plan, or wait until it is there again.",
            cause: Failure(errno: number, "cannot find it"))
    }

    private mutating func setPath(to key: WalkLevel.Key) {
        let level = depth - 1
        path.removeSubrange(levels[level].pathLength...)
        if !path.isEmpty { path.append(0x2f) }
        let start = Int(key.offset)
        path.append(contentsOf: levels[level].names[start..<start + Int(key.length)])
    }
}

// MARK: - Into a directory and back

extension TreeWalker {
    /// Opens a directory early, so that the news of one that cannot be read follows its entry.
    private mutating func prepare(
        _ key: WalkLevel.Key, _ status: WalkedStatus, _ mode: WalkLevel.Mode
    ) {
        if depth >= deepest, case .inside = mode { return }
        let top = depth - 1
        if key.kind != UInt8(DT_DIR), key.kind != UInt8(DT_UNKNOWN) {
            levels[top].insertDescent(of: key)
        }
        var descent = WalkLevel.Descent(
            name: key.offset, status: status, mode: mode, descriptor: -1)
        if let event = open(&descent) {
            queued = event
            return
        }
        let next = levels[top].keys[levels[top].position]
        if !next.descends || next.offset != key.offset {
            close(descent.descriptor)
            descent.descriptor = -1
        }
        levels[top].descents.append(descent)
    }

    /// A directory's second place: what it holds comes next.
    private mutating func enter(_ key: WalkLevel.Key) -> WalkEvent? {
        let top = depth - 1
        guard var descent = levels[top].descents.last, descent.name == key.offset
        else { return nil }
        levels[top].descents.removeLast()
        if descent.descriptor < 0, let event = open(&descent) { return event }
        return push(descent.descriptor, descent.status, descent.mode)
    }

    /// Opens the directory that was looked at, and no other one of that name.
    private func open(_ descent: inout WalkLevel.Descent) -> WalkEvent? {
        let top = depth - 1
        let names = levels[top].names
        let descriptor = unsafe names.withUnsafeBytes { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { characters -> Int32 in
                guard let start = characters.baseAddress else { return -1 }
                let name = unsafe start + Int(descent.name)
                let owner = descent.status.uid
                return unsafe open(name, in: levels[top].descriptor, owner: owner)
            }
        }
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR, ELOOP, EBADF: return .vanished(.directory)
            default: return .unreadable(.directory, errno: errno)
            }
        }
        descent.descriptor = descriptor
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, let found = WalkedStatus(status) else {
            close(descriptor)
            return .unreadable(.directory, errno: errno)
        }
        if found.device == descent.status.device, found.inode == descent.status.inode { return nil }
        // Opening an automount point mounts; other changes mean another directory.
        if found.device != descent.status.device, !scope.oneFileSystem {
            descent.status = found
            return nil
        }
        close(descriptor)
        return found.device == descent.status.device ? .vanished(.directory) : .mountPoint(found)
    }

    /// Opens for reading names, without touching the access time where that is allowed.
    private func open(
        _ name: UnsafePointer<CChar>, in directory: Int32, owner: UInt32
    ) -> Int32 {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        if user == 0 || user == owner {
            let result = retrying { unsafe openat(directory, name, flags | exeat_o_noatime) }
            if result >= 0 || errno != EPERM { return result }
        }
        return retrying { unsafe openat(directory, name, flags) }
    }

    /// Makes an open directory the current level, and closes one far above.
    private mutating func push(
        _ descriptor: Int32, _ status: WalkedStatus, _ mode: WalkLevel.Mode
    ) -> WalkEvent? {
        if levels.count == depth { levels.append(WalkLevel()) }
        levels[depth].reset()
        levels[depth].descriptor = descriptor
        levels[depth].device = status.device
        levels[depth].inode = status.inode
        levels[depth].pathLength = path.count
        levels[depth].mode = mode
        depth += 1
        if depth - firstOpen > Self.openLevels {
            close(levels[firstOpen].descriptor)
            levels[firstOpen].descriptor = -1
            firstOpen += 1
        }
        return readNames()
    }

    private mutating func readNames() -> WalkEvent? {
        let top = depth - 1
        if case .way = levels[top].mode {
            for name in scope.names(towardsRootsFrom: path) {
                levels[top].append(name, kind: UInt8(DT_DIR))
            }
            levels[top].sort()
            return nil
        }
        var failure: Int32 = 0
        while true {
            records.removeAll()
            // Both closures throw nothing.
            try? unsafe records.append { buffer in
                let count = retrying {
                    unsafe exeat_getdents(
                        levels[top].descriptor, buffer.baseAddress, UInt(buffer.count))
                }
                if count < 0 { failure = errno }
                return max(0, count)
            }
            if records.isEmpty { break }
            try? unsafe records.withBytes { unsafe levels[top].append(records: $0) }
        }
        levels[top].sort()
        switch failure {
        case 0: return nil
        case ENOENT: return .vanished(.directory)
        default: return .unreadable(.directory, errno: failure)
        }
    }

    /// Back to the directory above, which is found again when its descriptor was closed.
    private mutating func leave() {
        depth -= 1
        let left = levels[depth].descriptor
        if depth > 0, firstOpen == depth {
            firstOpen = depth - 1
            let above = levels[depth - 1].reopened(from: left, at: path, in: scope.root)
            levels[depth - 1].descriptor = above.descriptor
            if above.missing != 0 { missing = above.missing }
        }
        if left >= 0 { close(left) }
        levels[depth].descriptor = -1
    }
}
