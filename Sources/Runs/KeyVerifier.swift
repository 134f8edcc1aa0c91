import Bags
import Basics
import Dossiers
import Signatures
import TimeStamps

/// Judges the signatures and time-stamps of a bag by trust files from outside it.
struct KeyVerifier: SealVerifier {
    let keys: TrustedKeys
    /// Keys must be in date at this moment, unless a certified time says when the seal was there:
    /// what a seal claims itself is no proof.
    let now: Timestamp
    let stamps: TimeStampTrust
    private(set) var demands = SealDemands()

    init(
        keys: TrustedKeys, now: Timestamp, stamps: TimeStampTrust = .none
    ) throws(Failure) {
        self.keys = keys
        self.now = now
        var stamps = stamps
        for authority in keys.authorities {
            stamps = stamps.joined(
                try TimeStampTrust(
                    Certificate.list(of: Array(authority.certificates.utf8)),
                    policies: TimeStampTrust.identifiers(authority.policies)))
            if authority.isRequired { demands.timeStamps = true }
        }
        self.stamps = stamps
        demands.now = now
    }

    /// With what somebody asks for on the command line or in a plan, and the time-stamps that lie beside the
    /// archive where it is a tar.
    init(_ options: TrustOptions, of archive: String, now: Timestamp) throws(Failure) {
        var stamps = TimeStampTrust.none
        if !options.authorities.isEmpty {
            stamps = try TimeStampTrust(
                files: options.authorities, policies: options.policies)
        } else if !options.policies.isEmpty {
            throw Failure(
                .usage, "a policy of time-stamps is given, but no authority",
                hint: "Give the root certificate of the authority with --tsa-ca.")
        }
        try self.init(keys: TrustedKeys(files: options.trust), now: now, stamps: stamps)
        if options.requiresTimeStamps { demands.timeStamps = true }
        demands.acceptsExpired = options.acceptsExpired
        demands.tokens = try options.tokens.map { (path) throws(Failure) in
            (path, try Files.read(path, limit: TimeStampToken.longest))
        }
        for folder in OpenDossier.folders(of: archive, nil) {
            for (name, bytes) in try DossierFolder(folder).stamps()
            where StampPlace(token: name) != nil {
                demands.tokens.append((folder + "/" + name, bytes))
            }
        }
    }

    func verify(
        seal: [UInt8], sshsig: [UInt8], mldsa65: [UInt8], at moment: Timestamp?
    ) throws(Failure) -> VerifiedSigner {
        let signer = try keys.verify(
            seal, sshsig: sshsig, mldsa65: mldsa65, as: .seal, at: moment ?? now)
        return VerifiedSigner(signer)
    }

    func stamp(
        _ token: [UInt8], over message: [UInt8], request: [UInt8]?
    ) throws(Failure) -> CertifiedTime {
        let asked = try request.map { (bytes) throws(Failure) in
            try TimeStampRequest(parsing: bytes)
        }
        let stamp = try stamps.judge(token, over: message, request: asked)
        var note: String?
        if stamp.isTrusted {
            switch try SecondOpinion.ask(about: token, over: message, stamp, by: stamps) {
            case .agrees(let text), .none(let text): note = text
            case .disagrees(let reason):
                throw Failure(
                    .timeStampOpinion,
                    "the time-stamp holds by exeat, but not by OpenSSL: \(reason)")
            }
        }
        return CertifiedTime(
            moment: stamp.moment, accuracy: stamp.accuracy, authority: stamp.authority,
            policy: stamp.policy.text, serial: stamp.serial, isTrusted: stamp.isTrusted, note: note)
    }

    func check(request: [UInt8], over message: [UInt8]) throws(Failure) {
        guard try TimeStampRequest(parsing: request).isAbout(message) else {
            throw Failure(.timeStampImprint, "the request for a time-stamp is about something else")
        }
    }

    func verify(
        document: ProofDocument, bytes: [UInt8], sshsig: [UInt8], mldsa65: [UInt8]
    ) throws(Failure) -> VerifiedSigner? {
        let kind = DocumentKind(document)
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
            bytes, sshsig: sshsig, as: DocumentKind(document))
        let named = try JSON(parsing: bytes)["predicate"]?["signer"]?["ed25519"]?.string
        guard named == fingerprint else {
            throw Failure(
                .signerPairMismatch, "\"\(document.file)\" names another key than signed it")
        }
    }
}

extension DocumentKind {
    init(_ document: ProofDocument) {
        self =
            switch document {
            case .plan: .plan
            case .seal: .seal
            case .receipt: .receipt
            case .acceptance: .acceptance
            case .erasureRequest: .erasureRequest
            case .override: .override
            case .erasure: .erasure
            }
    }
}

/// Whom and what to believe, as files and wishes from outside of an archive.
public struct TrustOptions: Sendable {
    /// Trust files: who may seal.
    public var trust: [String]
    /// PEM files with the roots of time-stamping authorities, and certificates in between.
    public var authorities: [String] = []
    /// Policies of which a time-stamp must have one.
    public var policies: [String] = []
    public var requiresTimeStamps = false
    public var acceptsExpired = false
    /// Files with tokens that came by another way than the archive.
    public var tokens: [String] = []

    public init(trust: [String]) { self.trust = trust }
}

extension VerifiedSigner {
    init(_ signer: Signer) {
        self.init(
            principal: signer.principal, ed25519: signer.ed25519Fingerprint,
            mldsa65: signer.mldsa65Fingerprint)
    }
}
