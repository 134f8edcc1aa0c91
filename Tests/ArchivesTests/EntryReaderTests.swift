import Basics
import Glibc
import TestKit
import Testing

@testable import Archives

@Suite struct EntryReaderTests {
    func read(
        _ directory: TemporaryDirectory, _ name: String, _ kind: WalkedKind
    ) throws -> EntryReader.Reading {
        var reader = EntryReader(names: OwnerNames())
        var cursor = TreeCursor(try TreeRoot(directory.path))
        return try reader.read(Array(name.utf8), kind, through: &cursor)
    }

    @Test func filesThatAreNotWhatTheyWereAreTold() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("f", [1])
        #expect(symlink("f", directory.path + "/l") == 0)
        #expect(mkfifo(directory.path + "/p", 0o600) == 0)
        try Files.makeDirectory(directory.path + "/d")
        #expect(try read(directory, "f", .file).entry.size == 1)
        for name in ["l", "d", "p"] {
            #expect(throws: Failure(.sourceChanged, "")) { try read(directory, name, .file) }
        }
        #expect(throws: Failure(.sourceChanged, "")) { try read(directory, "f", .symlink) }
        #expect(throws: Failure(.sourceVanished, "")) { try read(directory, "none", .file) }
        #expect(throws: Failure(.sourceVanished, "")) { try read(directory, "none", .fifo) }
        #expect(throws: Failure(.unsupported, "")) { try read(directory, "f", .socket) }
        #expect(chmod(directory.path, 0o755) == 0 && chmod(file, 0) == 0)
        #expect(throws: Failure(.sourceUnreadable, "")) {
            try Unprivileged.run { try read(directory, "f", .file) }
        }
    }

    @Test func aChangeShowsInTheIdentity() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("f", [1])
        var reader = EntryReader(names: OwnerNames())
        var cursor = TreeCursor(try TreeRoot(directory.path))
        let opened = try reader.open(Array("f".utf8), through: &cursor)
        let untouched = try opened.hasChanged()
        #expect(!untouched)
        usleep(20_000)
        #expect(chmod(path, 0o600) == 0)
        let touched = try opened.hasChanged()
        #expect(touched)
    }

    @Test func theBitsOfALinkAreNotItsFileSystems() throws {
        let links = try TreeRoot("/proc/self/fd")
        var status = stat()
        #expect(fstatat(links.descriptor.raw, "2", &status, AT_SYMLINK_NOFOLLOW) == 0)
        #expect(status.st_mode & 0o7777 != 0o777)
        var reader = EntryReader(names: OwnerNames())
        var cursor = TreeCursor(links)
        #expect(try reader.read(Array("2".utf8), .symlink, through: &cursor).entry.mode == 0o777)
    }

    @Test func targetsAndNamesOfAnyLength() throws {
        let directory = try TemporaryDirectory()
        for length in [1, 255, 256, 257, 4095] {
            let target = String(repeating: "t", count: length)
            #expect(symlink(target, directory.path + "/l\(length)") == 0)
            #expect(try read(directory, "l\(length)", .symlink).entry.target == Array(target.utf8))
        }
    }

    @Test func attributesThatMayNotBeReadAreNamed() throws {
        let directory = try TemporaryDirectory()
        try Files.makeDirectory(directory.path + "/d")
        guard geteuid() == 0,
            try Shell.run(["setfattr", "-n", "user.x", "-v", "1", directory.path + "/d"]).status
                == 0
        else { return print("SKIPPED: no user attributes here") }
        #expect(chmod(directory.path, 0o755) == 0 && chmod(directory.path + "/d", 0o311) == 0)
        let reading = try Unprivileged.run { try read(directory, "d", .directory) }
        #expect(reading.unreadableAttributes == [Array("user.x".utf8)])
        let whole = try read(directory, "d", .directory).entry.attributes
        #expect(whole == [ExtendedAttribute(name: Array("user.x".utf8), value: [0x31])])
    }

    @Test func accessControlListsAreThoseOfGetfacl() throws {
        let directory = try TemporaryDirectory()
        try Files.makeDirectory(directory.path + "/d")
        guard
            try Shell.run([
                "setfacl", "-m", "u:1000:r,u:70000:rwx,g:1001:rx,d:u:5:r", directory.path + "/d",
            ]).status == 0
        else { return print("SKIPPED: no access control lists here") }
        let entry = try read(directory, "d", .directory).entry
        let printed = try Shell.run(["getfacl", "-ncE", "-p", directory.path + "/d"]).text
            .split(separator: "\n").map(String.init)
        let prefix = "default:"
        let access = try #require(entry.accessACL)
        let inherited = try #require(entry.defaultACL)
        #expect(entry.attributes.isEmpty)
        #expect(
            access.text.split(separator: ",").map(String.init)
                == printed.filter { !$0.hasPrefix(prefix) })
        #expect(
            inherited.text.split(separator: ",").map { prefix + $0 }
                == printed.filter { $0.hasPrefix(prefix) })
        #expect(AccessControlList(text: access.text) == access)
        #expect(AccessControlList(kernelForm: access.kernelForm) == access)
    }

    @Test func malformedAccessControlListsAreRefused() {
        let good = AccessControlList(items: [.init(tag: .user, permissions: 5, id: 7)])
        #expect(AccessControlList(kernelForm: good.kernelForm) == good)
        for bytes: [UInt8] in [
            [], [2, 0, 0], [3, 0, 0, 0], Array(good.kernelForm.dropLast()),
            [2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0],
        ] {
            #expect(AccessControlList(kernelForm: bytes) == nil)
        }
        for text in [
            "", "user:rwx", "user::rwz", "mask:1:rwx", "user:01:r--", "user:4294967296:r--",
            "user::rwx,", "group:x:r--", "user::RWX",
        ] {
            #expect(AccessControlList(text: text) == nil, "\(text)")
        }
    }

    @Test func holesAreFoundAndTooManyAreJoined() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("f")
        let file = try Descriptor(opening: path, O_RDWR)
        try file.truncate(to: 1 << 20)
        try [UInt8](repeating: 1, count: 5000).withUnsafeBytes { try file.writeAll($0, at: 65_536) }
        let entry = try read(directory, "f", .file).entry
        let extents = try #require(entry.extents)
        #expect(extents.count == 1 && extents[0].offset == 65_536 && extents[0].length >= 5000)
        #expect(try read(directory, "f", .file).entry.size == 1 << 20)

        var map = HoleMap(limit: 100)
        for index in 0..<10_000 {
            map.append(Extent(offset: Int64(index * 100_000 + index % 7 * 4096), length: 4096))
        }
        #expect(map.extents.count <= 100 && map.extents.count >= 50)
        #expect(map.extents.first?.offset == 0)
        let last = try #require(map.extents.last)
        #expect(last.offset + last.length == 9999 * 100_000 + 9999 % 7 * 4096 + 4096)
        #expect(
            zip(map.extents, map.extents.dropFirst())
                .allSatisfy { $0.offset + $0.length < $1.offset })
    }

    @Test func ownersHaveTheNamesOfTheSystem() throws {
        let names = OwnerNames()
        #expect(try names.user(0) == Array("root".utf8))
        #expect(try names.group(0) == Array("root".utf8))
        #expect(try names.user(3_999_999_999) == [])
        for _ in 0..<2 { #expect(try names.user(65_534) == Array("nobody".utf8)) }
    }
}
