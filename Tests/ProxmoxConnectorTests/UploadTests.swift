import Basics
import Guests
import HTTP
import Primitives
import Streams
import Testing

@testable import ProxmoxConnector

@Suite("Uploads to a storage")
struct ContentUploadTests {
    typealias Rule = ScriptedServer.Rule
    private let task = "UPID:pve1:0000C530:001C9BEC:55D7A0A2:imgcopy::exeat@pve!export:"
    private let bytes = Array("disk content".utf8)
    private let content = "GET /api2/json/nodes/pve1/storage/local/content"
    private let post = "POST /api2/json/nodes/pve1/storage/local/upload"

    private func list(_ volumes: [(String, Int64)], times: Int? = nil) -> Rule {
        .answer(
            content,
            .array(volumes.map { ["volid": .string($0.0), "size": .integer($0.1)] }), times: times)
    }

    private var ended: Rule {
        .answer(
            "GET /api2/json/nodes/pve1/tasks/\(PercentEncoding.encode(task))/status",
            ["status": "stopped", "exitstatus": "OK"])
    }

    private func upload(
        _ server: ScriptedServer, _ name: String = "exeat-1.raw",
        _ version: ProxmoxVersion = ProxmoxVersion(8, 4),
        _ kind: ContentUpload.Content = .disk
    ) throws -> String {
        var follower = TaskFollower(server.client())
        follower.pause = { _ in }
        let upload = ContentUpload(client: server.client(), follower: follower, version: version)
        return try upload.upload(
            MemorySource(bytes), size: Int64(bytes.count), digest: SHA256.hash(bytes),
            to: .init(node: "pve1", storage: "local", content: kind, name: name))
    }

    @Test("A file goes in the order that the server wants, and counts when its task has ended")
    func success() throws {
        let server = try ScriptedServer([
            list([("local:import/other.raw", 5)], times: 1), .answer(post, .string(task)), ended,
            list([("local:import/exeat-1.raw", 12)]),
        ])
        #expect(try upload(server) == "local:import/exeat-1.raw")
        let body = server.requests[1].body
        let places = [
            "content\"", "checksum-algorithm\"", "checksum\"",
            "filename\"; filename=\"exeat-1.raw\"",
        ]
        .map { mark in body.indices.first { body[$0...].hasPrefix("name=\"" + mark) } }
        let found = try places.map { try #require($0) }
        #expect(found == found.sorted())
        #expect(body.contains(SHA256.hash(bytes).hex))
        #expect(server.requests[1].headers["Transfer-Encoding"] == nil)
        #expect(server.requests[1].headers["Content-Length"] != nil)
    }

    @Test("What is there already is not overwritten")
    func exists() throws {
        let server = try ScriptedServer([list([("local:import/exeat-1.raw", 12)])])
        #expect(caught { _ = try upload(server) }?.code == .exists)
        #expect(!server.lines.contains { $0.hasPrefix("POST") })
    }

    @Test("A failed task, a missing file and another size are no success")
    func failures() throws {
        let failed = try ScriptedServer([
            list([], times: 1), .answer(post, .string(task)),
            .answer(
                "GET /api2/json/nodes/pve1/tasks/\(PercentEncoding.encode(task))/status",
                ["status": "stopped", "exitstatus": "checksum mismatch"]),
        ])
        #expect(caught { _ = try upload(failed) }?.code == .serverTaskFailed)
        let missing = try ScriptedServer([list([]), .answer(post, .string(task)), ended])
        #expect(caught { _ = try upload(missing) }?.code == .serverAnswer)
        let short = try ScriptedServer([
            list([], times: 1), .answer(post, .string(task)), ended,
            list([("local:import/exeat-1.raw", 11)]),
        ])
        #expect(caught { _ = try upload(short) }?.code == .serverAnswer)
        let odd = try ScriptedServer([list([]), .answer(post, "OK")])
        #expect(caught { _ = try upload(odd) }?.code == .serverAnswer)
    }

    @Test("After a lost connection the server is asked what it has, before anybody tries again")
    func lost() throws {
        let tasks = "GET /api2/json/nodes/pve1/tasks"
        for when in ["early", "late"] {
            let nothing = try ScriptedServer([list([]), .drop(post, when), .answer(tasks, [])])
            let again = caught { _ = try upload(nothing) }
            #expect(again?.code == .serverUnreachable)
            #expect(again?.mayRetry == true)
            #expect(nothing.lines.filter { $0.hasPrefix("POST") }.count <= 1)
        }
        let there = try ScriptedServer([
            list([], times: 1), .drop(post, "late"), .answer(tasks, []),
            list([("local:import/exeat-1.raw", 12)]),
        ])
        let failure = caught { _ = try upload(there) }
        #expect(failure?.mayRetry == false)
        #expect(failure?.hint?.contains("run the same command again") == true)
        let busy = try ScriptedServer([
            list([]), .drop(post, "late"), .answer(tasks, [["starttime": 1_700_000_001]]),
        ])
        #expect(caught { _ = try upload(busy) }?.mayRetry == false)
        let silent = try ScriptedServer([list([], times: 1), .drop(post, "late")])
        #expect(caught { _ = try upload(silent) }?.mayRetry == false)
    }

    @Test("Names and versions are checked before anything is sent")
    func refused() throws {
        let server = try ScriptedServer([list([])])
        for name in ["A.raw", "a b.raw", "../a.raw", ".raw", "-a.raw", "é.raw", "a\"b.raw", ""] {
            #expect(caught { _ = try upload(server, name) } != nil, "\(name)")
        }
        for (name, version, kind) in [
            ("a.raw", ProxmoxVersion(8, 3), ContentUpload.Content.disk),
            ("a.raw", ProxmoxVersion(7, 4), .disk),
            ("a.ova", ProxmoxVersion(8, 2), .disk), ("a.qcow", ProxmoxVersion(9, 0), .disk),
            ("a.tar", ProxmoxVersion(8, 4), .template),
            ("a.tar.bz2", ProxmoxVersion(7, 4), .template),
            ("a.vma", ProxmoxVersion(9, 0), .iso),
        ] {
            #expect(caught { _ = try upload(server, name, version, kind) }?.code == .unsupported)
        }
        #expect(server.lines.isEmpty)
        #expect(ContentUpload.extensions(of: .disk, in: ProxmoxVersion(8, 3)) == [".ova"])
        #expect(ContentUpload.extensions(of: .template, in: ProxmoxVersion(9, 0)).contains(".tar"))
    }
}
