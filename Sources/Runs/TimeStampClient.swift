import Basics
import Glibc
import HTTP
import Plans
import Primitives
import Streams
import TimeStamps

/// Asks one authority of a plan for time-stamps (RFC 3161, section 3.4), and believes no answer that
/// it has not judged.
struct TimeStampClient: Sendable {
    let authority: TimestampAuthority
    let server: TimestampAuthority.Server
    let trust: TimeStampTrust
    let world: World
    let progress: Progress

    /// Honest clocks differ by less, in seconds.
    private static let tolerance: Int64 = 300
    private static let attempts = 3

    /// A token over the message that holds by our own reader and by OpenSSL.
    ///
    /// Blocks. Whatever is wrong is tried again, since a load balancer may have several authorities
    /// behind it; then `.timeStampUnavailable` is thrown with what was wrong at last.
    func token(over message: [UInt8]) throws(Failure) -> (bytes: [UInt8], stamp: TimeStamp) {
        var attempt = 1
        while true {
            do throws(Failure) { return try ask(message) } catch {
                if error.code == .cancelled { throw error }
                guard attempt < Self.attempts, error.code != .serverRights,
                    error.code != .serverUntrusted
                else {
                    throw Failure(
                        .timeStampUnavailable,
                        "the authority \"\(server.url)\" gives no time-stamp that holds",
                        hint: "Check that it is there and that \"ca\" and \"policy\" are its own.",
                        cause: error)
                }
                try pause(seconds: attempt)
                attempt += 1
            }
        }
    }

    private func pause(seconds: Int) throws(Failure) {
        for _ in 0..<seconds * 10 {
            try progress.checkCancelled()
            usleep(100_000)
        }
    }

    private func ask(_ message: [UInt8]) throws(Failure) -> (bytes: [UInt8], stamp: TimeStamp) {
        let request = try authority.request(over: message, world: world)
        let before = world.now()
        let bytes = try send(request.bytes)
        let after = world.now()
        let stamp = try trust.judge(bytes, over: message, request: request)
        // A token that this machine has just asked for cannot be of another day.
        guard stamp.moment.seconds + Self.tolerance >= before.seconds,
            stamp.moment.seconds - Self.tolerance <= after.seconds
        else {
            throw Failure(
                .timeStampBackdated,
                "the authority says it is \(stamp.moment.text), this machine \(after.text)",
                hint: "Compare both clocks with a third one.")
        }
        let verdict = try SecondOpinion.ask(about: bytes, over: message, stamp, by: trust)
        if case .disagrees(let reason) = verdict {
            throw Failure(
                .timeStampOpinion, "the answer holds by exeat, but not by OpenSSL: \(reason)")
        }
        return (bytes, stamp)
    }

    private func send(_ body: [UInt8]) throws(Failure) -> [UInt8] {
        // "https://HOST" and the rest.
        var slashes = 0
        let base = server.url.prefix { character in
            if character == "/" { slashes += 1 }
            return slashes < 3
        }
        let target = server.url.dropFirst(base.count)
        var settings = try HTTPSettings(
            String(base), trust: server.serverCertificates.map { .authority(file: $0) } ?? .system,
            allowsPlain: true)
        let milliseconds = authority.timeout * 1000
        settings.patience = Patience(connect: milliseconds, stall: milliseconds)
        settings.patience.whole = milliseconds
        let client = HTTPClient(settings, progress: progress)
        var request = HTTPRequest(
            .post, target.hasPrefix("/") ? String(target) : "/" + target,
            headers: [
                HTTPHeader("Content-Type", "application/timestamp-query"),
                HTTPHeader("Accept", "application/timestamp-reply"),
            ] + credentials, body: body)
        request.answerLimit = TimeStampToken.longest
        let response = try client.send(request)
        guard response.status == 200 else {
            throw Failure(
                response.status == 401 || response.status == 403 ? .serverRights : .serverRefused,
                "the authority answered with status \(response.status) \(response.reason)")
        }
        return response.body
    }

    private var credentials: [HTTPHeader] {
        if let token = server.token {
            return [
                HTTPHeader("Authorization", secret: Secret("Bearer " + token.revealed()))
            ]
        }
        guard let user = server.user, let password = server.password else { return [] }
        let both = Base64.encode(Array("\(user):\(password.revealed())".utf8))
        return [HTTPHeader("Authorization", secret: Secret("Basic " + both))]
    }
}

extension TimestampAuthority {
    /// What this authority is asked about a message.
    func request(over message: [UInt8], world: World) throws(Failure) -> TimeStampRequest {
        try TimeStampRequest(
            for: message, by: .init(rawValue: hash.rawValue) ?? .sha256,
            policy: policy.flatMap { ObjectIdentifier($0) }, world: world)
    }

    /// Whom its tokens must lead to; throws when the file cannot be used.
    func trust(_ server: Server) throws(Failure) -> TimeStampTrust {
        try TimeStampTrust(
            files: [server.certificates], policies: policy.map { [$0] } ?? [])
    }
}

extension TimeStampTrust {
    /// Reads certificates from PEM files, and policies as numbers and dots.
    init(files: [String], policies: [String]) throws(Failure) {
        var certificates: [Certificate] = []
        for path in files {
            do throws(Failure) {
                certificates += try Certificate.list(of: Files.read(path, limit: 1 << 20))
            } catch {
                throw error.during(
                    "cannot use the time-stamping authority \"\(path)\"", hint: error.hint)
            }
        }
        try self.init(certificates, policies: try Self.identifiers(policies))
    }

    static func identifiers(_ policies: [String]) throws(Failure) -> [ObjectIdentifier] {
        try policies.map { (text) throws(Failure) in
            guard let identifier = ObjectIdentifier(text) else {
                throw Failure(
                    .invalidValue, "\"\(text)\" is not the identifier of a policy",
                    hint: "Write it with numbers and dots, such as 1.3.6.1.4.1.4146.2.3.")
            }
            return identifier
        }
    }
}
