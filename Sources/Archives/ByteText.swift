import Basics

/// Numbers and names appended as text to a buffer that is used again and again; nothing is
/// allocated but what the buffer needs to grow.
enum ByteText {
    private static let digits: StaticString = "0123456789abcdef"
    private static let alphabet: StaticString =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

    static func append(_ text: StaticString, to buffer: inout [UInt8]) {
        unsafe buffer.append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Digits are made in a small array of their own and appended in one go: a buffer of bytes asks
    /// at every single append whether it is shared and whether it has room.
    static func decimal(_ value: UInt64, to buffer: inout [UInt8]) {
        var text = InlineArray<20, UInt8>(repeating: 0)
        var start = 20
        var rest = value
        repeat {
            start -= 1
            text[start] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        append(text.span, from: start, to: &buffer)
    }

    static func decimal(_ value: Int64, to buffer: inout [UInt8]) {
        if value < 0 { buffer.append(0x2d) }
        decimal(value.magnitude, to: &buffer)
    }

    /// Exactly `width` digits, at most 20, with zeros in front.
    static func decimal(_ value: UInt64, width: Int, to buffer: inout [UInt8]) {
        var text = InlineArray<20, UInt8>(repeating: 0x30)
        var rest = value
        for index in 1...width {
            text[20 - index] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        append(text.span, from: 20 - width, to: &buffer)
    }

    /// Exactly `width` octal digits, with zeros in front.
    static func octal(_ value: UInt64, width: Int, to buffer: inout [UInt8]) {
        for index in (0..<width).reversed() {
            buffer.append(0x30 + UInt8(value >> UInt64(3 * index) & 7))
        }
    }

    private static func append(
        _ text: Span<UInt8>, from start: Int, to buffer: inout [UInt8]
    ) {
        unsafe text.withUnsafeBufferPointer { text in
            unsafe buffer.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
        }
    }

    static func hex(_ byte: UInt8, to buffer: inout [UInt8]) {
        unsafe buffer.append(digits.utf8Start[Int(byte >> 4)])
        unsafe buffer.append(digits.utf8Start[Int(byte & 15)])
    }

    static func hex(words: (UInt64, UInt64, UInt64, UInt64), to buffer: inout [UInt8]) {
        func half(_ word: UInt64) -> UInt64 {
            Hex.digits(of: UInt32(truncatingIfNeeded: word)).bigEndian
        }
        let text = (
            half(words.0 >> 32), half(words.0), half(words.1 >> 32), half(words.1),
            half(words.2 >> 32), half(words.2), half(words.3 >> 32), half(words.3)
        )
        unsafe withUnsafeBytes(of: text) { unsafe buffer.append(contentsOf: $0) }
    }

    static func base64(_ bytes: [UInt8], to buffer: inout [UInt8]) {
        var index = 0
        while index < bytes.count {
            let left = min(3, bytes.count - index)
            var word = UInt32(bytes[index]) << 16
            if left > 1 { word |= UInt32(bytes[index + 1]) << 8 }
            if left > 2 { word |= UInt32(bytes[index + 2]) }
            for position in 0...left {
                let value = Int(word >> UInt32(18 - 6 * position) & 63)
                unsafe buffer.append(alphabet.utf8Start[value])
            }
            for _ in left..<3 { buffer.append(0x3d) }
            index += 3
        }
    }

    /// A JSON string with the escapes of RFC 8785, section 3.2.2.2; the bytes must be UTF-8.
    static func quote(_ bytes: [UInt8], to buffer: inout [UInt8]) {
        buffer.append(0x22)
        defer { buffer.append(0x22) }
        let isPlain = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe !bytes.contains { $0 < 0x20 || $0 == 0x22 || $0 == 0x5c }
        }
        if isPlain { return buffer.append(contentsOf: bytes) }
        for byte in bytes {
            switch byte {
            case 0x22: append("\\\"", to: &buffer)
            case 0x5c: append("\\\\", to: &buffer)
            case 0x08: append("\\b", to: &buffer)
            case 0x09: append("\\t", to: &buffer)
            case 0x0a: append("\\n", to: &buffer)
            case 0x0c: append("\\f", to: &buffer)
            case 0x0d: append("\\r", to: &buffer)
            case 0..<0x20:
                append("\\u00", to: &buffer)
                hex(byte, to: &buffer)
            default: buffer.append(byte)
            }
        }
    }

    /// Whether the bytes are well-formed UTF-8 (Unicode, table 3-7).
    static func isUTF8(_ bytes: [UInt8]) -> Bool {
        // Most names are ASCII.
        let isASCII = unsafe bytes.withUnsafeBufferPointer { unsafe $0.allSatisfy { $0 < 0x80 } }
        if isASCII { return true }
        var index = 0
        func continues(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
            index + offset < bytes.count && range.contains(bytes[index + offset])
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x80 {
                index += 1
                continue
            }
            switch byte {
            case 0xc2...0xdf:
                guard continues(1) else { return false }
                index += 2
            case 0xe0...0xef:
                let second: ClosedRange<UInt8> =
                    byte == 0xe0 ? 0xa0...0xbf : byte == 0xed ? 0x80...0x9f : 0x80...0xbf
                guard continues(1, second), continues(2) else { return false }
                index += 3
            case 0xf0...0xf4:
                let second: ClosedRange<UInt8> =
                    byte == 0xf0 ? 0x90...0xbf : byte == 0xf4 ? 0x80...0x8f : 0x80...0xbf
                guard continues(1, second), continues(2), continues(3) else { return false }
                index += 4
            default: return false
            }
        }
        return true
    }
}
