import Basics
import HTTP
import Synchronization

/// The proof of who we are, for each request: a token as it is, or a ticket that is renewed in time.
final class Session: Sendable {
    private struct Ticket: Sendable {
        let value: Secret
        let csrf: Secret
        let since: Timestamp
        /// Grows with each log-in, so that of several lanes only the first renews.
        let number: Int
    }

    private let http: HTTPClient
    let credentials: ProxmoxCredentials
    private let world: World
    private let ticket = Mutex<Ticket?>(nil)
    /// Waits that many seconds; a test has no time for it.
    private let pause: @Sendable (Int64) throws(Failure) -> Void

    /// A ticket is good for two hours; it is renewed well before.
    static let renewal: Int64 = 90 * 60

    init(
        _ http: HTTPClient, _ credentials: ProxmoxCredentials, _ world: World,
        pause: @escaping @Sendable (Int64) throws(Failure) -> Void
    ) {
        self.http = http
        self.credentials = credentials
        self.world = world
        self.pause = pause
    }

    /// Headers for a request, with the number of the ticket they hold; 0 for a token.
    func headers(isWrite: Bool) throws(Failure) -> (headers: [HTTPHeader], number: Int) {
        if case .token(let id, let secret) = credentials {
            let value = Secret("PVEAPIToken=\(id)=\(secret.revealed())")
            return ([HTTPHeader("Authorization", secret: value)], 0)
        }
        let current = try valid()
        // The cookie is sent as the server gave it; it takes no encoding.
        let cookie = Secret("PVEAuthCookie=\(current.value.revealed())")
        var headers = [HTTPHeader("Cookie", secret: cookie)]
        if isWrite { headers.append(HTTPHeader("CSRFPreventionToken", secret: current.csrf)) }
        return (headers, current.number)
    }

    /// Forgets a ticket that the server does not take; false where nothing else can be tried.
    func reject(_ number: Int) -> Bool {
        guard case .password(_, _, let second) = credentials, number > 0 else { return false }
        if case .code = second { return false }
        ticket.withLock { if $0?.number == number { $0 = nil } }
        // The first log-in of all is not repeated: a password that is wrong stays wrong.
        return true
    }

    /// What must not show in a message.
    var secrets: [Secret] {
        var secrets: [Secret] = []
        switch credentials {
        case .token(_, let secret): secrets.append(secret)
        case .password(_, let password, let second):
            secrets.append(password)
            if case .code(let code) = second { secrets.append(code) }
        }
        if let current = ticket.withLock({ $0 }) { secrets += [current.value, current.csrf] }
        return secrets
    }

    private func valid() throws(Failure) -> Ticket {
        // Other lanes wait for the one that logs in.
        try ticket.withLock { (ticket: inout Ticket?) throws(Failure) -> Ticket in
            let now = world.now()
            if let current = ticket,
                (0..<Self.renewal).contains(now.seconds - current.since.seconds)
            {
                return current
            }
            let number = (ticket?.number ?? 0) + 1
            if let old = ticket, let renewed = try? renew(old.value, now, number) {
                ticket = renewed
                return renewed
            }
            let fresh = try logIn(now, number)
            ticket = fresh
            return fresh
        }
    }

    private func renew(_ old: Secret, _ now: Timestamp, _ number: Int) throws(Failure) -> Ticket {
        var fields: APIFields = ["username": credentials.user]
        fields.add("password", secret: old)
        return try ticket(from: try post(fields), now, number)
    }

    private func logIn(
        _ now: Timestamp, _ number: Int, isLast: Bool = false
    ) throws(Failure) -> Ticket {
        guard case .password(let user, let password, let second) = credentials else {
            throw Failure(.serverRights, "a token does not log in")
        }
        // Before 8.0 the form of the challenge that can be answered is to be asked for; later ones have no other.
        var fields: APIFields = ["username": user, "new-format": "1"]
        fields.add("password", secret: password)
        let first = try post(fields)
        guard first["NeedTFA"]?.isTrue == true else { return try ticket(from: first, now, number) }
        guard let second, let challenge = first["ticket"]?.string else {
            throw Failure(
                .serverRights, "cannot log in as \"\(user)\"",
                hint:
                    "Give the secret of the authenticator or a one-time code, or use an API token.",
                cause: Failure(.serverRights, "the user has a second factor"))
        }
        switch second {
        case .totp(let totp):
            do throws(Failure) {
                let code = "totp:" + (try totp.code(at: now))
                return try answer(challenge, Secret(code), now, number)
            } catch {
                guard error.code == .serverRights, !isLast else { throw error }
            }
            // A server takes a code once: somebody has used it in this half minute, such as a run before.
            try pause(totp.period - now.seconds % totp.period + 1)
            return try logIn(world.now(), number, isLast: true)
        case .code(let given):
            let text = given.revealed()
            let code = text.contains(":") ? text : "totp:" + text
            return try answer(challenge, Secret(code), now, number)
        }
    }

    private func answer(
        _ challenge: String, _ code: Secret, _ now: Timestamp, _ number: Int
    ) throws(Failure) -> Ticket {
        var fields: APIFields = ["username": credentials.user]
        fields.add("tfa-challenge", secret: Secret(challenge))
        fields.add("password", secret: code)
        return try ticket(from: try post(fields), now, number)
    }

    private func post(_ fields: APIFields) throws(Failure) -> JSON {
        let target = "/api2/json/access/ticket"
        let request = HTTPRequest(
            .post, target,
            headers: [HTTPHeader("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(fields.encoded.utf8))
        let response = try http.send(request)
        guard (200..<300).contains(response.status) else {
            let failure = APIFailure(
                response: response, method: .post, path: "/access/ticket", credentials: credentials,
                redact: Redaction(fields.hidden))
            throw failure.failure.during("cannot log in as \"\(credentials.user)\"")
        }
        return try JSON(parsingForeign: response.body)["data"] ?? .null
    }

    private func ticket(
        from data: JSON, _ now: Timestamp, _ number: Int
    ) throws(Failure) -> Ticket {
        guard let value = data["ticket"]?.string, let csrf = data["CSRFPreventionToken"]?.string,
            !value.hasPrefix("PVE:!tfa!"), data["NeedTFA"]?.isTrue != true, !value.isEmpty
        else {
            throw Failure(
                .serverAnswer, "cannot log in as \"\(credentials.user)\"",
                hint: "Check that the address is that of a Proxmox VE node.",
                cause: Failure(.serverAnswer, "the answer holds no ticket"))
        }
        return Ticket(value: Secret(value), csrf: Secret(csrf), since: now, number: number)
    }
}

extension JSON {
    /// The API writes booleans as 0 and 1, as strings of these, or as they are.
    var isTrue: Bool {
        switch self {
        case .bool(let flag): flag
        case .integer(let number): number != 0
        case .string(let text): text == "1" || text == "true"
        default: false
        }
    }

    /// A whole number, written as such or as a string.
    var number: Int64? { integer ?? string.flatMap { Int64($0) } }
}
