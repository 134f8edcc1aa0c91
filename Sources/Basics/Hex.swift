/// Lower-case hexadecimal, as sha256sum prints it.
public enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    public static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of `text`, or nil when it holds anything but pairs of lower-case digits.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            let value: UInt8
            switch character {
            case 0x30...0x39: value = character - 0x30
            case 0x61...0x66: value = character - 0x61 + 10
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return high == nil ? bytes : nil
    }
}

extension Hex {
    /// The eight digits of a word at once, the first in the highest byte.
    ///
    /// Digests are read and written for every entry of a tree; all eight bytes are computed side by
    /// side, and none of the sums reaches into the next byte.
    @inlinable public static func digits(of word: UInt32) -> UInt64 {
        var nibbles = UInt64(word)
        nibbles = (nibbles | nibbles << 16) & 0x0000_ffff_0000_ffff
        nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff
        nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f
        return characters(of: nibbles)
    }

    /// The word that `digits(of:)` makes these eight characters of; nil where there is none.
    @inlinable public static func word(of digits: UInt64) -> UInt32? {
        let letters = digits >> 6 & 0x0101_0101_0101_0101
        var nibbles = digits & 0x0f0f_0f0f_0f0f_0f0f &+ letters &* 9
        guard nibbles & 0xf0f0_f0f0_f0f0_f0f0 == 0, characters(of: nibbles) == digits else {
            return nil
        }
        nibbles = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff
        nibbles = (nibbles | nibbles >> 8) & 0x0000_ffff_0000_ffff
        return UInt32(truncatingIfNeeded: nibbles | nibbles >> 16)
    }

    @usableFromInline static func characters(of nibbles: UInt64) -> UInt64 {
        let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }
}

/// Base64 of RFC 4648 section 4, strict when reading: canonical padding and no stray bits.
public enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    public static func encode(_ bytes: [UInt8], padded: Bool = true) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = min(3, bytes.count - index)
            var word = UInt32(bytes[index]) << 16
            if left > 1 { word |= UInt32(bytes[index + 1]) << 8 }
            if left > 2 { word |= UInt32(bytes[index + 2]) }
            for position in 0...left {
                text.append(alphabet[Int(word >> UInt32(18 - 6 * position)) & 63])
            }
            if padded { for _ in left..<3 { text.append(0x3d) } }
            index += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The bytes of `text`, or nil when it is not canonical base64 (with padding, or without).
    public static func decode(_ text: some StringProtocol, padded: Bool = true) -> [UInt8]? {
        var characters = Array(text.utf8)
        if padded {
            guard characters.count % 4 == 0 else { return nil }
            var pads = 0
            while pads < 2, characters.last == 0x3d {
                characters.removeLast()
                pads += 1
            }
        }
        guard characters.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 4 * 3 + 2)
        var word: UInt32 = 0
        var bits = 0
        for character in characters {
            let value: UInt32
            switch character {
            case 0x41...0x5a: value = UInt32(character) - 0x41
            case 0x61...0x7a: value = UInt32(character) - 0x61 + 26
            case 0x30...0x39: value = UInt32(character) - 0x30 + 52
            case 0x2b: value = 62
            case 0x2f: value = 63
            default: return nil
            }
            word = word << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
                word &= (1 << UInt32(bits)) - 1
            }
        }
        return word == 0 ? bytes : nil
    }
}
