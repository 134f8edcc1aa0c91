public import Basics

/// How we log in at an SSH server.
public enum SSHCredential: Sendable {
    /// A private key in a file.
    case key(file: String, passphrase: Secret? = nil)
    /// What the agent of `SSH_AUTH_SOCK` holds.
    case agent
}

/// An SSH server with SFTP and the way to it.
public struct SFTPSettings: Sendable {
    public let host: String
    public var port = 22
    public let user: String
    public let trust: HostTrust
    public let credential: SSHCredential
    public var proxy = ProxyChoice.environment
    public var patience = Patience()
    /// How often a file is gone on with after a lost connection, without a byte in between.
    public var retries = 6
    /// Waits that many milliseconds before it tries again; a test has no time for it.
    public var pause: (@Sendable (Int) -> Void)?

    public init(
        host: String, user: String, trust: HostTrust, credential: SSHCredential
    ) throws(Failure) {
        let isPlain = host.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
                || ".-_:[]%".utf8.contains($0)
        }
        guard isPlain, !host.isEmpty, !host.hasPrefix("-") else {
            throw Failure(.invalidValue, "\"\(host)\" is not the name or address of a host")
        }
        guard !user.isEmpty, !user.utf8.contains(where: { $0 < 0x20 }) else {
            throw Failure(.invalidValue, "the user of \"\(host)\" is not usable")
        }
        self.host = host
        self.user = user
        self.trust = trust
        self.credential = credential
    }

    /// For messages: `USER@HOST:PORT`.
    var server: String { "\(user)@\(host):\(port)" }

    /// The address of a path, as libcurl takes it.
    func address(_ path: String) -> String {
        let name = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return "sftp://\(name):\(port)"
            + parts.map { PercentEncoding.encode($0) }
            .joined(separator: "/")
    }
}

/// What kind of key a file holds, for advice when a server does not take it.
enum PrivateKeyFile {
    /// "ssh-ed25519", "ssh-rsa", …; nil where the file does not say.
    static func kind(_ path: String) -> String? {
        guard let bytes = try? Files.read(path, limit: 1 << 20) else { return nil }
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        guard let first = lines.first else { return nil }
        if first.contains("BEGIN RSA PRIVATE KEY") { return "ssh-rsa" }
        guard first.contains("BEGIN OPENSSH PRIVATE KEY"),
            let blob = Base64.decode(lines.dropFirst().prefix { !$0.hasPrefix("-") }.joined())
        else { return nil }
        // PROTOCOL.key of OpenSSH: magic, cipher, kdf, options, count, then the first public key,
        // which begins with its kind.
        var place = "openssh-key-v1\0".utf8.count
        func field() -> [UInt8]? {
            guard place + 4 <= blob.count else { return nil }
            let count = blob[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            guard count <= blob.count - place - 4 else { return nil }
            defer { place += 4 + count }
            return Array(blob[place + 4..<place + 4 + count])
        }
        guard field() != nil, field() != nil, field() != nil else { return nil }
        place += 8
        return field().map { String(decoding: $0, as: UTF8.self) }
    }
}
