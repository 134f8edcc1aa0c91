import Basics
import HTTP
import TestKit
import Testing

@Suite("Trust in HTTPS servers")
struct TrustTests {
    private let secret = HTTPHeader("Authorization", secret: Secret("PVEAPIToken=tell-nobody"))

    private func failure(_ body: () throws -> Void) -> Failure? {
        do { try body() } catch let failure as Failure { return failure } catch {}
        return nil
    }

    @Test("The right fingerprint is enough, with colons or without, in either case")
    func rightPin() throws {
        let server = try TestServer()
        for text in [
            server.fingerprint, server.fingerprint.lowercased(),
            server.fingerprint.filter { $0 != ":" },
        ] {
            let pin = try ServerTrust.fingerprint(text)
            let response = try server.client(.pinned([pin])).send(HTTPRequest(.get, "/hello"))
            #expect(response.status == 200)
            #expect(response.body == Array("hello".utf8))
        }
    }

    @Test("With a wrong fingerprint the server sees no request, and the message shows what it has")
    func wrongPin() throws {
        let server = try TestServer()
        let pin = try ServerTrust.fingerprint(String(repeating: "ab", count: 32))
        let client = try server.client(.pinned([pin]))
        for method in [HTTPRequest.Method.get, .post] {
            let caught = failure {
                _ = try client.send(
                    HTTPRequest(method, "/hello", headers: [secret], body: nil))
            }
            #expect(caught?.code == .serverUntrusted)
            #expect(caught?.mayRetry == false)
            #expect(caught?.rendered.contains(server.fingerprint) == true)
            #expect(caught?.rendered.contains("tell-nobody") == false)
        }
        #expect(server.requests.isEmpty)
    }

    @Test(
        "An expired certificate that is pinned is the one that is meant; by authority it is refused"
    )
    func expired() throws {
        let server = try TestServer(days: -1)
        let response = try server.client().send(HTTPRequest(.get, "/hello"))
        #expect(response.status == 200)
        let client = try server.client(.authority(file: server.directory.path + "/cert.pem"))
        let caught = failure { _ = try client.send(HTTPRequest(.get, "/hello")) }
        #expect(caught?.code == .serverUntrusted)
        #expect(server.requests.count == 1)
    }

    @Test("An authority is taken from its file, and the name must be right")
    func authority() throws {
        let server = try TestServer()
        let file = server.directory.path + "/cert.pem"
        let good = try server.client(.authority(file: file)).send(HTTPRequest(.get, "/hello"))
        #expect(good.status == 200)

        let other = try TestServer(name: "elsewhere.example")
        let client = try other.client(.authority(file: other.directory.path + "/cert.pem"))
        let caught = failure { _ = try client.send(HTTPRequest(.get, "/hello")) }
        #expect(caught?.code == .serverUntrusted)

        let missing = try server.client(.authority(file: "/nonexistent/ca.pem"))
        #expect(
            failure { _ = try missing.send(HTTPRequest(.get, "/hello")) }?.code == .notFound)
        #expect(other.requests.isEmpty)
    }

    @Test("The system's authorities do not know a certificate that signs itself")
    func system() throws {
        let server = try TestServer()
        let client = try server.client(.system)
        let caught = failure { _ = try client.send(HTTPRequest(.get, "/hello")) }
        #expect(caught?.code == .serverUntrusted)
        #expect(server.requests.isEmpty)
    }

    @Test(
        "What is no fingerprint is refused",
        arguments: [
            "", "AB", "AB:CD", String(repeating: "zz", count: 32),
            String(repeating: "ab", count: 31), String(repeating: "ab", count: 33),
            String(repeating: "a:ba", count: 16), String(repeating: "ab:", count: 32),
        ])
    func notAFingerprint(_ text: String) {
        #expect(throws: Failure.self) { _ = try ServerTrust.fingerprint(text) }
    }

    @Test(
        "Addresses that hide something are refused, and not quoted",
        arguments: [
            "http://a", "https://", "https://user:pw@a", "https://a?x", "https://a#x", "https:///a",
            "https://a b", "ftp://a", "https://:8006",
        ])
    func badBase(_ text: String) {
        let caught = failure { _ = try HTTPSettings(text, trust: .system) }
        #expect(caught?.code == .invalidValue)
        #expect(caught?.rendered.contains("pw") == false)
    }

    @Test("Only who says so speaks without TLS")
    func plain() throws {
        #expect(throws: Failure(.invalidValue, "")) {
            try HTTPSettings("http://a.example", trust: .system)
        }
        let settings = try HTTPSettings(
            "http://a.example:80/x", trust: .system, allowsPlain: true)
        #expect(settings.server == "a.example:80")
        // An address of TLS stays one.
        #expect(try !HTTPSettings("https://a", trust: .system, allowsPlain: true).allowsPlain)
        #expect(throws: Failure(.invalidValue, "")) {
            try HTTPSettings("http://u:p@a.example", trust: .system, allowsPlain: true)
        }
    }
}
