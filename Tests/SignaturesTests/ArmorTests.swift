import Basics
import TestKit
import Testing

@testable import Signatures

/// Only the bytes that ssh-keygen itself prints are a signature.
@Suite struct ArmorTests {
    let armor: [UInt8]
    let text: String

    init() throws {
        armor = try Fixture.key(1, "hebergeur").sign(Fixture.document, as: .seal).sshsig
        text = String(decoding: armor, as: UTF8.self)
    }

    private func isRefused(_ text: String) -> Bool {
        do throws(Failure) {
            _ = try SSHSignature(armored: Array(text.utf8))
            return false
        } catch { return error.code == .signatureMalformed }
    }

    @Test func canonicalArmorIsRead() throws {
        #expect(try SSHSignature(armored: armor).armored == armor)
    }

    @Test func otherArmorIsRefused() {
        let lines = text.split(separator: "\n").map(String.init)
        let body = lines[1..<(lines.count - 1)].joined()
        func wrapped(_ columns: Int) -> String {
            var rest = Substring(body)
            var wrapped: [String] = []
            while !rest.isEmpty {
                wrapped.append(String(rest.prefix(columns)))
                rest = rest.dropFirst(columns)
            }
            return ([lines[0]] + wrapped + [lines[lines.count - 1], ""]).joined(separator: "\n")
        }
        #expect(wrapped(70) == text)
        let variants = [
            lines.joined(separator: "\r\n") + "\r\n", lines.joined(separator: "\n"), text + "\n",
            "\n" + text, " " + text, text + " ", "\u{FEFF}" + text, wrapped(64), wrapped(76),
            wrapped(1000), lines[0] + "\n\n" + lines[1...].joined(separator: "\n") + "\n",
            lines[0] + "\n" + body + "====\n" + lines[lines.count - 1] + "\n", body, "",
            "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n",
            lines[0] + "\n" + body + "\n", text + text,
            lines.dropLast().joined(separator: "\n") + "\n-----END SSH  SIGNATURE-----\n",
            String(repeating: "A", count: 1 << 20),
        ]
        for variant in variants { #expect(isRefused(variant), "\(variant.prefix(200))") }
    }

    /// Builds the blob by hand, to change what our own writer never does.
    private func armored(
        magic: String = "SSHSIG", version: UInt32 = 1, type: String = "ssh-ed25519",
        namespace: String = "exeat/seal/v1", reserved: String = "", hash: String = "sha512",
        signatureType: String = "ssh-ed25519", keyLength: Int = 32, signatureLength: Int = 64,
        trailing: [UInt8] = []
    ) -> String {
        var key = SSHWriter()
        key.append(string: type.utf8)
        key.append(string: [UInt8](repeating: 9, count: keyLength))
        var signature = SSHWriter()
        signature.append(string: signatureType.utf8)
        signature.append(string: [UInt8](repeating: 9, count: signatureLength))
        var blob = SSHWriter()
        blob.append(raw: magic.utf8)
        blob.append(number: version)
        blob.append(string: key.bytes)
        blob.append(string: namespace.utf8)
        blob.append(string: reserved.utf8)
        blob.append(string: hash.utf8)
        blob.append(string: signature.bytes)
        blob.append(raw: trailing)
        var text = "-----BEGIN SSH SIGNATURE-----\n"
        var rest = Substring(Base64.encode(blob.bytes))
        while !rest.isEmpty {
            text += rest.prefix(70) + "\n"
            rest = rest.dropFirst(70)
        }
        return text + "-----END SSH SIGNATURE-----\n"
    }

    @Test func everyFieldOfTheBlobIsFixed() {
        #expect(!isRefused(armored()))
        let variants = [
            armored(magic: "SSHSIX"), armored(version: 2), armored(version: 0),
            armored(type: "ssh-rsa"), armored(type: "sk-ssh-ed25519@openssh.com"),
            armored(namespace: ""), armored(reserved: "x"), armored(hash: "sha256"),
            armored(hash: "sha1"), armored(hash: ""), armored(signatureType: "rsa-sha2-512"),
            armored(keyLength: 31), armored(keyLength: 33), armored(signatureLength: 63),
            armored(signatureLength: 65), armored(trailing: [0]),
        ]
        for variant in variants { #expect(isRefused(variant)) }
    }

    @Test func lengthsBeyondTheBlobAreRefused() {
        let blob = Array("SSHSIG".utf8) + [0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff] + [0, 0, 0]
        let text =
            "-----BEGIN SSH SIGNATURE-----\n" + Base64.encode(blob)
            + "\n-----END SSH SIGNATURE-----\n"
        #expect(isRefused(text))
    }
}
