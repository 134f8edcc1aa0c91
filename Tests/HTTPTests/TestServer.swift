import Basics
import Glibc
import HTTP
import Streams
import TestKit

/// An HTTPS server of Python with a certificate of its own.
final class TestServer {
    let directory: TemporaryDirectory
    let program: BackgroundProgram
    let port: Int
    let fingerprint: String
    let logPath: String
    let progress = Progress()

    static let script: String = {
        let tests = Files.parent(of: Files.parent(of: #filePath))
        return tests + "/Servers/https_server.py"
    }()

    /// - Parameter days: how long the certificate is valid; a negative number has it expired.
    init(name: String = "127.0.0.1", days: Int = 10) throws {
        directory = try TemporaryDirectory()
        let (certificate, key) = (directory.path + "/cert.pem", directory.path + "/key.pem")
        let made = try Shell.run([
            "python3", Self.script, "certificate", name, String(days), certificate, key,
        ])
        guard made.status == 0 else {
            throw Failure(.failed, String(decoding: made.errors, as: UTF8.self))
        }
        let printed = try Shell.run([
            "openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256",
        ]).text
        fingerprint = String(
            printed.drop { $0 != "=" }.dropFirst().filter { !$0.isWhitespace })
        logPath = try directory.file("log")
        program = try BackgroundProgram([
            "python3", Self.script, "server", certificate, key, logPath,
        ])
        port = Int(program.line()) ?? 0
    }

    /// What the server has been asked.
    var requests: [String] {
        ((try? Files.readText(logPath)) ?? "").split(separator: "\n").map(String.init)
    }

    func client(
        _ trust: ServerTrust? = nil, _ adjust: (inout HTTPSettings) -> Void = { _ in }
    ) throws -> HTTPClient {
        let pin = ServerTrust.pinned([try ServerTrust.fingerprint(fingerprint)])
        var settings = try HTTPSettings("https://127.0.0.1:\(port)", trust: trust ?? pin)
        settings.proxy = .none
        adjust(&settings)
        return HTTPClient(settings, progress: progress)
    }
}

/// Bytes that follow from their place, as many as are asked for.
struct Pattern: ByteSource, ~Copyable {
    let size: Int64
    var position: Int64 = 0
    var pause: UInt32 = 0

    init(_ size: Int64) { self.size = size }

    mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        let count = Int(min(Int64(chunk.capacity), size - position))
        if count <= 0 { return }
        let start = position
        try chunk.append { (free) throws(Failure) in
            for index in 0..<count {
                free[index] = UInt8(truncatingIfNeeded: (start + Int64(index)) &* 31 >> 3)
            }
            return count
        }
        position += Int64(count)
        if pause > 0 { usleep(pause) }
    }
}
