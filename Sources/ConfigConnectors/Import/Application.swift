import Archives
import Basics
import Glibc
import Redaction
import Streams
import Trees

/// Brings named parts of the staged tree to a machine: what is replaced is kept first, what cannot be brought
/// as it is is refused and listed.
///
/// A file with placeholders never takes the place of one with values: it is the same but for its secrets,
/// or refused. Directories that are there keep their metadata. Done again, it does nothing.
struct Application {
    enum Action: String {
        case same, create, replace, refuse
    }

    struct Step {
        let path: [UInt8]
        let action: Action
        let reason: String
    }

    private let staged: TreeRoot
    private let machine: TreeRoot
    private let backup: String
    private let parts: [[UInt8]]
    private let isDryRun: Bool
    private let redactor: Redactor?
    private let dropsReferences: Bool
    private let shown: Redactor
    private(set) var steps: [Step] = []

    /// - Parameters:
    ///   - parts: paths of the machine without the slash in front.
    ///   - backup: a directory for what is replaced; made when there is something.
    init(
        staged: String, machine: String, backup: String, parts: [[UInt8]], isDryRun: Bool,
        redactor: Redactor?, dropsReferences: Bool
    ) throws(Failure) {
        self.staged = try TreeRoot(staged)
        self.machine = try TreeRoot(machine)
        self.backup = backup
        self.parts = parts
        self.isDryRun = isDryRun
        self.redactor = redactor
        self.dropsReferences = dropsReferences
        shown = try Redactor(mode: .omit)
    }

    /// Whether a path is one of the parts or lies below one.
    private func isChosen(_ path: [UInt8]) -> Bool {
        parts.contains { path == $0 || path.starts(with: $0 + [0x2f]) }
    }

    mutating func add(_ item: IndexItem) throws(Failure) {
        guard isChosen(item.path) else { return }
        guard case .entry(let indexed) = item else {
            note(item.path, .refuse, "it is not in the archive")
            return
        }
        do throws(Failure) { try apply(indexed.entry) } catch {
            switch error.code {
            case .cancelled, .noSpace, .failed: throw error
            default: note(indexed.entry.path, .refuse, error.what)
            }
        }
    }

    private mutating func note(_ path: [UInt8], _ action: Action, _ reason: String = "") {
        steps.append(Step(path: path, action: action, reason: reason))
    }

    private mutating func apply(_ entry: Entry) throws(Failure) {
        let there = try kind(entry.path, below: machine)
        switch entry.kind {
        case .directory:
            if there == S_IFDIR { return note(entry.path, .same) }
            guard there == nil else { return note(entry.path, .refuse, "it is no directory there") }
            if !isDryRun { try makeDirectory(entry.path) }
            note(entry.path, .create)
        case .file, .hardlink:
            guard there == nil || there == S_IFREG else {
                return note(entry.path, .refuse, "it is no file there")
            }
            try applyFile(entry.path, isThere: there != nil)
        case .symlink:
            guard there == nil || there == S_IFLNK else {
                return note(entry.path, .refuse, "it is no link there")
            }
            try applyLink(entry, isThere: there != nil)
        case .fifo, .character, .block:
            note(entry.path, .refuse, "it is neither a file nor a directory nor a link")
        }
    }

    // MARK: - Files

    private mutating func applyFile(_ path: [UInt8], isThere: Bool) throws(Failure) {
        guard let here = try MachineFiles.read(path, below: staged) else {
            return note(path, .refuse, "it is too large")
        }
        let hasPlaceholders = redactor != nil && Placeholder.isContained(in: here)
        if isThere {
            guard let other = try MachineFiles.read(path, below: machine) else {
                return note(path, .refuse, "what is there is too large")
            }
            switch try MachineFiles.compare(
                here, other, path, redactor: redactor, dropsReferences: dropsReferences,
                shown: shown)
            {
            case .same:
                if try hasSameMetadata(path) { return note(path, .same) }
            case .sameButSecrets: return note(path, .same, "but for its secrets, which stay")
            case .different: break
            }
        }
        guard !hasPlaceholders else {
            return note(path, .refuse, "secrets of it are not in the archive: enter them by hand")
        }
        if !isDryRun {
            if isThere { try keep(path) }
            try copy(path, from: staged, to: machine)
        }
        note(path, isThere ? .replace : .create)
    }

    /// Mode and owner, as the import gave them to the staged file.
    private func hasSameMetadata(_ path: [UInt8]) throws(Failure) -> Bool {
        let (here, there) = (try status(path, below: staged), try status(path, below: machine))
        return here.st_mode == there.st_mode && here.st_uid == there.st_uid
            && here.st_gid == there.st_gid
    }

    private mutating func applyLink(_ entry: Entry, isThere: Bool) throws(Failure) {
        if isThere {
            if try link(entry.path, below: machine) == entry.target {
                return note(entry.path, .same)
            }
            if !isDryRun { try keep(entry.path) }
        }
        if !isDryRun { try copy(entry.path, from: staged, to: machine) }
        note(entry.path, isThere ? .replace : .create)
    }

    // MARK: - Backup

    /// Copies what is there to the backup, under a name that holds nothing else yet.
    private func keep(_ path: [UInt8]) throws(Failure) {
        try Files.makeDirectory(backup, mode: 0o700)
        let root = try TreeRoot(backup)
        var parents: [[UInt8]] = []
        for (place, byte) in path.enumerated() where byte == 0x2f {
            parents.append(Array(path[..<place]))
        }
        for parent in parents where try kind(parent, below: root) == nil {
            try make(parent, mode: 0o700, below: root)
        }
        var name = path
        var number = 1
        while try kind(name, below: root) != nil {
            // Kept by an attempt that was cut short before it replaced the file.
            if try isCopy(name, of: path, root) { return }
            number += 1
            name = path + Array("~\(number)".utf8)
        }
        try copy(path, from: machine, to: root, as: name)
    }

    private func isCopy(_ name: [UInt8], of path: [UInt8], _ root: TreeRoot) throws(Failure) -> Bool
    {
        guard try kind(name, below: root) == kind(path, below: machine) else { return false }
        if try kind(name, below: root) == S_IFLNK {
            return try link(name, below: root) == link(path, below: machine)
        }
        return try MachineFiles.read(name, below: root) == MachineFiles.read(path, below: machine)
    }

    // MARK: - Calls

    private func makeDirectory(_ path: [UInt8]) throws(Failure) {
        let parent = Array(path[..<(path.lastIndex(of: 0x2f) ?? 0)])
        if !parent.isEmpty, try kind(parent, below: machine) == nil { try makeDirectory(parent) }
        try make(path, mode: 0o700, below: machine)
        let status = try status(path, below: staged)
        try unsafe at(path, machine) { (directory, name) throws(Failure) in
            guard
                unsafe fchownat(
                    directory, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) == 0
                    || errno == EPERM,
                unsafe fchmodat(directory, name, status.st_mode & 0o7777, 0) == 0
            else { throw Failure(errno: errno, "cannot set the owner and the mode") }
        }
    }

    private func make(_ path: [UInt8], mode: mode_t, below root: TreeRoot) throws(Failure) {
        try unsafe at(path, root) { (directory, name) throws(Failure) in
            guard unsafe mkdirat(directory, name, mode) == 0 || errno == EEXIST else {
                throw Failure(errno: errno, "cannot create the directory")
            }
        }
    }

    /// Copies a file or link with its metadata; it appears whole or not at all, and what had its name is
    /// replaced in the same moment.
    private func copy(
        _ path: [UInt8], from source: TreeRoot, to target: TreeRoot, as name: [UInt8]? = nil
    ) throws(Failure) {
        let name = name ?? path
        let parent = Array(name[..<(name.lastIndex(of: 0x2f) ?? 0)])
        if !parent.isEmpty, try kind(parent, below: target) == nil { try makeDirectory(parent) }
        let partial = name + Array(".exeat-new".utf8)
        try unsafe at(partial, target) { (directory, partial) throws(Failure) in
            guard unsafe unlinkat(directory, partial, 0) == 0 || errno == ENOENT else {
                throw Failure(errno: errno, "cannot remove what an earlier attempt left")
            }
        }
        do throws(Failure) {
            if try kind(path, below: source) == S_IFLNK {
                let goal = try link(path, below: source).map { CChar(bitPattern: $0) } + [0]
                try unsafe at(partial, target) { (directory, partial) throws(Failure) in
                    guard unsafe symlinkat(goal, directory, partial) == 0 else {
                        throw Failure(errno: errno, "cannot create the link")
                    }
                }
            } else {
                try copyFile(path, from: source, to: target, as: partial)
            }
            try rename(partial, to: name, target)
        } catch {
            _ = try? unsafe at(partial, target) { (directory, partial) throws(Failure) in
                unsafe unlinkat(directory, partial, 0)
            }
            throw error
        }
    }

    private func copyFile(
        _ path: [UInt8], from source: TreeRoot, to target: TreeRoot, as partial: [UInt8]
    ) throws(Failure) {
        guard let bytes = try MachineFiles.read(path, below: source) else {
            throw Failure(.invalidValue, "it is too large")
        }
        let original = try open(path, O_RDONLY, below: source)
        let made = try open(partial, O_WRONLY | O_CREAT | O_EXCL, below: target)
        try made.writeAll(bytes)
        let status = try original.status()
        guard fchown(made.raw, status.st_uid, status.st_gid) == 0 || errno == EPERM else {
            throw Failure(errno: errno, "cannot set the owner")
        }
        try AttributeCopy.copy(from: original, to: made)
        guard fchmod(made.raw, status.st_mode & 0o7777) == 0 else {
            throw Failure(errno: errno, "cannot set the mode")
        }
        var times = [status.st_mtim, status.st_mtim]
        guard unsafe futimens(made.raw, &times) == 0 else {
            throw Failure(errno: errno, "cannot set the time")
        }
        try made.sync()
    }

    private func rename(_ from: [UInt8], to: [UInt8], _ root: TreeRoot) throws(Failure) {
        let last =
            Array(to[(to.lastIndex(of: 0x2f).map { $0 + 1 } ?? 0)...]).map {
                CChar(bitPattern: $0)
            } + [0]
        try unsafe at(from, root) { (directory, name) throws(Failure) in
            guard unsafe renameat(directory, name, directory, last) == 0 else {
                throw Failure(errno: errno, "cannot put the file in its place")
            }
        }
    }

    private func open(
        _ path: [UInt8], _ flags: Int32, below root: TreeRoot
    ) throws(Failure) -> Descriptor {
        let raw = try unsafe at(path, root) { (directory, name) throws(Failure) -> Int32 in
            let flags = flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
            let raw = retrying { unsafe openat(directory, name, flags, 0o600) }
            guard raw >= 0 else { throw Failure(errno: errno, "cannot open the file") }
            return raw
        }
        return Descriptor(owning: raw)
    }

    private func status(_ path: [UInt8], below root: TreeRoot) throws(Failure) -> stat {
        try unsafe at(path, root) { (directory, name) throws(Failure) in
            var status = stat()
            guard unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                throw Failure(errno: errno, "cannot look at it")
            }
            return status
        }
    }

    /// The kind of what has the path, nil for nothing.
    private func kind(_ path: [UInt8], below root: TreeRoot) throws(Failure) -> mode_t? {
        do throws(Failure) { return try status(path, below: root).st_mode & S_IFMT } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    private func link(_ path: [UInt8], below root: TreeRoot) throws(Failure) -> [UInt8] {
        try unsafe at(path, root) { (directory, name) throws(Failure) in
            var buffer = [CChar](repeating: 0, count: 4097)
            let count = unsafe readlinkat(directory, name, &buffer, 4096)
            guard count >= 0 else { throw Failure(errno: errno, "cannot read the link") }
            return buffer[..<count].map { UInt8(bitPattern: $0) }
        }
    }

    /// No step of the way is a link.
    private func at<Result>(
        _ path: [UInt8], _ root: TreeRoot,
        _ body: (Int32, UnsafePointer<CChar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var cursor = TreeCursor(root)
        return try unsafe cursor.withParent(of: path, body)
    }
}
