import Basics

/// A header of 512 bytes, its checksum checked.
///
/// Sources: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar's manual, "Basic Tar Format".
struct TarBlock {
    /// Fields of a block, whatever it is.
    struct Fields {
        let bytes: [UInt8]

        init(_ bytes: [UInt8]) { self.bytes = bytes }
    }

    let fields: Fields
    var bytes: [UInt8] { fields.bytes }

    init(_ bytes: [UInt8]) throws(Failure) {
        fields = Fields(bytes)
        var sum: Int64 = 8 * 0x20
        for (place, byte) in bytes.enumerated() where !(148..<156).contains(place) {
            sum += Int64(byte)
        }
        guard try fields.number(148..<156) == sum else {
            throw Self.malformed("a checksum is wrong")
        }
    }

    var flag: UInt8 { bytes[156] }

    /// POSIX; the other form, GNU's, has no prefix of the name.
    private var isPOSIX: Bool { bytes[257..<263].elementsEqual("ustar\0".utf8) }

    var name: [UInt8] {
        let name = text(0..<100)
        let prefix = isPOSIX ? text(345..<500) : []
        return prefix.isEmpty ? name : prefix + [0x2f] + name
    }

    var link: [UInt8] { text(157..<257) }

    func number(_ field: Range<Int>) throws(Failure) -> Int64 { try fields.number(field) }

    /// A number that cannot be negative.
    func count(_ field: Range<Int>) throws(Failure) -> UInt64 {
        guard let value = UInt64(exactly: try number(field)) else {
            throw Self.malformed("a number is negative")
        }
        return value
    }

    private func text(_ field: Range<Int>) -> [UInt8] {
        Array(bytes[field].prefix { $0 != 0 })
    }

    static func malformed(_ what: String) -> Failure {
        Failure(.tarHeader, "this is no tar stream, or it is damaged: \(what)")
    }
}

extension TarBlock.Fields {
    /// Digits of base 8; or, where the first bit is set, a number of base 256, which may be negative.
    func number(_ field: Range<Int>) throws(Failure) -> Int64 {
        let field = bytes[field]
        if let first = field.first, first & 0x80 != 0 {
            // The second bit is the sign, and the first byte holds six bits of the number.
            var value = Int64(first & 0x40 == 0 ? first & 0x3f : first | 0x80)
            if first & 0x40 != 0 { value -= 0x100 }
            for byte in field.dropFirst() {
                let (product, isOver) = value.multipliedReportingOverflow(by: 256)
                if isOver { throw TarBlock.malformed("a number is too large") }
                value = product | Int64(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
        let rest = field[digits.endIndex...]
        guard rest.allSatisfy({ $0 == 0 || $0 == 0x20 }) else {
            throw TarBlock.malformed("a field is no number")
        }
        return digits.reduce(0) { $0 << 3 | Int64($1 - 0x30) }
    }
}
