import Bags
import Basics
import Signatures

/// Judges signatures by the keys that they name themselves, where nobody has said whom to trust.
///
/// It finds what was damaged since it was signed, by the Ed25519 signature alone. It never tells who
/// signed: a `VerifiedSigner` of it is what the document claims.
struct ClaimVerifier: SealVerifier {
    func verify(
        seal: [UInt8], sshsig: [UInt8], mldsa65: [UInt8], at moment: Timestamp?
    ) throws(Failure) -> VerifiedSigner {
        let fingerprint = try TrustedKeys.verifyUnknown(seal, sshsig: sshsig, as: .seal)
        let signer = try JSON(parsing: seal)["predicate"]?["signer"]
        guard let principal = signer?["principal"]?.string, let other = signer?["mldsa65"]?.string,
            signer?["ed25519"]?.string == fingerprint
        else {
            throw Failure(.signerPairMismatch, "the seal names another key than signed it")
        }
        return VerifiedSigner(principal: principal, ed25519: fingerprint, mldsa65: other)
    }

    func verify(
        document: ProofDocument, bytes: [UInt8], sshsig: [UInt8], mldsa65: [UInt8]
    ) throws(Failure) -> VerifiedSigner? {
        try KeyVerifier.checkClaim(document, bytes, sshsig: sshsig)
        return nil
    }

    /// What every reader can judge without trust; none of its times are certified.
    func stamp(
        _ token: [UInt8], over message: [UInt8], request: [UInt8]?
    ) throws(Failure) -> CertifiedTime {
        try KeyVerifier(keys: .nobody, now: World.real.now())
            .stamp(token, over: message, request: request)
    }
}
