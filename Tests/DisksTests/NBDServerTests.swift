import Basics
import Disks
import Glibc
import Streams
import TestKit
import Testing

/// Servers that break the protocol: each is a failure, none a crash or wrong bytes.
@Suite struct NBDServerTests {
    /// Serves one connection as the first argument says, then ends. Each request is answered wrongly.
    private static let server = """
        import os, socket, struct, sys
        path, mode = sys.argv[1:]
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path + ".new")
        listener.listen(1)
        os.rename(path + ".new", path)
        peer, _ = listener.accept()
        def receive(count):
            data = b""
            while len(data) < count:
                more = peer.recv(count - len(data))
                if not more: sys.exit()
                data += more
            return data
        def say(form, *values): peer.sendall(struct.pack(">" + form, *values))
        if mode == "garbage": peer.sendall(b"SSH-2.0-OpenSSH" * 10); receive(1 << 20)
        peer.sendall(b"NBDMAGICIHAVEOPT")
        say("H", 0 if mode == "old" else 3)
        receive(4)
        while True:
            _, option, length = struct.unpack(">QII", receive(16))
            data = receive(length)
            def answer(kind, body=b""):
                say("QIII", 0x3e889045565a9, option, kind, len(body)); peer.sendall(body)
            if option == 10: answer(4, struct.pack(">I", 1) + b"base:allocation")
            if option == 7:
                if mode == "refused": answer(1 << 31 | 6, b"no such export"); continue
                if mode == "huge-answer": say("QIII", 0x3e889045565a9, option, 3, 1 << 30); receive(1 << 20)
                answer(3, struct.pack(">HQH", 0, 1 << 63 if mode == "huge" else 1 << 20, 1 | 4 | 64))
            answer(1)
            if option == 7: break
        while True:
            magic, flags, kind, cookie, offset, length = struct.unpack(">IHHQQI", receive(28))
            if kind == 1: receive(length)
            def chunk(kind, body, done=1, which=None):
                say("IHHQI", 0x668e33ef, done, kind, cookie if which is None else which, len(body))
                peer.sendall(body)
            def data(at, body, done=1): chunk(1, struct.pack(">Q", at) + body, done)
            if mode == "cut": say("IH", 0x668e33ef, 1); sys.exit()
            elif mode == "wrong-cookie": chunk(0, b"", 1, cookie + 1)
            elif mode == "wrong-magic": say("I", 0x12345678)
            elif mode == "unknown": chunk(77, b"")
            elif mode == "simple-error": say("IIQ", 0x67446698, 28, cookie)
            elif mode == "error": chunk(0x8001, struct.pack(">IH", 5, 4) + b"sick")
            elif mode == "late-error" and kind == 0:
                data(offset, b"x" * length, 0)
                chunk(0x8002, struct.pack(">IHQ", 5, 0, offset))
            elif mode == "bad-error": chunk(0x8001, b"x")
            elif kind == 7:
                if mode == "status-nothing": chunk(5, struct.pack(">III", 1, 0, 0))
                elif mode == "status-context": chunk(5, struct.pack(">III", 9, length, 0))
                elif mode == "status-odd": chunk(5, struct.pack(">IIH", 1, length, 0))
                elif mode == "status-none": chunk(0, b"")
                else: chunk(5, struct.pack(">III", 1, 0xffffffff, 3))
            elif kind == 0:
                if mode == "beyond": data(offset, b"x" * (length + 1))
                elif mode == "before": data(offset - 1, b"x" * length)
                elif mode == "far": data(1 << 63, b"x")
                elif mode == "short": data(offset, b"x" * (length - 1))
                elif mode == "none": chunk(0, b"")
                elif mode == "hole-odd": chunk(2, struct.pack(">Q", offset))
                elif mode == "hole-beyond": chunk(2, struct.pack(">QI", offset, length + 1))
                elif mode == "status-for-read": chunk(5, struct.pack(">III", 1, length, 0))
                else:
                    half = length // 2
                    data(offset + half, b"b" * (length - half), 0)
                    chunk(2, struct.pack(">QI", offset, half))
            else: say("IIQ", 0x67446698, 0, cookie)
        """

    private func serve(
        _ mode: String, _ body: (String) throws -> Void
    ) throws {
        let scratch = try TemporaryDirectory()
        let socket = scratch.path + "/socket"
        var running = try Command("python3", ["-c", Self.server, socket, mode]).start()
        defer { running.terminate() }
        for _ in 0..<1000 where !Files.exists(socket) {
            if let outcome = try running.poll() { throw Failure(.failed, outcome.errors) }
            usleep(10_000)
        }
        try body(socket)
    }

    @Test(arguments: ["garbage", "old", "refused", "huge", "huge-answer"])
    func aServerThatDoesNotGreetIsRefused(_ mode: String) throws {
        try serve(mode) { socket in
            #expect(throws: Failure(.diskProtocol, "")) { _ = try NBDConnection(socket: socket) }
        }
    }

    @Test(
        arguments: [
            "cut", "wrong-cookie", "wrong-magic", "unknown", "bad-error", "beyond", "before", "far",
            "short", "none", "hole-odd", "hole-beyond", "status-for-read",
        ])
    func aWrongAnswerToAReadIsRefused(_ mode: String) throws {
        try serve(mode) { socket in
            var connection = try NBDConnection(socket: socket)
            var chunk = Chunk()
            #expect(throws: Failure(.diskProtocol, "")) {
                try connection.read(8192, at: 4096, into: &chunk)
            }
        }
    }

    @Test(arguments: ["status-nothing", "status-context", "status-odd", "status-none", "cut"])
    func aWrongAnswerAboutHolesIsRefused(_ mode: String) throws {
        try serve(mode) { socket in
            var connection = try NBDConnection(socket: socket)
            #expect(throws: Failure(.diskProtocol, "")) {
                _ = try connection.extent(at: 0, before: 1 << 20)
            }
        }
    }

    @Test(arguments: [
        ("simple-error", Failure.Code.noSpace), ("error", .inputOutput),
        ("late-error", .inputOutput),
    ])
    func whatTheServerSaysWentWrongIsSaid(_ mode: String, _ code: Failure.Code) throws {
        try serve(mode) { socket in
            var connection = try NBDConnection(socket: socket)
            var chunk = Chunk()
            #expect(throws: Failure(code, "")) { try connection.read(8192, at: 4096, into: &chunk) }
            guard mode != "late-error" else { return }
            let bytes = [UInt8](repeating: 1, count: 4096)
            #expect(throws: Failure(code, "")) { try connection.write(bytes.span.bytes, at: 0) }
            #expect(throws: Failure(code, "")) { try connection.flush() }
        }
    }

    @Test func partsInAnyOrderAndLongExtentsAreTaken() throws {
        try serve("good") { socket in
            var connection = try NBDConnection(socket: socket)
            var chunk = Chunk()
            try connection.read(8192, at: 4096, into: &chunk)
            try chunk.withBytes { bytes in
                #expect(bytes[..<4096].allSatisfy { $0 == 0 })
                #expect(bytes[4096...].allSatisfy { $0 == 0x62 })
            }
            #expect(
                try connection.extent(at: 512, before: 1 << 20)
                    == DiskExtent(offset: 512, length: 1 << 20 - 512, isHole: true))
        }
    }
}
