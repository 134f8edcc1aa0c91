import Testing

@testable import Redaction

@Suite("Words of a line")
struct WordsTests {
    /// As `Words.split`, but each quote is looked at for itself.
    private func simply(_ bytes: [UInt8]) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var position = 0
        while position < bytes.count {
            if bytes[position] == 0x20 {
                position += 1
                continue
            }
            let start = position
            while position < bytes.count, bytes[position] != 0x20 {
                let quoted =
                    [0x22, 0x27].contains(bytes[position])
                    ? Quoted(at: position, of: bytes, lineEnd: bytes.count, mayBreak: false) : nil
                position = quoted?.end ?? position + 1
            }
            words.append(start..<position)
        }
        return words
    }

    @Test("A quote that nothing closes changes no word behind it")
    func unclosedQuotes() {
        var chance = HostileTests.Chance(state: 20_261_128)
        let letters = Array("\"\"\\''a ".utf8)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...14, using: &chance)).map { _ in
                letters[Int.random(in: 0..<letters.count, using: &chance)]
            }
            #expect(Words.split(0..<bytes.count, of: bytes) == simply(bytes))
        }
    }

    @Test(
        "Half a million escaped quotes that nothing closes are looked at once",
        arguments: ["\"", "'", "\"\"\"", "'''"])
    func manyUnclosedQuotes(_ quote: String) {
        let piece = "\\" + quote
        let bytes =
            Array("a = \(quote)".utf8) + Array(String(repeating: piece, count: 500_000).utf8)
        #expect(Words.split(0..<bytes.count, of: bytes).last?.upperBound == bytes.count)
    }
}
