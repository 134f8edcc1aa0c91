import Basics
import HTTP
import Streams
import Synchronization
import Testing

@testable import ProxmoxConnector

@Suite("Tasks")
struct TaskTests {
    typealias Rule = ScriptedServer.Rule
    private let text = "UPID:pve1:0000C530:001C9BEC:55D7A0A2:vzdump:100:exeat@pve!export:"
    private var base: String { "/nodes/pve1/tasks/" + PercentEncoding.encode(text) }

    private func status(_ exit: JSON, times: Int? = nil) -> Rule {
        let stopped: JSON =
            exit == .null ? ["status": "running"] : ["status": "stopped", "exitstatus": exit]
        return .answer("GET /api2/json\(base)/status", stopped, times: times)
    }

    private func follow(_ server: ScriptedServer, _ pauses: Pauses = Pauses()) throws -> TaskResult
    {
        var follower = TaskFollower(server.client())
        follower.pause = { pauses.add($0) }
        return try follower.follow(try #require(UPID(text)))
    }

    private final class Pauses: Sendable {
        let total = Atomic<Int>(0)
        func add(_ milliseconds: Int) { total.add(milliseconds, ordering: .relaxed) }
    }

    @Test("A task is asked for less and less often, and its end is its result")
    func success() throws {
        let server = try ScriptedServer([status(.null, times: 6), status("OK")])
        let pauses = Pauses()
        #expect(try follow(server, pauses).warnings == 0)
        #expect(server.lines.count { $0.hasSuffix("/status") } == 7)
        // 1 + 1.5 + 2.25 + 3.375 + 5 + 5 + 5 seconds, in steps of 200 ms at most.
        #expect(pauses.total.load(ordering: .relaxed) > 22_000)
        #expect(pauses.total.load(ordering: .relaxed) < 24_000)
    }

    @Test("Warnings are success with a count; what only looks like them is not")
    func warnings() throws {
        let warned = try ScriptedServer([status("WARNINGS: 3")])
        #expect(try follow(warned).warnings == 3)
        for text in ["WARNINGS: many", "WARNINGS", "ok", "", "OK "] {
            let server = try ScriptedServer([status(.string(text))])
            #expect(caught { _ = try follow(server) }?.code == .serverTaskFailed, "\(text)")
        }
    }

    @Test("A failure shows the last lines of the log, and no more than that")
    func failed() throws {
        let lines = (1...20).map {
            JSON.object([
                .init("n", .integer(Int64($0))),
                .init("t", .string("line \($0) 0000-token-secret")),
            ])
        }
        let server = try ScriptedServer([
            status("job errors"),
            .full(
                "GET /api2/json\(base)/log?start=0&limit=1",
                ["data": .array([lines[0]]), "total": 935]),
            .full(
                "GET /api2/json\(base)/log?start=920&limit=15",
                ["data": .array(lines), "total": 935]),
        ])
        let failure = caught { _ = try follow(server) }
        #expect(failure?.code == .serverTaskFailed)
        let shown = failure?.rendered ?? ""
        #expect(shown.contains("job errors"))
        #expect(shown.contains("line 15 "))
        #expect(!shown.contains("line 16 "))
        #expect(!shown.contains("0000-token-secret"))
        #expect(failure?.mayRetry == false)
    }

    @Test("A task that was killed says so")
    func killed() throws {
        let server = try ScriptedServer([status("unexpected status")])
        #expect(caught { _ = try follow(server) }?.hint?.contains("killed") == true)
    }

    @Test("A node that does not answer for a while does not lose the task")
    func unreachable() throws {
        let server = try ScriptedServer([
            status(.null, times: 1),
            .error("GET /api2/json\(base)/status", 596, "Connection timed out", times: 3),
            status("OK"),
        ])
        #expect(try follow(server).warnings == 0)
        let gone = try ScriptedServer([
            .error("GET /api2/json\(base)/status", 403, "Permission check failed")
        ])
        #expect(caught { _ = try follow(gone) }?.code == .serverRights)
        #expect(gone.lines.count == 1)
        let never = try ScriptedServer([
            .error("GET /api2/json\(base)/status", 595, "No route to host")
        ])
        #expect(caught { _ = try follow(never) }?.code == .serverUnreachable)
        #expect(never.lines.count == 20)
    }

    @Test("An interruption stops the task on the server, and waits until it has ended")
    func cancelled() throws {
        let server = try ScriptedServer([
            status(.null, times: 3), .answer("DELETE /api2/json\(base)", .null),
            status("unexpected status"),
        ])
        let progress = server.progress
        var follower = TaskFollower(server.client())
        let pauses = Pauses()
        follower.pause = { milliseconds in
            pauses.add(milliseconds)
            if pauses.total.load(ordering: .relaxed) > 2000 { progress.cancel() }
        }
        let upid = try #require(UPID(text))
        #expect(caught { _ = try follower.follow(upid) }?.code == .cancelled)
        let lines = server.lines
        let deletion = try #require(lines.firstIndex { $0.hasPrefix("DELETE") })
        #expect(lines[deletion...].contains { $0.hasPrefix("GET") })
        #expect(lines.last?.hasSuffix("/status") == true)
    }

    @Test("A backup that waits for the lock of its node says so once, and when it begins")
    func waiting() throws {
        func log(_ lines: [String], times: Int?) -> Rule {
            .answer(
                "GET /api2/json\(base)/log?start=0&limit=20",
                .array(lines.map { ["t": .string($0)] }), times: times)
        }
        let waits = "INFO: trying to get global lock - waiting..."
        let server = try ScriptedServer([
            status(.null, times: 5), log([], times: 1), log([waits], times: 2),
            log([waits, "INFO: got global lock"], times: nil), status("OK"),
        ])
        _ = try follow(server)
        #expect(
            server.progress.takeNotices() == [
                "the backup of guest 100 waits for another one on node \"pve1\", which makes one at a time",
                "the backup of guest 100 begins",
            ])
        // Nothing is left to be told, so that nobody asks again.
        #expect(server.lines.count { $0.contains("/log") } == 4)
        let other = try ScriptedServer([
            status(.null, times: 3), log(["INFO: starting new backup job: vzdump 100"], times: nil),
            status("OK"),
        ])
        _ = try follow(other)
        #expect(other.progress.takeNotices().isEmpty)
        #expect(other.lines.count { $0.contains("/log") } == 1)
    }

    @Test("A log is read page by page up to a limit")
    func log() throws {
        func page(_ start: Int, _ count: Int) -> Rule {
            let lines = (0..<count).map {
                JSON.object([
                    .init("n", .integer(Int64(start + $0 + 1))),
                    .init("t", .string("line \(start + $0)")),
                ])
            }
            return .full(
                "GET /api2/json\(base)/log?start=\(start)&limit=500",
                ["data": .array(lines), "total": 1100])
        }
        let server = try ScriptedServer([page(0, 500), page(500, 500), page(1000, 100)])
        let follower = TaskFollower(server.client())
        let lines = try follower.log(try #require(UPID(text)))
        #expect(lines.count == 1100)
        #expect(lines.last == "line 1099")
        #expect(try follower.log(try #require(UPID(text)), limit: 500).count == 500)
    }
}
