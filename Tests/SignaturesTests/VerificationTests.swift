import Basics
import TestKit
import Testing

@testable import Signatures

@Suite struct VerificationTests {
    let key: SigningKey
    let other: SigningKey
    let trust: TrustedKeys
    let pair: SignaturePair

    init() throws {
        key = try Fixture.key(1, "hebergeur")
        other = try Fixture.key(2, "valmont")
        trust = try Fixture.trust(key, other)
        pair = try key.sign(Fixture.document, as: .seal)
    }

    private func code(_ sshsig: [UInt8]?, _ mldsa65: [UInt8]?) -> Failure.Code? {
        Fixture.code(trust, sshsig, mldsa65)
    }

    @Test func saysWhoSigned() throws {
        let signer = try trust.verify(
            Fixture.document, sshsig: pair.sshsig, mldsa65: pair.mldsa65, as: .seal,
            at: Fixture.now)
        #expect(signer.principal == "hebergeur")
        #expect(signer.roles == [.exporter, .importer])
        #expect(signer.ed25519Fingerprint == key.publicPair.ed25519Fingerprint)
        #expect(signer.mldsa65Fingerprint == key.publicPair.mldsa65Fingerprint)
        #expect(pair.mldsa65.count == 3309)
    }

    @Test func ed25519IsDeterministic() throws {
        #expect(try key.sign(Fixture.document, as: .seal).sshsig == pair.sshsig)
    }

    @Test func bothSignaturesAreRequired() {
        #expect(code(nil, pair.mldsa65) == .signatureMissing)
        #expect(code(pair.sshsig, nil) == .signatureMissing)
        #expect(code([], pair.mldsa65) == .signatureMalformed)
        #expect(code(pair.sshsig, []) == .signatureMalformed)
    }

    @Test func signaturesOfTwoSignersDoNotMix() throws {
        let second = try other.sign(Fixture.document, as: .seal)
        #expect(code(pair.sshsig, second.mldsa65) == .signerPairMismatch)
        #expect(code(second.sshsig, pair.mldsa65) == .signerPairMismatch)
        let stranger = try Fixture.key(3, "inconnu").sign(Fixture.document, as: .seal)
        #expect(code(pair.sshsig, stranger.mldsa65) == .signatureInvalid)
        #expect(code(stranger.sshsig, stranger.mldsa65) == .signerUnknown)
        #expect(code(stranger.sshsig, pair.mldsa65) == .signerUnknown)
    }

    @Test func aSignerNeedsTheRoleOfTheDocument() throws {
        #expect(throws: Failure(.signerRole, "")) {
            try key.sign(Fixture.document, as: .erasure)
        }
        let forged = try key.signRegardlessOfRole(Fixture.document, as: .erasure)
        #expect(
            Fixture.code(trust, forged.sshsig, forged.mldsa65, as: .erasure) == .signerRole)
        for kind in DocumentKind.all {
            let able = try Fixture.key(4, "x", [kind.role])
            let pair = try able.sign(Fixture.document, as: kind)
            let trust = try Fixture.trust(able)
            for asked in DocumentKind.all {
                #expect(
                    Fixture.code(trust, pair.sshsig, pair.mldsa65, as: asked)
                        == (asked == kind ? nil : .signatureInvalid))
            }
        }
    }

    @Test func aSignatureHoldsForItsContextOnly() throws {
        let receipt = try key.sign(Fixture.document, as: .receipt)
        #expect(code(receipt.sshsig, receipt.mldsa65) == .signatureInvalid)
        #expect(code(pair.sshsig, receipt.mldsa65) == .signatureInvalid)
        #expect(code(receipt.sshsig, pair.mldsa65) == .signatureInvalid)
    }

    @Test func aSignerIsTrustedForATime() throws {
        let moment = { Timestamp(seconds: Fixture.now.seconds + $0) }
        let trust = try TrustedKeys([
            TrustedKey(key.publicPair, notBefore: moment(-10), notAfter: moment(10))
        ])
        for (offset, expected): (Int64, Failure.Code?) in [
            (-11, .signerOutOfDate), (-10, nil), (10, nil), (11, .signerOutOfDate),
        ] {
            #expect(
                Fixture.code(trust, pair.sshsig, pair.mldsa65, at: moment(offset)) == expected)
        }
    }

    @Test func everyFlippedBitIsFound() {
        for index in Fixture.document.indices {
            let bad = Fixture.document.flipped(index, bit: index % 8)
            #expect(Fixture.code(trust, pair.sshsig, pair.mldsa65, of: bad) == .signatureInvalid)
        }
        for index in pair.sshsig.indices {
            let bad = pair.sshsig.flipped(index, bit: index % 8)
            #expect(
                [.signatureMalformed, .signatureInvalid, .signerUnknown].contains(
                    code(bad, pair.mldsa65)), "byte \(index)")
        }
        for index in stride(from: 0, to: pair.mldsa65.count, by: 41) {
            let bad = pair.mldsa65.flipped(index, bit: index % 8)
            #expect(code(pair.sshsig, bad) == .signatureInvalid, "byte \(index)")
        }
    }

    @Test func aSignatureOfAnotherLengthIsMalformed() {
        #expect(code(pair.sshsig, pair.mldsa65 + [0]) == .signatureMalformed)
        #expect(code(pair.sshsig, pair.mldsa65.dropLast()) == .signatureMalformed)
    }
}
