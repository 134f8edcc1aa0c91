import Basics

/// A digest of a multiset of rows: Σ SHA-256(salt ‖ row) mod 2²⁵⁶.
///
/// The same rows give the same sum in whatever order and from however many readers they come; a row
/// that is there twice counts twice. The salt keeps anyone without it from choosing rows whose sums
/// are equal, and from guessing rows by their digests.
public struct MultisetDigest: Sendable, Equatable {
    public private(set) var sum: Digest256
    /// How many rows were added.
    public private(set) var count: Int64

    public init(sum: Digest256 = Digest256(), count: Int64 = 0) {
        self.sum = sum
        self.count = count
    }

    /// Adds what another reader has seen.
    public mutating func add(_ other: MultisetDigest) {
        add(other.sum)
        count += other.count
    }

    mutating func add(row digest: Digest256) {
        add(digest)
        count += 1
    }

    private mutating func add(_ digest: Digest256) {
        let (left, right) = (sum.words, digest.words)
        var carry: UInt64 = 0
        func word(_ left: UInt64, _ right: UInt64) -> UInt64 {
            let (partial, first) = left.addingReportingOverflow(right)
            let (whole, second) = partial.addingReportingOverflow(carry)
            carry = first || second ? 1 : 0
            return whole
        }
        let fourth = word(left.3, right.3)
        let third = word(left.2, right.2)
        let second = word(left.1, right.1)
        sum = Digest256(words: (word(left.0, right.0), second, third, fourth))
    }
}

/// Takes the digest of rows that come as lines in pieces of any length.
///
/// A row is what stands before a line feed, which is not part of it. Nothing is allocated per row.
public struct RowHasher: ~Copyable {
    private var hasher = SHA256()
    private let salt: [UInt8]
    private var isInside = false
    public private(set) var digest = MultisetDigest()

    public init(salt: [UInt8]) { self.salt = salt }

    /// Takes bytes that hold any number of line feeds.
    public mutating func update(lines bytes: UnsafeRawBufferPointer) {
        var start = 0
        while start < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
            guard let end = unsafe rest.firstIndex(of: 0x0a) else {
                unsafe update(part: rest)
                return
            }
            unsafe update(part: UnsafeRawBufferPointer(rebasing: rest[..<end]))
            endRow()
            start += end + 1
        }
    }

    /// Takes one row or a part of one: a line feed can only stand at its end.
    public mutating func update(row bytes: UnsafeRawBufferPointer) {
        guard let last = unsafe bytes.last else { return }
        if last == 0x0a {
            unsafe update(part: UnsafeRawBufferPointer(rebasing: bytes.dropLast()))
            endRow()
        } else {
            unsafe update(part: bytes)
        }
    }

    /// False while a row lacks its line feed.
    public var isAtEnd: Bool { !isInside }

    private mutating func update(part bytes: UnsafeRawBufferPointer) {
        if !isInside {
            hasher.update(salt)
            isInside = true
        }
        unsafe hasher.update(bytes)
    }

    private mutating func endRow() {
        digest.add(row: hasher.finish())
        isInside = false
    }
}
