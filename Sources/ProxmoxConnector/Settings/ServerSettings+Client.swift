import Basics
import HTTP
import Primitives
import Streams
import Synchronization

extension ServerSettings {
    /// A client of the server; nothing is sent yet.
    func client(_ progress: Progress, _ world: World) throws(Failure) -> ProxmoxClient {
        let trust: ServerTrust
        if let fingerprint {
            trust = .pinned([try ServerTrust.fingerprint(fingerprint)])
        } else if let authority {
            trust = .authority(file: authority)
        } else {
            trust = .system
        }
        var base = url
        while base.hasSuffix("/") { base.removeLast() }
        var settings = try HTTPSettings(base, trust: trust)
        if let proxy { settings.proxy = .server(proxy) }
        let login = try self.login()
        guard let key = sessionKey(base) else {
            return ProxmoxClient(settings, login, progress: progress, world: world)
        }
        return Self.sessions.withLock { sessions in
            let client = ProxmoxClient(
                settings, login, progress: progress, world: world, sharing: sessions[key])
            sessions[key] = client.session
            return client
        }
    }

    /// Log-ins of this process that have not run out.
    private static let sessions = Mutex<[Digest256: Session]>([:])

    /// Of what makes a log-in the same; nil for a token, which logs in nowhere.
    private func sessionKey(_ base: String) -> Digest256? {
        guard case .password(let user, let password, let totp) = credentials else { return nil }
        let parts = [
            base, fingerprint ?? "", authority ?? "", proxy ?? "", user, password.revealed(),
            totp?.revealed() ?? "",
        ]
        return SHA256.hash(Array(parts.joined(separator: "\0").utf8))
    }

    private func login() throws(Failure) -> ProxmoxCredentials {
        switch credentials {
        case .token(let text): return try .token(parsing: text)
        case .password(let user, let password, let totp):
            let second = try totp.map { (secret) throws(Failure) in
                ProxmoxCredentials.SecondFactor.totp(try TOTP(secret))
            }
            return .password(user: user, password, second: second)
        case nil: throw Failure(.planMissingValue, "the plan names no credentials for \(url)")
        }
    }
}

extension SFTPSettings {
    /// A login of a plan at a host.
    init(_ settings: SSHSettings, host: String) throws(Failure) {
        guard let knownHosts = settings.knownHosts else {
            throw Failure(
                .planMissingValue, "the transport names no \"known-hosts\"",
                hint:
                    "Make the file with ssh-keyscan, and compare its keys with those of the nodes.")
        }
        try self.init(
            host: host, user: settings.user ?? "root", trust: .knownHosts(file: knownHosts),
            credential: settings.key.map { .key(file: $0) } ?? .agent)
        port = Int(settings.port)
    }
}
