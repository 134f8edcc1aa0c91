import Basics
import Plans

/// Where a server is, in the words of its option files.
///
/// Source: MariaDB documentation, "mariadb command-line client, options", and "mysql_optionsv" of
/// Connector/C. What a plan does not say is read from option files as the library has them: the
/// groups `client`, `client-server`, `client-mariadb` and `exeat`, or another one that is named.
struct ConnectionOptions: Sendable {
    var host: String?
    var port: Int64?
    var socket: String?
    var user: String?
    var password: Secret?
    /// Requires TLS. nil: as the server offers it, unless one of the others says more.
    var isEncrypted: Bool?
    var authority: String?
    var authorityPath: String?
    var certificate: String?
    var key: String?
    var verifiesServer: Bool?
    var optionFile: String?
    var optionGroup: String?

    static let shape = PlanShape(optional: [
        "host", "port", "socket", "user", "password", "ssl", "ssl-ca", "ssl-capath", "ssl-cert",
        "ssl-key", "ssl-verify-server-cert", "defaults-file", "defaults-group",
    ])

    init(_ mapping: PlanMapping?, _ problems: PlanProblems) {
        guard let mapping else { return }
        host = mapping.string("host")
        port = mapping.integer("port", in: 1...65535)
        socket = mapping.path("socket")
        user = mapping.string("user")
        password = mapping.textWithSecrets("password")
        isEncrypted = mapping.flag("ssl")
        authority = mapping.path("ssl-ca")
        authorityPath = mapping.path("ssl-capath")
        certificate = mapping.path("ssl-cert")
        key = mapping.path("ssl-key")
        verifiesServer = mapping.flag("ssl-verify-server-cert")
        optionFile = mapping.path("defaults-file")
        optionGroup = mapping.string("defaults-group")
        if let node = mapping["socket"], host.map({ $0 != "localhost" }) ?? false {
            problems.add(
                .planInvalidValue, "a socket is on this machine: leave host out, or the socket",
                at: node)
        }
        if let node = mapping["ssl"], isEncrypted == false,
            authority != nil || authorityPath != nil || verifiesServer == true
        {
            problems.add(
                .planInvalidValue, "\"ssl: false\" contradicts what follows about certificates",
                at: node)
        }
    }

    /// For messages.
    var text: String {
        let place =
            socket ?? host.map { "\($0):\(port ?? 3306)" } ?? "the server of the option files"
        return (user.map { "\($0) at " } ?? "") + place
    }
}
