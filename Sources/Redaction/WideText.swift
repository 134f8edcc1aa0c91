/// Text in UTF-16 (RFC 2781), as Windows writes its exports: read as UTF-8, and written back as it was.
struct WideText {
    let utf8: [UInt8]
    private let isBigEndian: Bool
    private let hasMark: Bool

    /// Nil where bytes are no such text: an odd count, neither a mark nor a zero in every second byte.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 4, bytes.count % 2 == 0 else { return nil }
        if bytes.has([0xff, 0xfe], at: 0) {
            (isBigEndian, hasMark) = (false, true)
        } else if bytes.has([0xfe, 0xff], at: 0) {
            (isBigEndian, hasMark) = (true, true)
        } else {
            let head = bytes.prefix(512)
            let even = stride(from: 0, to: head.count, by: 2).filter { head[$0] == 0 }.count
            let odd = stride(from: 1, to: head.count, by: 2).filter { head[$0] == 0 }.count
            guard max(even, odd) * 5 >= head.count * 2, min(even, odd) == 0 else { return nil }
            (isBigEndian, hasMark) = (even > odd, false)
        }
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        for index in stride(from: hasMark ? 2 : 0, to: bytes.count, by: 2) {
            let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            units.append(isBigEndian ? first << 8 | second : second << 8 | first)
        }
        // What is not UTF-16 all the way cannot be written back as it was.
        guard let text = String(validating: units, as: UTF16.self) else { return nil }
        utf8 = Array(text.utf8)
    }

    func encoded(_ utf8: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = hasMark ? (isBigEndian ? [0xfe, 0xff] : [0xff, 0xfe]) : []
        bytes.reserveCapacity(utf8.count * 2 + 2)
        for unit in String(decoding: utf8, as: UTF8.self).utf16 {
            let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xff))
            bytes += isBigEndian ? [high, low] : [low, high]
        }
        return bytes
    }
}
