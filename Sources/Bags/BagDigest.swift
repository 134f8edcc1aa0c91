import Basics
public import Primitives

/// The digest of a stored file, kept without an allocation: SHA-256, or SHA-512 beside it.
public enum BagDigest: Sendable, Hashable {
    case sha256(Digest256)
    case sha512(Digest256, Digest256)

    /// The algorithms of our profile, in the order in which files name them.
    public static let algorithms: [DigestAlgorithm] = [.sha256, .sha512]

    /// Takes 32 bytes for SHA-256 and 64 for SHA-512; nil for any other number.
    public init?(bytes: [UInt8]) {
        if let digest = Digest256(bytes: bytes) {
            self = .sha256(digest)
        } else if bytes.count == 64, let head = Digest256(bytes: bytes[..<32]),
            let tail = Digest256(bytes: bytes[32...])
        {
            self = .sha512(head, tail)
        } else {
            return nil
        }
    }

    public init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes: bytes)
    }

    public var hex: String {
        switch self {
        case .sha256(let digest): digest.hex
        case .sha512(let head, let tail): head.hex + tail.hex
        }
    }

    public var algorithm: DigestAlgorithm {
        switch self {
        case .sha256: .sha256
        case .sha512: .sha512
        }
    }
}
