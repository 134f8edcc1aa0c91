import Basics
import CMariaDB
import Glibc

/// Owns a `MYSQL`.
@safe struct SessionHandle: ~Copyable {
    let raw: UnsafeMutablePointer<MYSQL>

    /// - Parameter mayLoad: whether the server may ask for rows in `LOAD DATA LOCAL`.
    init(_ options: ConnectionOptions, mayLoad: Bool) throws(Failure) {
        _ = Self.library
        guard let raw = unsafe mysql_init(nil) else {
            throw Failure(.databaseUnreachable, "libmariadb has no memory for a connection")
        }
        let set = unsafe SessionSettings(raw)
        set(MYSQL_OPT_CONNECT_TIMEOUT, number: 30)
        set(MYSQL_OPT_LOCAL_INFILE, number: mayLoad ? 1 : 0)
        set(MYSQL_OPT_MAX_ALLOWED_PACKET, long: 1 << 30)
        // Room for the statements' non-blocking calls, see `Session.run`.
        set(MYSQL_OPT_NONBLOCK, long: 1 << 18)
        set(MYSQL_SET_CHARSET_NAME, text: "utf8mb4")
        if let file = options.optionFile, !Files.exists(file) {
            // The library would go on without it, in silence.
            unsafe mysql_close(raw)
            throw Failure(
                .notFound, "there is no option file \"\(file)\"",
                hint: "Correct defaults-file of the connection.")
        }
        if let file = options.optionFile { set(MYSQL_READ_DEFAULT_FILE, text: file) }
        set(MYSQL_READ_DEFAULT_GROUP, text: options.optionGroup ?? "exeat")
        if let authority = options.authority { set(MYSQL_OPT_SSL_CA, text: authority) }
        if let path = options.authorityPath { set(MYSQL_OPT_SSL_CAPATH, text: path) }
        if let file = options.certificate { set(MYSQL_OPT_SSL_CERT, text: file) }
        if let file = options.key { set(MYSQL_OPT_SSL_KEY, text: file) }
        let verifies =
            options.verifiesServer ?? (options.authority != nil || options.authorityPath != nil)
        let isEncrypted =
            options.isEncrypted ?? (verifies || options.certificate != nil)
        if isEncrypted { set(MYSQL_OPT_SSL_ENFORCE, flag: true) }
        if verifies { set(MYSQL_OPT_SSL_VERIFY_SERVER_CERT, flag: true) }
        if options.host != nil, options.socket == nil, options.port != nil {
            set(MYSQL_OPT_PROTOCOL, number: UInt32(MYSQL_PROTOCOL_TCP.rawValue))
        }
        let connected = unsafe mysql_real_connect(
            raw, options.host, options.user, options.password?.revealed(), nil,
            UInt32(options.port ?? 0), options.socket, 0)
        guard unsafe connected != nil else {
            let failure = unsafe ServerError(raw).refusal(options)
            unsafe mysql_close(raw)
            throw failure
        }
        if isEncrypted, unsafe mysql_get_ssl_cipher(raw) == nil {
            unsafe mysql_close(raw)
            throw Failure(
                .databaseUnreachable, "the connection to \(options.text) is not encrypted",
                hint: "Set up TLS on the server, or connect through its socket.")
        }
        Self.watchNetwork(unsafe mysql_get_socket(raw))
        unsafe self.raw = raw
    }

    deinit { unsafe mysql_close(raw) }

    /// The library sets itself up on first use, and must not from two threads at once.
    private static let library = mysql_server_init(0, nil, nil)

    /// A network that is cut in silence is noticed within about a minute; on a socket of this machine
    /// the options have no meaning, and are refused.
    private static func watchNetwork(_ socket: Int32) {
        func choose(_ level: Int32, _ option: Int32, _ value: Int32) {
            var value = value
            unsafe setsockopt(
                socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        choose(SOL_SOCKET, SO_KEEPALIVE, 1)
        choose(Int32(IPPROTO_TCP), TCP_KEEPIDLE, 30)
        choose(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10)
        choose(Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
        choose(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 60_000)
    }
}

/// Sets options of a connection that is not yet made.
@safe private struct SessionSettings {
    private let raw: UnsafeMutablePointer<MYSQL>

    init(_ raw: UnsafeMutablePointer<MYSQL>) { unsafe self.raw = raw }

    func callAsFunction(_ option: mysql_option, text: String) {
        unsafe mysql_options(raw, option, text)
    }

    func callAsFunction(_ option: mysql_option, number: UInt32) {
        var number = number
        unsafe mysql_options(raw, option, &number)
    }

    func callAsFunction(_ option: mysql_option, long: UInt) {
        var long = long
        unsafe mysql_options(raw, option, &long)
    }

    func callAsFunction(_ option: mysql_option, flag: Bool) {
        var flag: my_bool = flag ? 1 : 0
        unsafe mysql_options(raw, option, &flag)
    }
}
