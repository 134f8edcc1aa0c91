import Basics
import Primitives
import Streams
import Testing

@testable import Logs

@Suite("Hashes and compressions of journal files")
struct JournalFormatTests {
    private func keyed(_ bytes: [UInt8], _ key: JournalID) -> UInt64 {
        bytes.withUnsafeBytes { JournalHash.keyed($0, key) }
    }

    private func unkeyed(_ text: String) -> UInt64 {
        Array(text.utf8).withUnsafeBytes { JournalHash.unkeyed($0) }
    }

    @Test("SipHash-2-4 gives the value of its paper, and in pieces the same as at once")
    func sipHash() throws {
        let key = try #require(JournalID("000102030405060708090a0b0c0d0e0f"))
        let message = (0..<15).map { UInt8($0) }
        #expect(keyed(message, key) == 0xa129_ca61_49be_45e5)
        for cut in 0...15 {
            var state = SipHash(key)
            message[..<cut].withUnsafeBytes { state.update($0) }
            message[cut...].withUnsafeBytes { state.update($0) }
            #expect(state.finish() == 0xa129_ca61_49be_45e5)
        }
    }

    @Test("lookup3 gives the values that its author lists")
    func lookup3() {
        #expect(unkeyed("") == 0xdead_beef_dead_beef)
        #expect(unkeyed("Four score and seven years ago") == 0x1777_0551_ce72_26e6)
    }

    @Test("An id is 32 digits, with or without dashes")
    func ids() {
        #expect(
            JournalID("0123456789ABCDEF0123456789abcdef")?.text
                == "0123456789abcdef0123456789abcdef")
        #expect(JournalID("01234567-89ab-cdef-0123-456789abcdef") != nil)
        for text in [
            "", "0123", "g123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef0",
        ] {
            #expect(JournalID(text) == nil)
        }
    }

    @Test("LZ4 blocks with literals and overlapping matches are unpacked, and broken ones refused")
    func lz4() {
        // "abc", then 9 more bytes from 3 back, then five literals.
        let block: [UInt8] = [0x35, 0x61, 0x62, 0x63, 3, 0, 0x50, 0x31, 0x32, 0x33, 0x34, 0x35]
        func unpack(_ block: [UInt8], _ size: Int) -> String? {
            var output = [UInt8](repeating: 0, count: size)
            let count = block.withUnsafeBytes { block in
                output.withUnsafeMutableBytes { LZ4Block.decompress(block, into: $0) }
            }
            return count.map { String(decoding: output[..<$0], as: UTF8.self) }
        }
        #expect(unpack(block, 100) == "abcabcabcabc12345")
        #expect(unpack(block, 17) == "abcabcabcabc12345")
        #expect(unpack(block, 16) == nil)
        for length in 0..<block.count where length != 4 {
            #expect(unpack(Array(block[..<length]), 100) == nil)
        }
        #expect(unpack([0x35, 0x61, 0x62, 0x63, 4, 0, 0x50, 1, 2, 3, 4, 5], 100) == nil)
    }

    @Test("A verification key has a seed, a start and an interval")
    func verificationKey() throws {
        let key = try #require(JournalVerificationKey("a6a9c7-b509a8-89f2c4-9e3483/ab41792-989680"))
        #expect(key.interval == 10_000_000)
        #expect(key.start == 0xab41792 * 10_000_000)
        for text in [
            "", "a6a9c7", "a6a9c7-b509a8-89f2c4-9e3483", "a6a9c7-b509a8-89f2c4-9e3483/ab41792-0",
            "zz/1-1",
        ] {
            #expect(JournalVerificationKey(text) == nil)
        }
    }

    @Test("HMAC-SHA-256 gives the value of RFC 4231, case 2")
    func hmac() {
        var code = KeyedSHA256(key: Array("Jefe".utf8))
        Array("what do ya want for nothing?".utf8).withUnsafeBytes { code.update($0) }
        #expect(
            code.finish().hex == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test(
        "A field stands in a line if it is printable UTF-8",
        arguments: [
            ("A=plain text of some length", true), ("A=tab\there", true), ("A=é ü 漢 🙂", true),
            ("A=line\nfeed", false), ("A=bell\u{7}", false), ("A=del\u{7f} and more", false),
            ("A=next line \u{85}", false), ("A=\u{a0}", true), ("A=12345678\n", false),
            ("A=\u{1b}[0m12345678", false),
        ])
    func printable(_ text: String, _ isPrintable: Bool) {
        #expect(Array(text.utf8).withUnsafeBytes { JournalText.isPrintable($0) } == isPrintable)
    }

    @Test(
        "Bytes that are no UTF-8 do not stand in a line",
        arguments: [
            [0xff], [0xc3], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80],
            [0xf4, 0x90, 0x80, 0x80], [0x80],
        ] as [[UInt8]])
    func notUTF8(_ bytes: [UInt8]) {
        #expect(!bytes.withUnsafeBytes { JournalText.isPrintable($0) })
    }

    @Test("Names are of capital letters, digits and underscores")
    func names() {
        func length(_ text: String) -> Int? {
            Array(text.utf8).withUnsafeBytes { JournalText.nameLength($0) }
        }
        #expect(length("MESSAGE=x=y") == 7)
        #expect(length("_A1=") == 3)
        for text in [
            "", "=x", "1A=x", "lower=x", "NO", "A B=x", String(repeating: "A", count: 65) + "=x",
        ] {
            #expect(length(text) == nil)
        }
        #expect(length(String(repeating: "A", count: 64) + "=x") == 64)
    }
}
