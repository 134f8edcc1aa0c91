import Basics
import Glibc
import TestKit

/// A tree of all that backups are known to lose, in a directory of its own.
struct HostileTree {
    let directory: TemporaryDirectory
    var path: String { directory.path + "/tree" }

    /// - Parameter longPaths: also objects that no single call can reach by their path.
    init(longPaths: Bool) throws {
        directory = try TemporaryDirectory()
        try Files.makeDirectory(path)
        try makeNames()
        try makeFiles()
        try makeSpecials()
        if longPaths { try makeLongPaths() }
        // Last: what is made in a directory changes its time.
        try touch("dir 1960", "1960-02-03 04:05:06.25 UTC")
        try touch(".", "2040-06-01 12:00:00.123456789 UTC")
    }

    func remove() { _ = try? Shell.run(["rm", "-rf", directory.path]) }

    private func tool(_ arguments: String...) throws {
        let result = try Shell.run(arguments, in: path)
        guard result.status == 0 else {
            throw Failure(
                .failed, "\(arguments): \(String(decoding: result.errors, as: UTF8.self))")
        }
    }

    private func touch(_ name: String, _ date: String) throws {
        try tool("touch", "-h", "-d", date, "--", name)
    }

    private func file(_ name: String, _ text: String = "") throws {
        try write(Array(text.utf8), to: Array(name.utf8))
    }

    /// Writes by a name that need not be text, and may be as long as names go.
    private func write(_ content: [UInt8], to name: [UInt8]) throws {
        if let slash = name.lastIndex(of: 0x2f) {
            try Files.makeDirectory(path + "/" + String(decoding: name[..<slash], as: UTF8.self))
        }
        let text = (Array(path.utf8) + [0x2f] + name + [0]).map { CChar(bitPattern: $0) }
        let raw = open(text, O_CREAT | O_WRONLY, 0o640)
        guard raw >= 0 else { throw Failure(errno: errno, "cannot create \(name)") }
        try Descriptor(owning: raw).writeAll(content)
    }

    private func makeNames() throws {
        for name in [
            "plain", "-rf", "new\nline", " spaces at the end  ", "tab\tquote\"back\\slash",
            "é-utf8",
            String(repeating: "n", count: 255), "empty file/x", "a", "a-b", "a.d/x",
            "100/" + String(repeating: "x", count: 96),
            "101/" + String(repeating: "y", count: 97), "%20", "=", "star*",
        ] { try file(name, name) }
        for bytes: [UInt8] in [
            [0x62, 0xff, 0xfe], [0xc0, 0xaf], Array(repeating: 0xe9, count: 150),
        ] {
            try write(bytes, to: bytes)
        }
        try Files.makeDirectory(path + "/empty directory")
        try Files.makeDirectory(path + "/dir 1960")
        try file("dir 1960/inside", "x")
        try file("empty", "")
    }

    private func makeFiles() throws {
        try tool("truncate", "-s", "300M", "sparse")
        for offset in ["0", "150", "299"] {
            try tool(
                "dd", "if=/dev/urandom", "of=sparse", "bs=1M", "count=1", "seek=" + offset,
                "conv=notrunc", "status=none")
        }
        try tool("truncate", "-s", "2T", "all hole")
        try tool("truncate", "-s", "10001", "small-hole " + String(repeating: "s", count: 120))
        try file("ends-in-hole", "data")
        try tool("truncate", "-s", "1M", "ends-in-hole")
        try touch("plain", "1960-01-01 00:00:00.25 UTC")
        try touch("-rf", "1969-12-31 23:59:59.5 UTC")
        try touch("a", "1901-12-14 00:00:00 UTC")
        try touch("a-b", "2040-01-01 00:00:00.000000001 UTC")
        try touch("empty", "2400-01-01 00:00:00.1 UTC")
        try file("setuid", "#!")
        try tool("chmod", "6755", "setuid")
        try tool("chmod", "1777", "empty directory")
        try file("unreadable", "secret")
        try tool("chmod", "0", "unreadable")
        try tool("setfattr", "-n", "user.mime", "-v", "text/plain", "plain")
        try tool("setfattr", "-n", "user.binary", "-v", "0x000aff3d00", "plain")
        try tool("setfattr", "-n", "user.long", "-v", String(repeating: "v", count: 2000), "plain")
        try tool("setfattr", "-n", "user.dir", "-v", "on a directory", "empty directory")
        try file("attribute=", "x")
        try tool("setfattr", "-n", "user.a=b%c", "-v", "equal", "attribute=")
        try file("attribute-empty", "x")
        try tool("setfattr", "-n", "user.none", "attribute-empty")
        try tool("setfacl", "-m", "u:1000:r,u:70000:rwx,g:1001:rx,m::rx", "a.d/x")
        try tool("setfacl", "-m", "u:1000:rwx,d:u:1000:r,d:g:4000000:rwx", "a.d")
    }

    private func makeSpecials() throws {
        try tool("mkfifo", "pipe")
        try tool("ln", "-s", "nowhere/at all", "dangling")
        try tool("ln", "-s", String(repeating: "t/", count: 600), "long link")
        try tool("ln", "plain", "z hard link")
        try tool("ln", "sparse", "z hard link to sparse")
        try tool("ln", "new\nline", String(repeating: "h", count: 255))
        try tool("ln", "pipe", "z-pipe")
        try tool("ln", "dangling", "z-dangling")
        try touch("dangling", "1999-01-01 00:00:00.5 UTC")
        guard geteuid() == 0 else {
            return print("SKIPPED: devices, owners, trusted attributes: not root")
        }
        try tool("mknod", "character", "c", "1", "3")
        try tool("mknod", "block", "b", "259", "1048575")
        try tool("chown", "3000000:2999999", "a")
        try tool("chown", "-h", "1:2", "dangling")
        try file("capability", "#!")
        try tool("setcap", "cap_net_raw,cap_net_bind_service+ep", "capability")
        try tool("setfattr", "-h", "-n", "trusted.link", "-v", "on a link", "dangling")
        try tool("setfattr", "-n", "trusted.pipe", "-v", "on a pipe", "pipe")
    }

    private func makeLongPaths() throws {
        var here = open(path, O_RDONLY | O_DIRECTORY)
        defer { close(here) }
        let name = String(repeating: "p", count: 250)
        for _ in 0..<18 {
            guard mkdirat(here, name, 0o755) == 0 else { throw Failure(errno: errno, "mkdirat") }
            let next = openat(here, name, O_RDONLY | O_DIRECTORY)
            close(here)
            here = next
        }
        let file = Descriptor(owning: openat(here, "bottom", O_CREAT | O_WRONLY, 0o600))
        try file.writeAll(Array("deep".utf8))
        guard linkat(here, "bottom", here, "bottom link", 0) == 0 else {
            throw Failure(errno: errno, "linkat")
        }
    }
}
