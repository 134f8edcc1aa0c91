import Basics
import Encryption
import TestKit
import Testing

@Suite struct KeyTests {
    // From the age vectors and from age-keygen.
    static let secret = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0"
    static let hybridSecret =
        "AGE-SECRET-KEY-PQ-1HZLGZUPT4ETPKDEV8HSGFDCYZ4E522W0A7PU2LHT8EH9W6YLNC3SW78XKG"

    @Test(arguments: [secret, hybridSecret])
    func aSecretKeyIsWrittenAsItWasRead(_ text: String) throws {
        let identity = try Identity(text)
        #expect(identity.secretText.revealed() == text)
        #expect(try Recipient(identity.recipient.text).text == identity.recipient.text)
    }

    @Test func generatedKeysAreReadAgain() throws {
        for postQuantum in [false, true] {
            let identity = try Identity.generate(postQuantum: postQuantum)
            let again = try Identity(identity.secretText.revealed())
            #expect(again.recipient.text == identity.recipient.text)
            #expect(again.recipient.isPostQuantum == postQuantum)
            #expect(identity.recipient.text.hasPrefix(postQuantum ? "age1pq1" : "age1"))
        }
    }

    @Test func anAlteredCharacterIsNoticed() throws {
        let recipient = try Identity(Self.secret).recipient.text
        for text in [Self.secret, recipient] {
            for index in text.indices {
                var changed = text
                let other: Character = text[index] == "Q" || text[index] == "q" ? "p" : "q"
                changed.replaceSubrange(
                    index...index, with: text == recipient ? String(other) : other.uppercased())
                #expect(throws: Failure(.ageKeyInvalid, "")) {
                    if text == recipient {
                        _ = try Recipient(changed)
                    } else {
                        _ = try Identity(changed)
                    }
                }
            }
        }
    }

    @Test func theCaseOfKeysIsFixed() throws {
        let recipient = try Identity(Self.secret).recipient.text
        for text in [recipient.uppercased(), "", "age1", "age", recipient + " ", " " + recipient] {
            #expect(throws: Failure(.ageKeyInvalid, "")) { try Recipient(text) }
        }
        // The Kelvin sign is a capital K to Unicode only.
        for text in [
            Self.secret.lowercased(), "", "AGE-SECRET-KEY-1", Self.secret + "\n",
            Self.secret.replacing("K", with: "\u{212a}"),
        ] {
            #expect(throws: Failure(.ageKeyInvalid, "")) { try Identity(text) }
        }
    }

    @Test func aSecretIsNeverQuoted() {
        for text in [Self.secret, Self.secret.lowercased(), Self.hybridSecret + "X"] {
            for read in [
                { _ = try Recipient(text) }, { _ = try Recipient.parse(file: text) },
                { _ = try Identity.parse(file: text + "Q") },
            ] as [() throws -> Void] {
                do {
                    try read()
                    Issue.record("accepted")
                } catch { #expect(!"\(error)".uppercased().contains("EGTZVFFV")) }
            }
        }
    }

    @Test func aPointOfLowOrderIsNoRecipient() {
        for first in [0, 1] as [UInt8] {
            let text = Bech32.encode(
                prefix: "age", [first] + [UInt8](repeating: 0, count: 31))
            #expect(throws: Failure(.ageKeyInvalid, "")) { try Recipient(text) }
        }
    }

    @Test func aPostQuantumKeyOutOfRangeIsNoRecipient() {
        let text = Bech32.encode(prefix: "age1pq", [UInt8](repeating: 0xff, count: 1216))
        #expect(throws: Failure(.ageKeyInvalid, "")) { try Recipient(text) }
    }

    @Test func aKeyOfTheWrongSizeIsRefused() {
        for count in [0, 31, 33, 64, 1215, 1216, 1217] {
            for prefix in ["age", "age1pq"] where (count, prefix) != (1216, "age1pq") {
                let text = Bech32.encode(prefix: prefix, [UInt8](repeating: 9, count: count))
                #expect(throws: Failure(.ageKeyInvalid, "")) { try Recipient(text) }
            }
            for prefix in ["age-secret-key-", "age-secret-key-pq-"] {
                let text = Bech32.encode(prefix: prefix, [UInt8](repeating: 9, count: count))
                #expect(throws: Failure(.ageKeyInvalid, "")) { try Identity(text.uppercased()) }
            }
        }
    }

    @Test func aKeyFileHoldsCommentsAndBlankLines() throws {
        let text = """
            # created: 2026-11-23T18:27:24Z
            # public key: age1…

            \(Self.secret)\r
            \(Self.hybridSecret)
            """
        let identities = try Identity.parse(file: text)
        #expect(identities.map(\.recipient.isPostQuantum) == [false, true])
        let recipients = identities.map(\.recipient.text).joined(separator: "\n# next\n\n")
        #expect(try Recipient.parse(file: recipients).map(\.isPostQuantum) == [false, true])
    }

    @Test func aKeyFileWithoutKeysOrWithSomethingElseIsRefused() {
        for text in [
            "", "# only a comment\n", "\n\n", "hello", Self.secret + "\nhello",
            "  " + Self.secret, "AGE-PLUGIN-YUBIKEY-1QQQ", "age-encryption.org/v1\n",
            "-----BEGIN AGE ENCRYPTED FILE-----\n",
        ] {
            #expect(throws: Failure(.ageKeyInvalid, "")) { try Identity.parse(file: text) }
        }
    }

    /// Made with swift-crypto and read by age 1.3.2.
    @Test func aPostQuantumKeyPairOfAnotherProgramIsTheSame() throws {
        guard let folder = Vectors.folder("generated-here/sample-sealed-bag") else { return }
        let identities = try Identity.parse(
            file: try Files.readText(folder + "/test-only-identity.txt"))
        let recipients = try Recipient.parse(file: try Files.readText(folder + "/recipient.txt"))
        #expect(identities.map(\.recipient.text) == recipients.map(\.text))
        for number in 1...2 {
            let file = try Files.read(folder + "/bag/data/c000\(number)/seg-00000.age")
            let released = Age.open(file, with: identities)
            #expect(released.failure == nil && !released.bytes.isEmpty)
        }
    }
}
