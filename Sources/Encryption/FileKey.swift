import Basics
internal import Crypto
internal import FoundationEssentials
import Primitives

/// The 128 bits that a file is encrypted with, wrapped once for each recipient.
struct FileKey {
    static let size = 16

    private let key: SymmetricKey

    /// A new key from the random source of the operating system.
    init() { key = SymmetricKey(size: .bits128) }

    init(_ bytes: [UInt8]) { key = SymmetricKey(data: bytes) }

    /// Seals the file key under a wrapping key that is used for nothing else.
    func wrapped(under wrappingKey: [UInt8]) throws(Failure) -> [UInt8] {
        var cipher = try ChaCha20Poly1305(.sealing, key: wrappingKey)
        return try cipher.seal(bytes, nonce: .zero)
    }

    /// The file key in `body`, or nil when it is wrapped under another key.
    static func unwrapped(_ body: [UInt8], under wrappingKey: [UInt8]) throws(Failure) -> FileKey? {
        var cipher = try ChaCha20Poly1305(.opening, key: wrappingKey)
        return try cipher.open(body, nonce: .zero).map { FileKey($0) }
    }

    var bytes: [UInt8] { unsafe key.withUnsafeBytes { unsafe Array($0) } }

    /// The code that authenticates a header up to and including its `---`.
    func code(of header: [UInt8]) -> [UInt8] {
        Array(HMAC<Crypto.SHA256>.authenticationCode(for: header, using: headerKey))
    }

    /// Compares in constant time.
    func isCode(_ code: [UInt8], of header: [UInt8]) -> Bool {
        HMAC<Crypto.SHA256>.isValidAuthenticationCode(
            code, authenticating: header, using: headerKey)
    }

    private var headerKey: SymmetricKey {
        HKDF<Crypto.SHA256>.deriveKey(
            inputKeyMaterial: key, info: Array("header".utf8), outputByteCount: 32)
    }

    /// The cipher of the payload that follows `nonce`.
    func payloadCipher(
        _ direction: ChaCha20Poly1305.Direction, nonce: [UInt8]
    ) throws(Failure) -> ChaCha20Poly1305 {
        let payloadKey = HKDF<Crypto.SHA256>.deriveKey(
            inputKeyMaterial: key, salt: nonce, info: Array("payload".utf8), outputByteCount: 32)
        return try ChaCha20Poly1305(
            direction, key: unsafe payloadKey.withUnsafeBytes { unsafe Array($0) })
    }
}
