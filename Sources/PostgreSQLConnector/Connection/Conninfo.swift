import Basics
import CPQ

/// Where a database is, as libpq reads it: a conninfo string or a URI, taken apart.
///
/// The password is kept apart from the rest, because the rest goes into the arguments of pg_dump.
/// Source: PostgreSQL documentation, "Connection Strings" of libpq.
struct Conninfo: Sendable {
    private var options: [String: String] = [:]
    private var password: Secret?

    init(_ text: Secret, password: Secret? = nil) throws(Failure) {
        var message: UnsafeMutablePointer<CChar>?
        let parsed = unsafe PQconninfoParse(text.revealed(), &message)
        guard let parsed = unsafe parsed else {
            // libpq's message may quote the text, and with it a password: it is not passed on.
            unsafe PQfreemem(message)
            throw Failure(
                .planInvalidValue, "libpq cannot read the connection",
                hint: "Write it as \"host=… port=… dbname=… user=…\" or as postgresql://…; values "
                    + "with spaces need quotes.")
        }
        defer { unsafe PQconninfoFree(parsed) }
        var option = unsafe parsed
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe options[String(cString: keyword)] = unsafe String(cString: value)
            }
            unsafe option += 1
        }
        self.password = password ?? options["password"].map { Secret($0) }
        options["password"] = nil
        guard options["sslpassword"] == nil else {
            throw Failure(
                .planInvalidValue,
                "the connection has an \"sslpassword\", which would show in the "
                    + "arguments of pg_dump",
                hint: "Use a key file without a password that only this user can read.")
        }
    }

    private init(options: [String: String], password: Secret?) {
        self.options = options
        self.password = password
    }

    var database: String? { options["dbname"] }
    var hasPassword: Bool { password != nil }

    /// The same server and user, another database.
    func with(database name: String) -> Conninfo {
        var options = options
        options["dbname"] = name
        return Conninfo(options: options, password: password)
    }

    /// The same database, another user, who has no password.
    func with(user name: String) -> Conninfo {
        var options = options
        options["user"] = name
        return Conninfo(options: options, password: nil)
    }

    /// Keywords and values for `PQconnectdbParams`.
    var parameters: [(keyword: String, value: String)] {
        var all = options.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        if let password { all.append(("password", password.revealed())) }
        for (keyword, value) in Self.defaults where options[keyword] == nil {
            all.append((keyword, value))
        }
        return all
    }

    /// What the connection does not say itself: a network that is cut in silence is noticed within
    /// a minute or so, where libpq would wait for hours.
    private static let defaults = [
        ("fallback_application_name", "exeat"), ("connect_timeout", "30"),
        ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
        ("tcp_user_timeout", "60000"),
    ]

    /// The same for the arguments of a tool.
    var toolText: String {
        Self.defaults.filter { options[$0.0] == nil && $0.0 != "fallback_application_name" }
            .reduce(into: text) { $0 += " \($1.0)=\($1.1)" }
    }

    /// A conninfo string without the password, fit for arguments and messages.
    var text: String {
        options.sorted { $0.key < $1.key }.map { option in
            let value = option.value.replacingEach(["\\": "\\\\", "'": "\\'"])
            return "\(option.key)='\(value)'"
        }.joined(separator: " ")
    }

    /// One line of a password file (libpq documentation, "The Password File") for every host.
    var passwordFile: String? {
        password.map {
            "*:*:*:*:" + $0.revealed().replacingEach(["\\": "\\\\", ":": "\\:"]) + "\n"
        }
    }
}

extension String {
    /// Characters replaced one by one.
    func replacingEach(_ replacements: [Character: String]) -> String {
        reduce(into: "") { $0 += replacements[$1] ?? String($1) }
    }
}
