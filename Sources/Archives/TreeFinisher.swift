public import Basics
import CLinux
import Glibc

/// Ends an import, once all segments are restored: names large files, makes the links, and gives
/// directories their metadata after everything in them is done.
///
/// Takes the entries of the index in their order, those of files in one piece or without; one finisher
/// for a target, on one `Lane`. May be run again from the start when it was cut short.
public struct TreeFinisher: ~Copyable {
    private let target: TreeTarget
    /// Whether what was not restored is passed over: segments of the archive are lost.
    private let hasGaps: Bool
    private var cursor: TreeCursor
    private var firstNames: TreeCursor
    private var levels = PathLevels<Entry?>()
    /// Segments that hold values of extended attributes of symbolic links, too long for the index:
    /// give them to `TreeRestorer.restoreLinkAttributes` afterwards.
    public private(set) var segmentsToRevisit: Set<Int> = []

    public init(_ target: TreeTarget, hasGaps: Bool = false) {
        self.target = target
        self.hasGaps = hasGaps
        cursor = TreeCursor(target.root)
        firstNames = TreeCursor(target.root)
    }

    public mutating func add(_ indexed: IndexedEntry) throws(Failure) {
        while let left = levels.popLeft(by: indexed.entry.path) {
            if let directory = left { try finishDirectory(directory) }
        }
        let entry = target.owners.applied(to: indexed.entry)
        do throws(Failure) {
            switch entry.kind {
            case .directory: break
            case .file:
                if indexed.hasHoles || target.isLate(entry) { try finishFile(entry) }
            case .symlink:
                try makeSymlink(entry)
                if !indexed.longAttributes.isEmpty { segmentsToRevisit.insert(indexed.segment) }
            case .hardlink: try makeHardLink(entry)
            case .fifo, .character, .block: break
            }
        } catch {
            guard isGap(error) else {
                throw error.during("cannot restore \(EntryPath.quoted(entry.path))")
            }
        }
        levels.push(entry.path, entry.kind == .directory ? entry : nil)
    }

    private func isGap(_ failure: Failure) -> Bool { hasGaps && failure.code == .notFound }

    public mutating func finish() throws(Failure) {
        while let left = levels.pop() {
            if let directory = left { try finishDirectory(directory) }
        }
    }

    // MARK: - Files and directories

    private mutating func finishFile(_ entry: Entry) throws(Failure) {
        let target = self.target
        let partial = target.partialName(of: entry.path)
        try unsafe cursor.withParent(of: entry.path) { (directory, name) throws(Failure) in
            let flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
            var raw = retrying { unsafe openat(directory, partial, flags) }
            let isPartial = raw >= 0
            if !isPartial {
                guard errno == ENOENT else { throw Failure(errno: errno, "cannot open the file") }
                // With `add` another file kept the name; or an earlier run came further than this.
                if target.existing == .add { return }
                raw = retrying {
                    unsafe openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
                }
                guard raw >= 0 else { throw Failure(errno: errno, "cannot open the file") }
            }
            let file = Descriptor(owning: raw)
            guard try file.status().st_mode & S_IFMT == S_IFREG else {
                throw Failure(.targetOccupied, "something that is no file is in its place")
            }
            try target.apply(entry, to: .descriptor(raw))
            guard isPartial else { return }
            var isOurs = target.existing == .replace
            var there = stat()
            if target.existing == .refuse, target.isResuming,
                unsafe fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0
            {
                let modified = FileTime(try file.status().st_mtim)
                isOurs = Remains.are(there, S_IFREG, modified, entry.size)
            }
            if isOurs {
                guard unsafe renameat(directory, partial, directory, name) == 0 else {
                    throw Failure(errno: errno, "cannot name the file")
                }
            } else {
                try unsafe TreeRestorer.name(partial, name, in: directory, entry, target)
            }
        }
    }

    private mutating func finishDirectory(_ entry: Entry) throws(Failure) {
        let target = self.target
        do throws(Failure) {
            try unsafe cursor.withParent(of: entry.path) { (parent, name) throws(Failure) in
                let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
                let raw = retrying { unsafe openat(parent, name, flags) }
                guard raw >= 0 else { throw Failure(errno: errno, "cannot open the directory") }
                let directory = Descriptor(owning: raw)
                if target.existing == .add {
                    let status = try directory.status()
                    guard !entry.path.isEmpty, TreeRestorer.isUnfinished(status, entry) else {
                        if !Self.isSame(status, entry, target) {
                            target.record(entry.path, .existing, EEXIST)
                        }
                        return
                    }
                }
                // Extended attributes came with the segments.
                try target.apply(entry, to: .descriptor(directory.raw)) { _ in false }
            }
        } catch {
            if isGap(error) { return }
            throw error.during("cannot restore \(EntryPath.quoted(entry.path))")
        }
    }

    /// Whether it looks like what this import, or one that it resumes, makes of it: what was told not
    /// to be set may differ.
    private static func isSame(
        _ status: stat, _ entry: Entry, _ target: TreeTarget
    ) -> Bool {
        func isTold(_ attribute: Shortfall.Attribute) -> Bool {
            target.shortfalls.covers(entry.path, attribute)
        }
        let mode = status.st_mode & 0o7777
        return (mode == entry.mode || mode == target.readableMode(entry) || isTold(.mode))
            && (status.st_uid == entry.uid && status.st_gid == entry.gid || isTold(.owner))
            && (FileTime(status.st_mtim) == entry.modified || isTold(.modified))
    }

    // MARK: - Links

    private mutating func makeSymlink(_ entry: Entry) throws(Failure) {
        let target = self.target
        if target.existing == .add { return try addSymlink(entry) }
        let text = entry.target.map { CChar(bitPattern: $0) } + [0]
        try unsafe cursor.withParent(of: entry.path) { (directory, name) throws(Failure) in
            if unsafe symlinkat(text, directory, name) != 0 {
                guard errno == EEXIST else { throw Failure(errno: errno, "cannot create the link") }
                if unsafe !Self.leads(directory, name, to: entry.target) {
                    // A link is whole as soon as it is there.
                    guard try unsafe Self.clear(entry, directory, name, target, isOurs: false)
                    else { return }
                    guard unsafe symlinkat(text, directory, name) == 0 else {
                        throw Failure(errno: errno, "cannot create the link")
                    }
                }
            }
            let raw = retrying {
                unsafe openat(directory, name, exeat_o_path | O_NOFOLLOW | O_CLOEXEC)
            }
            guard raw >= 0 else { throw Failure(errno: errno, "cannot open the link") }
            let link = Descriptor(owning: raw)
            guard try link.status().st_mode & S_IFMT == S_IFLNK else {
                throw Failure(.targetOccupied, "something else took the link's place")
            }
            try target.apply(entry, to: .path(raw))
        }
    }

    /// Made under a name of its own and named when it has its metadata, as files are: one that is there
    /// under its name is whole, or somebody else's.
    private mutating func addSymlink(_ entry: Entry) throws(Failure) {
        let target = self.target
        let text = entry.target.map { CChar(bitPattern: $0) } + [0]
        let partial = target.partialName(of: entry.path)
        try unsafe cursor.withParent(of: entry.path) { (directory, name) throws(Failure) in
            var status = stat()
            if unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 {
                let hasTime =
                    FileTime(status.st_mtim) == entry.modified
                    || target.shortfalls.covers(entry.path, .modified)
                if unsafe !hasTime || !Self.leads(directory, name, to: entry.target) {
                    target.record(entry.path, .existing, EEXIST)
                }
                return
            }
            unsafe unlinkat(directory, partial, 0)
            guard unsafe symlinkat(text, directory, partial) == 0 else {
                throw Failure(errno: errno, "cannot create the link")
            }
            let flags = exeat_o_path | O_NOFOLLOW | O_CLOEXEC
            let raw = retrying { unsafe openat(directory, partial, flags) }
            guard raw >= 0 else { throw Failure(errno: errno, "cannot open the link") }
            let link = Descriptor(owning: raw)
            try target.apply(entry, to: .path(link.raw))
            try unsafe TreeRestorer.name(partial, name, in: directory, entry, target)
        }
    }

    private static func leads(
        _ directory: Int32, _ name: UnsafePointer<CChar>, to target: [UInt8]
    ) -> Bool {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlinkat(directory, name, &buffer, buffer.count)
        return count == target.count
            && buffer[..<max(count, 0)].elementsEqual(target.map { CChar(bitPattern: $0) })
    }

    /// Both ends lie below the root, and neither a link in the way nor one at the end is followed.
    private mutating func makeHardLink(_ entry: Entry) throws(Failure) {
        let target = self.target
        var first = stat()
        var number: Int32 = 0
        try unsafe firstNames.withParent(of: entry.target) { (directory, name) throws(Failure) in
            if unsafe fstatat(directory, name, &first, AT_SYMLINK_NOFOLLOW) != 0 { number = errno }
        }
        if number == ENOENT, target.shortfalls.covers(entry.target, .object) {
            // A device that could not be made has no further names either.
            return target.record(entry.path, .object, number)
        }
        guard number == 0 else {
            throw Failure(
                errno: number, "cannot find its first name \(EntryPath.quoted(entry.target))")
        }
        guard first.st_mode & S_IFMT != S_IFDIR else {
            throw Failure(.treeLinkUnsafe, "its first name is a directory")
        }
        let identity = first
        try unsafe firstNames.withParent(of: entry.target) { (from, firstName) throws(Failure) in
            try unsafe cursor.withParent(of: entry.path) { (directory, name) throws(Failure) in
                if unsafe linkat(from, firstName, directory, name, 0) == 0 { return }
                guard errno == EEXIST else {
                    // Not for an ordinary user: sysctl fs.protected_hardlinks, or no such links.
                    guard errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK else {
                        throw Failure(errno: errno, "cannot create the hard link")
                    }
                    return try target.note(entry.path, .object)
                }
                var status = stat()
                guard unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                    throw Failure(errno: errno, "cannot stat what is there")
                }
                if status.st_ino == identity.st_ino, status.st_dev == identity.st_dev { return }
                let isOurs = Remains.are(
                    status, identity.st_mode & S_IFMT, FileTime(identity.st_mtim),
                    Int64(identity.st_size))
                guard try unsafe Self.clear(entry, directory, name, target, isOurs: isOurs)
                else { return }
                guard unsafe linkat(from, firstName, directory, name, 0) == 0 else {
                    throw Failure(errno: errno, "cannot create the hard link")
                }
            }
        }
    }

    /// Makes room for a link where something is; false when it is to stay.
    ///
    /// - Parameter isOurs: it may be what an earlier run of this import made there.
    private static func clear(
        _ entry: Entry, _ directory: Int32, _ name: UnsafePointer<CChar>, _ target: TreeTarget,
        isOurs: Bool
    ) throws(Failure) -> Bool {
        if target.existing == .add {
            target.record(entry.path, .existing, EEXIST)
            return false
        }
        guard target.existing == .replace || target.isResuming && isOurs else {
            throw target.isResuming
                ? Remains.foreign() : Failure(.targetOccupied, "something is in the link's place")
        }
        guard unsafe unlinkat(directory, name, 0) == 0 else {
            throw TreeTarget.cannotReplace(errno)
        }
        return true
    }
}
