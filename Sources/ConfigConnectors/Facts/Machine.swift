import Basics
import Glibc
import Redaction
import Streams

/// The machine whose facts are read: this one, or another one whose files hang below a directory.
///
/// Texts come from it redacted, so that no reader of facts ever holds a secret that it could pass on.
/// Belongs to one lane.
final class Machine {
    /// "/" for the machine itself.
    let root: String
    let progress: Progress
    private let redactor: Redactor
    /// Where the plan looks for repositories and certificates, as paths of that machine.
    let paths: [String]
    /// Further places to look for repositories.
    let repositories: [String]
    /// What was replaced in the texts so far.
    private(set) var secrets: [SecretPlace] = []
    /// A text may be read for several facts.
    private var known: Set<SecretPlace> = []
    private var family: FactFamily = .packages

    /// Texts of facts are not larger.
    static let largestText = 16 << 20

    init(
        root: String, paths: [String], repositories: [String], redactor: Redactor,
        progress: Progress
    ) {
        self.root = root
        self.paths = paths
        self.repositories = repositories
        self.redactor = redactor
        self.progress = progress
    }

    var isLive: Bool { root == "/" }

    func facts(_ family: FactFamily) throws(Failure) -> FactDocument {
        self.family = family
        return try family.read(self)
    }

    // MARK: - Files

    /// Where a path of the machine lies here, links followed as that machine would; nil where nothing
    /// is. No link leads out of the root.
    ///
    /// Throws where that may not be seen: what is closed to us is not absent.
    func place(of path: String) throws(Failure) -> String? {
        if isLive { return try Self.status(path, followingLinks: true) == nil ? nil : path }
        var done: [Substring] = []
        var left = Array(path.split(separator: "/").reversed())
        var links = 0
        while let name = left.popLast() {
            if name == "." { continue }
            if name == ".." {
                _ = done.popLast()
                continue
            }
            let here = root + "/" + (done + [name]).joined(separator: "/")
            guard let status = try Self.status(here, followingLinks: false) else { return nil }
            guard status.st_mode & S_IFMT == S_IFLNK else {
                done.append(name)
                continue
            }
            links += 1
            guard links <= 40, let target = Self.link(here) else { return nil }
            if target.hasPrefix("/") { done = [] }
            left += target.split(separator: "/").reversed()
        }
        return done.isEmpty ? root : root + "/" + done.joined(separator: "/")
    }

    private static func status(
        _ path: String, followingLinks: Bool
    ) throws(Failure) -> stat? {
        var status = stat()
        let result = unsafe followingLinks ? stat(path, &status) : lstat(path, &status)
        if result == 0 { return status }
        switch errno {
        case ENOENT, ENOTDIR, ELOOP: return nil
        default: throw Failure(errno: errno, "cannot look at \"\(path)\"")
        }
    }

    /// The bytes of a file as they are; nil when it is not there.
    func bytes(_ path: String) throws(Failure) -> [UInt8]? {
        try progress.checkCancelled()
        guard let place = try place(of: path) else { return nil }
        // A FIFO would wait for a writer for ever.
        var status = stat()
        guard unsafe stat(place, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            return nil
        }
        do throws(Failure) { return try Files.read(place, limit: Self.largestText) } catch {
            throw Failure(error.code, "cannot read \"\(path)\"", cause: error)
        }
    }

    /// What the kernel says in a file of /proc or /sys; nil where it has none. Of a running machine only.
    func kernelText(_ path: String) throws(Failure) -> [UInt8]? {
        try progress.checkCancelled()
        do throws(Failure) { return try Files.read(path, limit: Self.largestText) } catch {
            if error.code == .notFound { return nil }
            throw Failure(error.code, "cannot read \"\(path)\"", cause: error)
        }
    }

    /// A text with placeholders in the place of secrets; nil when it is not there.
    func text(_ path: String) throws(Failure) -> String? {
        guard let bytes = try bytes(path) else { return nil }
        return redacted(bytes, of: path)
    }

    /// Any text, such as a program's output, with placeholders in the place of secrets.
    ///
    /// - Parameter path: what it is of; its name tells which form it has.
    func redacted(_ bytes: [UInt8], of path: String) -> String {
        let result = redactor.redact(path: Array(path.utf8), content: bytes)
        for finding in result.findings {
            let name = Array(path.utf8.drop { $0 == 0x2f })
            let place = SecretPlace(finding, path: name, family: family)
            if known.insert(place).inserted { secrets.append(place) }
        }
        return String(decoding: result.content, as: UTF8.self)
    }

    func redacted(_ text: String, of path: String) -> String {
        redacted(Array(text.utf8), of: path)
    }

    /// The names in a directory, sorted; nil when it is not there.
    func names(_ path: String) throws(Failure) -> [String]? {
        guard let place = try place(of: path), Files.isDirectory(place) else { return nil }
        do throws(Failure) { return try Files.names(in: place) } catch {
            throw Failure(error.code, "cannot list \"\(path)\"", cause: error)
        }
    }

    /// The names in a directory that end so.
    func names(_ path: String, ending: String) throws(Failure) -> [String] {
        try (names(path) ?? []).filter { $0.hasSuffix(ending) }
    }

    /// What a link of the machine says; nil for all that is no link.
    func linkTarget(_ path: String) throws(Failure) -> String? {
        guard let directory = try place(of: Files.parent(of: path)) else { return nil }
        let here = (directory == "/" ? "" : directory) + "/" + Files.lastComponent(of: path)
        guard Files.kind(here) == S_IFLNK else { return nil }
        return Self.link(here)
    }

    func exists(_ path: String) throws(Failure) -> Bool { try place(of: path) != nil }

    func isDirectory(_ path: String) throws(Failure) -> Bool {
        guard let place = try place(of: path) else { return false }
        return Files.isDirectory(place)
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = unsafe readlink(path, &buffer, 4096)
        guard count >= 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    // MARK: - Programs

    /// Makes apt-cache read the lists of this machine, and write nothing: neither its caches, nor a temporary file beside them
    /// (`RootDir`, which leads there too, makes one of those on the machine that is read).
    var aptOptions: [String] {
        var options = ["Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache="]
        if !isLive {
            options += ["Dir=\(root)", "Dir::State::status=\(root)/var/lib/dpkg/status"]
        }
        return options.flatMap { ["-o", $0] }
    }

    /// What a program prints, in the C locale; nil when there is no such program.
    ///
    /// - Parameter acceptable: statuses other than 0 that are no failure.
    func output(
        _ program: String, _ arguments: [String], input: [UInt8]? = nil,
        acceptable: Set<Int32> = []
    ) throws(Failure) -> [UInt8]? {
        let command = Command(program, arguments, environment: ["LC_ALL": "C", "LANG": "C"])
        let file = try Command.unnamedFile()
        var running: RunningCommand
        let given = try Command.unnamedFile()
        if let input {
            try given.writeAll(input)
            guard lseek(given.raw, 0, SEEK_SET) == 0 else {
                throw Failure(errno: errno, "cannot rewind the input of \"\(program)\"")
            }
        }
        do throws(Failure) {
            running = try command.start(input: input == nil ? nil : given.raw, output: file.raw)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
        let progress = progress
        let outcome = try running.wait(isCancelled: { progress.isCancelled })
        guard outcome.status == 0 || acceptable.contains(outcome.status) else {
            throw Failure(.failed, "\"\(program)\" ended with status \(outcome.status)")
        }
        let size = try file.status().st_size
        var bytes = [UInt8](repeating: 0, count: Int(size))
        var done = 0
        while done < bytes.count {
            let from = done
            let count = try Failure.catching {
                try unsafe bytes.withUnsafeMutableBytes { buffer in
                    try unsafe file.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[from...]),
                        at: Int64(from))
                }
            }
            if count == 0 { break }
            done += count
        }
        return bytes
    }
}
