import Basics
import Primitives

extension VMAHeader {
    /// How long the header is, from its first 12 288 bytes.
    static func size(of fixed: [UInt8]) throws(Failure) -> Int {
        let fields = HeaderFields(bytes: fixed)
        guard fields.word(0) == 0x564d_4100 else {
            throw Failure(
                .vmaMalformed, "this is no VMA stream: it does not begin with \"VMA\"",
                hint: "Name a file that vzdump made of a virtual machine.")
        }
        guard fields.word(4) == 1 else {
            throw Failure(
                .unsupported, "the VMA stream has version \(fields.word(4)), and only 1 is known")
        }
        let size = fields.word(56)
        guard size > VMA.fixedHeaderSize, size <= VMA.largestHeader, size % 512 == 0 else {
            throw VMA.malformed("a header of \(size) bytes")
        }
        return size
    }

    /// Checks the whole header and takes what it says.
    init(parsing bytes: [UInt8]) throws(Failure) {
        let fields = HeaderFields(bytes: bytes)
        try Self.checkDigest(bytes)
        let blobs = try BlobTable(
            bytes, offset: fields.word(48), size: fields.word(52))
        let seconds = Int64(bitPattern: fields.long(24))
        // Up to the year 9999.
        guard (0..<253_402_300_800).contains(seconds) else {
            throw VMA.malformed("a creation time of \(seconds)")
        }
        uuid = Array(bytes[8..<24])
        created = Timestamp(seconds: seconds)
        configurations = try Self.configurations(fields, blobs)
        devices = try Self.devices(fields, blobs)
    }

    private static func checkDigest(_ bytes: [UInt8]) throws(Failure) {
        let isRight = unsafe bytes.withUnsafeBytes { unsafe MD5.guards($0, at: 32) }
        guard isRight else { throw VMA.malformed("the header fails its checksum") }
    }

    private static func configurations(
        _ fields: HeaderFields, _ blobs: BlobTable
    ) throws(Failure) -> [Configuration] {
        var found: [Configuration] = []
        for index in 0..<256 {
            let name = fields.word(2044 + 4 * index)
            let data = fields.word(3068 + 4 * index)
            if name == 0, data == 0 { continue }
            guard name != 0, data != 0 else {
                throw VMA.malformed("configuration \(index) has a name or a content only")
            }
            found.append(
                Configuration(
                    name: try blobs.name(at: name, of: "configuration \(index)"),
                    bytes: Array(try blobs.blob(at: data, of: "configuration \(index)"))))
        }
        try checkUnique(found.map(\.name))
        return found
    }

    private static func devices(
        _ fields: HeaderFields, _ blobs: BlobTable
    ) throws(Failure) -> [Device] {
        var found: [Device] = []
        for index in 0..<256 {
            let size = fields.long(4096 + 32 * index + 8)
            if size == 0 { continue }
            guard index != 0, index != 255 else {
                throw VMA.malformed("a device with the reserved number \(index)")
            }
            let name = try blobs.name(
                at: fields.word(4096 + 32 * index), of: "device \(index)")
            guard size <= VMA.largestDevice else {
                throw VMA.malformed("device \"\(name)\" has \(size) bytes")
            }
            let device = Device(number: UInt8(index), name: name, size: Int64(size))
            guard device.isMemory || size % 512 == 0 else {
                throw VMA.malformed("device \"\(name)\" has \(size) bytes, no whole sectors")
            }
            found.append(device)
        }
        try checkUnique(found.map(\.name))
        return found
    }

    private static func checkUnique(_ names: [String]) throws(Failure) {
        var seen: Set<String> = []
        for name in names where !seen.insert(name).inserted {
            throw VMA.malformed("two objects are named \"\(name)\"")
        }
    }
}

/// Big-endian integers at offsets of the fixed part, whose length the caller has checked.
private struct HeaderFields {
    let bytes: [UInt8]

    func word(_ offset: Int) -> Int {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    func long(_ offset: Int) -> UInt64 {
        bytes[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// The table of blobs: a length of 16 bits, little-endian unlike all else, and that many bytes.
private struct BlobTable {
    private let bytes: ArraySlice<UInt8>

    init(_ header: [UInt8], offset: Int, size: Int) throws(Failure) {
        guard offset >= VMA.fixedHeaderSize, size >= 1, offset <= header.count,
            size <= header.count - offset
        else { throw VMA.malformed("a table of \(size) bytes at \(offset) is outside the header") }
        bytes = header[offset..<offset + size]
    }

    func blob(at pointer: Int, of object: String) throws(Failure) -> ArraySlice<UInt8> {
        guard pointer >= 1, pointer + 2 <= bytes.count else {
            throw VMA.malformed("\(object) points to \(pointer), outside the table")
        }
        let start = bytes.startIndex + pointer
        let length = Int(bytes[start]) | Int(bytes[start + 1]) << 8
        guard length <= bytes.endIndex - start - 2 else {
            throw VMA.malformed("\(object) has \(length) bytes, beyond the end of the table")
        }
        return bytes[(start + 2)..<(start + 2 + length)]
    }

    /// A name that ends with the one zero it has, and is good for a file name.
    func name(at pointer: Int, of object: String) throws(Failure) -> String {
        let blob = try blob(at: pointer, of: object)
        guard blob.last == 0 else { throw VMA.malformed("\(object) has a name without an end") }
        let name = blob.dropLast()
        guard (1...64).contains(name.count), name.first != 0x2e, name.first != 0x2d,
            name.allSatisfy(Self.isSafe)
        else {
            throw VMA.malformed(
                "\(object) is named \"\(String(decoding: name.prefix(64), as: UTF8.self))\"")
        }
        return String(decoding: name, as: UTF8.self)
    }

    private static func isSafe(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f: true
        default: false
        }
    }
}

extension MD5 {
    /// Whether the 16 bytes at `place` are the MD5 of the whole with zeros in their place.
    static func guards(_ bytes: UnsafeRawBufferPointer, at place: Int) -> Bool {
        var digest = MD5()
        unsafe digest.update(UnsafeRawBufferPointer(rebasing: bytes[..<place]))
        unsafe withUnsafeBytes(of: (UInt64(0), UInt64(0))) { unsafe digest.update($0) }
        unsafe digest.update(UnsafeRawBufferPointer(rebasing: bytes[(place + 16)...]))
        let stored = unsafe (
            bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self),
            bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)
        )
        return digest.finish() == stored
    }
}
