public import Basics
import CLinux
import Glibc
import Primitives
public import Streams

/// One lane's writer of a tree: makes directories, files, FIFOs and devices as a segment gives them.
///
/// Any number of lanes work on a target at once, each with a restorer of its own, on segments in any
/// order. Symbolic and hard links, large files' names and the metadata of directories come when all
/// segments are done: see `TreeFinisher`. Blocks: call it on a `Lane`.
public struct TreeRestorer: ~Copyable {
    let target: TreeTarget
    var cursor: TreeCursor

    public init(_ target: TreeTarget) {
        self.target = target
        cursor = TreeCursor(target.root)
    }

    /// Writes what a segment holds. Safe to call again for a segment that was cut short, when the
    /// target is resuming.
    ///
    /// - Parameters:
    ///   - progress: counts bytes and entries; its cancellation ends the call.
    ///   - admit: throws for an entry that is not to be written; called for each header, with its
    ///     place in the segment, before anything is made of it.
    public mutating func restore(
        _ reader: inout PaxReader, progress: Progress,
        admit: (Entry, Int64) throws(Failure) -> Void = { (_, _) throws(Failure) in }
    ) throws(Failure) {
        while let source = try reader.next() {
            try progress.checkCancelled()
            if !reader.isContinued { try admit(source, reader.headerOffset) }
            let entry = target.owners.isIdentity ? source : target.owners.applied(to: source)
            do throws(Failure) {
                switch entry.kind {
                case .directory: try makeDirectory(entry)
                case .file:
                    if target.isLate(entry) {
                        try restorePart(of: entry, &reader, progress)
                    } else {
                        try restoreFile(entry, &reader)
                    }
                case .fifo, .character, .block: try makeNode(entry)
                case .symlink, .hardlink: break
                }
            } catch {
                throw error.during("cannot restore \(EntryPath.quoted(entry.path))")
            }
            if !reader.isContinued { progress.add(objects: 1) }
            progress.add(stored: entry.kind == .file && !target.isLate(entry) ? entry.size : 0)
        }
    }

    /// Sets the extended attributes of symbolic links whose values stand in segments only, for the
    /// segments that `TreeFinisher.segmentsToRevisit` names.
    public mutating func restoreLinkAttributes(_ reader: inout PaxReader) throws(Failure) {
        while let entry = try reader.next() {
            guard entry.kind == .symlink, !entry.attributes.isEmpty else { continue }
            let target = self.target
            try unsafe inDirectory(of: entry.path) { (directory, name) throws(Failure) in
                let flags = exeat_o_path | O_NOFOLLOW | O_CLOEXEC
                let raw = retrying { unsafe openat(directory, name, flags) }
                guard raw >= 0 else { throw Failure(errno: errno, "cannot open the link") }
                let link = Descriptor(owning: raw)
                guard try link.status().st_mode & S_IFMT == S_IFLNK else { return }
                let mapped = target.owners.applied(to: entry)
                try target.apply(mapped, to: .path(raw))
            }
        }
    }

    // MARK: - Ways

    /// Calls `body` in the directory that holds `path`, made with those above it if need be.
    mutating func inDirectory<Result>(
        of path: [UInt8], _ body: (Int32, UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do throws(Failure) {
            return try unsafe cursor.withParent(of: path, body)
        } catch {
            guard error.code == .notFound, !EntryPath.parent(of: path).isEmpty else { throw error }
        }
        try makeDirectories(Array(EntryPath.parent(of: path)))
        return try unsafe cursor.withParent(of: path, body)
    }

    private mutating func makeDirectories(_ path: [UInt8]) throws(Failure) {
        if !EntryPath.parent(of: path).isEmpty {
            var isThere = true
            do throws(Failure) {
                try unsafe cursor.withParent(of: path) { (_, _) throws(Failure) in }
            } catch { isThere = false }
            if !isThere { try makeDirectories(Array(EntryPath.parent(of: path))) }
        }
        _ = try makeDirectory(at: path)
    }

    // MARK: - Directories

    /// The mode of a directory that this import made and has not finished: sticky, so that one which
    /// was there before can be told from it.
    static let unfinishedMode: mode_t = 0o1700

    private mutating func makeDirectory(_ entry: Entry) throws(Failure) {
        if entry.path.isEmpty {
            try setAttributes(ofDirectory: entry, target.root.descriptor.raw)
            return
        }
        let isOurs = try makeDirectory(at: entry.path)
        guard isOurs, !entry.attributes.isEmpty else { return }
        let target = self.target
        try unsafe cursor.withParent(of: entry.path) { (parent, name) throws(Failure) in
            let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
            let raw = retrying { unsafe openat(parent, name, flags) }
            guard raw >= 0 else { throw Failure(errno: errno, "cannot open it") }
            let directory = Descriptor(owning: raw)
            try Self.setAttributes(ofDirectory: entry, directory.raw, target)
        }
    }

    private func setAttributes(ofDirectory entry: Entry, _ raw: Int32) throws(Failure) {
        // The root was there before; with `add` it stays as it was.
        if target.existing == .add { return }
        try Self.setAttributes(ofDirectory: entry, raw, target)
    }

    private static func setAttributes(
        ofDirectory entry: Entry, _ raw: Int32, _ target: TreeTarget
    ) throws(Failure) {
        for attribute in entry.attributes {
            if MadeObject.descriptor(raw).set(attribute) != 0 {
                try target.note(entry.path, .extended(attribute.name))
            }
        }
    }

    /// Makes the directory unless it is there; whether it is this import's to give metadata to.
    private mutating func makeDirectory(at path: [UInt8]) throws(Failure) -> Bool {
        let target = self.target
        return try unsafe inDirectory(of: path) { (parent, name) throws(Failure) in
            while true {
                if unsafe mkdirat(parent, name, Self.unfinishedMode) == 0 { return true }
                guard errno == EEXIST else {
                    throw Failure(errno: errno, "cannot create the directory")
                }
                var status = stat()
                guard unsafe fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                    throw Failure(errno: errno, "cannot stat the directory")
                }
                if status.st_mode & S_IFMT == S_IFDIR {
                    return target.existing != .add || Self.isUnfinished(status)
                }
                guard target.existing == .replace else {
                    throw Failure(
                        .targetOccupied, "something that is no directory is in its place",
                        hint: "Choose an empty target, or say `existing: replace`.")
                }
                guard unsafe unlinkat(parent, name, 0) == 0 || errno == ENOENT else {
                    throw TreeTarget.cannotReplace(errno)
                }
            }
        }
    }

    static func isUnfinished(_ status: stat) -> Bool {
        status.st_mode & 0o1777 == unfinishedMode
    }

    /// Also where its access control list has changed the bits and its mode was not set any more.
    static func isUnfinished(_ status: stat, _ entry: Entry) -> Bool {
        let mode = status.st_mode & 0o7777
        return isUnfinished(status)
            || entry.accessACL != nil && mode != entry.mode
                && mode & 0o1777 == entry.mode & 0o777 | 0o1000
    }
}
