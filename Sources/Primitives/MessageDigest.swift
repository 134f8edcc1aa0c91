import Basics
import CCrypto

/// A digest by the name BagIt gives it; the weak ones only exist to look at foreign bags.
public enum DigestAlgorithm: String, Sendable, CaseIterable, Hashable {
    case md5, sha1, sha224, sha256, sha384, sha512

    /// The length of a digest in bytes.
    public var size: Int {
        switch self {
        case .md5: 16
        case .sha1: 20
        case .sha224: 28
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }
}

/// A running digest of any algorithm of libcrypto; stands on `EVP_DigestUpdate`.
///
/// Where it is SHA-256 that is needed, `SHA256` does the same without an allocation.
@safe public struct MessageDigest: ~Copyable {
    public let algorithm: DigestAlgorithm
    private let context: OpaquePointer?

    /// Throws `.unsupported` where the system's libcrypto does not offer the algorithm.
    public init(_ algorithm: DigestAlgorithm) throws(Failure) {
        self.algorithm = algorithm
        unsafe context = EVP_MD_CTX_new()
        let kind =
            switch algorithm {
            case .md5: unsafe EVP_md5()
            case .sha1: unsafe EVP_sha1()
            case .sha224: unsafe EVP_sha224()
            case .sha256: unsafe EVP_sha256()
            case .sha384: unsafe EVP_sha384()
            case .sha512: unsafe EVP_sha512()
            }
        guard unsafe EVP_DigestInit_ex(context, kind, nil) == 1 else {
            throw Failure(.unsupported, "the digest \(algorithm.rawValue) is not available here")
        }
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// The digest of everything so far; the value is good for dropping afterwards.
    public mutating func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: algorithm.size)
        unsafe EVP_DigestFinal_ex(context, &digest, nil)
        return digest
    }
}
