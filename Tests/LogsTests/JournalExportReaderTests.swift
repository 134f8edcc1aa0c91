import Basics
import Primitives
import Streams
import Testing

@testable import Logs

@Suite("The journal export format")
struct JournalExportReaderTests {
    private static let head =
        "__CURSOR=x\n__REALTIME_TIMESTAMP=1500\n__MONOTONIC_TIMESTAMP=7\n"
        + "_BOOT_ID=0123456789abcdef0123456789abcdef\n"

    /// Gives bytes in pieces of a size.
    private struct Pieces: ByteSource, ~Copyable {
        let bytes: [UInt8]
        let size: Int
        var place = 0

        init(_ bytes: [UInt8], _ size: Int) {
            self.bytes = bytes
            self.size = size
        }

        mutating func read(into chunk: inout Chunk) throws(Failure) {
            chunk.removeAll()
            let piece = Array(bytes[place..<min(place + size, bytes.count)])
            place += piece.withUnsafeBytes { chunk.append($0) }
        }
    }

    private func entries(_ bytes: [UInt8], piece: Int = 1 << 16) throws -> [JournalExportReader<
        Pieces
    >.Entry] {
        var reader = JournalExportReader(Pieces(bytes, piece))
        var entries: [JournalExportReader<Pieces>.Entry] = []
        while let entry = try reader.next() { entries.append(entry) }
        return entries
    }

    private func text(_ text: String) -> [UInt8] { Array((Self.head + text + "\n").utf8) }

    private func binary(_ name: String, _ value: [UInt8]) -> [UInt8] {
        let size = (0..<8).map { UInt8(truncatingIfNeeded: value.count >> (8 * $0)) }
        return Array(name.utf8) + [0x0a] + size + value + [0x0a]
    }

    @Test("The digest is that of the canonical form, which another program writes as well")
    func canonical() throws {
        let entry = try #require(try entries(text("MESSAGE=hello\nPRIORITY=6\n")).first)
        #expect(entry.realtime == 1500)
        #expect(entry.monotonic == 7)
        var form: [UInt8] = []
        for field in [
            "MESSAGE=hello", "PRIORITY=6", "_BOOT_ID=0123456789abcdef0123456789abcdef",
            "__MONOTONIC_TIMESTAMP=7", "__REALTIME_TIMESTAMP=1500",
        ] {
            form += [0, 0, 0, 0, 0, 0, 0, 0, UInt8(field.utf8.count)] + Array(field.utf8)
        }
        #expect(entry.digest == SHA256.hash(form))
    }

    @Test("Order, repetition, form, cursors and numbers of fields do not count; values do")
    func meaning() throws {
        let one = try entries(text("A=1\nB=2\nB=3\n"))[0].digest
        for same in [
            "B=3\nA=1\nB=2\n", "A=1\nB=2\nA=1\nB=3\n", "__SEQNUM=4\nA=1\nB=2\nB=3\n__OTHER=x\n",
        ] {
            #expect(try entries(text(same))[0].digest == one)
        }
        let bytes = Array(Self.head.utf8) + binary("A", [0x31]) + Array("B=2\nB=3\n\n".utf8)
        #expect(try entries(bytes)[0].digest == one)
        for other in ["A=1\nB=2\n", "A=1\nB=2\nB=4\n", "A=1\nB=2\nB=3\nC=\n", "A=1B=2\nB=3\n"] {
            #expect(try entries(text(other))[0].digest != one)
        }
    }

    @Test("Fields of any length are the same in lines and in binary form, in pieces of any size")
    func lengths() throws {
        for size in [0, 1, 65_533, 65_534, 65_535, 65_536, 200_000] {
            let value = [UInt8](repeating: 0x78, count: size)
            let line = Array(Self.head.utf8) + Array("F=".utf8) + value + [0x0a, 0x0a]
            let counted = Array(Self.head.utf8) + binary("F", value) + [0x0a]
            let digests = try [(line, 1 << 16), (line, 7777), (counted, 1 << 16), (counted, 513)]
                .map { try entries($0.0, piece: $0.1)[0].digest }
            #expect(Set(digests).count == 1)
        }
    }

    @Test("Entries follow each other, empty lines between them do not count")
    func several() throws {
        #expect(try entries([]).isEmpty)
        #expect(try entries(text("A=1\n") + [0x0a, 0x0a] + text("A=2\n")).count == 2)
    }

    private static let malformed: [(String, Failure.Code)] = [
        ("a=1\n\n", .logMalformed), ("=1\n\n", .logMalformed), ("A=1\n", .truncated),
        ("A=1", .truncated), ("A\n\u{1}\0\0\0\0\0\0\0xy\n", .logMalformed),
        ("A\n\u{9}\0\0\0\0\0\0\0x", .truncated),
        ("A\n\0\0\0\0\0\0\0\u{7f}", .logMalformed),
    ]

    @Test("What breaks the format is refused")
    func breaks() {
        for (text, code) in Self.malformed {
            #expect(throws: Failure(code, "")) { try entries(Array((Self.head + text).utf8)) }
        }
        #expect(throws: Failure(.logMalformed, "")) { try entries(Array("A=1\n\n".utf8)) }
    }

    @Test("The chain tells order, count and ends")
    func chain() {
        let digests = ["a", "b"].map { SHA256.hash(Array($0.utf8)) }
        var one = JournalChain()
        var other = JournalChain()
        for digest in digests { one.add(digest, realtime: 5) }
        for digest in digests.reversed() { other.add(digest, realtime: 5) }
        #expect(one.head != other.head)
        #expect(one.entries == 2)
        var first = SHA256()
        first.update([UInt8](repeating: 0, count: 32))
        first.update(digests[0])
        var second = SHA256()
        second.update(first.finish())
        second.update(digests[1])
        #expect(one.head == second.finish())
    }
}
