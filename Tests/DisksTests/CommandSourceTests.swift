import Basics
import Disks
import Glibc
import Streams
import TestKit
import Testing

@Suite struct CommandSourceTests {
    @Test func allThatAProgramWritesComesAndItsEndIsChecked() throws {
        let scratch = try TemporaryDirectory()
        let path = try scratch.file("input", [UInt8](repeating: 65, count: 3_000_000))
        let input = SharedDescriptor(try Descriptor(opening: path, O_RDONLY), name: "input")
        var good = try CommandSource(Command("cat", []), input: input, package: "coreutils")
        #expect(try good.readAll(limit: 1 << 22) == [UInt8](repeating: 65, count: 3_000_000))

        var bad = try CommandSource(
            Command("sh", ["-c", "printf abc; echo it is broken >&2; exit 3"]), package: "dash")
        var seen: Failure?
        do throws(Failure) { _ = try bad.readAll(limit: 100) } catch { seen = error }
        let failure = try #require(seen)
        #expect(failure.code == .truncated)
        #expect(failure.cause?.what == "it is broken")
    }

    @Test func aMissingProgramNamesItsPackage() throws {
        var seen: Failure?
        do throws(Failure) {
            _ = try CommandSource(Command("exeat-no-such-program", []), package: "lzop")
        } catch { seen = error }
        #expect(try #require(seen).code == .diskTool)
        #expect(try #require(seen).hint == "Install the package lzop.")
    }

    @Test func aProgramEndsWithItsOwner() throws {
        let scratch = try TemporaryDirectory()
        let mark = scratch.path + "/pid"
        do {
            var source = try CommandSource(
                Command("sh", ["-c", "echo $$ > \(mark); echo x; exec sleep 600"]), package: "dash")
            var chunk = Chunk(capacity: 2)
            try source.read(into: &chunk)
        }
        let process = try #require(Int32(Files.readText(mark).dropLast()))
        #expect(kill(process, 0) == -1 && errno == ESRCH)
    }
}
