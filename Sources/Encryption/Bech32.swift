/// Bech32 of BIP 173, without its limit of 90 characters, as age keys are written.
package enum Bech32 {
    private static let alphabet = Array("qpzry9x8gf2tvdw0s3jn54khce6mua7l".utf8)
    private static let generators: [UInt32] = [
        0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3,
    ]
    private static let values: [UInt8?] = {
        var values = [UInt8?](repeating: nil, count: 128)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    /// The text of `bytes` under a lower-case prefix.
    package static func encode(prefix: String, _ bytes: [UInt8]) -> String {
        var words: [UInt8] = []
        words.reserveCapacity(bytes.count * 8 / 5 + 8)
        var pending: UInt32 = 0
        var bits = 0
        for byte in bytes {
            pending = pending << 8 | UInt32(byte)
            bits += 8
            while bits >= 5 {
                bits -= 5
                words.append(UInt8(pending >> UInt32(bits) & 31))
            }
            pending &= (1 << UInt32(bits)) - 1
        }
        if bits > 0 { words.append(UInt8(pending << UInt32(5 - bits) & 31)) }
        let sum = checksum(expanded(prefix) + words + [UInt8](repeating: 0, count: 6)) ^ 1
        for index in 0..<6 { words.append(UInt8(sum >> UInt32(5 * (5 - index)) & 31)) }
        return prefix + "1" + String(decoding: words.map { alphabet[Int($0)] }, as: UTF8.self)
    }

    /// The bytes of `text`, or nil unless it is canonical Bech32 with exactly that lower-case prefix.
    static func decode(prefix: String, _ text: String) -> [UInt8]? {
        guard text.hasPrefix(prefix + "1") else { return nil }
        var words: [UInt8] = []
        for character in text.utf8.dropFirst(prefix.utf8.count + 1) {
            guard character < 128, let value = values[Int(character)] else { return nil }
            words.append(value)
        }
        guard words.count >= 6, checksum(expanded(prefix) + words) == 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(words.count * 5 / 8)
        var pending: UInt32 = 0
        var bits = 0
        for word in words.dropLast(6) {
            pending = pending << 5 | UInt32(word)
            bits += 5
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(bits)))
                pending &= (1 << UInt32(bits)) - 1
            }
        }
        return bits < 5 && pending == 0 ? bytes : nil
    }

    private static func expanded(_ prefix: String) -> [UInt8] {
        prefix.utf8.map { $0 >> 5 } + [0] + prefix.utf8.map { $0 & 31 }
    }

    private static func checksum(_ words: [UInt8]) -> UInt32 {
        var sum: UInt32 = 1
        for word in words {
            let top = sum >> 25
            sum = (sum & 0x1ff_ffff) << 5 ^ UInt32(word)
            for bit in 0..<5 where top >> UInt32(bit) & 1 == 1 { sum ^= generators[bit] }
        }
        return sum
    }
}
