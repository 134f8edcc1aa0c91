public import Basics
import CCurl
public import Streams

/// What a server says of a file.
public struct SFTPStatus: Sendable, Equatable {
    public let size: Int64
    /// Seconds since 1970; nil where the server does not say.
    public let modified: Int64?

    public init(size: Int64, modified: Int64?) {
        self.size = size
        self.modified = modified
    }
}

/// A line of a directory.
public struct SFTPEntry: Sendable, Equatable {
    public enum Kind: Sendable { case file, directory, link, other }
    public let name: String
    public let kind: Kind
    public let size: Int64
}

/// Reads and writes files on one server by SFTP.
///
/// Calls block: make them on a `Lane`. Any number of lanes may call at the same time. Paths are
/// absolute. Stands on libcurl with libssh2.
public final class SFTPClient: Sendable {
    public let settings: SFTPSettings
    let progress: Progress
    let pool = HandlePool()
    let hostKeys: HostKeyCheck

    /// - Parameter progress: ends transfers when it is cancelled.
    public init(_ settings: SFTPSettings, progress: Progress) {
        self.settings = settings
        self.progress = progress
        hostKeys = HostKeyCheck(settings.trust)
    }

    /// Everything in a directory but `.` and `..`, in the order of names.
    public func list(_ directory: String) throws(Failure) -> [SFTPEntry] {
        let what = "cannot list \"\(directory)\" on \(settings.server)"
        let path = directory.hasSuffix("/") ? directory : directory + "/"
        let exchange = Exchange(progress, limit: 64 << 20)
        try run(path, exchange, what) { _ throws(Failure) in }
        var entries: [SFTPEntry] = []
        for line in String(decoding: exchange.body, as: UTF8.self).split(separator: "\n") {
            guard let entry = SFTPEntry(line: line) else {
                throw Failure(
                    .serverAnswer, what,
                    cause: Failure(.serverAnswer, "\"\(line)\" is no line of a directory"))
            }
            if entry.name != ".", entry.name != ".." { entries.append(entry) }
        }
        return entries.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// Size and time of a file that may be read. Opens it; throws `.notFound` where there is none.
    public func status(of path: String) throws(Failure) -> SFTPStatus {
        var source = try open(path)
        return try source.status()
    }

    /// Reads a file, or a part of it, and goes on by itself after a lost connection.
    ///
    /// - Parameters:
    ///   - size: how many bytes; up to the end of the file where it is nil.
    ///   - expected: what the file must still be; what it is when first opened, where it is nil.
    public func open(
        _ path: String, from offset: Int64 = 0, size: Int64? = nil, expected: SFTPStatus? = nil
    ) throws(Failure) -> SFTPSource {
        try checkPath(path)
        return SFTPSource(self, path, from: offset, size: size, expected: expected)
    }

    /// Writes a file that appears whole or not at all, and that was not there before.
    ///
    /// It is written as `path` with `suffix`, looked at, then renamed. What is there under that name
    /// already is an earlier attempt and overwritten.
    public func upload(
        _ source: consuming some ByteSource & ~Copyable, size: Int64, to path: String,
        suffix: String = ".partial", sent: @escaping (Int64) -> Void = { _ in }
    ) throws(Failure) {
        let what = "cannot write \"\(path)\" on \(settings.server)"
        try checkPath(path)
        guard try !exists(path) else { throw taken(path) }
        let partial = path + suffix
        let feed = BodyFeed(source, size: size, sent: sent)
        do throws(Failure) {
            let exchange = Exchange(progress, limit: 0, feed: feed)
            try run(partial, exchange, what) { (handle) throws(Failure) in
                try handle.set(CURLOPT_UPLOAD, 1)
                try handle.set(CURLOPT_INFILESIZE_LARGE, size: size)
                try handle.set(CURLOPT_FRESH_CONNECT, 1)
            }
            let written = try status(of: partial).size
            guard written == size else {
                throw Failure(
                    .serverAnswer, what,
                    cause: Failure(
                        .serverAnswer, "\(written) bytes have arrived instead of \(size)"))
            }
        } catch {
            if error.code != .cancelled { try? remove(partial) }
            throw error
        }
        do throws(Failure) {
            try command("rename \(Self.quoted(partial)) \(Self.quoted(path))", near: path, what)
        } catch {
            // SFTP 3 says "failure" for a name that is taken.
            if (try? exists(path)) == true, (try? exists(partial)) == true {
                try? remove(partial)
                throw taken(path)
            }
            throw error
        }
    }

    private func taken(_ path: String) -> Failure {
        Failure(
            .exists, "\"\(path)\" is already there on \(settings.server)",
            hint: "Remove it if nobody needs it, then run the same command again.")
    }

    /// Removes a file; one that is not there is `.notFound`.
    public func remove(_ path: String) throws(Failure) {
        let what = "cannot remove \"\(path)\" on \(settings.server)"
        try checkPath(path)
        do throws(Failure) { try command("rm \(Self.quoted(path))", near: path, what) } catch {
            if let cause = error.cause, cause.what.contains("o such file") {
                throw Failure(.notFound, what, cause: cause)
            }
            throw error
        }
    }

    /// Whether there is a file that may be read.
    public func exists(_ path: String) throws(Failure) -> Bool {
        do throws(Failure) { _ = try status(of: path) } catch {
            if error.code == .notFound { return false }
            throw error
        }
        return true
    }

    // MARK: - Running

    private func command(_ text: String, near path: String, _ what: String) throws(Failure) {
        let exchange = Exchange(progress, limit: 1 << 20)
        try run(Files.parent(of: path) + "/", exchange, what) { (handle) throws(Failure) in
            try handle.set(CURLOPT_QUOTE, list: [text])
            try handle.set(CURLOPT_NOBODY, 1)
            try handle.set(CURLOPT_FRESH_CONNECT, 1)
        }
    }

    private func run(
        _ path: String, _ exchange: Exchange, _ what: String,
        _ configure: (Handle) throws(Failure) -> Void
    ) throws(Failure) {
        try checkPath(path)
        let transfer = try start(path, exchange, configure)
        let code: CURLcode
        do throws(Failure) { code = try transfer.run() } catch {
            if error.code == .cancelled { throw error }
            throw error.during(what)
        }
        guard code == CURLE_OK else { throw failed(code, transfer.handle, what) }
    }

    func start(
        _ path: String, _ exchange: Exchange, _ configure: (Handle) throws(Failure) -> Void
    ) throws(Failure) -> Transfer {
        let handle = try pool.take()
        hostKeys.begin()
        try handle.set(CURLOPT_URL, settings.address(path))
        try handle.set(CURLOPT_PROTOCOLS_STR, "sftp")
        try handle.set(CURLOPT_USERNAME, settings.user)
        try handle.set(CURLOPT_BUFFERSIZE, 512 << 10)
        try settings.proxy.apply(to: handle)
        try handle.set(CURLOPT_HTTPPROXYTUNNEL, 1)
        try hostKeys.attach(to: handle)
        switch settings.credential {
        case .key(let file, let passphrase):
            do throws(Failure) { _ = try Files.read(file, limit: 1 << 20) } catch {
                throw error.during(
                    "cannot use the key \"\(file)\"",
                    hint: "Make one with `ssh-keygen -t ed25519 -f \(file)`.")
            }
            try handle.set(CURLOPT_SSH_AUTH_TYPES, Int(CURLSSH_AUTH_PUBLICKEY))
            try handle.set(CURLOPT_SSH_PRIVATE_KEYFILE, file)
            try handle.set(CURLOPT_KEYPASSWD, passphrase?.revealed())
        case .agent: try handle.set(CURLOPT_SSH_AUTH_TYPES, Int(CURLSSH_AUTH_AGENT))
        }
        try configure(handle)
        return try Transfer(handle, exchange, settings.patience, pool: pool)
    }

    func failed(_ code: CURLcode, _ handle: Handle, _ what: String) -> Failure {
        if let refusal = hostKeys.lastRefusal, code == CURLE_PEER_FAILED_VERIFICATION {
            return refusal.failure(what, server: settings.host)
        }
        let failure = CurlFailure.make(code, handle, doing: what, mayRepeat: true)
        guard failure.code == .serverRights else { return failure }
        var hint = "Add the public key to ~/.ssh/authorized_keys of \(settings.user)."
        if case .key(let file, _) = settings.credential, PrivateKeyFile.kind(file) == "ssh-rsa" {
            hint =
                "RSA keys fail where libssh2 is older than 1.11 (Debian 12), for it knows SHA-1 signatures only: use an Ed25519 key (`ssh-keygen -t ed25519`)."
        }
        return Failure(failure.code, what, hint: hint, cause: failure.cause)
    }

    private func checkPath(_ path: String) throws(Failure) {
        guard path.hasPrefix("/"), !path.utf8.contains(where: { $0 < 0x20 }) else {
            throw Failure(.invalidValue, "\"\(path)\" is not an absolute path for SFTP")
        }
    }

    /// As the commands of libcurl take a path.
    private static func quoted(_ path: String) -> String {
        var text = "\""
        for character in path {
            if character == "\"" || character == "\\" { text.append("\\") }
            text.append(character)
        }
        return text + "\""
    }
}

extension SFTPEntry {
    /// Reads a line as `ls -l` writes it, which is what servers send along with a name.
    init?(line: Substring) {
        var rest = line[...]
        var fields: [Substring] = []
        for _ in 0..<8 {
            rest = rest.drop { $0 == " " }
            let field = rest.prefix { $0 != " " }
            fields.append(field)
            rest = rest.dropFirst(field.count)
        }
        guard rest.first == " ", rest.count > 1, let mode = fields[0].first,
            fields[0].count >= 10, let size = Int64(fields[4]), size >= 0
        else { return nil }
        var name = rest.dropFirst()
        switch mode {
        case "-": kind = .file
        case "d": kind = .directory
        case "l":
            kind = .link
            // libcurl adds where it leads to.
            if let arrow = name.firstArrow { name = name[..<arrow] }
        default: kind = .other
        }
        self.name = String(name)
        self.size = size
    }
}

extension Substring {
    /// Where " -> " begins.
    fileprivate var firstArrow: Index? {
        indices.first { self[$0...].hasPrefix(" -> ") }
    }
}
