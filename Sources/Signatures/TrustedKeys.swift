public import Basics

/// A key pair of a trust file, with the time it is good for.
public struct TrustedKey: Sendable, Equatable {
    public let pair: PublicKeyPair
    /// Valid from this moment on; nil: always was.
    public let notBefore: Timestamp?
    /// Valid up to and including this moment; nil: without end.
    public let notAfter: Timestamp?

    public init(_ pair: PublicKeyPair, notBefore: Timestamp? = nil, notAfter: Timestamp? = nil) {
        self.pair = pair
        self.notBefore = notBefore
        self.notAfter = notAfter
    }
}

/// Time-stamping authorities of a trust file; what their certificates say is read elsewhere.
public struct TrustedAuthority: Sendable, Equatable {
    /// PEM: roots, and certificates in between.
    public let certificates: String
    /// Policies of which a time-stamp must have one; any where there are none.
    public let policies: [String]
    /// Whether an archive without trusted time-stamps is refused.
    public let isRequired: Bool
}

/// Who has signed, as the trust file says.
public struct Signer: Sendable, Equatable {
    public let principal: String
    public let roles: Set<Role>
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    public let ed25519Fingerprint: String
    /// The hexadecimal SHA-256 of the SubjectPublicKeyInfo.
    public let mldsa65Fingerprint: String
}

/// The keys someone decided to trust, from outside of any archive.
///
/// A trust file is one JSON document, or several one after another, as `cat` makes them of several
/// files. The same key may be listed twice if both entries say the same; entries that share a
/// principal or a key and differ in anything else are `.trustConflict`.
public struct TrustedKeys: Sendable {
    public let keys: [TrustedKey]
    /// Whom to believe about times, as far as the trust files say.
    public let authorities: [TrustedAuthority]

    /// Reads and merges trust files.
    public init(files: [String]) throws(Failure) {
        var content = Content()
        for path in files {
            let bytes = try Files.read(path, limit: 16 << 20)
            do throws(Failure) {
                let more = try Self.content(of: bytes)
                content.keys += more.keys
                content.authorities += more.authorities
            } catch {
                throw Failure(
                    .trustInvalid, "cannot use the trust file \"\(path)\"", cause: error)
            }
        }
        try self.init(content.keys, authorities: content.authorities)
    }

    /// Reads the bytes of a trust file.
    public init(parsing bytes: [UInt8]) throws(Failure) {
        let content = try Self.content(of: bytes)
        try self.init(content.keys, authorities: content.authorities)
    }

    /// Merges entries, the same one twice into one.
    public init(
        _ entries: [TrustedKey], authorities: [TrustedAuthority] = []
    ) throws(Failure) {
        var keys: [TrustedKey] = []
        for entry in entries where !keys.contains(entry) {
            if let other = keys.first(where: { Self.conflict($0.pair, entry.pair) }) {
                let names = [other, entry].map { "\"\($0.pair.principal)\"" }
                throw Failure(
                    .trustConflict,
                    "the trust files contradict each other about \(names[0])"
                        + (names[0] == names[1] ? "" : " and \(names[1])"),
                    hint: "Keep one entry for each signer: one principal, one pair of keys.")
            }
            keys.append(entry)
        }
        guard !keys.isEmpty else { throw Failure(.trustInvalid, "no key is trusted") }
        self.keys = keys
        self.authorities = authorities
    }

    /// Trusts nobody: for looking for damage alone.
    public static let nobody = TrustedKeys()

    private init() {
        keys = []
        authorities = []
    }

    private static func conflict(_ one: PublicKeyPair, _ other: PublicKeyPair) -> Bool {
        one.principal == other.principal || one.ed25519 == other.ed25519
            || one.mldsa65 == other.mldsa65
    }
}

// MARK: - Verifying

extension TrustedKeys {
    /// Checks both signatures of a document against these keys and says who signed.
    ///
    /// Both are required: nil throws `.signatureMissing`. The signer is found by the Ed25519 key
    /// that the SSHSIG names, and counts only as this trust file describes it.
    ///
    /// - Parameter moment: when the document was signed, by the best evidence there is.
    public func verify(
        _ document: [UInt8], sshsig: [UInt8]?, mldsa65: [UInt8]?, as kind: DocumentKind,
        at moment: Timestamp
    ) throws(Failure) -> Signer {
        guard let sshsig, let mldsa65 else {
            throw Failure(
                .signatureMissing,
                "the \(sshsig == nil ? "Ed25519" : "ML-DSA-65") signature is missing",
                hint: "Both signatures are required; ask the signer for the whole document.")
        }
        let signature = try SSHSignature(armored: sshsig)
        guard mldsa65.count == MLDSA.signatureLength else {
            throw Failure(.signatureMalformed, "the ML-DSA-65 signature is not 3309 bytes long")
        }
        guard let key = keys.first(where: { $0.pair.ed25519 == signature.publicKey }) else {
            throw Failure(
                .signerUnknown,
                "signed by a key that is not trusted: "
                    + PublicKeyPair.ed25519Fingerprint(of: signature.publicKey),
                hint: "If you know this signer by other means, add its trust file with --trust.")
        }
        try check(signature, mldsa65, of: document, as: kind, by: key.pair)
        try check(key, as: kind, at: moment)
        return Signer(
            principal: key.pair.principal, roles: key.pair.roles,
            ed25519Fingerprint: key.pair.ed25519Fingerprint,
            mldsa65Fingerprint: key.pair.mldsa65Fingerprint)
    }

    /// Checks a document of a signer whom nobody here knows: the Ed25519 signature must hold by the
    /// key that it names itself. It proves nothing about who signed; it tells that a signature was
    /// not damaged since.
    ///
    /// - Returns: the fingerprint of the key.
    public static func verifyUnknown(
        _ document: [UInt8], sshsig: [UInt8], as kind: DocumentKind
    ) throws(Failure) -> String {
        let signature = try SSHSignature(armored: sshsig)
        let data = SSHSignature.signedData(document, namespace: kind.context)
        guard signature.namespace.utf8.elementsEqual(kind.context.utf8),
            Ed25519.isValid(signature.signature, for: data, by: signature.publicKey)
        else {
            throw Failure(
                .signatureInvalid, "the Ed25519 signature does not hold by the key that it names")
        }
        return PublicKeyPair.ed25519Fingerprint(of: signature.publicKey)
    }

    private func check(
        _ signature: SSHSignature, _ mldsa65: [UInt8], of document: [UInt8],
        as kind: DocumentKind, by pair: PublicKeyPair
    ) throws(Failure) {
        // By bytes: Swift's == would take Unicode twins for one.
        guard signature.namespace.utf8.elementsEqual(kind.context.utf8) else {
            throw Failure(
                .signatureInvalid,
                "signed as \"\(signature.namespace)\" where \"\(kind.context)\" is expected")
        }
        let data = SSHSignature.signedData(document, namespace: kind.context)
        guard Ed25519.isValid(signature.signature, for: data, by: pair.ed25519) else {
            throw Failure(
                .signatureInvalid, "the Ed25519 signature of \"\(pair.principal)\" does not hold")
        }
        if MLDSA.isValid(mldsa65, for: document, context: kind.context, by: pair.mldsa65) { return }
        let other = keys.first {
            MLDSA.isValid(mldsa65, for: document, context: kind.context, by: $0.pair.mldsa65)
        }
        if let other {
            throw Failure(
                .signerPairMismatch,
                "the two signatures are of \"\(pair.principal)\" and \"\(other.pair.principal)\"",
                hint: "One signer must make both.")
        }
        throw Failure(
            .signatureInvalid, "the ML-DSA-65 signature of \"\(pair.principal)\" does not hold")
    }

    private func check(
        _ key: TrustedKey, as kind: DocumentKind, at moment: Timestamp
    ) throws(Failure) {
        let name = key.pair.principal
        guard kind.maySign(key.pair.roles) else {
            throw Failure(.signerRole, "\"\(name)\" is not trusted as \(kind.role.rawValue)")
        }
        if let start = key.notBefore, moment < start {
            throw Failure(
                .signerOutOfDate, "the key of \"\(name)\" was not valid before \(start.text)")
        }
        if let end = key.notAfter, moment > end {
            throw Failure(
                .signerOutOfDate, "the key of \"\(name)\" was not valid after \(end.text)")
        }
    }
}
