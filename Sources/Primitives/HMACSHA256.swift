import Basics

/// The keyed digest of RFC 2104 over SHA-256.
public enum HMACSHA256 {
    private static let block = 64

    /// 32 bytes that only who holds `key` can compute, or check.
    public static func code(_ message: [UInt8], key: [UInt8]) -> Digest256 {
        var padded = key.count > block ? SHA256.hash(key).bytes : key
        padded += [UInt8](repeating: 0, count: block - padded.count)
        var hasher = SHA256()
        hasher.update(padded.map { $0 ^ 0x36 })
        hasher.update(message)
        let inner = hasher.finish()
        hasher.update(padded.map { $0 ^ 0x5c })
        hasher.update(inner)
        return hasher.finish()
    }
}
