public import Basics

/// Whose two signatures were found good, by a trust file outside the bag.
public struct VerifiedSigner: Sendable, Equatable {
    public let principal: String
    /// As ssh-keygen prints it: `SHA256:…`.
    public let ed25519: String
    /// SHA-256 of the public key, in hexadecimal.
    public let mldsa65: String

    public init(principal: String, ed25519: String, mldsa65: String) {
        self.principal = principal
        self.ed25519 = ed25519
        self.mldsa65 = mldsa65
    }
}

/// Judges signatures; nothing from the bag may take part in the judgement but what is passed here.
public protocol SealVerifier: Sendable {
    /// Both signatures over the seal's bytes, by one trusted signer in the role of an exporter.
    func verify(
        seal: [UInt8], sshsig: [UInt8], mldsa65: [UInt8]
    ) throws(Failure) -> VerifiedSigner

    /// The same for a later document of the dossier; nil when this verifier cannot judge it, which
    /// the report then says.
    func verify(
        document: ProofDocument, bytes: [UInt8], sshsig: [UInt8], mldsa65: [UInt8]
    ) throws(Failure) -> VerifiedSigner?

    /// The moment that an RFC 3161 token certifies for the message; nil when this verifier cannot
    /// judge it, which the report then says.
    func moment(token: [UInt8], message: [UInt8]) throws(Failure) -> Timestamp?
}

extension SealVerifier {
    public func verify(
        document: ProofDocument, bytes: [UInt8], sshsig: [UInt8], mldsa65: [UInt8]
    ) throws(Failure) -> VerifiedSigner? { nil }

    public func moment(token: [UInt8], message: [UInt8]) throws(Failure) -> Timestamp? { nil }
}
