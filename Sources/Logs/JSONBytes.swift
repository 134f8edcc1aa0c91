import Glibc

/// Bytes as strings of JSON.
public enum JSONBytes {
    /// Appends bytes as a JSON string; what is not UTF-8 becomes U+FFFD, and false comes back.
    public static func quote(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) -> Bool {
        text.append(0x22)
        var isText = true
        var start = 0
        var index = 0
        while index < bytes.count {
            let byte = unsafe bytes[index]
            if byte >= 0x20, byte < 0x80, byte != 0x22, byte != 0x5c {
                index += 1
                continue
            }
            if byte >= 0x80 {
                let length = unsafe scalarLength(bytes, index)
                if length > 0 {
                    index += length
                    continue
                }
            }
            if start < index { unsafe text.append(contentsOf: bytes[start..<index]) }
            if byte >= 0x80 {
                isText = false
                text += [0xef, 0xbf, 0xbd]
            } else {
                escape(byte, &text)
            }
            index += 1
            start = index
        }
        if start < index { unsafe text.append(contentsOf: bytes[start..<index]) }
        text.append(0x22)
        return isText
    }

    private static func escape(_ byte: UInt8, _ text: inout [UInt8]) {
        switch byte {
        case 0x22, 0x5c: text += [0x5c, byte]
        case 0x0a: text += [0x5c, 0x6e]
        case 0x0d: text += [0x5c, 0x72]
        case 0x09: text += [0x5c, 0x74]
        case 0x08: text += [0x5c, 0x62]
        case 0x0c: text += [0x5c, 0x66]
        default:
            text += [0x5c, 0x75, 0x30, 0x30, digit(byte >> 4), digit(byte & 15)]
        }
    }

    private static func digit(_ nibble: UInt8) -> UInt8 { nibble + (nibble < 10 ? 0x30 : 0x57) }

    /// The bytes of the well-formed scalar that begins here (RFC 3629, section 4), 0 for none.
    @inline(__always)
    static func scalarLength(_ bytes: UnsafeRawBufferPointer, _ index: Int) -> Int {
        func tail(_ distance: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
            guard index + distance < bytes.count else { return false }
            return unsafe range.contains(bytes[index + distance])
        }
        switch unsafe bytes[index] {
        case 0xc2...0xdf: return tail(1) ? 2 : 0
        case 0xe0: return tail(1, 0xa0...0xbf) && tail(2) ? 3 : 0
        case 0xed: return tail(1, 0x80...0x9f) && tail(2) ? 3 : 0
        case 0xe1...0xef: return tail(1) && tail(2) ? 3 : 0
        case 0xf0: return tail(1, 0x90...0xbf) && tail(2) && tail(3) ? 4 : 0
        case 0xf1...0xf3: return tail(1) && tail(2) && tail(3) ? 4 : 0
        case 0xf4: return tail(1, 0x80...0x8f) && tail(2) && tail(3) ? 4 : 0
        default: return 0
        }
    }

    public static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if unsafe bytes[index] < 0x80 {
                index += 1
            } else {
                let length = unsafe scalarLength(bytes, index)
                if length == 0 { return false }
                index += length
            }
        }
        return true
    }

    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Base64 with padding (RFC 4648, section 4).
    public static func base64(_ bytes: UnsafeRawBufferPointer, to text: inout [UInt8]) {
        let letters = alphabet
        var index = 0
        while index < bytes.count {
            let left = min(3, bytes.count - index)
            var word = unsafe UInt32(bytes[index]) << 16
            if left > 1 { word |= unsafe UInt32(bytes[index + 1]) << 8 }
            if left > 2 { word |= unsafe UInt32(bytes[index + 2]) }
            for place in 0...left { text.append(letters[Int(word >> UInt32(18 - 6 * place)) & 63]) }
            for _ in left..<3 { text.append(0x3d) }
            index += 3
        }
    }

    /// Appends what base64 stands for; false where it is none.
    public static func decode(base64 text: ArraySlice<UInt8>, to bytes: inout [UInt8]) -> Bool {
        guard text.count % 4 == 0 else { return false }
        var word: UInt32 = 0
        var bits = 0
        for letter in text {
            let value: UInt32
            switch letter {
            case 0x41...0x5a: value = UInt32(letter) - 0x41
            case 0x61...0x7a: value = UInt32(letter) - 0x61 + 26
            case 0x30...0x39: value = UInt32(letter) - 0x30 + 52
            case 0x2b: value = 62
            case 0x2f: value = 63
            case 0x3d: continue
            default: return false
            }
            word = word << 6 | value
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
                word &= (1 << UInt32(bits)) - 1
            }
        }
        return true
    }
}
