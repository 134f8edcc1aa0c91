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

    /// Runs `openssl ts -verify` at the date of the stamp; of RSASSA-PSS, which that does not know, `openssl
    /// cms -verify -cades`, which judges signature, certificate and path, but not the message. Blocks.
    static func ask(
        about token: [UInt8], over message: [UInt8], _ stamp: TimeStamp, by trust: TimeStampTrust
    ) throws(Failure) -> Verdict {
        guard isThere else { return .none("OpenSSL is not there for a second opinion") }
        let directory = try TemporaryRoom()
        defer { directory.remove() }
        let paths = ["message", "token", "roots", "others", "output", "errors"].map {
            directory.path + "/" + $0
        }
        try Files.write(message, to: paths[0])
        try Files.write(token, to: paths[1])
        try Files.write(Array(trust.anchors.map(\.pem).joined().utf8), to: paths[2])
        if !trust.others.isEmpty {
            try Files.write(Array(trust.others.map(\.pem).joined().utf8), to: paths[3])
        }
        let others = trust.others.isEmpty ? nil : paths[3]
        let asked = ["-CAfile", paths[2], "-attime", "\(stamp.moment.seconds)"]
        let form = isResponse(token) ? [] : ["-token_in"]
        let outcome: Command.Outcome
        do throws(Failure) {
            if stamp.isPSS {
                let bare = directory.path + "/bare"
                _ = try Command(
                    "openssl", ["ts", "-reply", "-in", paths[1], "-token_out", "-out", bare] + form
                ).run(output: paths[4], errors: paths[5])
                outcome = try Command(
                    "openssl",
                    ["cms", "-verify", "-cades", "-purpose", "timestampsign", "-inform", "DER"]
                        + ["-in", bare, "-out", directory.path + "/content"] + asked
                        + (others.map { ["-certfile", $0] } ?? [])
                ).run(output: paths[4], errors: paths[5])
            } else {
                outcome = try Command(
                    "openssl",
                    ["ts", "-verify", "-data", paths[0], "-in", paths[1]] + asked
                        + (others.map { ["-untrusted", $0] } ?? []) + form
                ).run(output: paths[4], errors: paths[5])
            }
        } catch {
            guard error.code == .notFound else { throw error }
            return .none("OpenSSL is not there for a second opinion")
        }
        let output = try Files.readText(paths[4]) + outcome.errors
        let (yes, no) =
            stamp.isPSS
            ? ("Verification successful", "Verification failure")
            : ("Verification: OK", "Verification: FAILED")
        if outcome.status == 0, output.contains(yes) { return .agrees("OpenSSL agrees") }
        guard output.contains(no) else { return .none("OpenSSL could not judge it") }
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
