import Basics
import Glibc
public import Primitives

/// Gathers the fields of one entry and takes the digest of its canonical form.
///
/// The canonical form is what the entry means, whatever reads or writes it: the set of its fields
/// `NAME=value`, sorted by bytes; times and boot id as the fields `__REALTIME_TIMESTAMP`,
/// `__MONOTONIC_TIMESTAMP` and `_BOOT_ID`; no cursor and no sequence numbers. The bytes that are
/// hashed are, for each field: 0, the length in eight bytes, big-endian, and the field; of a field
/// longer than 64 KiB: 1, its length, and `NAME=` with the SHA-256 of the value in place of the
/// value. See docs/FORMAT.md.
final class JournalFieldSet {
    /// Longer fields stand in the canonical form by their digest.
    static let longest = 64 << 10

    /// Where fields are put before they are added.
    let arena = ByteArena()

    private struct Field {
        /// The first eight bytes, so that most comparisons look no further.
        var key: UInt64
        var start: Int
        var count: Int
        /// Of the field as it is; larger than `count` where a digest stands for the value.
        var length: Int
        var isLarge: Bool
    }

    private var fields: [Field] = []
    /// How the fields of the last entry were sorted: the next mostly has the same ones.
    private var order: [Int] = []
    private let canonical = ByteArena()

    var count: Int { fields.count }

    func removeAll() {
        arena.removeAll()
        fields.removeAll(keepingCapacity: true)
    }

    /// Adds a field that lies in the arena, in whole or with a digest in place of its value.
    func add(_ range: Range<Int>, length: Int? = nil) {
        var key: UInt64 = 0
        let bytes = unsafe arena.bytes(range)
        if bytes.count >= 8 {
            key = unsafe UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
        } else {
            for place in 0..<bytes.count {
                key |= unsafe UInt64(bytes[place]) << UInt64(56 - 8 * place)
            }
        }
        fields.append(
            Field(
                key: key, start: range.lowerBound, count: range.count,
                length: length ?? range.count, isLarge: length != nil))
    }

    /// Adds what stands at the head of an entry.
    func add(realtime: UInt64, monotonic: UInt64, boot: JournalID) {
        var start = arena.count
        arena.append("__REALTIME_TIMESTAMP=")
        arena.append(decimal: realtime)
        add(start..<arena.count)
        start = arena.count
        arena.append("__MONOTONIC_TIMESTAMP=")
        arena.append(decimal: monotonic)
        add(start..<arena.count)
        start = arena.count
        arena.append("_BOOT_ID=")
        arena.append(boot)
        add(start..<arena.count)
    }

    /// The digest of the canonical form of what was added; a field that is there twice counts once.
    func digest() -> Digest256 {
        if order.count != fields.count { order = Array(fields.indices) }
        for place in order.indices.dropFirst() {
            let moving = order[place]
            var hole = place
            while hole > 0, compare(fields[moving], fields[order[hole - 1]]) < 0 {
                order[hole] = order[hole - 1]
                hole -= 1
            }
            order[hole] = moving
        }
        canonical.removeAll()
        var last: Field?
        for place in order {
            let field = fields[place]
            if let last, compare(last, field) == 0 { continue }
            canonical.append(field.isLarge ? 1 : 0)
            canonical.append(bigEndian: UInt64(field.length))
            unsafe canonical.append(arena.bytes(field.start..<field.start + field.count))
            last = field
        }
        return unsafe SHA256.hash(canonical.all)
    }

    private func compare(_ left: Field, _ right: Field) -> Int32 {
        if left.key != right.key { return left.key < right.key ? -1 : 1 }
        let first = unsafe arena.bytes(left.start..<left.start + left.count)
        let second = unsafe arena.bytes(right.start..<right.start + right.count)
        let shorter = min(first.count, second.count)
        if shorter > 0, let one = first.baseAddress, let other = second.baseAddress {
            let order = unsafe memcmp(one, other, shorter)
            if order != 0 { return order }
        }
        if first.count != second.count { return first.count < second.count ? -1 : 1 }
        if left.isLarge != right.isLarge { return left.isLarge ? 1 : -1 }
        return left.length == right.length ? 0 : left.length < right.length ? -1 : 1
    }
}

/// Digests of entries, one after the other: C₀ is 32 zeros, Cᵢ = SHA-256(Cᵢ₋₁ ‖ Eᵢ).
public struct JournalChain: Sendable, Equatable {
    public private(set) var head = Digest256()
    public private(set) var entries: Int64 = 0
    /// Microseconds since 1970 of the first and of the last entry, in the order of the stream.
    public private(set) var first: UInt64?
    public private(set) var last: UInt64?

    public init() {}

    public mutating func add(_ entry: Digest256, realtime: UInt64) {
        var hasher = SHA256()
        hasher.update(head)
        hasher.update(entry)
        head = hasher.finish()
        entries += 1
        first = first ?? realtime
        last = realtime
    }
}
