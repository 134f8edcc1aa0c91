public import Basics
import Crypto

/// The two signatures of one document; neither counts without the other.
public struct SignaturePair: Sendable, Equatable {
    /// `….sig`: armored SSHSIG, as `ssh-keygen -Y sign` prints it.
    public let sshsig: [UInt8]
    /// `….mldsa65`: the 3309 raw bytes of ML-DSA-65.
    public let mldsa65: [UInt8]
}

/// The private keys of one signer.
///
/// What it says of itself in logs and errors is its principal; the seeds leave it only towards the
/// key file.
public struct SigningKey: Sendable {
    /// Principal, roles and public keys.
    public let publicPair: PublicKeyPair
    private let ed25519: Curve25519.Signing.PrivateKey
    private let mldsa65: MLDSA65.PrivateKey

    public var principal: String { publicPair.principal }
    public var roles: Set<Role> { publicPair.roles }

    /// Makes a new pair from the world's randomness.
    public static func generate(
        principal: String, roles: Set<Role>, world: World
    ) throws(Failure) -> SigningKey {
        guard PublicKeyPair.isValidPrincipal(principal) else {
            throw Failure(
                .invalidValue, "cannot name a signer \"\(principal)\"",
                hint: "Use letters, digits and the signs @ . _ + - : = only.")
        }
        guard !roles.isEmpty else {
            throw Failure(.invalidValue, "cannot make a key without a role")
        }
        return try SigningKey(
            principal: principal, roles: roles, ed25519Seed: world.random(32),
            mldsa65Seed: world.random(32))
    }

    private init(
        principal: String, roles: Set<Role>, ed25519Seed: [UInt8], mldsa65Seed: [UInt8]
    ) throws(Failure) {
        guard
            let ed25519 = try? Curve25519.Signing.PrivateKey(rawRepresentation: ed25519Seed),
            let mldsa65 = try? MLDSA65.PrivateKey(
                seedRepresentation: mldsa65Seed, publicKey: nil)
        else { throw Failure(.keyFileInvalid, "its seeds are not 32 bytes each") }
        self.ed25519 = ed25519
        self.mldsa65 = mldsa65
        publicPair = PublicKeyPair(
            principal: principal, roles: roles,
            ed25519: Array(ed25519.publicKey.rawRepresentation),
            mldsa65: Array(mldsa65.publicKey.rawRepresentation))
    }

    /// Signs the document's bytes with both keys; throws `.signerRole` when this key may not sign
    /// that kind.
    ///
    /// Ed25519 is deterministic (RFC 8032), ML-DSA is hedged (FIPS 204, 3.4): signing twice gives
    /// two different `mldsa65`.
    public func sign(
        _ document: [UInt8], as kind: DocumentKind
    ) throws(Failure) -> SignaturePair {
        guard kind.maySign(roles) else {
            throw Failure(
                .signerRole,
                "cannot sign as \(kind.role.rawValue) with the key of \"\(principal)\"",
                hint: "Use a key made with `exeat keys new NAME --role \(kind.role.rawValue)`.")
        }
        return try signRegardlessOfRole(document, as: kind)
    }

    func signRegardlessOfRole(
        _ document: [UInt8], as kind: DocumentKind
    ) throws(Failure) -> SignaturePair {
        let data = SSHSignature.signedData(document, namespace: kind.context)
        do {
            let classical = try ed25519.signature(for: data)
            let postQuantum = try mldsa65.signature(
                for: document, context: Array(kind.context.utf8))
            let sshsig = SSHSignature(
                publicKey: publicPair.ed25519, namespace: kind.context,
                signature: Array(classical))
            return SignaturePair(sshsig: sshsig.armored, mldsa65: Array(postQuantum))
        } catch {
            throw Failure(.failed, "cannot sign with the key of \"\(principal)\": \(error)")
        }
    }
}

extension SigningKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "signing key of \(principal)" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

// MARK: - The key file

extension SigningKey {
    /// Reads a `NAME.key`.
    ///
    /// Throws `.keyFileExposed` when the mode of the file (behind links) gives the group or others
    /// anything, and `.keyFileInvalid` for anything but a whole key file.
    public init(file path: String) throws(Failure) {
        let bytes = try KeyFiles.readPrivate(path)
        do throws(Failure) { self = try SigningKey(parsing: bytes) } catch {
            throw Failure(
                .keyFileInvalid, "cannot use the key file \"\(path)\"",
                hint: "Restore it from a copy, or make a new key with `exeat keys new`.",
                cause: error)
        }
    }

    /// The content of a `NAME.key`: secret.
    var keyFile: [UInt8] {
        let document: JSON = [
            "exeat-key": 1,
            "principal": .string(principal),
            "roles": PublicKeyPair.names(of: roles),
            "ed25519": .string(Base64.encode(Array(ed25519.rawRepresentation))),
            "mldsa65": .string(Base64.encode(Array(mldsa65.seedRepresentation))),
        ]
        return Array((document.pretty + "\n").utf8)
    }

    init(parsing bytes: [UInt8]) throws(Failure) {
        let document = try JSON(parsing: bytes)
        try document.requireKeys(
            ["exeat-key", "principal", "roles", "ed25519", "mldsa65"], "the key file")
        guard document["exeat-key"] == 1 else {
            throw Failure(.keyFileInvalid, "it is not a key file of version 1")
        }
        let (principal, roles) = try PublicKeyPair.identity(of: document)
        guard let ed25519 = document["ed25519"]?.string.flatMap({ Base64.decode($0) }),
            let mldsa65 = document["mldsa65"]?.string.flatMap({ Base64.decode($0) })
        else { throw Failure(.keyFileInvalid, "a seed is missing or not base64") }
        try self.init(
            principal: principal, roles: roles, ed25519Seed: ed25519, mldsa65Seed: mldsa65)
    }
}
