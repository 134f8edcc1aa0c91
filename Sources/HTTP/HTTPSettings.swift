public import Basics

/// What stands between this machine and a server.
public enum ProxyChoice: Sendable {
    /// As the variables `https_proxy`, `all_proxy` and `no_proxy` of the environment say.
    case environment
    case none
    /// An `http://`, `socks5://` or `socks5h://` address, with a list as in `no_proxy`.
    case server(String, user: String? = nil, password: Secret? = nil, except: [String] = [])
}

/// How long to wait for a server, in milliseconds.
public struct Patience: Sendable {
    /// Until a connection stands, encryption included.
    public var connect = 30_000
    /// While nothing at all moves.
    public var stall = 120_000
    /// For a whole transfer; nil: as long as something moves.
    public var whole: Int?

    public init() {}

    public init(connect: Int, stall: Int) {
        self.connect = connect
        self.stall = stall
    }
}

/// An HTTPS server and the way to it.
public struct HTTPSettings: Sendable {
    /// `https://HOST[:PORT][/PATH]`, without a slash at the end.
    public let base: String
    /// Whether the address may begin with `http://`: for answers that prove themselves, and
    /// requests that hold nothing secret.
    public let allowsPlain: Bool
    public var trust: ServerTrust
    public var proxy = ProxyChoice.environment
    public var patience = Patience()
    public var userAgent = "exeat"

    /// Throws `.invalidValue` unless `base` is an address without user, query and fragment.
    public init(
        _ base: String, trust: ServerTrust, allowsPlain: Bool = false
    ) throws(Failure) {
        var base = base
        while base.hasSuffix("/") { base.removeLast() }
        let isPlain = allowsPlain && base.lowercased().hasPrefix("http://")
        let rest = base.dropFirst(isPlain ? "http://".count : "https://".count)
        guard isPlain || base.lowercased().hasPrefix("https://"), !rest.isEmpty,
            !rest.utf8.contains(where: {
                $0 <= 0x20 || $0 >= 0x7f || "@?#\\\"<>^`{|}".utf8.contains($0)
            }), rest.first != "/", rest.first != ":"
        else {
            // The address may hold a password, so it is not quoted.
            throw Failure(
                .invalidValue, "the address of a server is not usable",
                hint: "Write it as https://HOST:PORT, without user name, query and spaces.")
        }
        self.base = base
        self.trust = trust
        self.allowsPlain = isPlain
    }

    /// The host and port, for messages.
    public var server: String {
        String(base.drop { $0 != "/" }.dropFirst(2).prefix { $0 != "/" })
    }
}
