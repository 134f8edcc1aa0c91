import Basics
import CCrypto

/// SHA-256 (FIPS 180-4) without an allocation per message; stands on libcrypto's `SHA256_Update`.
public struct SHA256: ~Copyable {
    private var context = SHA256_CTX()

    public init() { unsafe SHA256_Init(&context) }

    public mutating func update(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe update($0) }
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe SHA256_Update(&context, bytes.baseAddress, bytes.count)
    }

    public mutating func update(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe update($0) }
    }

    public mutating func update(byte: UInt8) {
        unsafe withUnsafeBytes(of: byte) { unsafe update($0) }
    }

    public mutating func update(_ digest: Digest256) {
        let words = (
            digest.words.0.bigEndian, digest.words.1.bigEndian, digest.words.2.bigEndian,
            digest.words.3.bigEndian
        )
        unsafe withUnsafeBytes(of: words) { unsafe update($0) }
    }

    /// The digest of everything so far; starts over for a new message.
    public mutating func finish() -> Digest256 {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        unsafe withUnsafeMutableBytes(of: &words) { buffer in
            _ = unsafe SHA256_Final(
                buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &context)
        }
        unsafe SHA256_Init(&context)
        return Digest256(
            words: (
                words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian
            ))
    }

    public static func hash(_ bytes: [UInt8]) -> Digest256 {
        var hasher = SHA256()
        hasher.update(bytes)
        return hasher.finish()
    }

    public static func hash(_ bytes: UnsafeRawBufferPointer) -> Digest256 {
        var hasher = SHA256()
        unsafe hasher.update(bytes)
        return hasher.finish()
    }
}
