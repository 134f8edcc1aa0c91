import Basics
import Glibc
import HTTP
import Primitives
import Streams
import TestKit
import Testing

@Suite("Uploads of forms with a file")
struct UploadTests {
    /// Lives as long as the test that uses it.
    private let server: TestServer

    init() throws { server = try TestServer() }

    private func failure(_ body: () throws -> Void) -> Failure? {
        do { try body() } catch let failure as Failure { return failure } catch {}
        return nil
    }

    private func form() throws -> MultipartForm {
        try MultipartForm(
            fields: [("content", "import"), ("checksum-algorithm", "sha256")],
            fileField: "filename", fileName: "a.raw", boundary: "b0undary")
    }

    private func send(
        _ client: HTTPClient, _ target: String, _ given: Int64, said: Int64,
        sent: @escaping (Int64) -> Void = { _ in }
    ) throws -> HTTPResponse {
        try form().post(
            to: target, headers: [], of: client, file: Pattern(given), size: said, sent: sent)
    }

    @Test(
        "A form arrives in its order and with its exact length",
        arguments: [0, 1, 65_535, 65_536, 1 << 20, (1 << 20) + 1, 5_000_001] as [Int64])
    func arrives(_ size: Int64) throws {
        let client = try server.client()
        final class Seen: @unchecked Sendable { var last: Int64 = 0 }
        let seen = Seen()
        let response = try send(client, "/upload", size, said: size) { seen.last = $0 }
        let answer = try JSON(parsing: response.body)
        #expect(answer["length"]?.integer == (try form().length(ofFile: size)))
        #expect(answer["headers"]?["Transfer-Encoding"] == nil)
        #expect(seen.last == size)
        let head =
            "--b0undary\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\nimport\r\n"
            + "--b0undary\r\nContent-Disposition: form-data; name=\"checksum-algorithm\"\r\n\r\nsha256\r\n"
            + "--b0undary\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"a.raw\"\r\n"
            + "Content-Type: application/octet-stream\r\n\r\n"
        let tail = "\r\n--b0undary--\r\n"
        #expect(answer["start"]?.string?.hasPrefix(head) == true)
        #expect(answer["end"]?.string?.hasSuffix(tail) == true)
        var hasher = SHA256()
        hasher.update(Array(head.utf8))
        var source = Pattern(size)
        hasher.update(try source.readAll(limit: 1 << 24))
        hasher.update(Array(tail.utf8))
        #expect(answer["digest"]?.string == hasher.finish().hex)
    }

    @Test("A file of more than 2 GiB goes out whole")
    func large() throws {
        let size: Int64 = (2 << 30) + 12_345
        let path = server.directory.path + "/sparse"
        let file = try Descriptor(opening: path, O_RDWR | O_CREAT)
        try file.truncate(to: size)
        let response = try form().post(
            to: "/upload", headers: [], of: try server.client(),
            file: try FileSource(opening: path),
            size: size)
        let answer = try JSON(parsing: response.body)
        #expect(answer["length"]?.integer == (try form().length(ofFile: size)))
        #expect(answer["end"]?.string?.hasSuffix("\r\n--b0undary--\r\n") == true)
    }

    @Test("A source that is shorter or longer than it said is no upload")
    func wrongLength() throws {
        let client = try server.client()
        for (given, said, code) in [
            (10, 20, Failure.Code.truncated), (20, 10, .plaintextTooLong),
            (3_000_000, 2_000_000, .plaintextTooLong), (2_000_000, 3_000_000, .truncated),
            (2_097_152, 1_048_576, .plaintextTooLong),
        ] as [(Int64, Int64, Failure.Code)] {
            let caught = failure { _ = try send(client, "/upload", given, said: said) }
            #expect(caught?.code == code, "\(given) for \(said)")
            #expect(caught?.mayRetry == false)
        }
    }

    @Test("A connection that is cut in mid-transfer is reported, and not tried again")
    func cut() throws {
        let client = try server.client()
        let caught = failure { _ = try send(client, "/cut", 50_000_000, said: 50_000_000) }
        #expect(caught?.code == .serverUnreachable)
        #expect(caught?.mayRetry == false)
    }

    @Test("An interruption ends an upload")
    func cancelled() throws {
        let client = try server.client()
        let progress = server.progress
        let caught = failure {
            _ = try send(client, "/slow", 50_000_000, said: 50_000_000) {
                if $0 > 2_000_000 { progress.cancel() }
            }
        }
        #expect(caught?.code == .cancelled)
    }

    @Test("Names that would break a form are refused")
    func badNames() {
        for name in ["a\"b", "a\r\nb", "a\nb"] {
            #expect(throws: Failure.self) {
                _ = try MultipartForm(
                    fields: [], fileField: "filename", fileName: name, boundary: "b")
            }
        }
    }
}
