import Basics
import Testing

@Suite struct HexTests {
    /// Every byte in every place of eight, against the reader that takes one digit at a time.
    @Test func eightDigitsAtOnceAreReadAsOneByOne() {
        for place in 0..<8 {
            for byte in UInt8.min...UInt8.max {
                var characters = Array("0a9f1b2c".utf8)
                characters[place] = byte
                let packed = characters.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                let isDigit = (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
                let expected =
                    isDigit ? UInt32(String(decoding: characters, as: UTF8.self), radix: 16) : nil
                #expect(Hex.word(of: packed) == expected, "byte \(byte) at \(place)")
            }
        }
    }

    @Test(arguments: [0, 1, 0x9a_bc_de_f0, 0x0123_4567, 0x89ab_cdef, UInt32.max])
    func aWordBecomesTheDigitsThatPrintingGives(word: UInt32) {
        let text = (0..<8).map { UInt8(truncatingIfNeeded: Hex.digits(of: word) >> (56 - 8 * $0)) }
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
        #expect(String(decoding: text, as: UTF8.self) == Hex.encode(bytes))
        #expect(Hex.word(of: Hex.digits(of: word)) == word)
    }
}
