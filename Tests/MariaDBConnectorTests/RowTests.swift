import Basics
import Testing

@testable import MariaDBConnector

@Suite("Rows of MariaDB")
struct RowTests {
    private func text(_ body: (inout NumberText) -> Void) -> String {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 8)
        defer { memory.deallocate() }
        var text = NumberText(end: memory)
        body(&text)
        return String(
            decoding: UnsafeRawBufferPointer(start: memory, count: text.end - memory), as: UTF8.self
        )
    }

    @Test("Doubles are the shortest text of the very same bits")
    func doubles() {
        for (value, expected) in [
            (0.1, "0.1"), (-0.0, "-0"), (16_777_216, "16777216"),
            (.leastNonzeroMagnitude, "5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (Double(Float(0.1)), "0.10000000149011612"),
        ] {
            #expect(text { $0.append(value) } == expected)
        }
        var bits: UInt64 = 88_172_645_463_325_252
        for _ in 0..<20_000 {
            bits ^= bits << 13
            bits ^= bits >> 7
            bits ^= bits << 17
            let value = Double(bitPattern: bits)
            if !value.isFinite { continue }
            #expect(Double(text { $0.append(value) })?.bitPattern == value.bitPattern)
        }
    }

    @Test("Integers and times have all their digits")
    func numbers() {
        #expect(text { $0.append(Int64.min) } == "-9223372036854775808")
        #expect(text { $0.append(UInt64.max) } == "18446744073709551615")
        #expect(text { $0.append(UInt64(7), digits: 4) } == "0007")
        let date: [UInt8] = [0xe8, 7, 2, 0]
        #expect(text { $0.appendDate(date, 4) } == "2024-02-00")
        #expect(text { $0.appendDate(date, 0) } == "0000-00-00")
        let clock: [UInt8] = [22, 59, 59, 0x3f, 0x42, 0x0f, 0]
        #expect(text { $0.appendClock(clock, 7, hours: 816, 6) } == "838:59:59.999999")
        #expect(text { $0.appendClock(clock, 7, hours: 0, 2) } == "22:59:59.99")
        #expect(text { $0.appendClock(clock, 0, hours: 0, 3) } == "00:00:00.000")
    }

    private func escaped(_ bytes: [UInt8]) -> [UInt8] {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 2 * bytes.count + 16, alignment: 8)
        defer { memory.deallocate() }
        return bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return [] }
            let end = RowText.escape(base, bytes.count, to: memory)
            return Array(UnsafeRawBufferPointer(start: memory, count: end - memory))
        }
    }

    @Test("Backslash, tab and line feed are escaped at every place of a value, and nothing else is")
    func escapes() {
        for length in 1...40 {
            for place in 0..<length {
                for (byte, letter) in [(0x5c, 0x5c), (0x09, 0x74), (0x0a, 0x6e)] as [(UInt8, UInt8)]
                {
                    var bytes = [UInt8](repeating: 0xdc, count: length)
                    bytes[place] = byte
                    var expected = bytes
                    expected.replaceSubrange(place...place, with: [0x5c, letter])
                    #expect(escaped(bytes) == expected)
                }
            }
        }
        let others = (0...255).map { UInt8($0) }.filter { ![0x5c, 0x09, 0x0a].contains($0) }
        #expect(escaped(others) == others)
    }

    @Test("INSERT statements hold the bytes of the rows, NULL apart from its letters")
    func inserts() throws {
        var statements: [String] = []
        let columns = [
            Column(name: "a", transport: .plain),
            Column(name: "u", transport: .converted, characterSet: "ascii"),
            Column(name: "g", transport: .generated), Column(name: "b", transport: .plain),
        ]
        var writer = InsertWriter("`t`", columns: columns, limit: 120)
        let rows = Array("1\tx\tskip\t\\N\n2\t\\\\N\tskip\ta\\tb\\nc'\\\\\n3\ty\tz\tN\n".utf8)
        // In pieces of every length, so that escapes are cut.
        for byte in rows {
            try [byte].withUnsafeBytes { piece in
                try writer.take(piece) { statements.append(String(decoding: $0, as: UTF8.self)) }
            }
        }
        try writer.end { statements.append(String(decoding: $0, as: UTF8.self)) }
        #expect(
            statements == [
                "INSERT INTO `t` (`a`, `u`, `b`) VALUES (_binary'1', CONVERT(_binary'x' USING ascii), NULL)",
                "INSERT INTO `t` (`a`, `u`, `b`) VALUES (_binary'2', CONVERT(_binary'\\\\N' USING ascii), _binary'a\tb\nc\\'\\\\')",
                "INSERT INTO `t` (`a`, `u`, `b`) VALUES (_binary'3', CONVERT(_binary'y' USING ascii), _binary'N')",
            ])
    }

    @Test("The columns of a load are those of the row, and what is generated goes nowhere")
    func loads() {
        let text = LoadStatement.text(
            "`d`.`t`",
            columns: [
                Column(name: "a`", transport: .plain), Column(name: "e", transport: .number),
                Column(name: "g", transport: .generated),
            ], file: "x'y")
        #expect(text.contains("INFILE 'x''y'") && text.contains("(`a```, @v1, @v2)"))
        #expect(text.hasSuffix(" SET `e` = CAST(@v1 AS UNSIGNED)"))
    }
}
