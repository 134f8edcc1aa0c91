import Basics
import HTTP
import Streams

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
        return ProxmoxClient(settings, try self.login(), progress: progress, world: world)
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
