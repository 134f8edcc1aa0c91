import Basics
import CCrypto

/// scrypt (RFC 7914), with a bound on the memory it may take. Stands on `EVP_PBE_scrypt`.
public enum Scrypt {
    /// Derives `count` bytes with N = 2^`workFactor`.
    ///
    /// It needs about 128 · blockSize · 2^workFactor bytes of memory for the time of the call, and
    /// throws `.invalidValue` when that is more than `memoryLimit`.
    public static func derive(
        _ password: [UInt8], salt: [UInt8], workFactor: Int, blockSize: Int,
        parallelism: Int, memoryLimit: Int, count: Int
    ) throws(Failure) -> [UInt8] {
        guard (1..<32).contains(workFactor), blockSize > 0, parallelism > 0 else {
            throw Failure(.invalidValue, "cannot use scrypt with work factor \(workFactor)")
        }
        let needed = 128 * blockSize * ((1 << workFactor) + parallelism + 2)
        guard needed <= memoryLimit else {
            throw Failure(
                .invalidValue,
                "cannot use scrypt with work factor \(workFactor): "
                    + "it needs more than \(memoryLimit >> 20) MiB of memory")
        }
        var key = [UInt8](repeating: 0, count: count)
        let done = unsafe password.withUnsafeBytes { password in
            unsafe EVP_PBE_scrypt(
                password.baseAddress?.assumingMemoryBound(to: CChar.self), password.count,
                salt, salt.count, 1 << UInt64(workFactor), UInt64(blockSize), UInt64(parallelism),
                UInt64(needed), &key, count)
        }
        guard done == 1 else {
            throw Failure(
                .failed, "cannot derive a key with scrypt",
                hint: "It needs \(needed >> 20) MiB of free memory.")
        }
        return key
    }
}
