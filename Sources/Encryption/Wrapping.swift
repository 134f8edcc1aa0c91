import Basics
package import Crypto
internal import FoundationEssentials
import Primitives

/// X25519 of age: an ephemeral key agreement and HKDF-SHA256.
package enum X25519Wrapping {
    /// What both sides compute, or nil when the point is of low order: its secret is zero for everyone,
    /// which RFC 7748, section 6.1, has us refuse and swift-crypto lets pass.
    package static func secret(
        _ key: Curve25519.KeyAgreement.PrivateKey, with point: Curve25519.KeyAgreement.PublicKey
    ) -> SharedSecret? {
        guard let secret = try? key.sharedSecretFromKeyAgreement(with: point) else { return nil }
        let bits = unsafe secret.withUnsafeBytes { unsafe $0.reduce(0) { $0 | $1 } }
        return bits == 0 ? nil : secret
    }

    static func wrappingKey(
        _ secret: SharedSecret, share: [UInt8], recipient: Curve25519.KeyAgreement.PublicKey
    ) -> [UInt8] {
        unsafe secret.hkdfDerivedSymmetricKey(
            using: Crypto.SHA256.self, salt: share + [UInt8](recipient.rawRepresentation),
            sharedInfo: Array("age-encryption.org/v1/X25519".utf8), outputByteCount: 32
        ).withUnsafeBytes { unsafe Array($0) }
    }
}

/// HPKE of age (RFC 9180, base mode) with X-Wing, HKDF-SHA256 and ChaCha20-Poly1305.
enum HybridWrapping {
    static let suite = HPKE.Ciphersuite(
        kem: .XWingMLKEM768X25519, kdf: .HKDF_SHA256, aead: .chaChaPoly)
    static let context = Data("age-encryption.org/mlkem768x25519".utf8)
}

extension Recipient {
    /// The lines of the header that give this recipient the file key.
    func stanza(for fileKey: FileKey) throws(Failure) -> String {
        do {
            switch kind {
            case .x25519(let key):
                let ephemeral = Curve25519.KeyAgreement.PrivateKey()
                let share = [UInt8](ephemeral.publicKey.rawRepresentation)
                guard let secret = X25519Wrapping.secret(ephemeral, with: key) else {
                    throw Failure(
                        .ageKeyInvalid, "cannot encrypt to \"\(text)\"",
                        hint: "It is no public key; ask for another.")
                }
                let wrappingKey = X25519Wrapping.wrappingKey(secret, share: share, recipient: key)
                return Stanza.text(
                    [Stanza.x25519Name, Base64.encode(share, padded: false)],
                    body: try fileKey.wrapped(under: wrappingKey))
            case .hybrid(let key):
                var sender = try HPKE.Sender(
                    recipientKey: key, ciphersuite: HybridWrapping.suite,
                    info: HybridWrapping.context)
                let encapsulated = [UInt8](sender.encapsulatedKey)
                return Stanza.text(
                    [Stanza.hybridName, Base64.encode(encapsulated, padded: false)],
                    body: [UInt8](try sender.seal(fileKey.bytes)))
            case .passphrase(let passphrase):
                let salt = unsafe SymmetricKey(size: .bits128).withUnsafeBytes { unsafe Array($0) }
                let wrappingKey = try passphrase.wrappingKey(
                    salt: salt, workFactor: passphrase.workFactor)
                return Stanza.text(
                    [
                        Stanza.scryptName, Base64.encode(salt, padded: false),
                        String(passphrase.workFactor),
                    ], body: try fileKey.wrapped(under: wrappingKey))
            }
        } catch let failure as Failure { throw failure } catch {
            throw Failure(.ageKeyInvalid, "cannot encrypt to \"\(text.prefix(80))\": \(error)")
        }
    }
}

extension Identity {
    /// The file key, or nil when the stanza is for somebody else.
    func fileKey(from stanza: Stanza) throws(Failure) -> FileKey? {
        switch (kind, stanza) {
        case (.x25519(let key), .x25519(let share, let body)):
            guard let point = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: share),
                let secret = X25519Wrapping.secret(key, with: point)
            else { throw Header.malformed("the share of an X25519 stanza is a point of low order") }
            let wrappingKey = X25519Wrapping.wrappingKey(
                secret, share: share, recipient: key.publicKey)
            return try FileKey.unwrapped(body, under: wrappingKey)
        case (.hybrid(let key), .hybrid(let encapsulated, let body)):
            guard
                var opener = try? HPKE.Recipient(
                    privateKey: key, ciphersuite: HybridWrapping.suite,
                    info: HybridWrapping.context, encapsulatedKey: Data(encapsulated))
            else {
                throw Header.malformed("the share of an mlkem768x25519 stanza is of low order")
            }
            guard let bytes = try? opener.open(body) else { return nil }
            return FileKey([UInt8](bytes))
        case (.passphrase(let passphrase), .scrypt(let salt, let workFactor, let body)):
            guard workFactor <= Passphrase.maximumWorkFactor else {
                throw Failure(
                    .ageHeader, "the scrypt work factor \(workFactor) takes too much memory",
                    hint: "Up to \(Passphrase.maximumWorkFactor) is accepted; "
                        + "if you trust its origin, decrypt the file with age.")
            }
            let wrappingKey = try passphrase.wrappingKey(salt: salt, workFactor: workFactor)
            return try FileKey.unwrapped(body, under: wrappingKey)
        default: return nil
        }
    }
}
