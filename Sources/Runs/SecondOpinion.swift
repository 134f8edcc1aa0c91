import Basics
import Glibc
import TimeStamps

/// What OpenSSL says about a time-stamp that holds by our own reader: two programs that were not
/// written by the same people must agree.
enum SecondOpinion {
    enum Verdict: Equatable {
        case agrees(String)
        case disagrees(String)
        /// There is no OpenSSL, or it cannot judge.
        case none(String)
    }

    /// Runs `openssl ts -verify` at the date of the stamp. Blocks.
    static func ask(
        about token: [UInt8], over message: [UInt8], _ stamp: TimeStamp, by trust: TimeStampTrust
    ) throws(Failure) -> Verdict {
        guard !stamp.isPSS else { return .none("OpenSSL cannot judge RSASSA-PSS in time-stamps") }
        guard isThere else { return .none("OpenSSL is not there for a second opinion") }
        let directory = try TemporaryRoom()
        defer { directory.remove() }
        let paths = ["message", "token", "roots", "others", "output", "errors"].map {
            directory.path + "/" + $0
        }
        try Files.write(message, to: paths[0])
        try Files.write(token, to: paths[1])
        try Files.write(Array(trust.anchors.map(\.pem).joined().utf8), to: paths[2])
        var arguments = ["ts", "-verify", "-data", paths[0], "-in", paths[1], "-CAfile", paths[2]]
        if !trust.others.isEmpty {
            try Files.write(Array(trust.others.map(\.pem).joined().utf8), to: paths[3])
            arguments += ["-untrusted", paths[3]]
        }
        arguments += ["-attime", "\(stamp.moment.seconds)"]
        if !isResponse(token) { arguments.append("-token_in") }
        let outcome: Command.Outcome
        do throws(Failure) {
            outcome = try Command("openssl", arguments).run(output: paths[4], errors: paths[5])
        } catch {
            guard error.code == .notFound else { throw error }
            return .none("OpenSSL is not there for a second opinion")
        }
        let output = try Files.readText(paths[4]) + outcome.errors
        if outcome.status == 0, output.contains("Verification: OK") {
            return .agrees("OpenSSL agrees")
        }
        guard output.contains("Verification: FAILED") else {
            return .none("OpenSSL could not judge it")
        }
        let reason = output.split(separator: "\n").first { $0.contains(":error:") } ?? ""
        return .disagrees(String(reason.split(separator: ":").dropFirst(4).joined(separator: ":")))
    }

    private static func isResponse(_ token: [UInt8]) -> Bool {
        // A token begins with its type, a response with its status.
        (try? TimeStampToken.isResponse(token)) ?? true
    }

    static var isThere: Bool {
        let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").contains { Files.exists($0 + "/openssl") }
    }
}

/// A directory that nobody else can enter, for as long as it is needed; stands on mkdtemp(3).
struct TemporaryRoom {
    let path: String

    init() throws(Failure) {
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var template = Array((base + "/exeat-stamp-XXXXXX").utf8CString)
        guard unsafe mkdtemp(&template) != nil else {
            throw Failure(errno: errno, "cannot create a directory below \"\(base)\"")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() { try? Files.remove(path) }
}
