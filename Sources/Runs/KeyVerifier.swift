import Bags
import Basics
import Signatures

/// Judges the signatures of a bag by trust files from outside it.
struct KeyVerifier: SealVerifier {
    let keys: TrustedKeys
    /// Keys must be in date at this moment: without a certified time, what a seal claims is no proof.
    let now: Timestamp

    func verify(
        seal: [UInt8], sshsig: [UInt8], mldsa65: [UInt8]
    ) throws(Failure) -> VerifiedSigner {
        let signer = try keys.verify(
            seal, sshsig: sshsig, mldsa65: mldsa65, as: .seal, at: now)
        return VerifiedSigner(signer)
    }

    func verify(
        document: ProofDocument, bytes: [UInt8], sshsig: [UInt8], mldsa65: [UInt8]
    ) throws(Failure) -> VerifiedSigner? {
        let kind = DocumentKind.of(document)
        do throws(Failure) {
            return VerifiedSigner(
                try keys.verify(bytes, sshsig: sshsig, mldsa65: mldsa65, as: kind, at: now))
        } catch {
            // Who checks a seal need not know the importer's key; the report says it was not judged.
            guard error.code == .signerUnknown else { throw error }
            try Self.checkClaim(document, bytes, sshsig: sshsig)
            return nil
        }
    }

    /// A document whose signer nobody here knows must hold by the key that it names itself.
    static func checkClaim(
        _ document: ProofDocument, _ bytes: [UInt8], sshsig: [UInt8]
    ) throws(Failure) {
        let fingerprint = try TrustedKeys.verifyUnknown(
            bytes, sshsig: sshsig, as: DocumentKind.of(document))
        let named = try JSON(parsing: bytes)["predicate"]?["signer"]?["ed25519"]?.string
        guard named == fingerprint else {
            throw Failure(
                .signerPairMismatch, "\"\(document.file)\" names another key than signed it")
        }
    }
}

extension VerifiedSigner {
    init(_ signer: Signer) {
        self.init(
            principal: signer.principal, ed25519: signer.ed25519Fingerprint,
            mldsa65: signer.mldsa65Fingerprint)
    }
}
