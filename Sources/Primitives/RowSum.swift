import Basics
import CCrypto
import Glibc

/// The digest of a multiset of rows: Σ SHA-256(salt ‖ row) mod 2²⁵⁶, and how many rows there are.
///
/// The order of rows does not count, nor how they are split between sums that are added up later.
/// Nothing is allocated per row.
public struct RowSum: Hashable, Sendable {
    public private(set) var total: Digest256
    public private(set) var rows: Int64

    public init(total: Digest256 = Digest256(), rows: Int64 = 0) {
        self.total = total
        self.rows = rows
    }

    public static let saltSize = 16

    @inline(__always)
    public mutating func add(_ row: Digest256) {
        add(words: row.words)
        rows += 1
    }

    /// Adds what another sum has seen.
    public mutating func add(_ other: RowSum) {
        add(words: other.total.words)
        rows += other.rows
    }

    @inline(__always)
    private mutating func add(words: (UInt64, UInt64, UInt64, UInt64)) {
        var sum = total.words
        let (d, carryD) = sum.3.addingReportingOverflow(words.3)
        let (c, carryC) = Self.add(sum.2, words.2, carryD)
        let (b, carryB) = Self.add(sum.1, words.1, carryC)
        sum.0 = sum.0 &+ words.0 &+ (carryB ? 1 : 0)
        sum = (sum.0, b, c, d)
        total = Digest256(words: sum)
    }

    @inline(__always)
    private static func add(_ a: UInt64, _ b: UInt64, _ carry: Bool) -> (UInt64, Bool) {
        let (first, over) = a.addingReportingOverflow(b)
        let (second, again) = first.addingReportingOverflow(carry ? 1 : 0)
        return (second, over || again)
    }
}

/// Takes the sum of rows out of a stream of lines that end with a line feed, which belongs to none
/// of them; pieces of the stream may end anywhere.
public struct LineSummer: ~Copyable {
    public private(set) var sum = RowSum()
    /// The state behind the salt, from which every row starts.
    private var salted = SHA256_CTX()
    private var current = SHA256_CTX()
    private var isInside = false

    public init(salt: [UInt8]) {
        unsafe SHA256_Init(&salted)
        unsafe SHA256_Update(&salted, salt, salt.count)
        current = salted
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard var next = bytes.baseAddress else { return }
        var left = bytes.count
        while left > 0 {
            guard let end = unsafe memchr(next, 0x0a, left) else {
                unsafe SHA256_Update(&current, next, left)
                isInside = true
                return
            }
            let length = unsafe UnsafeRawPointer(end) - next
            unsafe SHA256_Update(&current, next, length)
            finishRow()
            unsafe next += length + 1
            left -= length + 1
        }
    }

    private mutating func finishRow() {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        unsafe withUnsafeMutableBytes(of: &words) { buffer in
            _ = unsafe SHA256_Final(
                buffer.baseAddress?.assumingMemoryBound(to: UInt8.self), &current)
        }
        sum.add(
            Digest256(
                words: (
                    words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian
                )))
        current = salted
        isInside = false
    }

    /// Whether the stream stopped in the middle of a line.
    public var endsInside: Bool { isInside }
}
