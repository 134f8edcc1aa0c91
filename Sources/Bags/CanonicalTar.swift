public import Basics

/// The single-file form of a bag: a ustar archive (POSIX.1-2024, pax, "ustar Interchange Format")
/// in which every byte follows from the bag's name and the paths, sizes and contents of its files.
///
/// The prefix field holds the name of the bag, the name field the path in the bag. There are no
/// directory entries, no extensions, and nothing after the two blocks of zeros at the end.
public enum CanonicalTar {
    public static let blockSize = 512
    /// Two blocks of zeros; not filled up to a record of 10 240 bytes.
    public static let end = [UInt8](repeating: 0, count: 1024)
    /// Eleven octal digits.
    public static let largestFile: Int64 = 1 << 33 - 1

    /// How many zeros follow a file of that size.
    public static func padding(after size: Int64) -> Int {
        Int((512 - size & 511) & 511)
    }

    /// The 512 bytes in front of a file.
    public static func header(
        name: BagName, path: BagPath, size: Int64
    ) throws(Failure) -> [UInt8] {
        guard (0...largestFile).contains(size) else {
            throw Failure(
                .invalidValue, "\"\(path)\" is too large for a tar archive",
                hint: "Write the archive as a directory, or use smaller segments.")
        }
        var block = [UInt8](repeating: 0, count: blockSize)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        put(path.text, at: 0)
        put("0000644", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(octal(size, 11), at: 124)
        put("00000000000", at: 136)
        put("        ", at: 148)
        put("0", at: 156)
        put("ustar\u{0}00", at: 257)
        put("0000000", at: 329)
        put("0000000", at: 337)
        put(name.text, at: 345)
        put(octal(Int64(checksum(block)), 6) + "\u{0} ", at: 148)
        return block
    }

    private static func octal(_ value: Int64, _ width: Int) -> String {
        let digits = String(value, radix: 8)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// The sum of all bytes with the checksum field read as spaces.
    private static func checksum(_ block: [UInt8]) -> Int {
        var sum = 8 * 0x20
        for byte in block { sum += Int(byte) }
        for byte in block[148..<156] { sum -= Int(byte) }
        return sum
    }

    /// The program that has packed a file which begins like this: somebody did it to send the archive.
    private static func packer(of block: [UInt8]) -> String? {
        let beginnings: [(bytes: [UInt8], packer: String)] = [
            ([0x1f, 0x8b], "gzip"), ([0x28, 0xb5, 0x2f, 0xfd], "zstd"),
            ([0xfd, 0x37, 0x7a, 0x58, 0x5a], "xz"), ([0x42, 0x5a, 0x68], "bzip2"),
            ([0x50, 0x4b, 0x03, 0x04], "zip"), (Array("age-encryption.org/".utf8), "age"),
        ]
        return beginnings.first { block.starts(with: $0.bytes) }?.packer
    }

    /// What a header says.
    public struct Header: Sendable, Equatable {
        public let name: BagName
        public let path: BagPath
        public let size: Int64
    }

    private static let foreign =
        "If the bag was packed by another program, unpack it and verify the directory."

    /// Reads a header and makes it again from what it says; a byte that differs is `.tarHeader`.
    ///
    /// A header that is whole, but of a link, directory or device, is `.bagFileKind`, and one with
    /// a path that a bag cannot have is `.bagPathUnsafe`.
    public static func parse(_ block: [UInt8]) throws(Failure) -> Header {
        guard block.count == blockSize else {
            throw Failure(.tarTruncated, "the archive ends in the middle of a header")
        }
        let sum = block[148..<154].reduce(0) { $0 << 3 | Int($1 & 7) }
        guard sum == checksum(block) else {
            throw Failure(
                .tarHeader, "a header of the archive has a wrong checksum",
                hint: packer(of: block).map {
                    "What begins like this was packed by \($0). Unpack it, and take the .tar in it."
                })
        }
        let shown = BagPath.shown(text(block[0..<100]))
        guard block[156] == 0x30 else {
            throw Failure(
                (0x31...0x36).contains(block[156]) ? .bagFileKind : .tarHeader,
                "the archive's entry \"\(shown)\" is not a plain file",
                hint: foreign)
        }
        let path = try BagPath(bytes: text(block[0..<100]))
        let name = try BagName(bytes: text(block[345..<500]))
        var size: Int64 = 0
        for digit in block[124..<135] {
            guard (0x30...0x37).contains(digit) else {
                throw Failure(.tarHeader, "the header of \"\(path)\" has no size")
            }
            size = size << 3 | Int64(digit & 7)
        }
        guard try header(name: name, path: path, size: size) == block else {
            throw Failure(
                .tarHeader, "the header of \"\(path)\" is not the canonical one",
                hint: foreign)
        }
        return Header(name: name, path: path, size: size)
    }

    private static func text(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        field.prefix { $0 != 0 }
    }
}
