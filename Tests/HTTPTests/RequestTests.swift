import Basics
import Glibc
import HTTP
import Primitives
import Streams
import TestKit
import Testing

@Suite("Requests over HTTPS")
struct RequestTests {
    /// Lives as long as the test that uses it.
    private let server: TestServer

    init() throws { server = try TestServer() }

    private func failure(_ body: () throws -> Void) -> Failure? {
        do { try body() } catch let failure as Failure { return failure } catch {}
        return nil
    }

    @Test("The text behind the status is kept")
    func reason() throws {
        let response = try server.client().send(HTTPRequest(.get, "/reason"))
        #expect(response.status == 500)
        #expect(
            response.reason
                == "Configuration file 'nodes/a/qemu-server/100.conf' does not exist")
    }

    @Test("Redirects are answers, and not followed")
    func redirect() throws {
        let response = try server.client().send(HTTPRequest(.get, "/redirect"))
        #expect(response.status == 302)
        #expect(response.header("LOCATION") == "/hello")
        #expect(server.requests == ["GET /redirect HTTP/1.1"])
    }

    @Test("Every method arrives as itself, with its body and nothing else")
    func methods() throws {
        let client = try server.client()
        for method in [HTTPRequest.Method.post, .put] {
            let body = Array("a=1&b=2".utf8)
            let response = try client.send(HTTPRequest(method, "/x", body: body))
            let answer = try JSON(parsing: response.body)
            #expect(answer["method"]?.string == method.rawValue)
            #expect(answer["digest"]?.string == SHA256.hash(body).hex)
            #expect(answer["headers"]?["Expect"] == nil)
            #expect(answer["headers"]?["User-Agent"]?.string == "exeat")
        }
        let empty = try client.send(HTTPRequest(.post, "/x"))
        #expect(try JSON(parsing: empty.body)["length"]?.integer == 0)
        #expect(try client.send(HTTPRequest(.delete, "/x")).body == Array("gone".utf8))
        #expect(server.requests.last == "DELETE /x HTTP/1.1")
    }

    @Test("Line breaks in headers and targets never get out")
    func injection() throws {
        let client = try server.client()
        for request in [
            HTTPRequest(.get, "/hello", headers: [HTTPHeader("A", "b\r\nC: d")]),
            HTTPRequest(.get, "/hello", headers: [HTTPHeader("A: x\r\nB", "c")]),
            HTTPRequest(.get, "/he llo"), HTTPRequest(.get, "/he\r\nllo"), HTTPRequest(.get, "x"),
        ] {
            #expect(failure { _ = try client.send(request) }?.code == .invalidValue)
        }
        #expect(server.requests.isEmpty)
    }

    @Test("An answer longer than its limit is refused, one of exactly that length is taken")
    func bounded() throws {
        let client = try server.client()
        var request = HTTPRequest(.get, "/big?300000")
        request.answerLimit = 300_000
        #expect(try client.send(request).body.count == 300_000)
        request.answerLimit = 299_999
        let caught = failure { _ = try client.send(request) }
        #expect(caught?.code == .serverAnswer)
        #expect(caught?.mayRetry == false)
    }

    @Test("A cut answer may be asked for again; a cut write may not")
    func cut() throws {
        let client = try server.client()
        let read = failure { _ = try client.send(HTTPRequest(.get, "/cut")) }
        #expect(read?.code == .serverUnreachable)
        #expect(read?.mayRetry == true)
        let write = failure { _ = try client.send(HTTPRequest(.post, "/drop", body: [1])) }
        #expect(write?.code == .serverUnreachable)
        #expect(write?.mayRetry == false)
    }

    @Test("A write whose connection dies is sent once, after other requests too")
    func writesOnce() throws {
        let client = try server.client()
        _ = try client.send(HTTPRequest(.get, "/hello"))
        _ = failure { _ = try client.send(HTTPRequest(.post, "/drop", body: [1])) }
        usleep(200_000)
        #expect(server.requests.filter { $0.hasPrefix("POST") }.count <= 1)
    }

    @Test("Where nobody listens, even a write may be tried again")
    func nobody() throws {
        server.program.stop()
        let caught = failure {
            _ = try server.client().send(HTTPRequest(.post, "/x", body: [1]))
        }
        #expect(caught?.code == .serverUnreachable)
        #expect(caught?.mayRetry == true)
    }

    @Test("A server that stands still is given up")
    func stall() throws {
        let client = try server.client(nil) { $0.patience.stall = 700 }
        let start = monotonicNanoseconds()
        let caught = failure { _ = try client.send(HTTPRequest(.get, "/stall")) }
        #expect(caught?.code == .serverUnreachable)
        #expect(caught?.mayRetry == true)
        #expect(monotonicNanoseconds() - start < 25_000_000_000)
    }

    @Test("An interruption ends a transfer that stands still")
    func cancelled() async throws {
        let client = try server.client()
        let progress = server.progress
        let lane = Lane()
        let later = Task(executorPreference: lane) {
            usleep(300_000)
            progress.cancel()
        }
        let start = monotonicNanoseconds()
        let caught = failure { _ = try client.send(HTTPRequest(.get, "/stall")) }
        await later.value
        lane.close()
        #expect(caught?.code == .cancelled)
        #expect(monotonicNanoseconds() - start < 25_000_000_000)
    }

    @Test("A body as a stream has all its bytes, and says so when it has not")
    func stream() throws {
        let client = try server.client()
        var source = try client.open(HTTPRequest(.get, "/big?5000000"))
        var chunk = Chunk(capacity: 100_000)
        var hasher = SHA256()
        var count = 0
        repeat {
            try source.read(into: &chunk)
            count += chunk.count
            try chunk.withBytes { (bytes) throws(Failure) in hasher.update(bytes) }
        } while !chunk.isEmpty
        #expect(count == 5_000_000)
        let pattern = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(hasher.finish() == SHA256.hash(pattern))

        var small = Chunk(capacity: 7)
        var tiny = try client.open(HTTPRequest(.get, "/hello"))
        try tiny.read(into: &small)
        let first = small.count
        #expect(first == 5)
        try tiny.read(into: &small)
        let rest = small.count
        #expect(rest == 0)

        let cut = failure {
            var source = try client.open(HTTPRequest(.get, "/cut"))
            _ = try source.readAll(limit: 1 << 24)
        }
        #expect(cut?.code == .serverUnreachable)
        let missing = failure {
            var source = try client.open(HTTPRequest(.get, "/none"))
            _ = try source.readAll(limit: 1 << 24)
        }
        #expect(missing?.code == .serverRefused)
    }

    @Test("Many lanes use one client at once")
    func lanes() async throws {
        let client = try server.client()
        let counts = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                let lane = Lane()
                group.addTask(executorPreference: lane) {
                    defer { lane.close() }
                    var count = 0
                    for _ in 0..<10 {
                        let response = try? client.send(HTTPRequest(.get, "/big?70000"))
                        count += response?.body.count ?? 0
                    }
                    return count
                }
            }
            return await group.reduce(0, +)
        }
        #expect(counts == 4 * 10 * 70_000)
    }

    @Test("A proxy is gone through with its password, and passed by where it is excepted")
    func proxy() throws {
        let log = try server.directory.file("proxy-log")
        let program = try BackgroundProgram(["python3", TestServer.script, "proxy", log])
        let address = "http://127.0.0.1:\(program.line())"
        func ask(_ choice: ProxyChoice) throws -> Int {
            try server.client(nil) { $0.proxy = choice }.send(HTTPRequest(.get, "/hello")).status
        }
        let password = Secret("secret")
        #expect(try ask(.server(address, user: "secret", password: password)) == 200)
        let through = try Files.readText(log)
        #expect(through.contains("CONNECT 127.0.0.1:\(server.port)"))

        let except = ["127.0.0.1"]
        #expect(try ask(.server(address, except: except)) == 200)
        #expect(try Files.readText(log) == through)

        let caught = failure {
            _ = try ask(.server(address, user: "secret", password: Secret("wrong-password")))
        }
        #expect(caught?.code == .serverRights)
        #expect(caught?.rendered.contains("wrong-password") == false)
        #expect(
            failure { _ = try ask(.server("http://u:hidden@a:1")) }?.rendered.contains("hidden")
                == false)
        program.stop()
        let gone = failure { _ = try ask(.server(address)) }
        #expect(gone?.code == .serverUnreachable)
    }
}
