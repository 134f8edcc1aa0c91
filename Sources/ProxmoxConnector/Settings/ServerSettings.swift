import Basics
import HTTP
import Plans

/// How a plan says where a Proxmox VE server is, and who asks.
///
/// Source: Proxmox VE documentation, "Proxmox VE API" and "User Management, API Tokens".
struct ServerSettings: Sendable {
    enum Credentials: Sendable {
        /// `USER@REALM!ID=SECRET`
        case token(Secret)
        /// A user of a realm; with a time-based second factor, its secret in base32.
        case password(user: String, Secret, totp: Secret?)
    }

    var url: String
    var credentials: Credentials?
    /// SHA-256 of the server's own certificate.
    var fingerprint: String?
    /// A file with the certificates that vouch for the server.
    var authority: String?
    var proxy: String?

    static let keys = ["url", "token", "user", "password", "totp", "fingerprint", "ca", "proxy"]

    init(_ mapping: PlanMapping?, _ problems: PlanProblems) {
        url = mapping?.string("url") ?? ""
        fingerprint = mapping?.string("fingerprint")
        authority = mapping?.path("ca")
        proxy = mapping?.string("proxy")
        guard let mapping else { return }
        if let node = mapping["url"], !url.isEmpty, Self.host(of: url) == nil {
            problems.add(
                .planInvalidValue,
                "\"url\" must be the address of a node, such as https://pve1.example:8006, not "
                    + "\"\(url)\"", at: node)
        }
        if let node = mapping["fingerprint"], let text = fingerprint,
            (try? ServerTrust.fingerprint(text)) == nil
        {
            problems.add(
                .planInvalidValue,
                "\"fingerprint\" must be the SHA-256 of the server's certificate, 32 bytes in "
                    + "hexadecimal, with colons between all of them or with none; \"pvenode cert "
                    + "info\" on the node shows it", at: node)
        }
        if let node = mapping["proxy"], let text = proxy, !ProxyChoice.isAddress(text) {
            problems.add(
                .planInvalidValue,
                "\"proxy\" must be http://HOST:PORT, socks5://HOST:PORT or socks5h://HOST:PORT; one that "
                    + "asks for a password is named by https_proxy in the environment", at: node)
        }
        let token = mapping.secret("token")
        let password = mapping.secret("password")
        let totp = mapping.secret("totp")
        let user = mapping.string("user")
        if mapping["token"] != nil {
            if let node = mapping["password"] ?? mapping["user"] ?? mapping["totp"] {
                problems.add(
                    .planInvalidValue, "give either a token, or user and password", at: node)
            }
            credentials = token.map { .token($0) }
        } else if mapping["user"] != nil || mapping["password"] != nil {
            if mapping["user"] == nil || mapping["password"] == nil {
                problems.add(
                    .planMissingValue, "\"user\" and \"password\" go together",
                    atKeyOf: mapping.node)
            }
            if let node = mapping["user"], let user, !user.contains("@") {
                problems.add(
                    .planInvalidValue,
                    "\"user\" lacks its realm, such as \(user)@pve or \(user)@pam", at: node)
            }
            if let user, let password {
                credentials = .password(user: user, password, totp: totp)
            }
        } else {
            problems.add(
                .planMissingValue,
                "\"\(mapping.node.path.split(separator: ".").last ?? "the source")\" lacks "
                    + "\"token\" (or \"user\" and \"password\")", atKeyOf: mapping.node)
        }
    }

    /// The host of an address that begins with `https://`.
    static func host(of url: String) -> String? {
        guard url.hasPrefix("https://") else { return nil }
        let rest = url.dropFirst("https://".count).prefix { $0 != "/" }
        guard !rest.isEmpty, !rest.contains("@") else { return nil }
        if rest.hasPrefix("[") {
            return rest.firstIndex(of: "]").map {
                String(rest[rest.index(after: rest.startIndex)..<$0])
            }
        }
        return String(rest.prefix { $0 != ":" })
    }
}
