public import Bags
public import Basics
public import Primitives
public import Signatures

/// A document of the dossier as it was read: both signatures hold, the form is that of its kind.
public struct DossierDocument: Sendable {
    public let kind: ProofDocument
    public let bytes: [UInt8]
    public let sha256: Digest256
    /// The document that it names as the one before it.
    public let before: Reference
    /// All that it says; members as docs/FORMAT.md lists them.
    public let predicate: JSON
    /// By the clock of the machine that signed it.
    public let createdAt: Timestamp
    public let signer: VerifiedSigner
    /// False when no trust file names the signer: then only the Ed25519 signature was checked, by the
    /// key that the document itself names.
    public let isTrusted: Bool
    /// What the trust file lets the signer do; empty of a signer whom nobody trusts.
    public let roles: Set<Role>
    /// Where it was read: `proof/` of the archive, or a folder.
    public let place: String

    /// A document, by its file's name and its digest.
    public struct Reference: Sendable, Equatable {
        public let name: String
        public let sha256: Digest256
    }
}

extension DossierDocument {
    private var isReceipt: Bool { if case .receipt = kind { true } else { false } }
    /// A receipt of an import: what somebody may accept.
    public var isImportReceipt: Bool { isReceipt && !isRehearsal }
    /// A receipt of a rehearsal (docs/FORMAT.md, section 8.8).
    public var isRehearsal: Bool {
        isReceipt && predicate["purpose"]?.string == "drp-rehearsal"
    }
}

/// The seal that a dossier is about.
public struct DossierSeal: Sendable, Equatable {
    public let sha256: Digest256
    /// `urn:uuid:…`.
    public let bag: String
    public let name: String
    public let createdAt: Timestamp
    public let purpose: String
    public let planSha256: Digest256
    /// The signed plan that it names.
    public let plan: Digest256?
}
