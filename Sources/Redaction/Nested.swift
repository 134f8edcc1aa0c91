/// A text that lies within another one in an encoded form: a string of JSON with escapes, a text of XML with
/// entities. What is found in it is found in what encodes it.
struct Nested {
    let bytes: [UInt8]
    /// Where each byte begins in the outer text; one more for the end. Nil where the text is as it was, from `start`.
    private let origins: [Int32]?
    private let start: Int

    /// A part of the outer text that needs no decoding.
    init(plain range: Range<Int>, of outer: [UInt8]) {
        bytes = Array(outer[range])
        origins = nil
        start = range.lowerBound
    }

    private init(bytes: [UInt8], origins: [Int32]) {
        self.bytes = bytes
        self.origins = origins
        start = 0
    }

    /// What a string of JSON means (RFC 8259, section 7); the escapes of YAML and of most languages are among them.
    static func unescaped(_ range: Range<Int>, of outer: [UInt8]) -> Nested {
        guard outer[range].contains(0x5c) else { return Nested(plain: range, of: outer) }
        var bytes: [UInt8] = []
        var origins: [Int32] = []
        bytes.reserveCapacity(range.count)
        origins.reserveCapacity(range.count + 1)
        var position = range.lowerBound
        while position < range.upperBound {
            let here = Int32(position)
            guard outer[position] == 0x5c, position + 1 < range.upperBound else {
                bytes.append(outer[position])
                origins.append(here)
                position += 1
                continue
            }
            let mark = outer[position + 1]
            position += 2
            var scalar = UInt32(mark)
            switch mark {
            case 0x6e: scalar = 0x0a
            case 0x72: scalar = 0x0d
            case 0x74: scalar = 0x09
            case 0x62, 0x66: scalar = 0x20
            case 0x75 where position + 4 <= range.upperBound:
                let digits = outer[position..<(position + 4)]
                if digits.allSatisfy(\.isHex) {
                    scalar = digits.reduce(0) { $0 << 4 | UInt32($1.hexValue) }
                    position += 4
                }
            default: break
            }
            for byte in utf8(scalar) {
                bytes.append(byte)
                origins.append(here)
            }
        }
        origins.append(Int32(range.upperBound))
        return Nested(bytes: bytes, origins: origins)
    }

    /// What a text of XML means: the five entities and numeric ones.
    static func resolved(_ range: Range<Int>, of outer: [UInt8]) -> Nested {
        guard outer[range].contains(0x26) else { return Nested(plain: range, of: outer) }
        var bytes: [UInt8] = []
        var origins: [Int32] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let here = Int32(position)
            if outer[position] == 0x26,
                let end = outer.position(
                    of: 0x3b, from: position, before: min(range.upperBound, position + 12)),
                let scalar = entity(outer[(position + 1)..<end])
            {
                for byte in utf8(scalar) {
                    bytes.append(byte)
                    origins.append(here)
                }
                position = end + 1
            } else {
                bytes.append(outer[position])
                origins.append(here)
                position += 1
            }
        }
        origins.append(Int32(range.upperBound))
        return Nested(bytes: bytes, origins: origins)
    }

    /// The range of the outer text that encodes a range of this one.
    func outer(_ range: Range<Int>) -> Range<Int> {
        guard let origins else { return (start + range.lowerBound)..<(start + range.upperBound) }
        return Int(origins[range.lowerBound])..<Int(origins[range.upperBound])
    }

    private static func entity(_ name: ArraySlice<UInt8>) -> UInt32? {
        switch String(decoding: name, as: UTF8.self) {
        case "lt": return 0x3c
        case "gt": return 0x3e
        case "amp": return 0x26
        case "quot": return 0x22
        case "apos": return 0x27
        default: break
        }
        guard name.first == 0x23 else { return nil }
        let digits = String(decoding: name.dropFirst(), as: UTF8.self)
        if digits.hasPrefix("x") || digits.hasPrefix("X") {
            return UInt32(digits.dropFirst(), radix: 16)
        }
        return UInt32(digits)
    }

    private static func utf8(_ scalar: UInt32) -> [UInt8] {
        guard let scalar = Unicode.Scalar(scalar) else { return [0x3f] }
        return Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }
}

extension UInt8 {
    /// The value of a hexadecimal digit.
    var hexValue: UInt8 { isDigit ? self & 15 : (self & 15) + 9 }
}
