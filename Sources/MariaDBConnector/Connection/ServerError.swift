import Basics
import CMariaDB

/// What a server, or the library, says when a statement fails.
///
/// Source: MariaDB documentation, "MariaDB Error Codes"; numbers from 2000 on are the library's.
struct ServerError: Sendable {
    let number: Int
    let state: String
    let message: String

    /// Names of numbers, where the connector decides by them.
    enum Number {
        static let accessDenied = [1044, 1045, 1142, 1143, 1227, 1370, 1698, 4151]
        static let unknownDatabase = 1049
        static let unknownVariable = 1193
        static let lockTimeout = 1205
        static let deadlock = 1213
        static let full = [1021, 1114]
        static let packetTooLarge = [1153, 2020]
        static let changed = [1412, 1146, 1054, 1932]
        static let localInfile = [1148, 3948, 4166, 2068]
        static let interrupted = [1317, 1927]
        static let shutdown = [1053, 1080, 1152, 1927]
    }

    init(_ raw: UnsafeMutablePointer<MYSQL>) {
        unsafe self.init(
            number: mysql_errno(raw), state: mysql_sqlstate(raw), message: mysql_error(raw))
    }

    init(number: UInt32, state: UnsafePointer<CChar>, message: UnsafePointer<CChar>) {
        self.number = Int(number)
        self.state = unsafe String(cString: state)
        self.message = unsafe String(cString: message).split(separator: "\n").joined(
            separator: " ")
    }

    private init(number: Int, state: String, message: String) {
        self.number = number
        self.state = state
        self.message = message
    }

    static let lost = ServerError(
        number: 2013, state: "HY000", message: "Lost connection to server")

    private var code: Failure.Code {
        switch number {
        case let number where Number.accessDenied.contains(number): .databaseRights
        case Number.unknownDatabase: .notFound
        case let number where Number.full.contains(number): .noSpace
        case 2002...2006, 2013, 2026, 2027, 2055: .databaseUnreachable
        case let number where Number.shutdown.contains(number): .databaseUnreachable
        case 3, 28, 1026: message.contains("28") ? .noSpace : .databaseRefused
        default: .databaseRefused
        }
    }

    func failure(_ what: String) -> Failure {
        let advice: String? =
            switch code {
            case .databaseUnreachable:
                "Check that the server runs and can be reached; then run the same command again."
            case .noSpace: "Free space on the server's disk, then run the same command again."
            case .databaseRights: "Grant the right, or use another account."
            default:
                Number.packetTooLarge.contains(number)
                    ? "Raise max_allowed_packet on the server, then run the same command again."
                    : nil
            }
        return Failure(
            code, what, hint: advice,
            cause: Failure(code, "the server says: \(message) [\(number), \(state)]"))
    }

    /// Of a connection that does not come about.
    func refusal(_ options: ConnectionOptions) -> Failure {
        let code: Failure.Code =
            Number.accessDenied.contains(number)
            ? .databaseRights
            : number == Number.unknownDatabase ? .notFound : .databaseUnreachable
        return Failure(
            code, "cannot connect to \(options.text)",
            hint: code == .databaseRights
                ? "Check user, password, and from where the account may connect."
                : number == 2026
                    ? "Check the certificates: ssl-ca must hold the authority of the server's."
                    : "Check host, port or socket, and that the server runs.",
            cause: Failure(code, "\(message) [\(number)]"))
    }
}
