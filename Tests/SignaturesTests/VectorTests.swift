import Basics
import TestKit
import Testing

@testable import Signatures

/// Conformance data of others.
@Suite struct VectorTests {
    private func bytes(_ value: JSON?) throws -> [UInt8] {
        try #require(value?.string.flatMap { Hex.decode($0) })
    }

    private func wycheproof(
        _ name: String, _ isValid: (_ key: [UInt8], _ test: JSON) throws -> Bool
    ) throws -> Int {
        guard let folder = Vectors.folder("wycheproof") else { return 0 }
        let file = try JSON(parsing: try Files.read(folder + "/" + name))
        var count = 0
        for group in try #require(file["testGroups"]?.array) {
            let key = try bytes(group["publicKey"]?["pk"] ?? group["publicKey"])
            for test in try #require(group["tests"]?.array) {
                count += 1
                #expect(
                    try isValid(key, test) == (test["result"]?.string == "valid"),
                    "\(name) \(test["tcId"]?.integer ?? 0): \(test["comment"]?.string ?? "")")
            }
        }
        #expect(Int64(count) == file["numberOfTests"]?.integer)
        return count
    }

    @Test func wycheproofEd25519() throws {
        _ = try wycheproof("ed25519_test.json") { key, test in
            Ed25519.isValid(try bytes(test["sig"]), for: try bytes(test["msg"]), by: key)
        }
    }

    @Test func wycheproofMLDSA65() throws {
        _ = try wycheproof("mldsa_65_verify_test.json") { key, test in
            let context = try test["ctx"].map { try bytes($0) } ?? []
            // A context is text here; the vectors' longest one is refused as FIPS 204 says.
            let text = try #require(String(validating: context, as: UTF8.self))
            return MLDSA.isValid(
                try bytes(test["sig"]), for: try bytes(test["msg"]), context: text, by: key)
        }
    }

    /// Which of the edge cases hold: none with a key of small order or a key that is not reduced,
    /// none with an R that is not reduced, and of the others exactly those that satisfy the
    /// equation without the cofactor.
    @Test func edgeCasesOfEd25519() throws {
        guard let folder = Vectors.folder("cctv-ed25519") else { return }
        let file = try JSON(parsing: try Files.read(folder + "/ed25519vectors.json"))
        var accepted = 0
        for vector in try #require(file.array) {
            let flags = Set((vector["flags"]?.array ?? []).compactMap(\.string))
            let key = try bytes(vector["key"])
            #expect(
                Ed25519.isSound(key)
                    == flags.isDisjoint(with: ["low_order_A", "non_canonical_A"]))
            let isValid = Ed25519.isValid(
                try bytes(vector["sig"]), for: Array((vector["msg"]?.string ?? "").utf8), by: key)
            let expected = flags.isDisjoint(with: [
                "low_order_A", "non_canonical_A", "non_canonical_R", "low_order_residue",
            ])
            #expect(isValid == expected, "\(vector["number"]?.integer ?? 0) \(flags.sorted())")
            if isValid { accepted += 1 }
        }
        #expect(accepted == 86)
    }

    @Test func signaturesOfOpenSSH() throws {
        guard let folder = Vectors.folder("openssh-sshsig") else { return }
        let signature = try SSHSignature(armored: try Files.read(folder + "/ed25519.sig"))
        let namespace = try Files.readText(folder + "/namespace")
        #expect(signature.namespace == namespace)
        let data = SSHSignature.signedData(
            try Files.read(folder + "/signed-data"), namespace: namespace)
        #expect(Ed25519.isValid(signature.signature, for: data, by: signature.publicKey))
        let key = try Files.readText(folder + "/ed25519.pub").split(separator: " ").prefix(2)
        #expect(
            PublicKeyPair.ed25519(openSSHText: key.joined(separator: " ")) == signature.publicKey)
        for name in ["rsa.sig", "mldsa44-ed25519.sig"] {
            #expect(throws: Failure(.signatureMalformed, "")) {
                try SSHSignature(armored: try Files.read(folder + "/" + name))
            }
        }
    }

    @Test func theProofOfASampleBagHolds() throws {
        guard
            let folder = Vectors.folder("generated-here")
                .map({ $0 + "/sample-sealed-bag" })
        else { return }
        let signers = try Files.readText(folder + "/allowed_signers")
            .split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init)
        let pem = try Files.readText(folder + "/mldsa65.pub.pem").split(separator: "\n")
        let der = try #require(Base64.decode(pem.dropFirst().dropLast().joined()))
        let pair = PublicKeyPair(
            principal: signers[0], roles: [.exporter],
            ed25519: try #require(
                PublicKeyPair.ed25519(openSSHText: signers[2] + " " + signers[3])),
            mldsa65: Array(der.suffix(1952)))
        #expect(pair.subjectPublicKeyInfo == der)
        #expect(pair.mldsa65PEM == (try Files.readText(folder + "/mldsa65.pub.pem")))

        let trust = try TrustedKeys([TrustedKey(pair)])
        let proof = folder + "/bag/proof/seal.json"
        let document = try Files.read(proof)
        let sshsig = try Files.read(proof + ".sig")
        let mldsa65 = try Files.read(proof + ".mldsa65")
        let kind = DocumentKind(context: "reversibilite/seal/v1", role: .exporter)
        let signer = try trust.verify(
            document, sshsig: sshsig, mldsa65: mldsa65, as: kind, at: Fixture.now)
        #expect(signer.principal == "exporter@ch-exemple.test")
        #expect(Fixture.code(trust, sshsig, mldsa65, of: document, as: .seal) == .signatureInvalid)
        #expect(
            Fixture.code(trust, sshsig, mldsa65, of: document.flipped(9), as: kind)
                == .signatureInvalid)
    }
}
