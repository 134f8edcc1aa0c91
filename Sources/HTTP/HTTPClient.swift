public import Basics
import CCurl
public import Streams

/// Speaks HTTP/1.1 over TLS with one server.
///
/// Calls block: make them on a `Lane`. Any number of lanes may call at the same time. Redirects are
/// not followed, so nothing secret goes to another server. Stands on libcurl.
public final class HTTPClient: Sendable {
    public let settings: HTTPSettings
    let progress: Progress
    let pool = HandlePool()
    private let pins: PinCheck?

    /// - Parameter progress: ends transfers when it is cancelled.
    public init(_ settings: HTTPSettings, progress: Progress) {
        self.settings = settings
        self.progress = progress
        if case .pinned(let digests) = settings.trust {
            pins = PinCheck(digests)
        } else {
            pins = nil
        }
    }

    /// Sends a request and receives the whole answer, whatever its status is.
    ///
    /// A failure may be repeated (`mayRetry`) when the request is a GET, or when it has not left.
    public func send(_ request: HTTPRequest) throws(Failure) -> HTTPResponse {
        let feed = request.body.map { BodyFeed($0) }
        let exchange = Exchange(progress, limit: request.answerLimit, feed: feed)
        return try run(request, exchange)
    }

    /// Sends a request whose body is a stream of known length; `Content-Length` is exact.
    ///
    /// Nothing is repeated: a failure says nothing about what the server has done with the bytes.
    public func send(
        _ request: HTTPRequest, body: BodyFeedOptions,
        from source: consuming some ByteSource & ~Copyable
    ) throws(Failure) -> HTTPResponse {
        let feed = BodyFeed(
            before: body.before, source, size: body.size, after: body.after, sent: body.sent)
        return try run(request, Exchange(progress, limit: request.answerLimit, feed: feed))
    }

    /// Starts a GET and gives back its body as a stream, once the head of the answer is known to be 200.
    public func open(_ request: HTTPRequest) throws(Failure) -> HTTPSource {
        let exchange = Exchange(progress, limit: nil)
        let transfer = try start(request, exchange)
        return HTTPSource(transfer, self, request)
    }

    private func run(
        _ request: HTTPRequest, _ exchange: Exchange
    ) throws(Failure) -> HTTPResponse {
        let transfer = try start(request, exchange)
        let code: CURLcode
        do throws(Failure) { code = try transfer.run() } catch {
            throw interrupted(error, request, transfer)
        }
        guard code == CURLE_OK else { throw failed(code, request, transfer) }
        return HTTPResponse(
            status: exchange.status, reason: exchange.reason, headers: exchange.headers,
            body: exchange.body)
    }

    private func start(
        _ request: HTTPRequest, _ exchange: Exchange
    ) throws(Failure) -> Transfer {
        guard request.target.hasPrefix("/"),
            !request.target.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f || $0 == 0x23 })
        else { throw Failure(.invalidValue, "a request has no usable target") }
        let handle = try pool.take()
        try handle.set(CURLOPT_URL, settings.base + request.target)
        try handle.set(CURLOPT_PROTOCOLS_STR, settings.allowsPlain ? "http" : "https")
        try handle.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        try handle.set(CURLOPT_FOLLOWLOCATION, 0)
        try handle.set(CURLOPT_USERAGENT, settings.userAgent)
        try handle.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        try handle.set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try settings.proxy.apply(to: handle)
        try applyTrust(to: handle)
        try handle.set(CURLOPT_HTTPHEADER, list: try headerLines(request))
        try applyMethod(request, exchange.feed, to: handle)
        return try Transfer(handle, exchange, settings.patience, pool: pool)
    }

    private func applyTrust(to handle: Handle) throws(Failure) {
        switch settings.trust {
        case .pinned: try pins?.attach(to: handle)
        case .authority(let file):
            guard Files.exists(file) else {
                throw Failure(
                    .notFound, "the file of the authority \"\(file)\" is not there",
                    hint: "Copy /etc/pve/pve-root-ca.pem of the cluster, or give a fingerprint.")
            }
            try handle.set(CURLOPT_CAINFO, file)
            try handle.set(CURLOPT_CAPATH, nil)
        case .system: break
        }
    }

    private func headerLines(_ request: HTTPRequest) throws(Failure) -> [String] {
        // Without "Expect" the body follows at once; a server need not know the other way.
        var lines = ["Expect:"]
        for header in request.headers {
            let value = header.secret.revealed()
            guard !header.name.isEmpty, !header.name.utf8.contains(where: { $0 <= 0x20 }),
                !header.name.contains(":"), !value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f })
            else {
                throw Failure(
                    .invalidValue, "the header \"\(header.name)\" has a value that cannot be sent",
                    hint: "Look for line breaks in what was given.")
            }
            lines.append("\(header.name): \(value)")
        }
        return lines
    }

    private func applyMethod(
        _ request: HTTPRequest, _ feed: BodyFeed?, to handle: Handle
    ) throws(Failure) {
        switch request.method {
        case .get: try handle.set(CURLOPT_HTTPGET, 1)
        case .head: try handle.set(CURLOPT_NOBODY, 1)
        case .post, .put:
            // As a POST in both cases, for a body in memory and a stream are sent the same way.
            try handle.set(CURLOPT_POST, 1)
            try handle.set(CURLOPT_POSTFIELDSIZE_LARGE, size: feed?.length ?? 0)
        case .delete: try handle.set(CURLOPT_HTTPGET, 1)
        }
        if request.method == .put || request.method == .delete {
            try handle.set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
        }
        if !request.method.isSafe {
            // On a connection that was open already, libcurl would send a request again of which it
            // cannot know whether it arrived.
            try handle.set(CURLOPT_FRESH_CONNECT, 1)
        }
    }

    // MARK: - Failures

    func failed(_ code: CURLcode, _ request: HTTPRequest, _ transfer: Transfer) -> Failure {
        let what = describe(request)
        if code == CURLE_PEER_FAILED_VERIFICATION, let found = pins?.lastRefused {
            return Failure(
                .serverUntrusted, what,
                hint:
                    "The server shows \(found.fingerprintText). Compare it on the server itself, and only if it is the same there, put it into the plan.",
                cause: Failure(.serverUntrusted, "the certificate does not match the fingerprint"))
        }
        return CurlFailure.make(
            code, transfer.handle, doing: what, mayRepeat: request.method.isSafe)
    }

    func interrupted(_ failure: Failure, _ request: HTTPRequest, _ transfer: Transfer) -> Failure {
        if failure.code == .cancelled { return failure }
        let repeats =
            request.method.isSafe || transfer.handle.number(CURLINFO_REQUEST_SIZE) == 0
        return Failure(
            failure.code, describe(request), hint: failure.hint,
            mayRetry: failure.mayRetry && repeats, cause: failure)
    }

    /// The target without its query, which may hold what nobody should read.
    private func describe(_ request: HTTPRequest) -> String {
        let path = request.target.prefix { $0 != "?" }
        return "cannot \(request.method.rawValue) \"\(settings.base)\(path)\""
    }
}

/// How a stream is sent as a body.
public struct BodyFeedOptions {
    public let size: Int64
    public var before: [UInt8] = []
    public var after: [UInt8] = []
    /// Called now and then with the number of bytes of the stream that are on their way.
    public var sent: (Int64) -> Void = { _ in }

    public init(size: Int64) { self.size = size }
}

extension ProxyChoice {
    /// Whether an address names a proxy: its scheme is known, and no password is in it.
    public static func isAddress(_ text: String) -> Bool {
        guard let scheme = text.range(of: "://") else { return false }
        let host = text[scheme...].dropFirst(3).prefix { $0 != "/" && $0 != ":" }
        return ["http", "socks5", "socks5h"].contains(text[..<scheme].lowercased())
            && !host.isEmpty && !text.contains("@")
    }

    func apply(to handle: Handle) throws(Failure) {
        switch self {
        case .environment: break
        case .none: try handle.set(CURLOPT_PROXY, "")
        case .server(let address, let user, let password, let except):
            guard Self.isAddress(address) else {
                throw Failure(
                    .invalidValue, "the address of the proxy is not usable",
                    hint:
                        "Write http://HOST:PORT or socks5h://HOST:PORT, and user and password apart."
                )
            }
            try handle.set(CURLOPT_PROXY, address)
            try handle.set(CURLOPT_NOPROXY, except.joined(separator: ","))
            try handle.set(CURLOPT_PROXYUSERNAME, user)
            try handle.set(CURLOPT_PROXYPASSWORD, password?.revealed())
        }
    }
}

extension String {
    /// Where the scheme of an address ends.
    fileprivate func range(of mark: String) -> String.Index? {
        guard let colon = firstIndex(of: ":"), self[colon...].hasPrefix(mark) else { return nil }
        return colon
    }
}
