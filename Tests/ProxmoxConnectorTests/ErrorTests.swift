import Basics
import HTTP
import Testing

@testable import ProxmoxConnector

@Suite("Errors of the API")
struct ErrorTests {
    private func failure(
        _ status: Int, _ reason: String, _ body: String = "{\"data\":null}",
        _ method: HTTPRequest.Method = .get,
        _ credentials: ProxmoxCredentials = ScriptedServer.token
    ) -> Failure {
        APIFailure(
            response: HTTPResponse(status: status, reason: reason, body: Array(body.utf8)),
            method: method, path: "/x", credentials: credentials,
            redact: Redaction([Secret("hidden-secret")])
        ).failure
    }

    @Test("Version 7 says it behind the status, version 8 in the body as well")
    func bothPlaces() {
        let text = "Configuration file 'nodes/a/qemu-server/100.conf' does not exist"
        let seven = failure(500, text)
        let eight = failure(500, "x", "{\"data\":null,\"message\":\"\(text)\\n\"}")
        let nothing = failure(500, text, "")
        let garbage = failure(500, text, "<html>")
        for one in [seven, eight, nothing, garbage] {
            #expect(one.code == .notFound)
            #expect(one.rendered.contains(text))
            #expect(!one.mayRetry)
        }
    }

    @Test("Each parameter is named with what is wrong with it")
    func parameters() {
        let body = """
            {"data":null,"message":"Parameter verification failed.\\n",\
            "errors":{"vmid":"type check failed","storage":"storage 'x' does not exist\\n"}}
            """
        let one = failure(400, "Parameter verification failed.", body, .post)
        #expect(one.code == .serverRefused)
        #expect(one.rendered.contains("vmid: type check failed"))
        #expect(one.rendered.contains("storage: storage 'x' does not exist"))
    }

    @Test("A missing right is named, with whom to grant it to")
    func rights() {
        let one = failure(403, "Permission check failed (/vms/100, VM.Backup|VM.Audit)")
        #expect(one.code == .serverRights)
        #expect(one.hint?.contains("VM.Backup or VM.Audit on /vms/100") == true)
        #expect(one.hint?.contains("exeat@pve!export") == true)
        #expect(one.hint?.contains("privilege separation") == true)
        let user = failure(
            403, "Permission check failed (/, Sys.Modify)", "", .post,
            .password(user: "a@pam", Secret("x")))
        #expect(user.hint == "Grant Sys.Modify on / to \"a@pam\".")
        for text in [
            "Only root may set this option.", "Only root can pass arbitrary filesystem paths",
            "only root can set 'args' config",
        ] {
            #expect(failure(403, text).hint?.contains("no token can") == true)
        }
        for odd in ["Permission check failed", "x (", ") (", "(/a)", "(a, b)", "(/a, <script>)"] {
            #expect(failure(403, odd).code == .serverRights)
            #expect(failure(403, odd).hint?.contains("script") == false)
        }
    }

    @Test("What may be asked again is a question, never a command")
    func retries() {
        for status in [595, 596, 502, 503, 504] {
            #expect(failure(status, "x").code == .serverUnreachable)
            #expect(failure(status, "x").mayRetry)
            #expect(!failure(status, "x", "", .post).mayRetry)
            #expect(!failure(status, "x", "", .put).mayRetry)
            #expect(!failure(status, "x", "", .delete).mayRetry)
        }
        for status in [301, 400, 401, 403, 404, 418, 500, 501] {
            #expect(!failure(status, "x").mayRetry)
        }
        #expect(failure(501, "Method 'GET /x' not implemented").code == .unsupported)
        #expect(failure(500, "VM is locked (backup)", "", .post).code == .locked)
        #expect(failure(401, "invalid token value!").hint?.contains("pveum user token") == true)
    }

    @Test("Secrets that a server repeats are taken out, and texts are bounded")
    func secrets() {
        let body = """
            {"message":"bad hidden-secret","errors":{"password":"'hidden-secret' is weak"}}
            """
        let one = failure(400, "bad hidden-secret", body, .post)
        #expect(!one.rendered.contains("hidden-secret"))
        #expect(one.rendered.contains("bad •••"))
        let long = failure(500, String(repeating: "a", count: 100_000))
        #expect(long.rendered.utf8.count < 2000)
        #expect(
            !failure(500, "a\u{0b}b", "{\"message\":\"a\\nb\\nc d e f g\"}").what.contains("\n"))
    }
}
