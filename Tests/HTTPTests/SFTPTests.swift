import Basics
import Glibc
import HTTP
import Primitives
import Streams
import TestKit
import Testing

@Suite("Files by SFTP", .serialized)
struct SFTPTests {
    private func failure(_ body: () throws -> Void) -> Failure? {
        do { try body() } catch let failure as Failure { return failure } catch {}
        return nil
    }

    private func digest(_ size: Int64) throws -> Digest256 {
        var source = Pattern(size)
        return SHA256.hash(try source.readAll(limit: 1 << 28))
    }

    @Test("A directory is listed with kinds and sizes, whatever the names are")
    func listing() throws {
        let server = try TestSSHServer()
        let names = ["a", "with space", " leading", "trailing ", "é", "quote\"s", "100%", "#x?y"]
        for name in names { try Files.write([1, 2, 3], to: server.root + "/" + name) }
        try Files.makeDirectory(server.root + "/folder")
        symlink("a", server.root + "/link")
        let entries = try server.client().list(server.root)
        #expect(
            entries.filter { $0.kind == .file }.map(\.name)
                == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        #expect(entries.allSatisfy { $0.kind != .file || $0.size == 3 })
        #expect(entries.first { $0.name == "folder" }?.kind == .directory)
        #expect(entries.first { $0.name == "link" }?.kind == .link)
        #expect(entries.count == names.count + 2)
        let missing = failure { _ = try server.client().list(server.root + "/none") }
        #expect(missing?.code == .notFound, "\(missing?.rendered ?? "no failure")")
    }

    @Test("Size and time are the file's; a file that is not there is not found")
    func status() throws {
        let server = try TestSSHServer()
        let client = try server.client()
        for size in [0, 1, 3_000_000] as [Int64] {
            let path = try server.make("f\(size)", size)
            var time = timeval(tv_sec: 1_700_000_000 + Int(size), tv_usec: 0)
            var times = [time, time]
            utimes(path, &times)
            time.tv_sec = 0
            let status = try client.status(of: path)
            #expect(status == SFTPStatus(size: size, modified: 1_700_000_000 + size))
        }
        #expect(failure { _ = try client.status(of: server.root + "/none") }?.code == .notFound)
        #expect(try client.exists(server.root + "/f1"))
        #expect(try !client.exists(server.root + "/f2"))
    }

    @Test("A file is read whole, from an offset, and in parts")
    func reading() throws {
        let server = try TestSSHServer()
        let client = try server.client()
        for size in [0, 1, 65_536, 5_000_001] as [Int64] {
            let path = try server.make("file \(size)", size)
            var source = try client.open(path)
            #expect(SHA256.hash(try source.readAll(limit: 1 << 28)) == (try digest(size)))
        }
        let path = server.root + "/file 5000001"
        let all = try Files.read(path)
        for (from, size) in [
            (0, 1), (1, 65_535), (4_999_999, 2), (1_000_000, 3_000_000), (5_000_001, 0), (7, 0),
        ] as [(Int64, Int64)] {
            var source = try client.open(path, from: from, size: size)
            let bytes = try source.readAll(limit: 1 << 28)
            #expect(bytes == Array(all[Int(from)..<Int(from + size)]), "\(from) \(size)")
        }
        for from in [1, 5_000_000, 5_000_001] as [Int64] {
            var source = try client.open(path, from: from)
            #expect(try source.readAll(limit: 1 << 28) == Array(all[Int(from)...]), "\(from)")
        }
        let beyond = failure {
            var source = try client.open(path, from: 5_000_000, size: 2)
            _ = try source.readAll(limit: 1 << 28)
        }
        #expect(beyond?.code == .truncated)
        let far = failure {
            var source = try client.open(path, from: 6_000_000)
            _ = try source.readAll(limit: 1 << 28)
        }
        #expect(far != nil)
    }

    private func cutter(_ server: TestSSHServer, bytes: Int, times: Int) throws -> (
        program: BackgroundProgram, port: Int, log: String
    ) {
        let log = try server.directory.file("cutter-log")
        let program = try BackgroundProgram([
            "python3", TestServer.script, "cutter", String(server.port), String(bytes),
            String(times), log,
        ])
        return (program, Int(program.line()) ?? 0, log)
    }

    /// The cutter has a port of its own, under which the host key is not known.
    private func pin(_ server: TestSSHServer) throws -> HostTrust {
        .pinned([try HostTrust.fingerprint(try server.hostFingerprint)])
    }

    @Test("A file whose connection is cut again and again arrives whole")
    func resume() throws {
        let server = try TestSSHServer()
        let size: Int64 = 9_000_001
        let path = try server.make("disk", size)
        let cutter = try cutter(server, bytes: 2_500_000, times: 3)
        let client = try server.client(try pin(server), port: cutter.port)
        var source = try client.open(path)
        #expect(SHA256.hash(try source.readAll(limit: 1 << 28)) == (try digest(size)))
        #expect(
            try Files.readText(cutter.log).split(separator: "\n").filter { $0 == "cut" }.count == 3)
        withExtendedLifetime(cutter.program) {}

        let again = try self.cutter(server, bytes: 2_500_000, times: 2)
        let parts = try server.client(try pin(server), port: again.port)
        var part = try parts.open(path, from: 1000, size: 8_000_000)
        let bytes = try part.readAll(limit: 1 << 28)
        #expect(bytes == Array(try Files.read(path)[1000..<8_001_000]))
        withExtendedLifetime(again.program) {}
    }

    @Test("Retries have an end, and the failure may be tried again")
    func retriesEnd() throws {
        let server = try TestSSHServer()
        let path = try server.make("disk", 9_000_000)
        let cutter = try cutter(server, bytes: 6_000, times: 1000)
        let client = try server.client(try pin(server), port: cutter.port) { $0.retries = 3 }
        let caught = failure {
            var source = try client.open(path)
            _ = try source.readAll(limit: 1 << 28)
        }
        #expect(caught != nil)
        let connections = try Files.readText(cutter.log).split(separator: "\n")
            .filter { $0 == "connection" }.count
        #expect(connections <= 4, "\(caught?.rendered ?? "-")")
        withExtendedLifetime(cutter.program) {}
    }

    @Test("A file that changed while the connection was gone is not glued together")
    func changed() throws {
        for change in ["longer", "shorter", "touched"] {
            let server = try TestSSHServer()
            let path = try server.make("disk", 9_000_000)
            let cutter = try cutter(server, bytes: 2_500_000, times: 1)
            let client = try server.client(try pin(server), port: cutter.port) {
                $0.pause = { _ in
                    let file = open(path, O_WRONLY)
                    switch change {
                    case "longer": ftruncate(file, 9_500_000)
                    case "shorter": ftruncate(file, 8_000_000)
                    default:
                        var times = [
                            timeval(tv_sec: 5, tv_usec: 0), timeval(tv_sec: 5, tv_usec: 0),
                        ]
                        futimes(file, &times)
                    }
                    close(file)
                }
            }
            let caught = failure {
                var source = try client.open(path)
                _ = try source.readAll(limit: 1 << 28)
            }
            #expect(caught?.code == .sourceChanged, "\(change): \(caught?.rendered ?? "-")")
            withExtendedLifetime(cutter.program) {}
        }
        let server = try TestSSHServer()
        let path = try server.make("disk", 1000)
        let caught = failure {
            var source = try server.client().open(
                path, expected: SFTPStatus(size: 999, modified: nil))
            _ = try source.readAll(limit: 1 << 28)
        }
        #expect(caught?.code == .sourceChanged)
    }

    @Test("An interruption ends a read")
    func cancelled() throws {
        let server = try TestSSHServer()
        let path = try server.make("disk", 20_000_000)
        let client = try server.client()
        var source = try client.open(path)
        var chunk = Chunk()
        try source.read(into: &chunk)
        server.progress.cancel()
        var code: Failure.Code?
        do throws(Failure) { while true { try source.read(into: &chunk) } } catch {
            code = error.code
        }
        #expect(code == .cancelled)
    }

    @Test("An unknown, a changed and a revoked host key are refused before anybody logs in")
    func hostKeys() throws {
        let server = try TestSSHServer()
        let path = try server.make("f", 10)
        let other = try Files.readText(server.directory.path + "/user_ed25519.pub")
        let right = try Files.readText(server.knownHosts)
        let key = right.split(separator: " ")[2]
        for (text, word) in [
            ("", "not a known one"), ("[127.0.0.1]:\(server.port) \(other)", "has changed"),
            (right + "@revoked * ssh-ed25519 \(key)\n", "is revoked"),
        ] {
            let file = try server.directory.file("kh", Array(text.utf8))
            let client = try server.client(.knownHosts(file: file))
            let caught = failure { _ = try client.status(of: path) }
            #expect(caught?.code == .serverUntrusted)
            #expect(caught?.rendered.contains(word) == true, "\(caught?.rendered ?? "-")")
            #expect(caught?.rendered.contains(try server.hostFingerprint) == true)
            #expect(try Files.readText(file) == text)
        }
        let missing = failure {
            _ = try server.client(.knownHosts(file: "/nonexistent/kh")).status(of: path)
        }
        #expect(missing?.code == .notFound)
        #expect(!server.log.contains("Accepted publickey"))
    }

    @Test("A host key is pinned by its fingerprint")
    func pinned() throws {
        let server = try TestSSHServer()
        let path = try server.make("f", 10)
        #expect(try server.client(try pin(server)).status(of: path).size == 10)
        let wrong = HostTrust.pinned([SHA256.hash([1])])
        let caught = failure { _ = try server.client(wrong).status(of: path) }
        #expect(caught?.code == .serverUntrusted)
        #expect(caught?.rendered.contains(try server.hostFingerprint) == true)
        for text in [
            "", "SHA256:", "MD5:aa", "SHA256:AAAA", "sha256:" + String(repeating: "A", count: 43),
        ] {
            #expect(throws: Failure.self) { _ = try HostTrust.fingerprint(text) }
        }
    }

    @Test("A key that is not taken says why: RSA is too old a signature here")
    func credentials() throws {
        let server = try TestSSHServer()
        let path = try server.make("f", 10)
        let rsa = failure {
            _ = try server.client(nil, .key(file: server.directory.path + "/user_rsa"))
                .status(of: path)
        }
        if let rsa {
            #expect(rsa.code == .serverRights)
            #expect(rsa.rendered.contains("Ed25519"))
        }
        let stranger = server.directory.path + "/host_ed25519"
        let caught = failure { _ = try server.client(nil, .key(file: stranger)).status(of: path) }
        #expect(caught?.code == .serverRights)
        #expect(caught?.rendered.contains("authorized_keys") == true)
        let none = failure { _ = try server.client(nil, .key(file: "/none")).status(of: path) }
        #expect(none?.code == .notFound)
    }

    @Test("Files are written under their names when whole, and never over others")
    func uploading() throws {
        let server = try TestSSHServer()
        let client = try server.client()
        for size in [0, 1, 3_000_001] as [Int64] {
            let path = server.root + "/up \(size)\"x"
            try client.upload(Pattern(size), size: size, to: path)
            #expect(SHA256.hash(try Files.read(path)) == (try digest(size)))
            #expect(!Files.exists(path + ".partial"))
        }
        let path = try server.make("there", 5)
        let caught = failure { try client.upload(Pattern(9), size: 9, to: path) }
        #expect(caught?.code == .exists)
        #expect(try Files.read(path).count == 5)
        for (given, said) in [(10, 20), (20, 10), (3_000_000, 2_000_000)] as [(Int64, Int64)] {
            let path = server.root + "/wrong"
            #expect(failure { try client.upload(Pattern(given), size: said, to: path) } != nil)
            #expect(!Files.exists(path))
            #expect(!Files.exists(path + ".partial"))
        }
        let nowhere = failure {
            try client.upload(Pattern(9), size: 9, to: server.root + "/none/x")
        }
        #expect(nowhere != nil)
    }

    @Test("What the account may not do is denied, with advice")
    func denied() throws {
        let server = try TestSSHServer()
        // Nobody may write a file into a directory of the kernel, not even root.
        let caught = failure {
            try server.client().upload(Pattern(3), size: 3, to: "/proc/exeat-test")
        }
        #expect(caught != nil)
        guard geteuid() != 0 else { return }
        let path = try server.make("closed", 3)
        chmod(path, 0)
        let closed = failure { _ = try server.client().status(of: path) }
        #expect(closed?.code == .denied)
        #expect(closed?.hint?.contains("mode") == true)
    }

    @Test("Files are removed; one that is not there is not found")
    func removing() throws {
        let server = try TestSSHServer()
        let client = try server.client()
        let path = try server.make("a \"b", 5)
        try client.remove(path)
        #expect(!Files.exists(path))
        let caught = failure { try client.remove(path) }
        #expect(caught?.code == .notFound, "\(caught?.rendered ?? "-")")
        #expect(failure { try client.remove("relative") }?.code == .invalidValue)
        #expect(failure { try client.remove("/a\nrm /b") }?.code == .invalidValue)
    }
}
