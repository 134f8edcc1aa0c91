import Basics
import Databases
import Primitives
import Testing

@testable import PostgreSQLConnector

@Suite struct RowDigestTests {
    private let salt: [UInt8] = Array(0..<16)

    private func digest(_ text: String, piece: Int) -> MultisetDigest {
        var hasher = RowHasher(salt: salt)
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let end = min(start + piece, bytes.count)
            bytes[start..<end].withUnsafeBytes { hasher.update(lines: $0) }
            start = end
        }
        let isAtEnd = hasher.isAtEnd
        #expect(isAtEnd)
        return hasher.digest
    }

    /// The definition, by addition of big-endian numbers byte by byte.
    private func expected(_ rows: [String]) -> String {
        var sum = [UInt8](repeating: 0, count: 32)
        for row in rows {
            let hash = SHA256.hash(salt + Array(row.utf8)).bytes
            var carry = 0
            for index in (0..<32).reversed() {
                let value = Int(sum[index]) + Int(hash[index]) + carry
                sum[index] = UInt8(value & 255)
                carry = value >> 8
            }
        }
        return Hex.encode(sum)
    }

    @Test(arguments: [1, 2, 3, 7, 64, 1000])
    func theSumIsOfRowsHoweverTheyAreCut(piece: Int) {
        let rows = ["1\ta", "", "2\t\\N", "", String(repeating: "long", count: 50)]
        let found = digest(rows.map { $0 + "\n" }.joined(), piece: piece)
        #expect(found.count == 5)
        #expect(found.sum.hex == expected(rows))
    }

    @Test func orderDoesNotCountAndRepetitionDoes() {
        #expect(digest("a\nb\nc\n", piece: 5) == digest("c\na\nb\n", piece: 1))
        #expect(digest("a\na\n", piece: 5) != digest("a\n", piece: 5))
        #expect(digest("", piece: 1) == MultisetDigest())
        var joined = digest("a\n", piece: 9)
        joined.add(digest("b\nc\n", piece: 9))
        #expect(joined == digest("a\nb\nc\n", piece: 9))
    }

    @Test func aRowWithoutItsEndIsNoRow() {
        var hasher = RowHasher(salt: salt)
        Array("a\nb".utf8).withUnsafeBytes { hasher.update(lines: $0) }
        let (isAtEnd, count) = (hasher.isAtEnd, hasher.digest.count)
        #expect(!isAtEnd)
        #expect(count == 1)
    }
}

@Suite struct RowDifferenceTests {
    private func found(
        key: [String], _ archive: [String], _ target: [String]
    ) -> [String] {
        var difference = RowDifference(columns: ["a", "id"], key: key, salt: [1])
        for row in archive { difference.count(Array(row.utf8), .archive) }
        for row in target { difference.count(Array(row.utf8), .target) }
        difference.chooseBuckets()
        for row in archive { difference.look(at: Array(row.utf8), .archive) }
        for row in target { difference.look(at: Array(row.utf8), .target) }
        return difference.found.map { "\($0.name) \($0.excess)" }
    }

    @Test func rowsThatDifferAreNamedByTheirKeys() {
        let rows = (0..<5000).map { "v\t\($0)" }
        var changed = rows
        changed[17] = "w\t17"
        changed.remove(at: 4000)
        #expect(found(key: ["id"], rows, changed) == ["id=17 -1", "id=17 1", "id=4000 1"])
        #expect(found(key: ["id"], rows, rows.reversed()).isEmpty)
    }

    @Test func repeatedRowsAreCounted() {
        #expect(found(key: ["id"], ["x\t1", "x\t1"], ["x\t1"]) == ["id=1 1"])
        #expect(found(key: ["id"], ["x\t1"], ["x\t1", "x\t1", "x\t1"]) == ["id=1 -2"])
        #expect(found(key: [], ["x\t1"], []).first?.hasPrefix("digest ") == true)
    }
}
