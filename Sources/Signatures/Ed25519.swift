import Crypto

/// Ed25519 (RFC 8032) with the strictness this project relies on.
///
/// The library (BoringSSL) checks the equation without the cofactor, compares R byte by byte and
/// refuses S ≥ L. It would take public keys of small order and keys whose y is not reduced; with
/// such a key one signature fits many documents, so `isSound` keeps them out of trust files and
/// key files, and `isValid` never sees them.
enum Ed25519 {
    static func isValid(_ signature: [UInt8], for bytes: [UInt8], by publicKey: [UInt8]) -> Bool {
        guard isSound(publicKey),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey)
        else { return false }
        return key.isValidSignature(signature, for: bytes)
    }

    /// Whether the bytes are a canonical encoding of a point that is not of small order.
    static func isSound(_ publicKey: [UInt8]) -> Bool {
        guard publicKey.count == 32 else { return false }
        var y = publicKey
        y[31] &= 0x7f
        return isReduced(y) && !smallOrder.contains(y)
    }

    /// Whether the little-endian number is below p = 2^255 − 19.
    private static func isReduced(_ y: [UInt8]) -> Bool {
        y[31] != 0x7f || y[1..<31].contains { $0 != 0xff } || y[0] < 0xed
    }

    /// The y coordinates of the eight points whose order divides 8; the sign of x does not matter.
    private static let smallOrder: [[UInt8]] = [
        [0] + [UInt8](repeating: 0, count: 31),  // order 4
        [1] + [UInt8](repeating: 0, count: 31),  // the neutral element
        [0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f],  // order 2
        [  // order 8
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [  // order 8
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ]
}

/// ML-DSA-65 (FIPS 204) in its pure form, with a context.
enum MLDSA {
    static let signatureLength = 3309
    static let publicKeyLength = 1952

    static func isValid(
        _ signature: [UInt8], for bytes: [UInt8], context: String, by publicKey: [UInt8]
    ) -> Bool {
        guard publicKey.count == publicKeyLength, signature.count == signatureLength,
            let key = try? MLDSA65.PublicKey(rawRepresentation: publicKey)
        else { return false }
        return key.isValidSignature(signature, for: bytes, context: Array(context.utf8))
    }
}
