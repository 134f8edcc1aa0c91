import Basics
import Guests
import HTTP
import Testing

@testable import ProxmoxConnector

@Suite("Who we are at the API")
struct SessionTests {
    typealias Rule = ScriptedServer.Rule
    private let ticket = "PVE:a@pam:65537A00::c2ln+/="

    private func login(_ number: Int, _ times: Int? = 1) -> Rule {
        .answer(
            "POST /api2/json/access/ticket",
            [
                "ticket": .string(ticket + String(number)),
                "CSRFPreventionToken": .string("csrf\(number)"),
            ],
            times: times)
    }

    private func user(_ second: ProxmoxCredentials.SecondFactor? = nil) -> ProxmoxCredentials {
        .password(user: "a@pam", Secret("pass word&x"), second: second)
    }

    @Test("A token is a header, and nothing else is asked for")
    func token() throws {
        let server = try ScriptedServer([.answer("GET /api2/json/version", ["version": "8.4.1"])])
        #expect(try server.client().version() == ProxmoxVersion(8, 4, 1))
        #expect(server.lines == ["GET /version"])
        #expect(
            server.requests[0].headers["Authorization"]?.string
                == "PVEAPIToken=exeat@pve!export=0000-token-secret")
    }

    @Test("A ticket is a cookie as it was given, with the CSRF header on writes alone")
    func cookie() throws {
        let server = try ScriptedServer([
            login(1), .answer("GET /api2/json/a", 1), .answer("POST /api2/json/a", 2),
        ])
        let client = server.client(user())
        #expect(try client.get(["a"]) == 1)
        #expect(try client.post(["a"], ["x": "1 2"]) == 2)
        let asked = server.requests
        #expect(asked.map(\.line) == ["POST /access/ticket", "GET /a", "POST /a"])
        #expect(asked[0].body == "username=a%40pam&new-format=1&password=pass%20word%26x")
        #expect(asked[1].headers["Cookie"]?.string == "PVEAuthCookie=\(ticket)1")
        #expect(asked[1].headers["CSRFPreventionToken"] == nil)
        #expect(asked[2].headers["CSRFPreventionToken"]?.string == "csrf1")
        #expect(asked[2].body == "x=1%202")
    }

    @Test("A ticket is renewed before two hours, with itself as the password")
    func renewal() throws {
        let server = try ScriptedServer([login(1), login(2), .answer("GET /api2/json/a", 1)])
        let client = server.client(user())
        _ = try client.get(["a"])
        server.clock.advance(3600)
        _ = try client.get(["a"])
        server.clock.advance(3600)
        _ = try client.get(["a"])
        let logins = server.requests.filter { $0.line == "POST /access/ticket" }
        #expect(logins.count == 2)
        let renewed = PercentEncoding.encode(ticket + "1")
        #expect(logins.last?.body == "username=a%40pam&password=\(renewed)")
        #expect(server.requests.last?.headers["Cookie"]?.string == "PVEAuthCookie=\(ticket)2")
    }

    @Test("A ticket that is not taken any more is replaced once, and a write is not sent twice")
    func rejected() throws {
        let server = try ScriptedServer([
            login(1), login(2),
            .error("POST /api2/json/a", 401, "permission denied - invalid PVE ticket", times: 1),
            .answer("POST /api2/json/a", 3),
        ])
        #expect(try server.client(user()).post(["a"]) == 3)
        #expect(
            server.lines == ["POST /access/ticket", "POST /a", "POST /access/ticket", "POST /a"])

        let never = try ScriptedServer([
            login(1, nil),
            .error("GET /api2/json/a", 401, "permission denied - invalid PVE ticket"),
        ])
        let failure = caught { _ = try never.client(user()).get(["a"]) }
        #expect(failure?.code == .serverRights)
        #expect(never.lines.filter { $0 == "GET /a" }.count == 2)

        let token = try ScriptedServer([.error("GET /api2/json/a", 401, "no such token 'export'")])
        let refused = caught { _ = try token.client().get(["a"]) }
        #expect(refused?.code == .serverRights)
        #expect(token.lines == ["GET /a"])
        #expect(refused?.rendered.contains("0000-token-secret") == false)
    }

    @Test("A second factor answers the challenge with the code of the moment")
    func secondFactor() throws {
        let challenge: JSON = [
            "ticket": "PVE:!tfa!challenge", "CSRFPreventionToken": "c", "NeedTFA": 1,
        ]
        let rules: [Rule] = [
            .answer("POST /api2/json/access/ticket", challenge, times: 1), login(1),
            .answer("GET /api2/json/a", 1),
        ]
        let totp = try TOTP(Secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
        let server = try ScriptedServer(rules)
        _ = try server.client(user(.totp(totp))).get(["a"])
        let code = try totp.code(at: server.clock.now)
        #expect(
            server.requests[1].body
                == "username=a%40pam&tfa-challenge=PVE%3A%21tfa%21challenge&password=totp%3A\(code)"
        )

        let given = try ScriptedServer(rules)
        _ = try given.client(user(.code(Secret("123456")))).get(["a"])
        #expect(given.requests[1].body.hasSuffix("password=totp%3A123456"))

        let without = try ScriptedServer(rules)
        let failure = caught { _ = try without.client(user()).get(["a"]) }
        #expect(failure?.code == .serverRights)
        #expect(without.lines == ["POST /access/ticket"])
    }

    @Test("A code that was used already is followed by that of the next half minute, once")
    func usedCode() throws {
        let challenge: JSON = [
            "ticket": "PVE:!tfa!challenge", "CSRFPreventionToken": "c", "NeedTFA": 1,
        ]
        let path = "POST /api2/json/access/ticket"
        let refusal = Rule.error(path, 401, "authentication failure", times: 1)
        let totp = try TOTP(Secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
        for isTaken in [true, false] {
            let server = try ScriptedServer([
                .answer(path, challenge, times: 1), refusal, .answer(path, challenge, times: 1),
                isTaken ? login(1) : refusal, .answer("GET /api2/json/a", 1),
            ])
            let clock = server.clock
            let world = World(now: { clock.now }, random: { Array(repeating: 7, count: $0) })
            let http = HTTPClient(server.settings, progress: server.progress)
            let first = try totp.code(at: clock.now)
            let session = Session(http, user(.totp(totp)), world) { clock.advance($0) }
            let client = ProxmoxClient(
                server.settings, user(.totp(totp)), progress: server.progress, world: world,
                sharing: session)
            let failure = caught { _ = try client.get(["a"]) }
            #expect((failure == nil) == isTaken)
            let codes = server.requests.map(\.body).filter { $0.contains("tfa-challenge") }
            #expect(codes.count == 2)
            #expect(codes[0].hasSuffix("%3A\(first)"))
            #expect(codes[1].hasSuffix("%3A\(try totp.code(at: clock.now))"))
            #expect(codes[0] != codes[1])
        }
    }

    @Test("A wrong password is asked once, and shown nowhere")
    func wrongPassword() throws {
        let server = try ScriptedServer([
            .error("POST /api2/json/access/ticket", 401, "authentication failure pass word&x")
        ])
        let failure = caught { _ = try server.client(user()).get(["a"]) }
        #expect(failure?.code == .serverRights)
        #expect(failure?.rendered.contains("pass word") == false)
        #expect(server.lines.count == 1)
    }

    @Test("Segments of paths and parameters are encoded, so that none becomes another call")
    func encoding() throws {
        let server = try ScriptedServer([.answer("GET /api2/json/a", 1)])
        _ = try server.client().get(["a", "b/../c", "é?#%"], ["x&y": "1=2 +"])
        #expect(server.lines == ["GET /a/b%2F..%2Fc/%C3%A9%3F%23%25?x%26y=1%3D2%20%2B"])
    }

    @Test("Numbers that are no integers do not spoil an answer; what is no JSON does")
    func answers() throws {
        let server = try ScriptedServer([
            .full("GET /api2/json/a", "{\"data\":{\"cpu\":0.25,\"mem\":5},\"total\":7}"),
            .full("GET /api2/json/b", "<html>"), .full("GET /api2/json/c", "[1]"),
        ])
        let client = server.client()
        #expect(try client.get(["a"])["mem"] == 5)
        #expect(try client.get(["a"])["cpu"] == "0.25")
        #expect(try client.envelope(["a"])["total"] == 7)
        for path in ["b", "c"] {
            #expect(caught { _ = try client.get([path]) }?.code == .serverAnswer)
        }
    }
}
