import Basics
import CLinux
import Glibc
import Primitives
import Streams

extension TreeRestorer {
    static let creating = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC

    // MARK: - Files in one piece

    /// Creates a file, writes it and sets its metadata: four system calls where nothing is special.
    mutating func restoreFile(_ entry: Entry, _ reader: inout PaxReader) throws(Failure) {
        let target = self.target
        let probe = target.probe
        let isOwner = entry.uid == probe.uid && entry.gid == probe.gid && target.isFresh
        // Nobody else is to open it before it has its owner.
        let asked = isOwner ? target.readableMode(entry) & 0o777 : 0o600
        let known: TreeTarget.Known? =
            target.isFresh
            ? .init(
                uid: probe.uid, gid: probe.gid, mode: asked & probe.mode, mayHaveACL: probe.hasACL)
            : nil
        if target.existing == .add {
            return try addFile(entry, &reader)
        }
        let made = try unsafe inDirectory(of: entry.path) {
            (directory, name) throws(Failure) -> Int32? in
            var raw = retrying { unsafe openat(directory, name, Self.creating, asked) }
            if raw < 0, errno == EEXIST, target.existing == .replace {
                guard unsafe unlinkat(directory, name, 0) == 0 || errno == ENOENT else {
                    throw TreeTarget.cannotReplace(errno)
                }
                raw = retrying { unsafe openat(directory, name, Self.creating, asked) }
            }
            if raw < 0, errno == EEXIST, target.isResuming { return nil }
            guard raw >= 0 else { throw Failure(errno: errno, "cannot create the file") }
            return raw
        }
        guard let raw = made else { return try remakeFile(entry, &reader) }
        let file = Descriptor(owning: raw)
        try Self.fill(file, &reader)
        try target.apply(entry, to: .descriptor(raw), known)
    }

    private static func fill(
        _ file: borrowing Descriptor, _ reader: inout PaxReader
    ) throws(Failure) {
        try unsafe reader.readData { (bytes, offset) throws(Failure) in
            try unsafe file.writeAll(bytes, at: offset)
        }
    }

    /// Makes a file anew that an earlier run has begun, beside what is there; that goes only where it
    /// turns out to be nothing but the beginning of this very file.
    private mutating func remakeFile(_ entry: Entry, _ reader: inout PaxReader) throws(Failure) {
        let target = self.target
        let partial = target.partialName(of: entry.path)
        let found = try unsafe inDirectory(of: entry.path) { (directory, name) throws(Failure) in
            try unsafe Remains.open(directory, name)
        }
        let there = Descriptor(owning: found)
        let size = try Remains.size(of: there, largest: entry.size)
        var old = Remains(there, size: size)
        let raw = try createPartial(partial, of: entry)
        let file = Descriptor(owning: raw)
        do throws(Failure) {
            try unsafe reader.readData { (bytes, offset) throws(Failure) in
                try unsafe old.check(bytes, at: offset)
                try unsafe file.writeAll(bytes, at: offset)
            }
            try target.apply(entry, to: .descriptor(raw))
        } catch {
            _ = try? unsafe inDirectory(of: entry.path) { (directory, _) throws(Failure) in
                unsafe unlinkat(directory, partial, 0)
            }
            throw error
        }
        try unsafe inDirectory(of: entry.path) { (directory, name) throws(Failure) in
            guard unsafe renameat(directory, partial, directory, name) == 0 else {
                throw Failure(errno: errno, "cannot give it its name")
            }
        }
    }

    /// A new file under the name that the object has until it is whole; what had that name goes.
    private mutating func createPartial(_ partial: String, of entry: Entry) throws(Failure) -> Int32
    {
        try unsafe inDirectory(of: entry.path) { (directory, _) throws(Failure) in
            unsafe unlinkat(directory, partial, 0)
            let raw = retrying { unsafe openat(directory, partial, Self.creating, 0o600) }
            guard raw >= 0 else { throw Failure(errno: errno, "cannot create the file") }
            return raw
        }
    }

    /// Writes under a name of its own first, so that a file there before is never touched and one
    /// half written is never taken for it.
    private mutating func addFile(_ entry: Entry, _ reader: inout PaxReader) throws(Failure) {
        if try isKept(entry) { return }
        let target = self.target
        let partial = target.partialName(of: entry.path)
        let raw = try createPartial(partial, of: entry)
        let file = Descriptor(owning: raw)
        try Self.fill(file, &reader)
        try target.apply(entry, to: .descriptor(raw))
        try unsafe inDirectory(of: entry.path) { (directory, name) throws(Failure) in
            try unsafe Self.name(partial, name, in: directory, entry, target)
        }
    }

    /// Gives what was made under a partial name its own. With `add`, what took that name in the
    /// meantime keeps it.
    static func name(
        _ partial: String, _ name: UnsafePointer<CChar>, in directory: Int32, _ entry: Entry,
        _ target: TreeTarget
    ) throws(Failure) {
        try target.shortfalls.check()
        if unsafe exeat_rename_new(directory, partial, name) == 0 { return }
        guard errno == EEXIST else { throw Failure(errno: errno, "cannot give it its name") }
        guard target.existing == .add else { throw Remains.foreign() }
        target.record(entry.path, .existing, EEXIST)
        unsafe unlinkat(directory, partial, 0)
    }

    /// With `add`, whether something is there already; listed unless it looks like this very file.
    mutating func isKept(_ entry: Entry) throws(Failure) -> Bool {
        let target = self.target
        return try unsafe inDirectory(of: entry.path) { (directory, name) throws(Failure) in
            var status = stat()
            guard unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                if errno == ENOENT { return false }
                throw Failure(errno: errno, "cannot stat what is there")
            }
            let type = status.st_mode & S_IFMT
            var isSame =
                FileTime(status.st_mtim) == entry.modified
                || target.shortfalls.covers(entry.path, .modified)
            switch entry.kind {
            case .file: isSame = isSame && type == S_IFREG && Int64(status.st_size) == entry.size
            case .fifo: isSame = isSame && type == S_IFIFO
            default:
                isSame =
                    isSame && type == (entry.kind == .block ? S_IFBLK : S_IFCHR)
                    && status.st_rdev == dev_t(Self.device(of: entry))
            }
            if !isSame { target.record(entry.path, .existing, EEXIST) }
            return true
        }
    }

    // MARK: - Files in several pieces

    /// Writes the part of a large file that this segment holds; lanes may do so in any order, and
    /// again. Holes stay holes: only data is written, and the size set.
    mutating func restorePart(
        of entry: Entry, _ reader: inout PaxReader, _ progress: Progress
    ) throws(Failure) {
        if target.existing == .add, try isKept(entry) { return }
        let target = self.target
        let partial = target.partialName(of: entry.path)
        let raw = try unsafe inDirectory(of: entry.path) { (directory, name) throws(Failure) in
            if target.isFresh, !target.isResuming, try unsafe Self.exists(directory, name) {
                throw Failure(errno: EEXIST, "cannot create the file")
            }
            target.begin(entry.path) { unsafe unlinkat(directory, partial, 0) }
            let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
            let raw = retrying { unsafe openat(directory, partial, flags, 0o600) }
            guard raw >= 0 else { throw Failure(errno: errno, "cannot create the file") }
            return raw
        }
        let file = Descriptor(owning: raw)
        let status = try file.status()
        guard status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1 else {
            throw Failure(.targetOccupied, "something else has the name of the partial file")
        }
        if Int64(status.st_size) != entry.size { try file.truncate(to: entry.size) }
        if !reader.isContinued {
            for attribute in entry.attributes where attribute.value.count > IndexLine.longestValue {
                if MadeObject.descriptor(raw).set(attribute) != 0 {
                    try target.note(entry.path, .extended(attribute.name))
                }
            }
        }
        var written: Int64 = 0
        try unsafe reader.readData { (bytes, offset) throws(Failure) in
            try progress.checkCancelled()
            try unsafe file.writeAll(bytes, at: offset)
            progress.add(stored: Int64(bytes.count))
            written += Int64(bytes.count)
            if written >= 64 << 20 {
                // Lets the disk begin while there is more to come.
                exeat_start_writeback(file.raw)
                written = 0
            }
        }
    }

    private static func exists(
        _ directory: Int32, _ name: UnsafePointer<CChar>
    ) throws(Failure) -> Bool {
        var status = stat()
        if unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return true }
        guard errno == ENOENT else { throw Failure(errno: errno, "cannot stat what is there") }
        return false
    }

    // MARK: - FIFOs and devices

    /// A device that may not be made is listed. With `add` it is made under a name of its own first.
    mutating func makeNode(_ entry: Entry) throws(Failure) {
        let adds = target.existing == .add
        if adds, try isKept(entry) { return }
        let target = self.target
        let partial = target.partialName(of: entry.path)
        try unsafe inDirectory(of: entry.path) { (directory, name) throws(Failure) in
            guard adds else {
                _ = try unsafe Self.makeNode(entry, directory, name, target)
                return
            }
            unsafe unlinkat(directory, partial, 0)
            guard try unsafe Self.makeNode(entry, directory, partial, target) else { return }
            try unsafe Self.name(partial, name, in: directory, entry, target)
        }
    }

    /// Whether it could be made.
    private static func makeNode(
        _ entry: Entry, _ directory: Int32, _ name: UnsafePointer<CChar>, _ target: TreeTarget
    ) throws(Failure) -> Bool {
        let type = entry.kind == .fifo ? S_IFIFO : entry.kind == .block ? S_IFBLK : S_IFCHR
        let device = dev_t(device(of: entry))
        var status = unsafe mknodat(directory, name, type | 0o600, device)
        if status != 0, errno == EEXIST, target.isResuming || target.existing == .replace {
            if target.existing == .refuse {
                try unsafe Remains.checkNode(directory, name, type, device)
            }
            guard unsafe unlinkat(directory, name, 0) == 0 || errno == ENOENT else {
                throw TreeTarget.cannotReplace(errno)
            }
            status = unsafe mknodat(directory, name, type | 0o600, device)
        }
        if status != 0 {
            guard errno == EPERM || errno == EOPNOTSUPP || errno == EACCES else {
                throw Failure(errno: errno, "cannot create the node")
            }
            try target.note(entry.path, .object)
            return false
        }
        let flags = exeat_o_path | O_NOFOLLOW | O_CLOEXEC
        let raw = retrying { unsafe openat(directory, name, flags) }
        guard raw >= 0 else { throw Failure(errno: errno, "cannot open the node") }
        let node = Descriptor(owning: raw)
        guard try node.status().st_mode & S_IFMT == type else {
            throw Failure(.targetOccupied, "something else took its place")
        }
        try target.apply(entry, to: .path(node.raw))
        return true
    }

    private static func device(of entry: Entry) -> UInt64 {
        UInt64(exeat_makedev(entry.device.major, entry.device.minor))
    }
}
