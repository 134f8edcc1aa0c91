public import Basics
internal import Crypto
internal import FoundationEssentials

/// What opens a file: a secret key of age, or a passphrase.
public struct Identity: Sendable {
    enum Kind: Sendable {
        case x25519(Curve25519.KeyAgreement.PrivateKey)
        case hybrid(XWingMLKEM768X25519.PrivateKey)
        case passphrase(Passphrase)
    }

    static let x25519Prefix = "AGE-SECRET-KEY-"
    static let hybridPrefix = "AGE-SECRET-KEY-PQ-"

    let kind: Kind

    /// Reads `AGE-SECRET-KEY-1…` (X25519) or `AGE-SECRET-KEY-PQ-1…`; `.ageKeyInvalid` otherwise.
    public init(_ text: String) throws(Failure) {
        if let seed = Self.decode(Self.hybridPrefix, text) {
            guard
                let key = try? XWingMLKEM768X25519.PrivateKey(
                    seedRepresentation: seed, publicKey: nil)
            else { throw Self.invalid(text) }
            kind = .hybrid(key)
        } else if let bytes = Self.decode(Self.x25519Prefix, text) {
            guard let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: bytes) else {
                throw Self.invalid(text)
            }
            kind = .x25519(key)
        } else {
            throw Self.invalid(text)
        }
    }

    /// Opens files that were encrypted with a passphrase.
    public init(_ passphrase: Passphrase) { kind = .passphrase(passphrase) }

    private init(_ kind: Kind) { self.kind = kind }

    /// Reads a key file as age-keygen writes it: one secret key per line; blank lines and lines that
    /// begin with `#` are skipped.
    public static func parse(file text: String) throws(Failure) -> [Identity] {
        guard !text.hasPrefix(Header.versionPrefix), !text.hasPrefix(ArmorLine.begin) else {
            throw Failure(
                .ageKeyInvalid, "the key file is itself encrypted",
                hint: "Decrypt it first: age -d -o KEYFILE ENCRYPTED.")
        }
        return try KeyFile.parse(text, of: "key") { (line) throws(Failure) in try Identity(line) }
    }

    /// A new key from the random source of the operating system.
    public static func generate(postQuantum: Bool) throws(Failure) -> Identity {
        guard postQuantum else { return Identity(.x25519(Curve25519.KeyAgreement.PrivateKey())) }
        do { return Identity(.hybrid(try XWingMLKEM768X25519.PrivateKey.generate())) } catch {
            throw Failure(.failed, "cannot make a post-quantum key: \(error)")
        }
    }

    /// The public half.
    public var recipient: Recipient {
        switch kind {
        case .x25519(let key): Recipient(key.publicKey)
        case .hybrid(let key): Recipient(key.publicKey)
        case .passphrase(let passphrase): Recipient(passphrase)
        }
    }

    /// The secret key as a line of a key file, or the passphrase.
    public var secretText: Secret {
        switch kind {
        case .x25519(let key): Self.encode(Self.x25519Prefix, [UInt8](key.rawRepresentation))
        case .hybrid(let key): Self.encode(Self.hybridPrefix, [UInt8](key.seedRepresentation))
        case .passphrase(let passphrase): passphrase.secret
        }
    }

    private static func encode(_ prefix: String, _ bytes: [UInt8]) -> Secret {
        Secret(Bech32.encode(prefix: prefix.lowercased(), bytes).uppercased())
    }

    /// Secret keys are written in capitals only.
    private static func decode(_ prefix: String, _ text: String) -> [UInt8]? {
        guard text.utf8.allSatisfy({ $0 < 0x61 }) else { return nil }
        return Bech32.decode(prefix: prefix.lowercased(), text.lowercased())
    }

    private static func invalid(_ text: String) -> Failure {
        if text.hasPrefix("AGE-PLUGIN-") {
            return Failure(
                .ageKeyInvalid, "cannot use keys of age plugins",
                hint: "Decrypt with age and the plugin instead.")
        }
        return Failure(
            .ageKeyInvalid, "cannot read the secret key",
            hint: "It begins with AGE-SECRET-KEY-1 or AGE-SECRET-KEY-PQ-1; copy it again, whole.")
    }
}
