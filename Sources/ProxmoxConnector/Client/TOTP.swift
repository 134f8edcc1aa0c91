import Basics
import Primitives

/// One-time codes from a shared secret and the time (RFC 6238 over RFC 4226).
struct TOTP: Sendable {
    private let key: Secret
    let digits: Int
    let period: Int64
    let algorithm: DigestAlgorithm

    /// - Parameter secret: base32 (RFC 4648, section 6) in either case, as authenticator apps show it;
    ///   spaces and padding do not matter.
    init(
        _ secret: Secret, digits: Int = 6, period: Int64 = 30, algorithm: DigestAlgorithm = .sha1
    ) throws(Failure) {
        guard let bytes = Self.base32(secret.revealed()), !bytes.isEmpty, (6...8).contains(digits),
            period > 0
        else {
            throw Failure(
                .invalidValue, "the secret of the second factor is not base32",
                hint:
                    "Give what the authenticator was set up with: letters A to Z and digits 2 to 7."
            )
        }
        // Kept as text, which does not print.
        key = Secret(Hex.encode(bytes))
        self.digits = digits
        self.period = period
        self.algorithm = algorithm
    }

    /// The code at a moment.
    func code(at time: Timestamp) throws(Failure) -> String {
        let counter = UInt64(max(0, time.seconds) / period)
        let message = (0..<8).reversed().map { UInt8(truncatingIfNeeded: counter >> (8 * $0)) }
        let digest = try Self.hmac(algorithm, Hex.decode(key.revealed()) ?? [], message)
        // RFC 4226, section 5.3: four bytes from where the last half-byte points to.
        let offset = Int(digest[digest.count - 1] & 15)
        let word = digest[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } & 0x7fff_ffff
        var divisor = 1
        for _ in 0..<digits { divisor *= 10 }
        let text = String(word % divisor)
        return String(repeating: "0", count: digits - text.count) + text
    }

    /// RFC 2104. All algorithms of one-time codes up to SHA-256 have blocks of 64 bytes.
    private static func hmac(
        _ algorithm: DigestAlgorithm, _ key: [UInt8], _ message: [UInt8]
    ) throws(Failure) -> [UInt8] {
        let block = algorithm.size > 32 ? 128 : 64
        var padded = key.count > block ? try hash(algorithm, key) : key
        padded += repeatElement(0, count: block - padded.count)
        let inner = try hash(algorithm, padded.map { $0 ^ 0x36 } + message)
        return try hash(algorithm, padded.map { $0 ^ 0x5c } + inner)
    }

    private static func hash(
        _ algorithm: DigestAlgorithm, _ bytes: [UInt8]
    ) throws(Failure) -> [UInt8] {
        var digest = try MessageDigest(algorithm)
        unsafe bytes.withUnsafeBytes { unsafe digest.update($0) }
        return digest.finish()
    }

    private static func base32(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var word: UInt32 = 0
        var bits: UInt32 = 0
        for character in text.uppercased().utf8 {
            let value: UInt32
            switch character {
            case 0x41...0x5a: value = UInt32(character) - 0x41
            case 0x32...0x37: value = UInt32(character) - 0x32 + 26
            case 0x20, 0x2d, 0x3d: continue
            default: return nil
            }
            word = word << 5 | value
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: word >> bits))
                word &= (1 << bits) - 1
            }
        }
        return bytes
    }
}
