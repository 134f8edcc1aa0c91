import Basics
import Primitives
import Testing

@testable import ProxmoxConnector

@Suite("One-time codes")
struct TOTPTests {
    /// RFC 4648, section 6, for the keys of RFC 6238, which are ASCII digits.
    private func base32(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
        var (word, bits, result) = (UInt32(0), UInt32(0), "")
        for byte in text.utf8 {
            word = word << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                result.append(alphabet[Int(word >> bits & 31)])
            }
            word &= (1 << bits) - 1
        }
        if bits > 0 { result.append(alphabet[Int(word << (5 - bits) & 31)]) }
        return result
    }

    @Test("The vectors of RFC 6238, appendix B")
    func vectors() throws {
        let keys: [(DigestAlgorithm, Int)] = [(.sha1, 20), (.sha256, 32), (.sha512, 64)]
        let expected: [(Int64, [String])] = [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ]
        for (index, (algorithm, count)) in keys.enumerated() {
            let key = String(String(repeating: "1234567890", count: 7).prefix(count))
            let totp = try TOTP(Secret(base32(key)), digits: 8, algorithm: algorithm)
            for (time, codes) in expected {
                #expect(try totp.code(at: Timestamp(seconds: time)) == codes[index])
            }
        }
    }

    @Test("Secrets are taken as authenticators show them, and nothing else is")
    func secrets() throws {
        let plain = try TOTP(Secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"))
        let shown = try TOTP(Secret("gezd gnbv gy3t qojq-GEZD GNBV GY3T QOJQ===="))
        let time = Timestamp(seconds: 59)
        #expect(try plain.code(at: time) == "287082")
        #expect(try shown.code(at: time) == "287082")
        for bad in ["", "  ", "0189", "GEZD!", "é"] {
            #expect(throws: Failure.self) { _ = try TOTP(Secret(bad)) }
        }
        #expect(!"\(plain)".contains("3132"))
    }
}
