import Basics
import Glibc
import HTTP
import Streams
import Synchronization
import TestKit

@testable import ProxmoxConnector

/// A server that answers as a test says, and remembers what it was asked.
final class ScriptedServer {
    let directory: TemporaryDirectory
    private let program: BackgroundProgram
    let settings: HTTPSettings
    let progress = Progress()
    let clock = Clock()

    /// A clock that a test sets.
    final class Clock: Sendable {
        private let seconds = Atomic<Int64>(1_700_000_000)
        var now: Timestamp { Timestamp(seconds: seconds.load(ordering: .relaxed)) }
        func advance(_ by: Int64) { seconds.add(by, ordering: .relaxed) }
    }

    /// A rule: the start of the request's line, and what the answer is.
    struct Rule {
        let match: String
        var members: [JSON.Member] = []

        static func answer(_ match: String, _ data: JSON, times: Int? = nil) -> Rule {
            full(match, ["data": data], times: times)
        }

        static func full(_ match: String, _ body: JSON, times: Int? = nil) -> Rule {
            var rule = Rule(match: match, members: [JSON.Member("body", body)])
            if let times { rule.members.append(JSON.Member("times", .integer(Int64(times)))) }
            return rule
        }

        static func error(
            _ match: String, _ status: Int, _ reason: String, _ body: JSON = .null,
            times: Int? = nil
        ) -> Rule {
            var rule = full(match, body, times: times)
            rule.members += [
                JSON.Member("status", .integer(Int64(status))),
                JSON.Member("reason", .string(reason)),
            ]
            return rule
        }

        /// Ends the connection: "early" in mid-request, "late" after it.
        static func drop(_ match: String, _ when: String) -> Rule {
            Rule(match: match, members: [JSON.Member("drop", .string(when))])
        }
    }

    static let script: String = {
        let tests = Files.parent(of: Files.parent(of: #filePath))
        return tests + "/Servers/https_server.py"
    }()

    /// One certificate for all tests: making one takes longer than most of them.
    private static let identity = Result {
        let directory = try TemporaryDirectory()
        identityDirectory.withLock { $0 = directory }
        let (certificate, key) = (directory.path + "/cert.pem", directory.path + "/key.pem")
        let made = try Shell.run([
            "python3", script, "certificate", "127.0.0.1", "9", certificate, key,
        ])
        guard made.status == 0 else {
            throw Failure(.failed, String(decoding: made.errors, as: UTF8.self))
        }
        return (certificate, key)
    }
    private static let identityDirectory = Mutex<TemporaryDirectory?>(nil)

    init(_ rules: [Rule]) throws {
        directory = try TemporaryDirectory()
        let (certificate, key) = try Self.identity.get()
        var lines: [UInt8] = []
        for rule in rules {
            lines += JSON.object([JSON.Member("match", .string(rule.match))] + rule.members).line
            lines.append(0x0a)
        }
        let script = try directory.file("rules", lines)
        let log = try directory.file("log")
        program = try BackgroundProgram([
            "python3", Self.script, "scripted", certificate, key, script, log,
        ])
        let port = program.line()
        var settings = try HTTPSettings(
            "https://127.0.0.1:\(port)", trust: .authority(file: certificate))
        settings.proxy = .none
        self.settings = settings
    }

    /// What was asked: lines such as "GET /version", without "/api2/json".
    var lines: [String] { requests.map { $0.line } }

    var requests: [(line: String, headers: JSON, body: String)] {
        let text = (try? Files.readText(directory.path + "/log")) ?? ""
        return text.split(separator: "\n").compactMap { line in
            guard let entry = try? JSON(parsing: Array(line.utf8)) else { return nil }
            let asked = entry["line"]?.string ?? ""
            return (
                asked.split(separator: "/api2/json").joined(), entry["headers"] ?? .null,
                entry["body"]?.string ?? ""
            )
        }
    }

    static let token = ProxmoxCredentials.token(
        id: "exeat@pve!export", secret: Secret("0000-token-secret"))

    func client(_ credentials: ProxmoxCredentials = ScriptedServer.token) -> ProxmoxClient {
        let clock = self.clock
        let world = World(now: { clock.now }, random: { Array(repeating: 7, count: $0) })
        return ProxmoxClient(settings, credentials, progress: progress, world: world)
    }

    static func api(_ method: String, _ path: String) -> String { "\(method) /api2/json\(path)" }
}

func caught(_ body: () throws -> Void) -> Failure? {
    do { try body() } catch let failure as Failure { return failure } catch {}
    return nil
}
