public import Basics
import Glibc
public import Streams
import Synchronization

/// Where a run stores its files: a directory, one tar file, or a tar stream on standard output.
///
/// A file is written to a slot and appears in the bag only when it is committed, whole and synced.
/// Slots may be used from several lanes at once; commits to a tar queue up.
public final class BagWriter: Sendable {
    public enum Form: Sendable, Equatable {
        case directory(String)
        case tar(String)
        case stream
    }

    public let form: Form
    /// The bag's name: the one top folder in a tar.
    public let name: BagName
    /// Private (0700): journal of a tar, rooms of the connectors, the lock. Goes away at the seal.
    public let stateDirectory: String
    private let lock: Descriptor
    /// The output was not there before; what a run that came to nothing leaves may all go.
    let isNew: Bool
    let tail: Mutex<Tail>
    let tar: SharedDescriptor?

    /// Where the next entry of a tar begins.
    struct Tail {
        var end: Int64 = 0
    }

    /// What is there before a run begins.
    public enum Found: Sendable, Equatable {
        case nothing, openRun, sealed
    }

    /// What a path of `--output` means.
    public static func form(of output: String) -> Form {
        if output == "-" { return .stream }
        return output.hasSuffix(".tar") ? .tar(output) : .directory(output)
    }

    /// Looks at an output without touching it. A directory with foreign content is refused.
    public static func look(at form: Form) throws(Failure) -> Found {
        guard form != .directory("") else {
            throw Failure(
                .usage, "the output has no name",
                hint: "Name a new directory, a file ending in .tar, or - for standard output.")
        }
        switch form {
        case .stream: return .nothing
        case .tar(let path):
            if Files.exists(state(of: form)) { return .openRun }
            guard let kind = Files.kind(path) else { return .nothing }
            guard kind != S_IFDIR else {
                throw Failure(
                    .exists, "\"\(path)\" is a directory, and an output ending in .tar is a file",
                    hint: "Name another output, or move away what is there.")
            }
            var status = stat()
            guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw Failure(
                    .exists, "\"\(path)\" is there, and is not a file",
                    hint: "Name another output; - writes to standard output, and to a pipe.")
            }
            return .sealed
        case .directory(let path):
            guard let kind = Files.kind(path) else { return .nothing }
            guard Files.isDirectory(path) else {
                throw Failure(
                    .exists,
                    "\"\(path)\" is not a directory"
                        + (kind == S_IFLNK ? ", and does not lead to one" : ""),
                    hint: "Name a new directory, a file ending in .tar, or - for standard output.")
            }
            if Files.exists(path + "/proof/seal.json") { return .sealed }
            if Files.exists(state(of: form)) { return .openRun }
            if try Files.names(in: path).isEmpty { return .nothing }
            // Looked at again, in the order in which they come: another process may have begun or
            // ended its run since.
            if Files.exists(state(of: form)) { return .openRun }
            guard Files.exists(path + "/proof/seal.json") else {
                throw Failure(
                    .exists, "the output directory \"\(path)\" holds files that are not of a run",
                    hint: "Name a directory that is empty or does not exist yet.")
            }
            return .sealed
        }
    }

    static func state(of form: Form) -> String {
        switch form {
        case .directory(let path): path + "/.exeat-run"
        case .tar(let path): path + ".exeat-run"
        case .stream: ""
        }
    }

    /// Opens the output for one run; a second process on it is `.locked`.
    public init(_ form: Form, name: String) throws(Failure) {
        self.form = form
        self.name = try BagName(name)
        isNew = !Files.exists(form.description)
        switch form {
        case .directory(let path):
            try Files.makeDirectory(path)
            stateDirectory = Self.state(of: form)
        case .tar(let path):
            try Files.makeDirectory(Files.parent(of: path))
            stateDirectory = Self.state(of: form)
        case .stream:
            stateDirectory = try Self.temporaryDirectory()
        }
        try Files.makeDirectory(stateDirectory, mode: 0o700)
        let lock = try Descriptor(opening: stateDirectory + "/lock", O_RDWR | O_CREAT)
        guard try lock.lock() else {
            throw Failure(
                .locked, "another process is writing to this output",
                hint: "Wait for it to end, or stop it; then run the same command again.")
        }
        try Self.checkStillOpen(form, stateDirectory, lock)
        self.lock = lock
        switch form {
        case .directory: tar = nil
        case .tar(let path):
            tar = SharedDescriptor(
                try Descriptor(opening: path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o644),
                name: "\"\(path)\"")
        case .stream: tar = SharedDescriptor(Descriptor(owning: dup(1)), name: "standard output")
        }
        tail = Mutex(Tail())
    }

    /// Another process may have sealed the output, and removed its lock, since it was looked at.
    private static func checkStillOpen(
        _ form: Form, _ state: String, _ lock: borrowing Descriptor
    ) throws(Failure) {
        if form == .stream { return }
        let isSealed =
            if case .directory(let path) = form {
                Files.exists(path + "/proof/seal.json")
            } else { false }
        let links = try lock.status().st_nlink
        guard !isSealed, links > 0 else {
            if isSealed { try Files.remove(state) }
            throw Failure(
                .locked, "another process has just ended its work on this output",
                hint: "Run the same command again: it verifies what is there.")
        }
    }

    private static func temporaryDirectory() throws(Failure) -> String {
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array((base + "/exeat-run-XXXXXX").utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw Failure(errno: errno, "cannot create a directory below \"\(base)\"")
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Where the journal lives while the run is open.
    public var journalPath: String {
        if case .directory(let path) = form { return path + "/exeat/journal.jsonl" }
        return stateDirectory + "/journal.jsonl"
    }

    /// A place for the bytes of one file.
    public func slot(_ path: BagPath) throws(Failure) -> BagSlot {
        switch form {
        case .directory(let root):
            let final = root + "/" + path.text
            try Files.makeDirectory(Files.parent(of: final))
            let partial = final + ".partial"
            unsafe unlink(partial)
            return BagSlot(
                path: path, final: final,
                file: SharedDescriptor(
                    try Descriptor(
                        opening: partial, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644),
                    name: "\"\(final)\""))
        case .tar, .stream:
            return BagSlot(
                path: path, final: nil,
                file: SharedDescriptor(try spool(), name: "the spool file of \"\(path.text)\""))
        }
    }

    /// A file without a name, so that nothing is left of it whatever happens.
    private func spool() throws(Failure) -> Descriptor {
        let path = stateDirectory + "/spool-\(monotonicNanoseconds())-\(pthread_self())"
        let file = try Descriptor(opening: path, O_RDWR | O_CREAT | O_EXCL)
        unsafe unlink(path)
        return file
    }

    /// Makes the slot's bytes a file of the bag, durable on return, and then calls `note`.
    ///
    /// - Parameter note: writes down that the file is committed; gets the offset at which a tar
    ///   ends now, 0 in a directory. Commits to a tar are noted in the order of the tar, so that
    ///   cutting it back to the last noted end leaves nothing that is not noted. When `note` throws,
    ///   the tar is cut back.
    public func commit(
        _ slot: BagSlot, _ note: (Int64) throws(Failure) -> Void = { (_) throws(Failure) in }
    ) throws(Failure) {
        if let final = slot.final {
            do throws(Failure) {
                try slot.file.descriptor.sync()
                try Files.rename(final + ".partial", to: final)
            } catch { throw error.during("cannot store \"\(final)\"") }
            slot.committed()
            return try note(0)
        }
        guard let tar else { return }
        try tail.withLock { (tail) throws(Failure) in
            var end = tail.end
            do throws(Failure) {
                end += try append(slot, to: tar)
                try note(end)
            } catch {
                if case .tar = form {
                    try? tar.descriptor.truncate(to: tail.end)
                    try? tar.descriptor.seek(to: tail.end)
                }
                throw error.during("cannot store \"\(slot.path.text)\" in \(tar.name)")
            }
            tail.end = end
        }
    }

    /// Copies a spooled file to the end of the tar; returns how much longer that is now.
    private func append(_ slot: BagSlot, to tar: SharedDescriptor) throws(Failure) -> Int64 {
        let size = Int64(try slot.file.descriptor.status().st_size)
        try tar.descriptor.writeAll(
            CanonicalTar.header(name: name, path: slot.path, size: size))
        var source = FileSource(slot.file, from: 0, size: size)
        var chunk = Chunk()
        repeat {
            try source.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                try unsafe tar.descriptor.writeAll(bytes)
            }
        } while !chunk.isEmpty
        let padding = CanonicalTar.padding(after: size)
        try tar.descriptor.writeAll([UInt8](repeating: 0, count: padding))
        if case .tar = form { try tar.descriptor.sync() }
        return 512 + size + Int64(padding)
    }

    /// Stores a small file.
    public func put(_ bytes: [UInt8], at path: BagPath) throws(Failure) {
        let slot = try slot(path)
        try slot.file.descriptor.writeAll(bytes)
        try commit(slot)
    }

    /// Stores the proof, the last thing that happens to a bag: in a directory it appears by one
    /// rename, and a tar gets its end blocks.
    public func seal(_ proof: [(path: BagPath, bytes: [UInt8])]) throws(Failure) {
        switch form {
        case .directory(let root):
            let partial = root + "/proof.partial"
            try Files.remove(partial)
            for file in proof {
                let path = partial + "/" + file.path.text.dropFirst("proof/".count)
                try Files.makeDirectory(Files.parent(of: path))
                try Files.write(file.bytes, to: path)
            }
            try Files.syncDirectory(of: partial + "/x")
            try Files.rename(partial, to: root + "/proof")
        case .tar, .stream:
            for file in proof { try put(file.bytes, at: file.path) }
            try tar?.descriptor.writeAll([UInt8](repeating: 0, count: 1024))
            if case .tar(let path) = form {
                try tar?.descriptor.sync()
                try Files.syncDirectory(of: path)
            }
        }
    }
}

/// A file on its way into the bag; dropped without a commit, it leaves nothing behind.
public final class BagSlot: Sendable {
    public let path: BagPath
    public let file: SharedDescriptor
    let final: String?
    private let isCommitted = Mutex(false)

    init(path: BagPath, final: String?, file: SharedDescriptor) {
        self.path = path
        self.final = final
        self.file = file
    }

    func committed() { isCommitted.withLock { $0 = true } }

    deinit {
        if let final, !isCommitted.withLock({ $0 }) { unsafe unlink(final + ".partial") }
    }
}

extension BagWriter.Form: CustomStringConvertible {
    public var description: String {
        switch self {
        case .directory(let path), .tar(let path): path
        case .stream: "standard output"
        }
    }
}
