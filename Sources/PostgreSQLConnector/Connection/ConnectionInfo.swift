import Basics
import CPQ
import Glibc

/// Where a database is and how to log in: a conninfo string or URI of libpq, as the plan gives it.
struct ConnectionInfo: Sendable {
    let text: Secret
    /// Given beside the connection, so that it need not stand inside.
    let password: Secret?
    /// Overrides the database of the text, for the maintenance database.
    var database: String?

    init(_ text: String, password: Secret?) throws(Failure) {
        self.text = Secret(text)
        self.password = password
        _ = try Self.parse(text)
    }

    /// The options of the text; throws what libpq finds wrong with it.
    static func parse(_ text: String) throws(Failure) -> [(keyword: String, value: String)] {
        var message: UnsafeMutablePointer<CChar>? = nil
        guard let options = unsafe PQconninfoParse(text, &message) else {
            // The message quotes parts of the text, which may be a password.
            unsafe PQfreemem(message)
            throw Failure(
                .planInvalidValue, "\"connection\" is no connection string of libpq",
                hint: "Write it as \"host=… dbname=… user=…\" or postgresql://user@host/database.")
        }
        defer { unsafe PQconninfoFree(options) }
        var found: [(keyword: String, value: String)] = []
        var option = unsafe options
        while let keyword = unsafe option.pointee.keyword {
            if let value = unsafe option.pointee.val {
                unsafe found.append((String(cString: keyword), String(cString: value)))
            }
            unsafe option += 1
        }
        return found
    }

    /// The keywords and values for `PQconnectdbParams`, later ones winning.
    var parameters: [(keyword: String, value: String)] {
        // A cut network is noticed within a minute or so, unless the plan says otherwise.
        var list = [
            ("connect_timeout", "30"), ("keepalives_idle", "30"), ("keepalives_interval", "10"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "60000"),
            ("fallback_application_name", "exeat"), ("dbname", text.revealed()),
        ]
        if let password { list.append(("password", password.revealed())) }
        if let database { list.append(("dbname", database)) }
        return list
    }

    /// A conninfo string without secrets for the arguments of a tool, and the secret for its
    /// environment.
    func forTool(database: String? = nil) throws(Failure) -> (conninfo: String, password: Secret?) {
        var secret = password
        var parts: [String] = []
        for (keyword, value) in try Self.parse(text.revealed()) {
            if keyword == "password" {
                if secret == nil { secret = Secret(value) }
            } else if keyword == "sslpassword" {
                throw Failure(
                    .unsupported, "\"sslpassword\" cannot be handed to pg_dump without showing it",
                    hint: "Use a client key without a passphrase, readable by this user alone.")
            } else if keyword != "dbname" || database == nil && self.database == nil {
                parts.append("\(keyword)=\(Self.quoted(value))")
            }
        }
        if let name = database ?? self.database { parts.append("dbname=\(Self.quoted(name))") }
        return (parts.joined(separator: " "), secret)
    }

    static func quoted(_ value: String) -> String {
        "'" + value.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
