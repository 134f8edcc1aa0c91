import Basics
import Streams
import Testing

@testable import Archives

@Suite struct PaxReaderTests {
    @Test func whatWasWrittenIsReadWhateverTheChunks() throws {
        var entry = Entry(path: Array("dir".utf8) + [0x2f, 0xff, 0x0a], kind: .file)
        entry.mode = 0o4755
        entry.uid = 3_000_000_000
        entry.owner = Array("usér".utf8)
        entry.modified = FileTime(seconds: -2, nanoseconds: 500_000_000)
        entry.attributes = [
            ExtendedAttribute(name: Array("user.=%".utf8), value: [0, 10, 61]),
            ExtendedAttribute(name: Array("user.b".utf8), value: []),
        ]
        entry.accessACL = AccessControlList(
            text: "user::rwx,user:70000:r--,group::r-x,mask::rwx,other::---")
        entry.size = 1000
        var holes = Entry(path: Array("e".utf8), kind: .file)
        holes.size = 10 << 20
        holes.extents = [
            Extent(offset: 4096, length: 4096), Extent(offset: 5 << 20, length: 100),
        ]
        var device = Entry(path: Array("f".utf8), kind: .block)
        device.device = DeviceNumber(major: 7, minor: 4_000_000)
        let entries = [Entry(path: [], kind: .directory), entry, holes, device]
        var bytes: [UInt8] = []
        var writer = PaxWriter()
        for entry in entries {
            writer.appendHeader(of: entry, to: &bytes)
            let length = PaxWriter.contentLength(of: entry)
            bytes += TarBytes.padded([UInt8](repeating: 0x61, count: Int(length)))
        }
        bytes += PaxWriter.end
        for step in [1, 7, 511, 512, 513, 4096, 1 << 20] {
            let result = TarBytes.read(bytes, to: .archive, step: step)
            #expect(result.code == nil)
            #expect(result.entries == entries)
            #expect(result.data.map(\.count) == [0, 1000, 4196, 0])
        }
    }

    @Test func everyTruncationAndEveryByteBehindTheEndIsRefused() {
        let bytes =
            TarBytes.directory("./") + TarBytes.extended([("mtime", "1.5")])
            + TarBytes.file("a", "content") + PaxWriter.end
        #expect(TarBytes.read(bytes, to: .archive).code == nil)
        for count in 0..<bytes.count {
            #expect(TarBytes.read(Array(bytes[..<count]), to: .archive).code == .truncated)
        }
        #expect(TarBytes.read(bytes + [0], to: .archive).code == .treeMalformed)
        #expect(TarBytes.read(bytes + [1], to: .archive).code == .treeMalformed)
        #expect(TarBytes.read(bytes, to: .entry).code == .treeMalformed)
    }

    @Test func everyFlippedBitOfAHeaderIsRefusedOrChangesOnlyTheChecksumField() {
        let bytes = TarBytes.file("a", "content")
        for index in 0..<512 {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[index] ^= 1 << bit
                let code = TarBytes.read(flipped).code
                #expect(code != nil || index >= 154 && index < 156, "byte \(index)")
            }
        }
        for index in (512 + 7)..<1024 {
            var flipped = bytes
            flipped[index] = 1
            #expect(TarBytes.read(flipped).code == .treeMalformed)
        }
    }

    @Test(arguments: [
        "/etc/passwd", "../x", "a/../b", "a/..", "..", ".", "./a", "a/./b", "a//b", "a/", "/",
    ])
    func aFileWithAnUnsafePathIsRefused(_ path: String) {
        #expect(TarBytes.read(TarBytes.file(path)).code == .treePathUnsafe)
        #expect(
            TarBytes.read(TarBytes.extended([("path", path)]) + TarBytes.file("a")).code
                == .treePathUnsafe)
        #expect(
            TarBytes.read(TarBytes.header("z", "1", link: path)).code == .treePathUnsafe)
    }

    @Test func otherUnsafePathsAreRefused() {
        #expect(TarBytes.read(TarBytes.directory("a")).code == .treePathUnsafe)
        #expect(TarBytes.read(TarBytes.directory("/")).code == .treePathUnsafe)
        #expect(TarBytes.read(TarBytes.directory("../")).code == .treePathUnsafe)
        #expect(TarBytes.read(TarBytes.file("./")).code == .treePathUnsafe)
        #expect(TarBytes.read(TarBytes.file("")).code == .treePathUnsafe)
        let long = String(repeating: "x", count: 256)
        #expect(
            TarBytes.read(TarBytes.extended([("path", long)]) + TarBytes.file("a")).code
                == .treePathUnsafe)
    }

    @Test func whatIsNotStrictlyInOrderIsRefused() {
        let pairs = [("b", "a"), ("a", "a"), ("a/x", "a"), ("a/b", "a!b"), ("A", "")]
        for (first, second) in pairs {
            let bytes =
                TarBytes.file(first)
                + (second.isEmpty ? TarBytes.directory("./") : TarBytes.file(second))
            #expect(TarBytes.read(bytes).code == .treeOrder)
        }
        #expect(
            TarBytes.read(TarBytes.file("a") + TarBytes.file("a!") + TarBytes.file("a/b")).code
                == nil)
    }

    @Test func whatExeatDoesNotWriteIsRefused() {
        for flag: Character in ["g", "7", "L", "K", "S", "V", "M", "N", "D", "X", "8", "\u{0}"] {
            #expect(TarBytes.read(TarBytes.header("a", flag)).code == .treeMalformed)
        }
        let hostile: [[UInt8]] = [
            TarBytes.header("a", magic: "ustar  \u{0}"),
            TarBytes.header("a", sum: 1),
            TarBytes.header("a") { $0[511] = 1 },
            TarBytes.header("a") { $0[5] = 0x62 },
            TarBytes.header("a") { $0[124] = 0x80 },
            TarBytes.header("a") { $0[124] = 0x2d },
            TarBytes.header("a") { $0[100] = 0x31 },
            TarBytes.header("a") { $0[331] = 0x31 },
            TarBytes.header("a", link: "x"),
            TarBytes.header("a", "2"),
            TarBytes.header("a", "1"),
            TarBytes.header("a/", "5", size: 512) + [UInt8](repeating: 1, count: 512),
            TarBytes.header("a", "2", size: 1, link: "x"),
        ]
        for bytes in hostile { #expect(TarBytes.read(bytes).code == .treeMalformed) }
    }

    @Test func badRecordsAreRefused() {
        let bad: [[(String, String)]] = [
            [("mtime", "1"), ("mtime", "1")], [("path", "a"), ("path", "b")],
            [("SCHILY.xattr.user.a", "1"), ("SCHILY.xattr.user.a", "2")],
            [("SCHILY.xattr.system.posix_acl_access", "x")], [("SCHILY.xattr.user.%41", "x")],
            [("comment", "x")], [("atime", "1")], [("size", "-1")], [("size", "01")],
            [("size", "9223372036854775808")], [("uid", "4294967296")], [("uid", "")],
            [("mtime", "1e5")], [("mtime", "1.0000000001")], [("mtime", "-0")], [("mtime", "1.")],
            [("mtime", ".5")], [("mtime", "99999999999999999999")], [("hdrcharset", "UTF-8")],
            [("SCHILY.acl.access", "user::rwz")], [("SCHILY.acl.default", "user::rwx")],
            [("linkpath", "x")], [("uname", "")], [("GNU.sparse.major", "1")],
            [("GNU.sparse.name", "x")], [("", "x")],
        ]
        for pairs in bad {
            let bytes = TarBytes.extended(pairs) + TarBytes.file("a")
            #expect(TarBytes.read(bytes).code == .treeMalformed, "\(pairs)")
        }
    }

    @Test func anExtendedHeaderThatLiesAboutLengthsIsRefused() {
        let data = TarBytes.records([("mtime", "1")])
        for text in [
            "5 mtime=1\n", "99 mtime=1\n", "011 mtime=1\n", "11 mtime=1 ", "11mtime=11\n",
            "-1 mtime=1\n", "1 \n", "99999999999999999999 x=1\n", "4 =\n",
        ] {
            let bytes = Array(text.utf8)
            let stream =
                TarBytes.header("x", "x", size: bytes.count) + TarBytes.padded(bytes)
                + TarBytes.file("a")
            #expect(TarBytes.read(stream).code == .treeMalformed, "\(text)")
        }
        for size in [0, data.count - 1, data.count + 1, 17 << 20] {
            let stream = TarBytes.extended([("mtime", "1")], size: size) + TarBytes.file("a")
            #expect(TarBytes.read(stream).code == .treeMalformed, "\(size)")
        }
        let twice = TarBytes.extended([("mtime", "1")])
        #expect(TarBytes.read(twice + twice + TarBytes.file("a")).code == .treeMalformed)
        #expect(TarBytes.read(twice).code == .truncated)
        #expect(TarBytes.read(twice + PaxWriter.end, to: .archive).code == .treeMalformed)
    }

    @Test func aMapOfHolesMustBeInOrderAndWithinTheFile() {
        #expect(TarBytes.read(TarBytes.sparse("1\n0\n5\n", realSize: 100, data: 5)).code == nil)
        #expect(
            TarBytes.read(TarBytes.sparse("2\n0\n5\n100\n0\n", realSize: 100, data: 5)).code == nil)
        let bad: [(String, Int64, Int)] = [
            ("2\n0\n5\n3\n5\n", 100, 10), ("2\n10\n5\n0\n5\n", 100, 10),
            ("2\n0\n5\n5\n5\n", 100, 10), ("1\n-5\n5\n", 100, 5), ("1\n0\n-5\n", 100, 0),
            ("1\n98\n5\n", 100, 5), ("1\n0\n5\n", 100, 6), ("1\n0\n5\n", 100, 4),
            ("65538\n", 100, 0), ("99999999999999999999\n", 100, 0), ("1\n0\n0\n", 100, 0),
            ("1\n01\n5\n", 100, 5), ("\n", 100, 0), ("2\n100\n0\n100\n0\n", 100, 0),
            ("1\n0\n5\nx", 100, 5),
        ]
        for (map, size, data) in bad {
            let code = TarBytes.read(TarBytes.sparse(map, realSize: size, data: data)).code
            #expect(code == .treeMalformed, "\(map)")
        }
        // More runs than the data has room for.
        #expect(TarBytes.read(TarBytes.sparse("3\n0\n5\n", realSize: 100, data: 0)).code != nil)
    }

    @Test func aCutFileGoesOnInTheNextSegment() throws {
        var entry = Entry(path: Array("big".utf8), kind: .file)
        entry.size = 3_000_000
        var bytes: [UInt8] = []
        var writer = PaxWriter()
        writer.appendHeader(of: entry, to: &bytes)
        let data = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let first = TarBytes.read(
            bytes + data[..<(1 << 20)], to: .inside(path: entry.path, offset: 1 << 20))
        #expect(first.code == nil && first.data == [Array(data[..<(1 << 20)])])
        let rest = Array(data[(1 << 20)...]) + [UInt8](repeating: 0, count: 320)
        let second = TarBytes.read(
            rest + TarBytes.file("c"), from: .inside(entry, offset: 1 << 20))
        #expect(second.code == nil && second.entries.count == 2)
        #expect(second.data.first == Array(data[(1 << 20)...]))
        // Not a byte more or less, and no entry that comes too early.
        let short = bytes + data[..<(1 << 20 - 1)]
        #expect(
            TarBytes.read(short, to: .inside(path: entry.path, offset: 1 << 20)).code == .truncated)
        let long = bytes + data[..<(1 << 20 + 1)]
        #expect(
            TarBytes.read(long, to: .inside(path: entry.path, offset: 1 << 20)).code
                == .treeMalformed)
        #expect(
            TarBytes.read(rest + TarBytes.file("a"), from: .inside(entry, offset: 1 << 20)).code
                == .treeOrder)
    }
}
