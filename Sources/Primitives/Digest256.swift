import Basics

/// 32 bytes of a SHA-256, kept without an allocation.
public struct Digest256: Hashable, Sendable {
    /// The bytes, eight at a time, in big-endian order.
    public internal(set) var words: (UInt64, UInt64, UInt64, UInt64)

    public init(words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)) { self.words = words }

    /// Reads 64 lower-case hexadecimal digits; nil for anything else.
    public init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex) else { return nil }
        self.init(bytes: bytes)
    }

    /// Reads exactly 64 lower-case hexadecimal digits, as they lie in a buffer; nil for anything else.
    public init?(hexDigits text: UnsafeBufferPointer<UInt8>) {
        guard text.count == 64 else { return nil }
        let raw = UnsafeRawBufferPointer(text)
        func half(_ start: Int) -> UInt64? {
            let digits = unsafe raw.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            return Hex.word(of: UInt64(bigEndian: digits)).map { UInt64($0) }
        }
        func word(_ start: Int) -> UInt64? {
            guard let high = half(start), let low = half(start + 8) else { return nil }
            return high << 32 | low
        }
        guard let first = word(0), let second = word(16), let third = word(32),
            let fourth = word(48)
        else { return nil }
        words = (first, second, third, fourth)
    }

    /// Takes exactly 32 bytes; nil for any other count.
    public init?(bytes: [UInt8]) { self.init(bytes: bytes[...]) }

    /// Takes exactly 32 bytes; nil for any other count.
    ///
    /// Not generic: every entry of a tree comes through here, from other modules.
    public init?(bytes: ArraySlice<UInt8>) {
        guard bytes.count == 32 else { return nil }
        func word(_ number: Int) -> UInt64 {
            let start = bytes.startIndex + 8 * number
            return bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) }
        }
        words = (word(0), word(1), word(2), word(3))
    }

    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for word in [words.0, words.1, words.2, words.3] {
            for index in (0..<8).reversed() {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * index)))
            }
        }
        return bytes
    }

    public var hex: String { Hex.encode(bytes) }

    public static func == (left: Digest256, right: Digest256) -> Bool {
        left.words == right.words
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

extension Digest256: CustomStringConvertible {
    public var description: String { hex }
}
