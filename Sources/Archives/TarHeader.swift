import Basics

/// A block of 512 bytes that holds a ustar header, checked as a whole when made.
struct TarHeader {
    private let block: [UInt8]
    let flag: UInt8

    /// Throws `.treeMalformed` unless magic, version, checksum and the unused bytes are right.
    init(_ block: [UInt8]) throws(Failure) {
        self.block = block
        flag = block[156]
        guard block[257..<265].elementsEqual("ustar\u{0}00".utf8) else {
            throw PaxReader.malformed("a header that is not of the ustar kind")
        }
        // The field of the checksum counts as eight spaces.
        var sum: UInt32 = 8 * 0x20
        unsafe block.withUnsafeBufferPointer { block in
            for index in 0..<512 { unsafe sum &+= UInt32(block[index]) }
            for index in 148..<156 { unsafe sum &-= UInt32(block[index]) }
        }
        guard try Self.octal(block[148..<156], "checksum") == Int64(sum) else {
            throw PaxReader.malformed("a header whose checksum is wrong")
        }
        guard !block[500..<512].contains(where: { $0 != 0 }) else {
            throw PaxReader.malformed("a header with bytes in its padding")
        }
    }

    func mode() throws(Failure) -> UInt32 {
        let mode = try Self.octal(block[100..<108], "mode")
        guard mode <= 0o7777 else { throw PaxReader.malformed("mode bits that do not exist") }
        return UInt32(mode)
    }

    func uid() throws(Failure) -> UInt32 { UInt32(try Self.octal(block[108..<116], "uid")) }
    func gid() throws(Failure) -> UInt32 { UInt32(try Self.octal(block[116..<124], "gid")) }
    func size() throws(Failure) -> Int64 { try Self.octal(block[124..<136], "size") }
    func modified() throws(Failure) -> Int64 { try Self.octal(block[136..<148], "mtime") }
    func major() throws(Failure) -> UInt32 { UInt32(try Self.octal(block[329..<337], "device")) }
    func minor() throws(Failure) -> UInt32 { UInt32(try Self.octal(block[337..<345], "device")) }
    func link() throws(Failure) -> [UInt8] { try Self.text(block[157..<257]) }
    func owner() throws(Failure) -> [UInt8] { try Self.text(block[265..<297]) }
    func group() throws(Failure) -> [UInt8] { try Self.text(block[297..<329]) }

    /// Prefix and name, joined as POSIX says.
    func path() throws(Failure) -> [UInt8] {
        let name = try Self.text(block[0..<100])
        let prefix = try Self.text(block[345..<500])
        return prefix.isEmpty ? name : prefix + [0x2f] + name
    }

    /// Digits up to a NUL or space; nothing but NULs and spaces may follow.
    private static func octal(
        _ field: ArraySlice<UInt8>, _ name: StaticString
    ) throws(Failure) -> Int64 {
        var value: Int64 = 0
        var digits = 0
        var index = field.startIndex
        while index < field.endIndex, (0x30...0x37).contains(field[index]) {
            value = value << 3 | Int64(field[index] - 0x30)
            digits += 1
            index += 1
        }
        guard digits > 0, index < field.endIndex,
            !field[index...].contains(where: { $0 != 0 && $0 != 0x20 })
        else { throw PaxReader.malformed("a bad number in the field \(name)") }
        return value
    }

    /// The bytes up to the first NUL; nothing but NULs may follow.
    private static func text(_ field: ArraySlice<UInt8>) throws(Failure) -> [UInt8] {
        let end = field.firstIndex(of: 0) ?? field.endIndex
        guard !field[end...].contains(where: { $0 != 0 }) else {
            throw PaxReader.malformed("bytes behind the end of a name")
        }
        return Array(field[..<end])
    }
}
