import Basics
import Glibc
import Guests
import HTTP
import Streams

/// Calls the API of Proxmox VE on one node.
///
/// Calls block: make them on a `Lane`. Any number of lanes may call at the same time. What only asks is
/// repeated a few times when its answer did not come; nothing else is, but a call whose ticket had run
/// out. A `Failure` says whether its caller may.
final class ProxmoxClient: Sendable {
    let http: HTTPClient
    /// Not ended by an interruption, for what must be tidied up after one.
    private let tidy: HTTPClient
    let session: Session
    let progress: Progress
    let world: World

    /// - Parameter session: of another client of the same server and account: each log-in costs a code
    ///   of the second factor.
    init(
        _ settings: HTTPSettings, _ credentials: ProxmoxCredentials, progress: Progress,
        world: World, sharing session: Session? = nil
    ) {
        http = HTTPClient(settings, progress: progress)
        tidy = HTTPClient(settings, progress: Progress())
        self.session =
            session
            ?? Session(tidy, credentials, world) { (seconds) throws(Failure) in
                for _ in 0..<seconds * 5 {
                    try progress.checkCancelled()
                    usleep(200_000)
                }
            }
        self.progress = progress
        self.world = world
    }

    func get(_ path: [String], _ fields: APIFields = [:]) throws(Failure) -> JSON {
        try envelope(path, fields)["data"] ?? .null
    }

    func post(_ path: [String], _ fields: APIFields = [:]) throws(Failure) -> JSON {
        try call(.post, path, fields)["data"] ?? .null
    }

    func put(_ path: [String], _ fields: APIFields = [:]) throws(Failure) -> JSON {
        try call(.put, path, fields)["data"] ?? .null
    }

    func delete(_ path: [String], _ fields: APIFields = [:]) throws(Failure) -> JSON {
        try call(.delete, path, fields)["data"] ?? .null
    }

    /// The whole answer of a GET, for what stands beside `data`: `total`.
    func envelope(_ path: [String], _ fields: APIFields = [:]) throws(Failure) -> JSON {
        try call(.get, path, fields)
    }

    /// Starts a task. Once asked for, its answer is waited for although the run is interrupted: nobody could
    /// stop a task without its name.
    func start(_ path: [String], _ fields: APIFields) throws(Failure) -> StartedTask {
        try progress.checkCancelled()
        return try StartedTask(call(.post, path, fields, over: tidy)["data"] ?? .null)
    }

    /// Does what must be done although the run has been interrupted.
    func deleteAnyway(_ path: [String], _ fields: APIFields = [:]) throws(Failure) -> JSON {
        try call(.delete, path, fields, over: tidy)["data"] ?? .null
    }

    /// Asks what must be known although the run has been interrupted.
    func getAnyway(_ path: [String], _ fields: APIFields = [:]) throws(Failure) -> JSON {
        try call(.get, path, fields, over: tidy)["data"] ?? .null
    }

    /// The version of the node that answers.
    func version() throws(Failure) -> ProxmoxVersion {
        let answer = try get(["version"])
        guard let text = answer["version"]?.string, let version = ProxmoxVersion(text) else {
            throw Failure(
                .serverAnswer, "\"\(http.settings.server)\" does not tell its version",
                hint: "Check that the address is that of a Proxmox VE node, with port 8006.")
        }
        return version
    }

    // MARK: - Calling

    /// `/nodes/pve1/qemu/100/config`, each segment percent-encoded.
    static func encode(_ path: [String]) -> String {
        path.map { "/" + PercentEncoding.encode($0) }.joined()
    }

    private func call(
        _ method: HTTPRequest.Method, _ path: [String], _ fields: APIFields,
        over chosen: HTTPClient? = nil
    ) throws(Failure) -> JSON {
        let target = "/api2/json" + Self.encode(path)
        let client = chosen ?? http
        for isLast in [false, true] {
            let (headers, ticket) = try session.headers(isWrite: method != .get)
            var request: HTTPRequest
            switch method {
            case .get, .head, .delete:
                let query = fields.isEmpty ? "" : "?" + fields.encoded
                request = HTTPRequest(method, target + query, headers: headers)
            case .post, .put:
                request = HTTPRequest(
                    method, target, headers: headers, body: Array(fields.encoded.utf8))
                request.headers.append(
                    HTTPHeader("Content-Type", "application/x-www-form-urlencoded"))
            }
            let response = try send(request, over: client)
            // A call that is not authorised has not been carried out.
            if response.status == 401, !isLast, session.reject(ticket) { continue }
            return try read(response, method, path, fields)
        }
        throw Failure(.failed, "unreachable")
    }

    /// What is waited before a question is asked again, in milliseconds.
    private static let pauses: [UInt32] = [300, 1000]

    private func send(
        _ request: HTTPRequest, over client: HTTPClient
    ) throws(Failure) -> HTTPResponse {
        guard request.method == .get else { return try client.send(request) }
        for pause in Self.pauses {
            do throws(Failure) { return try client.send(request) } catch {
                guard error.mayRetry, error.code != .cancelled else { throw error }
                usleep(pause * 1000)
            }
        }
        return try client.send(request)
    }

    /// What an answer holds; throws what an error means.
    func read(
        _ response: HTTPResponse, _ method: HTTPRequest.Method, _ path: [String],
        _ fields: APIFields = [:]
    ) throws(Failure) -> JSON {
        let shown = "/" + path.joined(separator: "/")
        guard (200..<300).contains(response.status) else {
            let redact = Redaction(session.secrets).adding(fields.hidden)
            throw APIFailure(
                response: response, method: method, path: shown,
                credentials: session.credentials, redact: redact
            ).failure
        }
        do throws(Failure) {
            let answer = try JSON(parsingForeign: response.body)
            guard answer.members != nil else {
                throw Failure(.serverAnswer, "the answer is no object")
            }
            return answer
        } catch {
            throw Failure(
                .serverAnswer, "cannot read the answer of \"\(shown)\"",
                hint: "Check that the address is that of a Proxmox VE node.", cause: error)
        }
    }
}
