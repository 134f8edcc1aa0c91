import Basics
import TestKit
import Testing

@testable import Signatures

/// Other people's programs as the judges.
@Suite struct InteroperationTests {
    let folder: TemporaryDirectory
    let key: SigningKey
    var stem: String { folder.path + "/hebergeur" }

    init() throws {
        folder = try TemporaryDirectory()
        key = try Fixture.key(1, "hebergeur")
        try KeyFiles.write(stem: stem, key: key)
    }

    private func verifyWithSSH(_ document: [UInt8], _ namespace: String) throws -> Int32 {
        try Shell.run(
            [
                "ssh-keygen", "-Y", "verify", "-f", stem + ".allowed_signers", "-I", "hebergeur",
                "-n", namespace, "-s", folder.path + "/document.sig",
            ], input: document
        ).status
    }

    @Test func sshKeygenAcceptsOurSignature() throws {
        _ = try folder.file("document.sig", try key.sign(Fixture.document, as: .seal).sshsig)
        #expect(try verifyWithSSH(Fixture.document, "exeat/seal/v1") == 0)
        #expect(try verifyWithSSH(Fixture.document + [0], "exeat/seal/v1") != 0)
        #expect(try verifyWithSSH(Fixture.document, "exeat/receipt/v1") != 0)
        // Not among the namespaces of the key's roles.
        let forged = try key.signRegardlessOfRole(Fixture.document, as: .erasure)
        _ = try folder.file("document.sig", forged.sshsig)
        #expect(try verifyWithSSH(Fixture.document, "exeat/erasure/v1") != 0)
    }

    @Test func sshKeygenPrintsTheSameFingerprint() throws {
        let path = try folder.file("key.pub", Array((key.publicPair.openSSHText + "\n").utf8))
        let text = try Shell.run(["ssh-keygen", "-l", "-f", path]).text
        #expect(
            text.split(separator: " ").dropFirst().first.map(String.init)
                == key.publicPair.ed25519Fingerprint)
    }

    @Test func acceptsWhatSSHKeygenSigns() throws {
        let path = folder.path + "/id"
        #expect(
            try Shell.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path])
                .status == 0)
        let signed = try Shell.run(
            ["ssh-keygen", "-Y", "sign", "-f", path, "-n", "exeat/seal/v1"],
            input: Fixture.document)
        #expect(signed.status == 0)
        let signature = try SSHSignature(armored: signed.output)
        #expect(signature.armored == signed.output)
        let data = SSHSignature.signedData(Fixture.document, namespace: "exeat/seal/v1")
        let text = try Files.readText(path + ".pub").split(whereSeparator: \.isNewline)[0]
        let public25519 = PublicKeyPair.ed25519(
            openSSHText: text.split(separator: " ").prefix(2).joined(separator: " "))
        #expect(signature.publicKey == public25519)
        #expect(Ed25519.isValid(signature.signature, for: data, by: signature.publicKey))

        // With the ML-DSA half of our key beside it, the document verifies as a whole.
        let pair = PublicKeyPair(
            principal: "mixte", roles: [.exporter], ed25519: signature.publicKey,
            mldsa65: key.publicPair.mldsa65)
        let postQuantum = try key.sign(Fixture.document, as: .seal).mldsa65
        let trust = try TrustedKeys([TrustedKey(pair)])
        #expect(Fixture.code(trust, signed.output, postQuantum) == nil)

        let sha256 = try Shell.run(
            [
                "ssh-keygen", "-Y", "sign", "-f", path, "-n", "exeat/seal/v1", "-O",
                "hashalg=sha256",
            ],
            input: Fixture.document)
        #expect(sha256.status == 0)
        #expect(Fixture.code(trust, sha256.output, postQuantum) == .signatureMalformed)
    }

    @Test func pythonCryptographyAcceptsOurMLDSA() throws {
        let probe = "from cryptography.hazmat.primitives.asymmetric import mldsa"
        guard try Shell.run(["python3", "-c", probe]).status == 0 else {
            print("SKIPPED: Python's cryptography with ML-DSA is not there")
            return
        }
        let script = """
            import hashlib, sys
            from cryptography.hazmat.primitives import serialization as s
            key = s.load_pem_public_key(open(sys.argv[1], "rb").read())
            signature = open(sys.argv[2], "rb").read()
            key.verify(signature, sys.stdin.buffer.read(), sys.argv[3].encode())
            der = key.public_bytes(s.Encoding.DER, s.PublicFormat.SubjectPublicKeyInfo)
            print(hashlib.sha256(der).hexdigest())
            """
        let path = try folder.file(
            "document.mldsa65", try key.sign(Fixture.document, as: .seal).mldsa65)
        func run(_ document: [UInt8], _ context: String) throws -> Shell.Result {
            try Shell.run(
                ["python3", "-c", script, stem + ".mldsa65.pem", path, context], input: document)
        }
        let good = try run(Fixture.document, "exeat/seal/v1")
        #expect(good.status == 0, "\(String(decoding: good.errors, as: UTF8.self))")
        #expect(good.text == key.publicPair.mldsa65Fingerprint + "\n")
        #expect(try run(Fixture.document, "exeat/receipt/v1").status != 0)
        #expect(try run(Fixture.document, "").status != 0)
        #expect(try run(Fixture.document + [0], "exeat/seal/v1").status != 0)
    }
}
