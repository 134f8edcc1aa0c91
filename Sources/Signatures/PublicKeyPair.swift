import Basics
import Primitives

/// The two public keys of one signer, who they belong to, and what they may sign.
public struct PublicKeyPair: Sendable, Equatable {
    public let principal: String
    public let roles: Set<Role>
    /// 32 bytes (RFC 8032).
    public let ed25519: [UInt8]
    /// 1952 bytes (FIPS 204).
    public let mldsa65: [UInt8]

    init(principal: String, roles: Set<Role>, ed25519: [UInt8], mldsa65: [UInt8]) {
        self.principal = principal
        self.roles = roles
        self.ed25519 = ed25519
        self.mldsa65 = mldsa65
    }

    /// `SHA256:` and base64, as `ssh-keygen -l` prints it.
    public var ed25519Fingerprint: String { Self.ed25519Fingerprint(of: ed25519) }

    static func ed25519Fingerprint(of publicKey: [UInt8]) -> String {
        let digest = SHA256.hash(SSHSignature.keyBlob(publicKey))
        return "SHA256:" + Base64.encode(digest.bytes, padded: false)
    }

    /// The hexadecimal SHA-256 of the SubjectPublicKeyInfo, as
    /// `openssl pkey -pubin -outform DER | sha256sum` prints it.
    public var mldsa65Fingerprint: String { SHA256.hash(subjectPublicKeyInfo).hex }

    /// The Ed25519 key as OpenSSH writes it: `ssh-ed25519 AAAA…`, without a comment.
    public var openSSHText: String {
        SSHSignature.keyType + " " + Base64.encode(SSHSignature.keyBlob(ed25519))
    }

    /// Whether an armored SSHSIG names this key; it need not hold.
    public func isSigner(of sshsig: [UInt8]) -> Bool {
        (try? SSHSignature(armored: sshsig))?.publicKey == ed25519
    }

    /// Reads `openSSHText`; nil for any other form.
    static func ed25519(openSSHText text: String) -> [UInt8]? {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, words[0] == SSHSignature.keyType,
            let blob = Base64.decode(words[1])
        else { return nil }
        let key = Array(blob.suffix(32))
        return SSHSignature.keyBlob(key) == blob ? key : nil
    }

    /// The ML-DSA-65 key in DER (RFC 9881): OID 2.16.840.1.101.3.4.3.18 and the raw key.
    public var subjectPublicKeyInfo: [UInt8] {
        [
            0x30, 0x82, 0x07, 0xb2, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
            0x04, 0x03, 0x12, 0x03, 0x82, 0x07, 0xa1, 0x00,
        ] + mldsa65
    }

    /// The ML-DSA-65 key as PEM (RFC 7468), for `openssl` and others.
    public var mldsa65PEM: String {
        let base64 = Array(Base64.encode(subjectPublicKeyInfo).utf8)
        var lines = ["-----BEGIN PUBLIC KEY-----"]
        for start in stride(from: 0, to: base64.count, by: 64) {
            let line = base64[start..<min(start + 64, base64.count)]
            lines.append(String(decoding: line, as: UTF8.self))
        }
        return (lines + ["-----END PUBLIC KEY-----", ""]).joined(separator: "\n")
    }

    /// A line of ssh-keygen's ALLOWED SIGNERS file, limited to the namespaces of the roles.
    public var allowedSignersLine: String {
        let namespaces = DocumentKind.all.filter { $0.maySign(roles) }
            .map(\.context).joined(separator: ",")
        return "\(principal) namespaces=\"\(namespaces)\" \(openSSHText)\n"
    }

    /// Whether a principal can stand in an allowed-signers file and on a shell's command line as
    /// it is: 1 to 128 bytes of letters, digits and `@._+-:=`, not beginning with a dash.
    public static func isValidPrincipal(_ text: String) -> Bool {
        guard (1...128).contains(text.utf8.count), text.utf8.first != 0x2d else { return false }
        return text.unicodeScalars.allSatisfy { scalar in
            if scalar.isASCII {
                return scalar.properties.isAlphabetic
                    || "@._+-:=0123456789".unicodeScalars
                        .contains(scalar)
            }
            switch scalar.properties.generalCategory {
            case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter,
                .otherLetter, .nonspacingMark, .spacingMark, .decimalNumber:
                return true
            default: return false
            }
        }
    }

    /// Reads the members that key files and trust files share; the reason when one is wrong.
    static func identity(
        of object: JSON
    ) throws(Failure) -> (principal: String, roles: Set<Role>) {
        guard let principal = object["principal"]?.string, isValidPrincipal(principal) else {
            throw Failure(.invalidValue, "its \"principal\" is missing or not valid")
        }
        guard let names = object["roles"]?.array, !names.isEmpty else {
            throw Failure(.invalidValue, "\"\(principal)\" has no roles")
        }
        var roles: Set<Role> = []
        for name in names {
            guard let role = name.string.flatMap(Role.init(rawValue:)) else {
                let known = Role.allCases.map(\.rawValue).joined(separator: ", ")
                throw Failure(
                    .invalidValue, "\"\(principal)\" has a role that does not exist",
                    hint: "The roles are \(known).")
            }
            guard roles.insert(role).inserted else {
                throw Failure(.invalidValue, "\"\(principal)\" has a role twice")
            }
        }
        return (principal, roles)
    }

    static func names(of roles: Set<Role>) -> JSON {
        .array(Role.allCases.filter(roles.contains).map { .string($0.rawValue) })
    }
}

extension JSON {
    /// Throws unless every key of this object is one of `known`.
    func requireKeys(_ known: [String], _ what: String) throws(Failure) {
        guard let members else { throw Failure(.invalidValue, "\(what) is not an object") }
        for member in members where !known.contains(member.key) {
            throw Failure(.invalidValue, "\(what) has an unknown field \"\(member.key)\"")
        }
    }
}
