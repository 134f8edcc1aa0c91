import Basics
import CCrypto

/// MD5 (RFC 1321) without an allocation per message, for foreign formats that guard their headers
/// with it against accidents; stands on libcrypto's `MD5_Update`.
public struct MD5: ~Copyable {
    private var context = MD5_CTX()

    public init() { unsafe MD5_Init(&context) }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe MD5_Update(&context, bytes.baseAddress, bytes.count)
    }

    /// The 16 bytes of the digest of everything so far, as two words in the order of memory; starts
    /// over for a new message.
    public mutating func finish() -> (UInt64, UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        unsafe withUnsafeMutableBytes(of: &words) { buffer in
            _ = unsafe MD5_Final(buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &context)
        }
        unsafe MD5_Init(&context)
        return words
    }
}
