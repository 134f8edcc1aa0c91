import Basics
import CCrypto

/// A public key as certificates hold it (SubjectPublicKeyInfo, RFC 5280), to check signatures with.
///
/// Takes RSA from 2048 bits on and the curves P-256, P-384 and P-521. Stands on `EVP_DigestVerify`.
@safe public struct PublicKey: ~Copyable {
    /// How a signature was made.
    public enum Scheme: Sendable, Equatable {
        /// RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2).
        case rsa(DigestAlgorithm)
        /// RSASSA-PSS (RFC 8017, section 8.1): digest, digest of the mask, length of the salt.
        case pss(DigestAlgorithm, mask: DigestAlgorithm, salt: Int)
        /// ECDSA with a signature in DER (RFC 3279, section 2.2.3).
        case ecdsa(DigestAlgorithm)

        var digest: DigestAlgorithm {
            switch self {
            case .rsa(let digest), .pss(let digest, _, _), .ecdsa(let digest): digest
            }
        }
    }

    private enum Kind { case rsa, pss, curve }

    private let key: OpaquePointer?
    private let kind: Kind
    /// The size of the modulus, or of the field.
    public let bits: Int

    /// Throws `.unsupported` for a key of another kind, of a weak size, or none at all.
    public init(subjectPublicKeyInfo bytes: [UInt8]) throws(Failure) {
        let count = bytes.count
        let parsed = unsafe bytes.withUnsafeBufferPointer { buffer -> OpaquePointer? in
            guard let start = buffer.baseAddress else { return nil }
            var next: UnsafePointer<UInt8>? = unsafe start
            let key = unsafe d2i_PUBKEY(nil, &next, count)
            // Bytes behind the key would belong to nothing.
            guard unsafe next == start + count else {
                unsafe EVP_PKEY_free(key)
                return nil
            }
            return unsafe key
        }
        guard let parsed = unsafe parsed else {
            ERR_clear_error()
            throw Failure(.unsupported, "the public key cannot be read")
        }
        let bits = Int(unsafe EVP_PKEY_get_bits(parsed))
        let kind: Kind? =
            switch unsafe EVP_PKEY_get_base_id(parsed) {
            case EVP_PKEY_RSA where bits >= 2048: .rsa
            case EVP_PKEY_RSA_PSS where bits >= 2048: .pss
            case EVP_PKEY_EC where [256, 384, 521].contains(bits): .curve
            default: nil
            }
        guard let kind else {
            unsafe EVP_PKEY_free(parsed)
            throw Failure(
                .unsupported, "the public key of \(bits) bits is weak or of an unknown kind")
        }
        unsafe self.key = parsed
        self.kind = kind
        self.bits = bits
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// Whether the signature over the message holds; false for a scheme that is not this key's.
    public func isValid(_ signature: [UInt8], for message: [UInt8], by scheme: Scheme) -> Bool {
        let context = unsafe EVP_MD_CTX_new()
        defer {
            unsafe EVP_MD_CTX_free(context)
            // What libcrypto notes of a failed check is nobody's error later on.
            ERR_clear_error()
        }
        guard let digest = unsafe Self.kind(of: scheme.digest) else { return false }
        var parameters: OpaquePointer?
        guard unsafe EVP_DigestVerifyInit(context, &parameters, digest, nil, key) == 1 else {
            return false
        }
        switch (scheme, kind) {
        case (.rsa, .rsa):
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PADDING) == 1 else {
                return false
            }
        case (.pss(_, let mask, let salt), .rsa), (.pss(_, let mask, let salt), .pss):
            guard let mask = unsafe Self.kind(of: mask), (0...512).contains(salt),
                unsafe EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_mgf1_md(parameters, mask) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, Int32(salt)) == 1
            else { return false }
        case (.ecdsa, .curve): break
        default: return false
        }
        return unsafe EVP_DigestVerify(
            context, signature, signature.count, message, message.count) == 1
    }

    /// Digests that signatures may stand on.
    private static func kind(of digest: DigestAlgorithm) -> OpaquePointer? {
        switch digest {
        case .sha256: unsafe EVP_sha256()
        case .sha384: unsafe EVP_sha384()
        case .sha512: unsafe EVP_sha512()
        case .md5, .sha1, .sha224: nil
        }
    }
}

extension MessageDigest {
    /// The digest of a whole message.
    public static func of(
        _ message: [UInt8], _ algorithm: DigestAlgorithm
    ) throws(Failure) -> [UInt8] {
        var digest = try MessageDigest(algorithm)
        unsafe message.withUnsafeBytes { bytes in unsafe digest.update(bytes) }
        return digest.finish()
    }
}
