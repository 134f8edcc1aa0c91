public import Basics

/// An authority that stamps the time of an archive (RFC 3161), or the wish to ask one later.
public struct TimestampAuthority: Sendable {
    public enum Hash: String, Sendable, CaseIterable {
        case sha256, sha384, sha512
    }

    /// How an authority is asked.
    public struct Server: Sendable {
        public let url: String
        /// The certificates that tokens must lead to, resolved.
        public let certificates: String
        public let user: String?
        public let password: Secret?
        /// A bearer token (RFC 6750).
        public let token: Secret?
        /// The authority of its HTTPS certificate, resolved; nil: the system's.
        public let serverCertificates: String?
    }

    /// nil: nobody is asked, and the archive carries the request for later.
    public let server: Server?
    /// The policy that tokens must be made under: numbers and dots.
    public let policy: String?
    public let hash: Hash
    /// Whether the run fails without its tokens.
    public let isRequired: Bool
    /// How long one answer may take, in seconds.
    public let timeout: Int

    static let shape = PlanShape(
        optional: [
            "url", "ca", "policy", "hash", "user", "password", "token", "tls-ca", "required",
            "timeout", "offline",
        ])
    /// Files of an archive are numbered with one digit.
    static let most = 9
    static let standardTimeout = 30

    static func list(_ node: PlanNode, _ problems: PlanProblems) -> [TimestampAuthority] {
        let elements = node.elements(problems) ?? []
        if elements.count > most {
            problems.add(
                .planInvalidValue, "\"timestamp\" takes at most \(most) authorities", at: node)
        }
        return elements.compactMap { TimestampAuthority($0, problems) }
    }

    private init?(_ node: PlanNode, _ problems: PlanProblems) {
        guard let fields = node.mapping(Self.shape, problems) else { return nil }
        policy = Self.policy(fields)
        hash = fields.choice("hash", Hash.self) ?? .sha256
        isRequired = fields.flag("required") ?? false
        timeout = Int(fields.integer("timeout", in: 1...3600) ?? Int64(Self.standardTimeout))
        if fields.flag("offline") == true {
            server = nil
            for key in ["url", "user", "password", "token", "tls-ca", "required"] {
                guard let other = fields[key] else { continue }
                problems.add(
                    .planInvalidValue,
                    "nobody is asked where \"offline\" is true: remove "
                        + "\"\(key)\"", atKeyOf: other)
            }
            return
        }
        server = Self.server(fields)
    }

    private static func policy(_ fields: PlanMapping) -> String? {
        guard let text = fields.string("policy"), let node = fields["policy"] else { return nil }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isGood =
            parts.count >= 2 && text.utf8.count <= 64
            && parts.allSatisfy { UInt64($0).map(String.init) == String($0) }
        if !isGood {
            fields.problems.add(
                .planInvalidValue, "\"policy\" must be an identifier such as 1.3.6.1.4.1.4146.2.3",
                at: node)
        }
        return text
    }

    private static func server(_ fields: PlanMapping) -> Server? {
        for key in ["url", "ca"] where fields[key] == nil {
            fields.problems.add(
                .planMissingValue, "\"timestamp\" lacks \"\(key)\", or \"offline: true\"",
                atKeyOf: fields.node)
        }
        let url = fields.string("url") ?? ""
        if let node = fields["url"] { checkAddress(url, node, fields) }
        let user = fields.string("user")
        let password = fields.secret("password")
        let token = fields.secret("token")
        if let node = fields["password"] ?? fields["user"], (user == nil) != (password == nil) {
            fields.problems.add(
                .planMissingValue, "\"user\" and \"password\" come together", atKeyOf: node)
        }
        if let node = fields["token"], user != nil {
            fields.problems.add(
                .planInvalidValue, "give \"token\", or \"user\" and \"password\"", atKeyOf: node)
        }
        if let node = fields["url"], !url.hasPrefix("https://"), password != nil || token != nil {
            fields.problems.add(
                .planInvalidValue,
                "a password would be readable on the way to an address that begins with http://",
                at: node)
        }
        return Server(
            url: url, certificates: fields.path("ca") ?? "", user: user, password: password,
            token: token, serverCertificates: fields.path("tls-ca"))
    }

    private static func checkAddress(_ url: String, _ node: PlanNode, _ fields: PlanMapping) {
        let rest = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        let isKnown = url.hasPrefix("https://") || url.hasPrefix("http://")
        guard isKnown, rest.count == 3, !rest[2].isEmpty, !rest[2].hasPrefix("/") else {
            fields.problems.add(
                .planInvalidValue, "\"url\" must begin with https:// or http://, and name a host",
                at: node)
            return
        }
        guard !rest[2].prefix(while: { $0 != "/" }).contains("@") else {
            fields.problems.add(
                .planInvalidValue, "\"url\" holds a user: write \"user\" and \"password\" apart",
                at: node)
            return
        }
    }
}

/// What an import asks of the time-stamps of an archive.
public struct TimestampDemand: Sendable {
    /// PEM files with the roots of authorities to believe, resolved.
    public let authorities: [String]
    /// Policies of which a time-stamp must have one; any where there are none.
    public let policies: [String]
    /// Whether an archive without trusted time-stamps is refused.
    public let isRequired: Bool

    static let shape = PlanShape(required: ["ca"], optional: ["policy", "required"])

    init(_ node: PlanNode?, _ problems: PlanProblems) {
        let fields = node?.mapping(Self.shape, problems)
        authorities = fields?.paths("ca") ?? []
        policies = fields?.strings("policy") ?? []
        isRequired = fields?.flag("required") ?? false
    }
}
