import Basics
import Crypto
import Encryption
import Primitives
import TestKit
import Testing

/// What the file format stands on, against Project Wycheproof and the RFCs.
@Suite struct CipherTests {
    struct Case {
        let group: JSON
        let test: JSON

        func bytes(_ key: String) throws -> [UInt8] {
            let text = try #require(test[key]?.string)
            return try #require(Hex.decode(text))
        }

        var name: String { "test \(test["tcId"]?.integer ?? 0)" }
    }

    static func cases(_ name: String) throws -> [Case] {
        guard let folder = Vectors.folder("wycheproof") else { return [] }
        let document = try JSON(parsing: try Files.read("\(folder)/\(name)_test.json"))
        let cases = (document["testGroups"]?.array ?? []).flatMap { group in
            (group["tests"]?.array ?? []).map { Case(group: group, test: $0) }
        }
        #expect(cases.count == Int(document["numberOfTests"]?.integer ?? 0))
        return cases
    }

    @Test func chaChaPolyKeepsTheVectors() throws {
        for one in try Self.cases("chacha20_poly1305") {
            let isValid = one.test["result"]?.string == "valid"
            guard let nonce = ChaCha20Poly1305.Nonce(bytes: try one.bytes("iv")) else {
                #expect(!isValid, "\(one.name)")
                continue
            }
            let other = try one.bytes("aad")
            let sealed = try one.bytes("ct") + one.bytes("tag")
            var opener = try ChaCha20Poly1305(.opening, key: try one.bytes("key"))
            let opened = try opener.open(sealed, authenticating: other, nonce: nonce)
            #expect(opened == (isValid ? try one.bytes("msg") : nil), "\(one.name)")
            guard isValid else { continue }
            var sealer = try ChaCha20Poly1305(.sealing, key: try one.bytes("key"))
            let message = try one.bytes("msg")
            #expect(
                try sealer.seal(message, authenticating: other, nonce: nonce) == sealed,
                "\(one.name)")
        }
    }

    @Test func oneContextServesMessagesOfAllSizesInAnyOrder() throws {
        let key = Age.sample(32)
        var sealer = try ChaCha20Poly1305(.sealing, key: key)
        var opener = try ChaCha20Poly1305(.opening, key: key)
        for (index, size) in [65_536, 0, 1, 63, 64, 65, 65_535, 16].enumerated() {
            let nonce = ChaCha20Poly1305.Nonce(0, 1, UInt32(index))
            var sealed = try sealer.seal(Age.sample(size), nonce: nonce)
            let reference = try ChaChaPoly.seal(
                Age.sample(size), using: SymmetricKey(data: key),
                nonce: ChaChaPoly.Nonce(data: [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, UInt8(index)]))
            #expect(Array(reference.ciphertext + reference.tag) == sealed)
            sealed[size / 2] ^= 1
            #expect(try opener.open(sealed, nonce: nonce) == nil)
            sealed[size / 2] ^= 1
            #expect(try opener.open(sealed, nonce: nonce) == Age.sample(size))
        }
        #expect(try opener.open([1, 2, 3], nonce: .zero) == nil)
    }

    @Test func keyAgreementKeepsTheVectors() throws {
        for one in try Self.cases("x25519") {
            let secret = try Curve25519.KeyAgreement.PrivateKey(
                rawRepresentation: try one.bytes("private"))
            let point = try Curve25519.KeyAgreement.PublicKey(
                rawRepresentation: try one.bytes("public"))
            let expected = try one.bytes("shared")
            let shared = X25519Wrapping.secret(secret, with: point)?
                .withUnsafeBytes { Array($0) }
            let isZero = expected.allSatisfy { $0 == 0 }
            #expect(shared == (isZero ? nil : expected), "\(one.name)")
        }
    }

    /// RFC 7914, section 12.
    @Test func scryptKeepsTheVectorOfTheStandard() throws {
        let key = try Scrypt.derive(
            Array("pleaseletmein".utf8), salt: Array("SodiumChloride".utf8), workFactor: 14,
            blockSize: 8, parallelism: 1, memoryLimit: 32 << 20, count: 64)
        #expect(
            Hex.encode(key)
                == "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
                + "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887")
    }

    @Test func scryptKeepsToItsMemory() {
        for (factor, limit) in [(20, 1 << 30), (14, 16 << 20), (0, 1 << 30), (63, 1 << 30)] {
            #expect(throws: Failure(.invalidValue, "")) {
                try Scrypt.derive(
                    [1], salt: [2], workFactor: factor, blockSize: 8, parallelism: 1,
                    memoryLimit: limit, count: 32)
            }
        }
    }
}
