import Basics
import Glibc
import HTTP
import Streams
import TestKit

/// OpenSSH's sshd on a free port, with keys and a directory of its own.
final class TestSSHServer {
    let directory: TemporaryDirectory
    private(set) var program: BackgroundProgram
    let port: Int
    let user: String
    let progress = Progress()

    var root: String { directory.path + "/files" }
    var knownHosts: String { directory.path + "/known_hosts" }
    var userKey: String { directory.path + "/user_ed25519" }
    var log: String { (try? Files.readText(directory.path + "/log")) ?? "" }

    init() throws {
        directory = try TemporaryDirectory()
        let path = directory.path
        try Files.makeDirectory(path + "/files")
        // Where sshd of Debian separates its privileges; it goes with the system service.
        if geteuid() == 0 { try Files.makeDirectory("/run/sshd") }
        user = try Shell.run(["id", "-un"]).text.filter { !$0.isNewline }
        for name in ["host_ed25519", "user_ed25519", "user_rsa"] {
            let kind = name.hasSuffix("rsa") ? "rsa" : "ed25519"
            let made = try Shell.run([
                "ssh-keygen", "-q", "-t", kind, "-N", "", "-f", path + "/" + name,
            ])
            guard made.status == 0 else { throw Failure(.failed, "ssh-keygen failed") }
        }
        let authorized =
            try Files.read(path + "/user_ed25519.pub") + Files.read(path + "/user_rsa.pub")
        try Files.write(authorized, to: path + "/authorized", mode: 0o600)
        port = try Self.freePort()
        let lines = [
            "Port \(port)", "ListenAddress 127.0.0.1", "HostKey \(path)/host_ed25519",
            "PidFile none", "AuthorizedKeysFile \(path)/authorized", "StrictModes no",
            "PasswordAuthentication no", "KbdInteractiveAuthentication no", "UsePAM no",
            "PermitRootLogin yes", "LogLevel VERBOSE", "MaxStartups 100",
            "PerSourceMaxStartups none",
            "Subsystem sftp internal-sftp",
        ]
        try Files.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: path + "/config")
        program = try Self.start(path)
        let key = try Files.readText(path + "/host_ed25519.pub")
        try Files.write(Array("[127.0.0.1]:\(port) \(key)".utf8), to: path + "/known_hosts")
        try waitUntilItListens()
    }

    private static func start(_ path: String) throws -> BackgroundProgram {
        try BackgroundProgram([
            "/usr/sbin/sshd", "-D", "-f", path + "/config", "-E", path + "/log",
        ])
    }

    private static func freePort() throws -> Int {
        let text = try Shell.run([
            "python3", "-c",
            "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1])",
        ]).text
        return Int(text.filter { !$0.isNewline }) ?? 0
    }

    private func waitUntilItListens() throws {
        for _ in 0..<2400 {
            if log.contains("Server listening") { return }
            usleep(25_000)
        }
        throw Failure(.failed, "sshd does not listen: \(log)")
    }

    var hostFingerprint: String {
        get throws {
            let text = try Shell.run(["ssh-keygen", "-lf", directory.path + "/host_ed25519.pub"])
                .text
            return String(text.split(separator: " ")[1])
        }
    }

    func client(
        _ trust: HostTrust? = nil, _ credential: SSHCredential? = nil, port other: Int? = nil,
        _ adjust: (inout SFTPSettings) -> Void = { _ in }
    ) throws -> SFTPClient {
        var settings = try SFTPSettings(
            host: "127.0.0.1", user: user, trust: trust ?? .knownHosts(file: knownHosts),
            credential: credential ?? .key(file: userKey))
        settings.port = other ?? port
        settings.proxy = .none
        settings.pause = { _ in usleep(20_000) }
        adjust(&settings)
        return SFTPClient(settings, progress: progress)
    }

    /// A file with the bytes of `Pattern`.
    func make(_ name: String, _ size: Int64) throws -> String {
        var source = Pattern(size)
        let path = root + "/" + name
        try Files.write(try source.readAll(limit: 1 << 28), to: path)
        return path
    }
}
