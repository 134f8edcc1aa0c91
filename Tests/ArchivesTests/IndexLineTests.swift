import Basics
import Primitives
import Testing

@testable import Archives

@Suite struct IndexLineTests {
    func line(_ entry: Entry, _ digest: ContentDigest? = nil, changed: Bool = false) throws
        -> String
    {
        var buffer: [UInt8] = []
        IndexLine.append(
            entry, digest: digest, hasChanged: changed, segment: 3, offset: 512, to: &buffer)
        let text = String(decoding: buffer, as: UTF8.self)
        #expect(buffer.last == 0x0a)
        return String(text.dropLast())
    }

    var file: Entry {
        var entry = Entry(path: Array("a/\"b\"\n\u{1}é".utf8), kind: .file)
        entry.mode = 0o4755
        entry.uid = 7
        entry.owner = Array("anne".utf8)
        entry.group = [0xff]
        entry.modified = FileTime(seconds: -2, nanoseconds: 5)
        entry.size = 12
        return entry
    }

    @Test func membersComeInTheirOrder() throws {
        var entry = file
        entry.extents = []
        entry.attributes = [
            ExtendedAttribute(name: Array("user.a".utf8), value: [0, 1, 2, 3]),
            ExtendedAttribute(name: [0x75, 0xff], value: [UInt8](repeating: 9, count: 65)),
        ]
        entry.accessACL = AccessControlList(items: [.init(tag: .user, permissions: 6, id: 1000)])
        let digest = SHA256.hash([1])
        let value = SHA256.hash([UInt8](repeating: 9, count: 65))
        #expect(
            try line(entry, .tree(digest), changed: true)
                == #"{"path":"a/\"b\"\n\u0001é","type":"file","mode":"4755","uid":7,"gid":0,"owner":"anne","#
                + #""group64":"/w==","mtime":[-2,5],"size":12,"holes":true,"sha256-tree-1m":"\#(digest.hex)","#
                + #""xattrs":[{"name":"user.a","value":"AAECAw=="},{"name64":"df8=","sha256":"\#(value.hex)"}],"#
                + #""acl":"user:1000:rw-","changed":true,"segment":3,"offset":512}"#)
    }

    @Test func eachKindHasItsOwnMembers() throws {
        var link = Entry(path: [0xfe], kind: .hardlink)
        link.target = Array("t".utf8)
        #expect(
            try line(link)
                == #"{"path64":"/g==","type":"hardlink","link":"t","segment":3,"offset":512}"#)
        link.kind = .symlink
        link.path = []
        #expect(
            try line(link)
                == #"{"path":"","type":"symlink","mode":"0644","uid":0,"gid":0,"mtime":[0,0],"link":"t","segment":3,"offset":512}"#
        )
        var device = Entry(path: Array("d".utf8), kind: .block)
        device.device = DeviceNumber(major: 259, minor: 1_048_575)
        #expect(try line(device).contains(#""mtime":[0,0],"device":[259,1048575],"segment""#))
    }

    @Test func linesAreStrictJSON() throws {
        for byte in UInt8.min...255 {
            let entry = Entry(path: [0x61, byte, 0x62], kind: .fifo)
            let parsed = try JSON(parsing: Array(try line(entry).utf8))
            if byte < 0x80 {
                #expect(parsed["path"]?.string.map { Array($0.utf8) } == entry.path)
            } else {
                #expect(parsed["path64"]?.string.flatMap { Base64.decode($0) } == entry.path)
            }
        }
    }

    @Test func textIsUTF8ExactlyWhenTheLibrarySaysSo() {
        var random = SystemRandomNumberGenerator()
        let pieces: [[UInt8]] = [
            [0x61], [0xc3, 0xa9], [0xe2, 0x82, 0xac], [0xf0, 0x9f, 0x98, 0x80], [0xed, 0xa0, 0x80],
            [0xf4, 0x90, 0x80, 0x80], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xff],
        ]
        for _ in 0..<5000 {
            var bytes = (0..<4).flatMap { _ in pieces.randomElement(using: &random) ?? [] }
            if Bool.random(using: &random) { bytes.removeLast() }
            #expect(
                ByteText.isUTF8(bytes) == (String(validating: bytes, as: UTF8.self) != nil),
                "\(bytes)")
        }
    }

    @Test func omissionsAreLinesToo() {
        var buffer: [UInt8] = []
        IndexLine.append(
            omitted: Array("s".utf8), .socket, reason: "socket", accepted: true, to: &buffer)
        IndexLine.append(
            omitted: [0xff], nil, reason: "unreadable", detail: "e\"", accepted: false, to: &buffer)
        #expect(
            String(decoding: buffer, as: UTF8.self)
                == #"{"path":"s","type":"socket","omitted":"socket","accepted":true}"# + "\n"
                + #"{"path64":"/w==","omitted":"unreadable","detail":"e\"","accepted":false}"#
                + "\n")
    }
}

@Suite struct TreeLeafTests {
    func hash(_ fields: [String]) -> Digest256 {
        MerkleRange.leaf(Array((fields.joined(separator: "\0") + "\0").utf8))
    }

    @Test func contentLeavesAreWhatTheFormatSays() {
        var leaf = TreeLeaf()
        let digest = SHA256.hash([5])
        var entry = Entry(path: Array("a/b".utf8), kind: .file)
        #expect(
            leaf.content(of: entry, .sha256(digest))
                == hash(["a/b", "file", "sha256:\(digest.hex)"]))
        #expect(
            leaf.content(of: entry, .tree(digest))
                == hash(["a/b", "file", "sha256-tree-1m:\(digest.hex)"]))
        entry.kind = .directory
        #expect(leaf.content(of: entry, nil) == hash(["a/b", "directory", ""]))
        entry.kind = .hardlink
        entry.target = Array("a/a".utf8)
        #expect(leaf.content(of: entry, nil) == hash(["a/b", "hardlink", "a/a"]))
        entry.kind = .character
        entry.device = DeviceNumber(major: 1, minor: 3)
        #expect(leaf.content(of: entry, nil) == hash(["a/b", "character", "1:3"]))
    }

    @Test func metadataLeavesAreWhatTheFormatSays() {
        var leaf = TreeLeaf()
        var entry = Entry(path: Array("p".utf8), kind: .directory)
        entry.mode = 0o1750
        entry.uid = 33
        entry.gid = 44
        entry.owner = Array("www".utf8)
        entry.modified = FileTime(seconds: -1, nanoseconds: 5)
        entry.attributes = [ExtendedAttribute(name: Array("user.x".utf8), value: [1, 2])]
        entry.accessACL = AccessControlList(items: [.init(tag: .other, permissions: 1)])
        entry.defaultACL = AccessControlList(items: [.init(tag: .mask, permissions: 7)])
        let tail = [
            "-1.000000005", "user.x", SHA256.hash([1, 2]).hex, "acl:other::--x",
            "default-acl:mask::rwx",
        ]
        #expect(
            leaf.metadata(of: entry)
                == hash(["p", "directory", "1750", "33", "44", "www", ""] + tail))
        #expect(
            leaf.metadata(of: entry, .owners)
                == hash(["p", "directory", "1750", "33", "44", "", ""] + tail))
        #expect(
            leaf.metadata(of: entry, .names)
                == hash(["p", "directory", "1750", "", "", "www", ""] + tail))
        let digests = entry.attributes.map { TreeLeaf.AttributeDigest($0) }
        #expect(leaf.metadata(of: entry, attributes: digests) == leaf.metadata(of: entry))
        entry.kind = .hardlink
        #expect(leaf.metadata(of: entry) == hash(["p", "hardlink"]))
    }
}
