import Glibc

/// How fields look in the journal export format.
enum JournalText {
    /// The length of the name before the first `=`; nil where the name is none that the format can
    /// carry (systemd: `journal_field_valid`).
    @inline(__always)
    static func nameLength(_ field: UnsafeRawBufferPointer) -> Int? {
        var place = 0
        while place < min(field.count, 65) {
            let byte = unsafe field[place]
            if byte == 0x3d { return place > 0 ? place : nil }
            let isDigit = byte &- 0x30 < 10
            guard byte &- 0x41 < 26 || byte == 0x5f || (isDigit && place > 0) else { return nil }
            place += 1
        }
        return nil
    }

    static func begins(_ bytes: UnsafeRawBufferPointer, with text: StaticString) -> Bool {
        guard bytes.count >= text.utf8CodeUnitCount, let start = bytes.baseAddress else {
            return false
        }
        return unsafe memcmp(start, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// Whether a field may stand in a line: UTF-8 without control characters other than the tab.
    static func isPrintable(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        while place < bytes.count {
            if bytes.count - place >= 8 {
                let word = unsafe bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
                if isPlain(word) {
                    place += 8
                    continue
                }
            }
            guard let length = unsafe scalar(bytes, place) else { return false }
            place += length
        }
        return true
    }

    /// Whether eight bytes are all in 0x20…0x7e.
    @inline(__always)
    private static func isPlain(_ word: UInt64) -> Bool {
        let high: UInt64 = 0x8080_8080_8080_8080
        let ones: UInt64 = 0x0101_0101_0101_0101
        // A borrow or a carry into the high bit of a byte shows those below 0x20, and 0x7f.
        return (word | (word &- ones &* 0x20) | (word &+ ones)) & high == 0
    }

    /// The length of the character that begins there; nil where it is none, or a control character.
    private static func scalar(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> Int? {
        let first = unsafe bytes[place]
        if first < 0x80 { return first == 0x09 || (first >= 0x20 && first != 0x7f) ? 1 : nil }
        let length: Int
        var value: UInt32
        switch first {
        case 0xc2...0xdf: (length, value) = (2, UInt32(first & 0x1f))
        case 0xe0...0xef: (length, value) = (3, UInt32(first & 0x0f))
        case 0xf0...0xf4: (length, value) = (4, UInt32(first & 0x07))
        default: return nil
        }
        guard bytes.count - place >= length else { return nil }
        for next in 1..<length {
            let byte = unsafe bytes[place + next]
            guard byte & 0xc0 == 0x80 else { return nil }
            value = value << 6 | UInt32(byte & 0x3f)
        }
        let isShortest = length == 2 || (length == 3 ? value >= 0x800 : value >= 0x10000)
        guard isShortest, !(0xd800...0xdfff).contains(value), value <= 0x10ffff, value > 0x9f
        else { return nil }
        return length
    }
}
