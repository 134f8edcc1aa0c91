public import Basics
import CCrypto

/// The key that seals an interval of a journal: forward secure pseudo random generation, as systemd
/// has it ("Practical Secure Logging: Seekable Sequential Key Generators", Marson and Poettering, 2013).
///
/// From a seed follow two primes p and q, and a square x modulo n = pq. The state of interval i is
/// (n, x^(2^i) mod n, i); who knows p and q gets there in one step. The key is drawn from the state
/// by SHA-256.
@safe public final class SealingKeys {
    private let seed: [UInt8]
    private let context: OpaquePointer
    private let p: OpaquePointer
    private let q: OpaquePointer
    private let n: OpaquePointer
    private let x: OpaquePointer

    /// Bits of n.
    private static let bits = 1536

    /// Takes the seed of a verification key, twelve bytes; takes a moment, for it looks for primes.
    public init(seed: [UInt8]) throws(Failure) {
        guard let context = unsafe BN_CTX_new(), let n = unsafe BN_new(), let x = unsafe BN_new()
        else { throw Failure(.failed, "libcrypto has no memory") }
        self.seed = seed
        unsafe self.context = context
        unsafe self.n = n
        unsafe self.x = x
        unsafe p = try Self.prime(seed, 1, context)
        unsafe q = try Self.prime(seed, 2, context)
        unsafe BN_mul(n, p, q, context)
        var start = Self.randomness(seed, 3, count: Self.bits / 8)
        start[0] &= 0x7f
        unsafe BN_bin2bn(start, Int32(start.count), x)
        unsafe BN_mod_sqr(x, x, n, context)
    }

    deinit {
        unsafe BN_clear_free(p)
        unsafe BN_clear_free(q)
        unsafe BN_free(n)
        unsafe BN_clear_free(x)
        unsafe BN_CTX_free(context)
    }

    /// Bytes that follow from a seed and a number: SHA-256 of both with a counter.
    private static func randomness(_ seed: [UInt8], _ index: UInt32, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var counter: UInt32 = 0
        while bytes.count < count {
            bytes += SHA256.hash(seed + words(index) + words(counter)).bytes
            counter += 1
        }
        return Array(bytes[..<count])
    }

    private static func words(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * $0)) }
    }

    /// The first prime that is 3 modulo 4 from the place on that follows from the seed.
    private static func prime(
        _ seed: [UInt8], _ index: UInt32, _ context: OpaquePointer
    ) throws(Failure) -> OpaquePointer {
        var start = randomness(seed, index, count: bits / 16)
        start[0] |= 0xc0
        start[start.count - 1] |= 0x03
        guard let prime = unsafe BN_bin2bn(start, Int32(start.count), nil) else {
            throw Failure(.failed, "libcrypto has no memory")
        }
        while true {
            let verdict = unsafe BN_check_prime(prime, context, nil)
            if verdict == 1 { break }
            guard verdict == 0, unsafe BN_add_word(prime, 4) == 1 else {
                unsafe BN_clear_free(prime)
                throw Failure(.failed, "libcrypto cannot look for primes")
            }
        }
        return unsafe prime
    }

    /// The key of an interval, 32 bytes.
    public func key(of epoch: UInt64) -> [UInt8] {
        guard let part = unsafe BN_new(), let other = unsafe BN_new(), let inverse = unsafe BN_new()
        else { return [] }
        defer {
            unsafe BN_clear_free(part)
            unsafe BN_clear_free(other)
            unsafe BN_clear_free(inverse)
        }
        unsafe raise(part, epoch, p)
        unsafe raise(other, epoch, q)
        // The number below n that is `part` modulo p and `other` modulo q.
        unsafe BN_mod_inverse(inverse, p, q, context)
        unsafe BN_mod_sub(other, other, part, q, context)
        unsafe BN_mod_mul(other, other, inverse, q, context)
        unsafe BN_mul(other, other, p, context)
        unsafe BN_add(other, other, part)
        var state = unsafe bytes(n) + bytes(other)
        for place in 0..<8 {
            state.append(UInt8(truncatingIfNeeded: epoch >> UInt64(56 - 8 * place)))
        }
        return Self.randomness(state, 0, count: 32)
    }

    /// x^(2^epoch) modulo a prime; the exponent is taken modulo one less, by Fermat.
    private func raise(_ result: OpaquePointer, _ epoch: UInt64, _ prime: OpaquePointer) {
        guard let order = unsafe BN_dup(prime), let two = unsafe BN_new(),
            let times = unsafe BN_new()
        else { return }
        defer {
            unsafe BN_clear_free(order)
            unsafe BN_free(two)
            unsafe BN_free(times)
        }
        unsafe BN_sub_word(order, 1)
        unsafe BN_set_word(two, 2)
        unsafe BN_set_word(times, numericCast(epoch))
        unsafe BN_mod_exp(two, two, times, order, context)
        unsafe BN_nnmod(result, x, prime, context)
        unsafe BN_mod_exp(result, result, two, prime, context)
    }

    private func bytes(_ number: OpaquePointer) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.bits / 8)
        unsafe BN_bn2binpad(number, &bytes, Int32(bytes.count))
        return bytes
    }
}

/// HMAC-SHA-256 (RFC 2104) over bytes that come in pieces.
public struct KeyedSHA256: ~Copyable {
    private var inner = SHA256()
    private let outerPad: [UInt8]

    /// - Parameter key: at most 64 bytes.
    public init(key: [UInt8]) {
        precondition(key.count <= 64)
        let padded = key + [UInt8](repeating: 0, count: 64 - key.count)
        outerPad = padded.map { $0 ^ 0x5c }
        inner.update(padded.map { $0 ^ 0x36 })
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        unsafe inner.update(bytes)
    }

    public mutating func finish() -> Digest256 {
        let digest = inner.finish()
        var outer = SHA256()
        outer.update(outerPad)
        outer.update(digest)
        return outer.finish()
    }
}
