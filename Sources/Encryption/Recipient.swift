public import Basics
internal import Crypto
internal import FoundationEssentials

/// Whom a file is encrypted to: a public key of age, or a passphrase. Parsed once, used for any
/// number of files.
public struct Recipient: Sendable {
    enum Kind: Sendable {
        case x25519(Curve25519.KeyAgreement.PublicKey)
        case hybrid(XWingMLKEM768X25519.PublicKey)
        case passphrase(Passphrase)
    }

    static let x25519Prefix = "age"
    static let hybridPrefix = "age1pq"

    let kind: Kind
    /// The public key as it was written (`age1…`); for a passphrase, which has none, "passphrase".
    public let text: String

    /// Whether a quantum computer of the future is kept out (`mlkem768x25519`).
    public var isPostQuantum: Bool {
        if case .hybrid = kind { true } else { false }
    }

    var isPassphrase: Bool {
        if case .passphrase = kind { true } else { false }
    }

    /// Reads `age1…` (X25519) or `age1pq1…` (ML-KEM-768 with X25519); `.ageKeyInvalid` otherwise.
    public init(_ text: String) throws(Failure) {
        self.text = text
        if text.hasPrefix(Self.hybridPrefix + "1") {
            guard let bytes = Bech32.decode(prefix: Self.hybridPrefix, text),
                let key = try? XWingMLKEM768X25519.PublicKey(rawRepresentation: bytes),
                // A key whose coefficients are out of range fails only when it is used.
                (try? key.encapsulate()) != nil
            else { throw Self.invalid(text) }
            kind = .hybrid(key)
        } else {
            guard let bytes = Bech32.decode(prefix: Self.x25519Prefix, text),
                let key = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: bytes),
                X25519Wrapping.secret(Curve25519.KeyAgreement.PrivateKey(), with: key) != nil
            else { throw Self.invalid(text) }
            kind = .x25519(key)
        }
    }

    /// Whoever knows the passphrase; must be the only recipient.
    public init(_ passphrase: Passphrase) {
        kind = .passphrase(passphrase)
        text = "passphrase"
    }

    init(_ key: Curve25519.KeyAgreement.PublicKey) {
        kind = .x25519(key)
        text = Bech32.encode(prefix: Self.x25519Prefix, [UInt8](key.rawRepresentation))
    }

    init(_ key: XWingMLKEM768X25519.PublicKey) {
        kind = .hybrid(key)
        text = Bech32.encode(prefix: Self.hybridPrefix, [UInt8](key.rawRepresentation))
    }

    /// Reads a recipients file: one per line; blank lines and lines that begin with `#` are skipped.
    public static func parse(file text: String) throws(Failure) -> [Recipient] {
        try KeyFile.parse(text, of: "recipient") { (line) throws(Failure) in try Recipient(line) }
    }

    /// Refuses what age refuses: nobody, classical keys beside post-quantum ones (the file would be
    /// no stronger than the weakest), and anything beside a passphrase.
    static func check(_ recipients: [Recipient]) throws(Failure) {
        guard let first = recipients.first else {
            throw Failure(
                .ageKeyInvalid, "cannot encrypt to nobody", hint: "Give at least one recipient.")
        }
        guard recipients.allSatisfy({ $0.isPostQuantum == first.isPostQuantum }) else {
            throw Failure(
                .ageRecipientsMixed, "cannot mix post-quantum and classical recipients",
                hint: "Use only recipients that begin with age1pq1, or none of them.")
        }
        guard recipients.count == 1 || !recipients.contains(where: \.isPassphrase) else {
            throw Failure(
                .ageRecipientsMixed, "cannot encrypt to a passphrase and another recipient",
                hint: "Use the passphrase alone, or public keys.")
        }
    }

    private static func invalid(_ text: String) -> Failure {
        if text.uppercased().hasPrefix(Identity.x25519Prefix) {
            // The text is a secret: it must not be quoted.
            return Failure(
                .ageKeyInvalid, "a secret key stands where a public key is expected",
                hint: "Give the recipient that `age-keygen -y` prints for it.")
        }
        let shown = text.count > 80 ? text.prefix(80) + "…" : text[...]
        return Failure(
            .ageKeyInvalid, "cannot use recipient \"\(shown)\"",
            hint: "A recipient begins with age1 or age1pq1; copy it again, whole.")
    }
}
