import Basics

/// A header line. Values that are secret are given as such, and never described.
public struct HTTPHeader: Sendable {
    public let name: String
    let secret: Secret

    public init(_ name: String, _ value: String) { self.init(name, secret: Secret(value)) }

    public init(_ name: String, secret: Secret) {
        self.name = name
        self.secret = secret
    }

    /// What it says, for headers of answers.
    public var value: String { secret.revealed() }
}

/// A request, relative to the base address of its client.
public struct HTTPRequest: Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"

        /// Whether sending it once more changes nothing on the server.
        public var isSafe: Bool { self == .get || self == .head }
    }

    public let method: Method
    /// What follows the base address, percent-encoded where needed: "/version?x=1".
    public let target: String
    public var headers: [HTTPHeader]
    public var body: [UInt8]?
    /// An answer with a longer body is refused.
    public var answerLimit = 64 << 20

    public init(
        _ method: Method, _ target: String, headers: [HTTPHeader] = [], body: [UInt8]? = nil
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
    }
}

/// What a server answered, whatever its status is.
public struct HTTPResponse: Sendable {
    public let status: Int
    /// The text behind the status; some servers explain errors nowhere else.
    public let reason: String
    public let headers: [HTTPHeader]
    public let body: [UInt8]

    public init(status: Int, reason: String, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.reason = reason
        self.headers = headers
        self.body = body
    }

    /// The value of the first header of that name, in any case.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// Percent-encoding of RFC 3986, section 2.1.
public enum PercentEncoding {
    /// Everything but unreserved characters is encoded, slashes too.
    public static func encode(_ text: some StringProtocol) -> String {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x7e: bytes.append(byte)
            default: bytes += "%\(Hex.encode([byte]).uppercased())".utf8
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// `name=value&…`, as a query or a form (application/x-www-form-urlencoded).
    public static func form(_ fields: [(name: String, value: String)]) -> String {
        fields.map { "\(encode($0.name))=\(encode($0.value))" }.joined(separator: "&")
    }
}
