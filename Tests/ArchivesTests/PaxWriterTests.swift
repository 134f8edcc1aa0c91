import Basics
import TestKit
import Testing

@testable import Archives

@Suite struct PaxWriterTests {
    func header(_ entry: Entry) -> [UInt8] {
        var writer = PaxWriter()
        var buffer: [UInt8] = []
        writer.appendHeader(of: entry, to: &buffer)
        return buffer
    }

    /// The records of the extended header in front, as text.
    func records(_ entry: Entry) -> [String] {
        let bytes = header(entry)
        guard bytes[156] == 0x78 else { return [] }
        let size = Int(String(decoding: bytes[124..<135], as: UTF8.self), radix: 8) ?? 0
        var rest = bytes[512..<512 + size]
        var records: [String] = []
        while let space = rest.firstIndex(of: 0x20),
            let length = Int(String(decoding: rest[..<space], as: UTF8.self))
        {
            let record = rest.prefix(length)
            #expect(record.count == length && record.last == 0x0a)
            records.append(String(decoding: record[(space + 1)...].dropLast(), as: UTF8.self))
            rest = rest.dropFirst(length)
        }
        #expect(rest.isEmpty)
        return records
    }

    func file(_ path: String = "f", _ change: (inout Entry) -> Void = { _ in }) -> Entry {
        var entry = Entry(path: Array(path.utf8), kind: .file)
        change(&entry)
        return entry
    }

    @Test func anOrdinaryFileNeedsOneBlock() {
        let bytes = header(
            file("a/b") {
                $0.size = 5; $0.modified.seconds = 8
            })
        #expect(bytes.count == 512)
        #expect(bytes[124..<136].elementsEqual("00000000005\0".utf8))
        #expect(bytes[257..<265].elementsEqual("ustar\u{0}00".utf8))
        let sum = bytes.enumerated().reduce(0) {
            $0 + (148..<156 ~= $1.offset ? 32 : Int($1.element))
        }
        #expect(Int(String(decoding: bytes[148..<154], as: UTF8.self), radix: 8) == sum)
    }

    @Test func extendedRecordsComeOnlyWhereTheyAreNeeded() {
        let long = String(repeating: "x", count: 100)
        #expect(records(file(long)) == [])
        #expect(records(file(long + "x")) == ["path=" + long + "x"])
        #expect(records(file("é")) == ["path=é"])
        #expect(records(file("a\nb")) == ["path=a\nb"])
        #expect(records(file { $0.path = [0x61, 0xff] }).first == "hdrcharset=BINARY")
        #expect(
            records(
                file {
                    $0.uid = 2_097_151; $0.gid = 2_097_152
                }) == ["gid=2097152"])
        #expect(records(file { $0.owner = Array("Müller".utf8) }) == ["uname=Müller"])
        #expect(records(file { $0.owner = [UInt8](repeating: 0x75, count: 31) }) == [])
        #expect(records(file { $0.size = 1 << 33 - 1 }) == [])
        #expect(records(file { $0.size = 1 << 33 }) == ["size=8589934592"])
        var directory = Entry(path: Array(long.utf8), kind: .directory)
        #expect(records(directory) == ["path=" + long + "/"])
        directory.path = []
        #expect(header(directory).prefix(3).elementsEqual([0x2e, 0x2f, 0]))
    }

    @Test func timesAreSignedDecimalFractions() {
        let cases: [(Int64, Int32, String?)] = [
            (0, 0, nil), (5, 0, nil), (5, 500_000_000, "5.5"), (5, 1, "5.000000001"), (-2, 0, "-2"),
            (-1, 500_000_000, "-0.5"), (-2, 500_000_000, "-1.5"), (-1, 1, "-0.999999999"),
            (-2, 999_999_999, "-1.000000001"), (1 << 33 - 1, 0, nil), (1 << 33, 0, "8589934592"),
        ]
        for (seconds, nanoseconds, expected) in cases {
            let entry = file { $0.modified = FileTime(seconds: seconds, nanoseconds: nanoseconds) }
            #expect(records(entry) == (expected.map { ["mtime=" + $0] } ?? []))
        }
    }

    @Test func recordLengthsCountThemselves() {
        // Around the places where a length gains a digit.
        for count in Array(1...100) + Array(480...500) + Array(4980...5000) {
            let name = String(repeating: "é", count: count)
            #expect(records(file(name)) == ["path=" + name])
        }
    }

    @Test func filesWithHolesCarryTheirMap() {
        let entry = file("dir/hole") {
            $0.size = 10_000
            $0.extents = [Extent(offset: 0, length: 100), Extent(offset: 4096, length: 512)]
        }
        #expect(
            records(entry) == [
                "GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name=dir/hole",
                "GNU.sparse.realsize=10000",
            ])
        let bytes = header(entry)
        #expect(bytes.count == 512 * 4)
        #expect(bytes[1536...].starts(with: "3\n0\n100\n4096\n512\n10000\n0\n\0".utf8))
        #expect(PaxWriter.contentLength(of: entry) == 612)
        #expect(PaxWriter.dataLength(of: entry) == 1124)
        #expect(PaxWriter.padding(after: 612) == 412)
        #expect(PaxWriter.padding(after: 512) == 0)
        #expect(PaxWriter.padding(after: 0) == 0)
    }

    @Test func hardLinksHaveNoDataAndNoAttributes() {
        var entry = Entry(path: Array("b".utf8), kind: .hardlink)
        entry.target = Array("a".utf8)
        entry.size = 77
        entry.attributes = [ExtendedAttribute(name: Array("user.x".utf8), value: [1])]
        #expect(header(entry).count == 512)
        #expect(PaxWriter.dataLength(of: entry) == 0)
        #expect(header(entry)[156] == 0x31)
    }

    @Test func theSameEntryIsTheSameBytesWhateverCameBefore() {
        var writer = PaxWriter()
        var buffer: [UInt8] = []
        let odd = file("é") {
            $0.extents = []; $0.size = 9; $0.modified.nanoseconds = 7
        }
        for entry in [odd, file("plain"), odd] { writer.appendHeader(of: entry, to: &buffer) }
        #expect(buffer == header(odd) + header(file("plain")) + header(odd))
    }

    @Test func limitsAreNamed() {
        #expect(TarLimits.problems(of: file()).isEmpty)
        let long = file(String(repeating: "d/", count: 2048))
        #expect(TarLimits.problems(of: long) == [.pathTooLong])
        let odd = file {
            $0.modified = FileTime(seconds: -3, nanoseconds: 1)
            $0.attributes = [ExtendedAttribute(name: Array("user.a=b".utf8), value: [])]
        }
        #expect(TarLimits.problems(of: odd) == [])
        #expect(TarLimits.problems(of: odd, for: .bsd) == [.negativeFraction, .attributeName])
    }
}
