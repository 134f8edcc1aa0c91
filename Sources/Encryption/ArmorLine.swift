/// One line of age's armor: strict PEM (RFC 7468), 64 columns, canonical base64.
enum ArmorLine {
    static let begin = "-----BEGIN"
    static let header = Array("-----BEGIN AGE ENCRYPTED FILE-----".utf8)
    static let footer = Array("-----END AGE ENCRYPTED FILE-----".utf8)
    static let columns = 64
    /// Bytes of a full line.
    static let size = columns / 4 * 3

    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xff, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, character) in alphabet.utf8.enumerated() {
            values[Int(character)] = UInt8(value)
        }
        return values
    }()

    static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0d).contains(byte)
    }

    /// Writes the bytes of a line, or returns false when it is not canonical base64 with padding.
    static func decode(_ line: [UInt8], into bytes: inout [UInt8]) -> Bool {
        bytes.removeAll(keepingCapacity: true)
        guard !line.isEmpty, line.count <= columns, line.count % 4 == 0 else { return false }
        let pads = line[line.count - 1] != 0x3d ? 0 : line[line.count - 2] != 0x3d ? 1 : 2
        var word: UInt32 = 0
        for index in 0..<line.count - pads {
            let value = values[Int(line[index])]
            guard value != 0xff else { return false }
            word = word << 6 | UInt32(value)
            if index % 4 == 3 {
                bytes.append(UInt8(truncatingIfNeeded: word >> 16))
                bytes.append(UInt8(truncatingIfNeeded: word >> 8))
                bytes.append(UInt8(truncatingIfNeeded: word))
            }
        }
        switch pads {
        case 1:
            guard word & 3 == 0 else { return false }
            bytes.append(UInt8(truncatingIfNeeded: word >> 10))
            bytes.append(UInt8(truncatingIfNeeded: word >> 2))
        case 2:
            guard word & 15 == 0 else { return false }
            bytes.append(UInt8(truncatingIfNeeded: word >> 4))
        default: break
        }
        return true
    }
}
