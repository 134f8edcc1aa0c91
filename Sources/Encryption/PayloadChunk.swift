import Primitives

/// How the payload is cut: the STREAM construction of age over chunks of 64 KiB.
enum PayloadChunk {
    static let plainSize = 1 << 16
    static let sealedSize = plainSize + ChaCha20Poly1305.tagSize
    /// Bytes of the random value in front of the chunks.
    static let nonceSize = 16

    /// 11 bytes of counter, and one that marks the last chunk.
    static func nonce(_ number: UInt64, isLast: Bool) -> ChaCha20Poly1305.Nonce {
        ChaCha20Poly1305.Nonce(
            UInt32(truncatingIfNeeded: number >> 56), UInt32(truncatingIfNeeded: number >> 24),
            UInt32(truncatingIfNeeded: number << 8) | (isLast ? 1 : 0))
    }
}
