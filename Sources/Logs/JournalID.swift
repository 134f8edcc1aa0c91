import Basics

/// 128 bits that name a machine, a boot, a file or a sequence (sd-id128).
public struct JournalID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The bytes, eight at a time, in big-endian order.
    public let high: UInt64
    public let low: UInt64

    public static let zero = JournalID(high: 0, low: 0)

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads 32 hexadecimal digits, with or without the dashes of a UUID; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let digits = text.utf8.filter { $0 != 0x2d }
        guard digits.count == 32, digits.count == text.utf8.count || text.utf8.count == 36 else {
            return nil
        }
        var words: [UInt64] = [0, 0]
        for (place, byte) in digits.enumerated() {
            let value: UInt8
            switch byte {
            case 0x30...0x39: value = byte - 0x30
            case 0x41...0x46: value = byte - 0x41 + 10
            case 0x61...0x66: value = byte - 0x61 + 10
            default: return nil
            }
            words[place / 16] = words[place / 16] << 4 | UInt64(value)
        }
        self.init(high: words[0], low: words[1])
    }

    public var bytes: [UInt8] {
        [high, low].flatMap { word in
            (0..<8).reversed().map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
        }
    }

    public var text: String { Hex.encode(bytes) }
    public var description: String { text }

    public static func < (left: JournalID, right: JournalID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
