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
    ///
    /// - Parameter moment: when the seal existed at the latest, as a trusted time-stamp says; nil
    ///   where there is none, and the present counts.
    func verify(
        seal: [UInt8], sshsig: [UInt8], mldsa65: [UInt8], at moment: Timestamp?
    ) throws(Failure) -> VerifiedSigner

    /// The same for a later document of the dossier; nil when this verifier cannot judge it, which
    /// the report then says.
    func verify(
        document: ProofDocument, bytes: [UInt8], sshsig: [UInt8], mldsa65: [UInt8]
    ) throws(Failure) -> VerifiedSigner?

    /// What an RFC 3161 token certifies about the message; throws when it does not hold.
    ///
    /// - Parameter request: what it answers, where that is known.
    func stamp(
        _ token: [UInt8], over message: [UInt8], request: [UInt8]?
    ) throws(Failure) -> CertifiedTime

    /// Whether a request is about the message; throws when it is not.
    func check(request: [UInt8], over message: [UInt8]) throws(Failure)

    /// What the reader asks for beyond what the format demands.
    var demands: SealDemands { get }
}

extension SealVerifier {
    public func verify(
        document: ProofDocument, bytes: [UInt8], sshsig: [UInt8], mldsa65: [UInt8]
    ) throws(Failure) -> VerifiedSigner? { nil }

    public func check(request: [UInt8], over message: [UInt8]) throws(Failure) {}

    public var demands: SealDemands { SealDemands() }
}

/// What a reader asks for beyond what the format demands.
public struct SealDemands: Sendable {
    /// The present; nil where times are not held against it.
    public var now: Timestamp?
    /// A trusted time-stamp at the opening and at the end.
    public var timeStamps = false
    /// Whether an archive may be used after the date that its exporter gave it.
    public var acceptsExpired = false
    /// Tokens that came by another way than the archive, each with its file's name.
    public var tokens: [(name: String, bytes: [UInt8])] = []

    public init() {}
}
