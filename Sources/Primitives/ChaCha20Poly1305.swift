import Basics
import CCrypto

/// ChaCha20-Poly1305 (RFC 8439, section 2.8) over memory of the caller, any number of messages under
/// one key, without an allocation per message. Stands on libcrypto's `EVP_CIPHER_CTX`.
///
/// The caller never uses a nonce twice with `seal` under the same key.
@safe public struct ChaCha20Poly1305: ~Copyable {
    /// What one value is used for; a context keeps its key only in one direction.
    public enum Direction: Int32, Sendable {
        case opening = 0
        case sealing = 1
    }

    /// 96 bits that are used once.
    public struct Nonce: Sendable {
        private let words: (UInt32, UInt32, UInt32)

        public static let zero = Nonce(0, 0, 0)

        /// The nonce as three numbers, each big-endian.
        public init(_ first: UInt32, _ second: UInt32, _ third: UInt32) {
            words = (first.bigEndian, second.bigEndian, third.bigEndian)
        }

        /// Takes exactly 12 bytes; nil for any other count.
        public init?(bytes: [UInt8]) {
            guard bytes.count == 12 else { return nil }
            func word(_ start: Int) -> UInt32 {
                bytes[start..<start + 4].reduce(0) { $0 << 8 | UInt32($1) }
            }
            self.init(word(0), word(4), word(8))
        }

        func withBytes<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result? {
            unsafe withUnsafeBytes(of: words) { bytes in
                unsafe bytes.baseAddress.map {
                    unsafe body($0.assumingMemoryBound(to: UInt8.self))
                }
            }
        }
    }

    public static let keySize = 32
    public static let tagSize = 16

    private let context: OpaquePointer

    /// Takes a key of exactly 32 bytes.
    public init(_ direction: Direction, key: UnsafeRawBufferPointer) throws(Failure) {
        precondition(key.count == Self.keySize)
        unsafe context = try Self.makeContext(direction, key)
    }

    public init(_ direction: Direction, key: [UInt8]) throws(Failure) {
        precondition(key.count == Self.keySize)
        unsafe context = try Failure.catching {
            try unsafe key.withUnsafeBytes { try unsafe Self.makeContext(direction, $0) }
        }
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    private static func makeContext(
        _ direction: Direction, _ key: UnsafeRawBufferPointer
    ) throws(Failure) -> OpaquePointer {
        guard let context = unsafe EVP_CIPHER_CTX_new() else { throw refused() }
        let key = unsafe key.baseAddress?.assumingMemoryBound(to: UInt8.self)
        guard
            unsafe EVP_CipherInit_ex(
                context, EVP_chacha20_poly1305(), nil, key, nil, direction.rawValue) == 1
        else {
            unsafe EVP_CIPHER_CTX_free(context)
            throw refused()
        }
        return unsafe context
    }

    private static func refused() -> Failure {
        Failure(
            .failed, "cannot use ChaCha20-Poly1305: libcrypto refuses it",
            hint: "Check that OpenSSL is not restricted to FIPS algorithms.")
    }

    /// Encrypts `plain` and writes it with its tag; `out` has room for both and may not overlap.
    public mutating func seal(
        _ plain: UnsafeRawBufferPointer, authenticating other: UnsafeRawBufferPointer,
        nonce: Nonce, into out: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> Int {
        let total = plain.count + Self.tagSize
        precondition(out.count >= total && total <= Int32.max && other.count <= Int32.max)
        guard let start = unsafe out.baseAddress?.assumingMemoryBound(to: UInt8.self),
            unsafe begin(nonce, other), unsafe update(start, plain)
        else { throw Self.refused() }
        var none: Int32 = 0
        guard unsafe EVP_CipherFinal_ex(context, start + plain.count, &none) == 1,
            unsafe EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagSize), start + plain.count) == 1
        else { throw Self.refused() }
        return total
    }

    /// Decrypts a message with its tag at the end, and returns how many bytes it wrote; nil, with
    /// nothing left in `out`, when the tag does not belong to it.
    public mutating func open(
        _ sealed: UnsafeRawBufferPointer, authenticating other: UnsafeRawBufferPointer,
        nonce: Nonce, into out: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> Int? {
        let count = sealed.count - Self.tagSize
        guard count >= 0, let source = sealed.baseAddress else { return nil }
        precondition(out.count >= count && sealed.count <= Int32.max && other.count <= Int32.max)
        // An empty message may come with an empty buffer, but libcrypto takes a null output for
        // additional data.
        var nothing: UInt8 = 0
        return try Failure.catching {
            try unsafe withUnsafeMutablePointer(to: &nothing) { spare in
                let start =
                    unsafe out.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? spare
                let tag = unsafe UnsafeMutableRawPointer(mutating: source + count)
                guard unsafe begin(nonce, other),
                    unsafe EVP_CIPHER_CTX_ctrl(
                        context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagSize), tag) == 1,
                    unsafe update(start, UnsafeRawBufferPointer(rebasing: sealed[..<count]))
                else { throw Self.refused() }
                var none: Int32 = 0
                if unsafe EVP_CipherFinal_ex(context, start + count, &none) == 1 { return count }
                unsafe OPENSSL_cleanse(start, count)
                return nil
            }
        }
    }

    private func begin(_ nonce: Nonce, _ other: UnsafeRawBufferPointer) -> Bool {
        let set = unsafe nonce.withBytes { bytes in
            unsafe EVP_CipherInit_ex(context, nil, nil, nil, bytes, -1) == 1
        }
        guard set == true else { return false }
        return unsafe other.isEmpty || update(nil, other)
    }

    private func update(
        _ out: UnsafeMutablePointer<UInt8>?, _ bytes: UnsafeRawBufferPointer
    ) -> Bool {
        guard unsafe !bytes.isEmpty else { return true }
        var written: Int32 = 0
        let source = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return unsafe EVP_CipherUpdate(context, out, &written, source, Int32(bytes.count)) == 1
            && Int(written) == bytes.count
    }
}

extension ChaCha20Poly1305 {
    /// For small messages.
    public mutating func seal(
        _ plain: [UInt8], authenticating other: [UInt8] = [], nonce: Nonce
    ) throws(Failure) -> [UInt8] {
        var sealed = [UInt8](repeating: 0, count: plain.count + Self.tagSize)
        _ = try Failure.catching {
            try unsafe sealed.withUnsafeMutableBytes { out in
                try unsafe plain.withUnsafeBytes { plain in
                    try unsafe other.withUnsafeBytes { other in
                        try unsafe seal(plain, authenticating: other, nonce: nonce, into: out)
                    }
                }
            }
        }
        return sealed
    }

    /// For small messages.
    public mutating func open(
        _ sealed: [UInt8], authenticating other: [UInt8] = [], nonce: Nonce
    ) throws(Failure) -> [UInt8]? {
        var plain = [UInt8](repeating: 0, count: max(0, sealed.count - Self.tagSize))
        let count = try Failure.catching {
            try unsafe plain.withUnsafeMutableBytes { out in
                try unsafe sealed.withUnsafeBytes { sealed in
                    try unsafe other.withUnsafeBytes { other in
                        try unsafe open(sealed, authenticating: other, nonce: nonce, into: out)
                    }
                }
            }
        }
        return count == nil ? nil : plain
    }
}
