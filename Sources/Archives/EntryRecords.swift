import Basics

/// The records of one extended header, "LENGTH KEY=VALUE\n" each; every key at most once, and none
/// that Exeat does not write.
struct EntryRecords {
    /// The header's data, filled before `parse`.
    var bytes: [UInt8] = []

    private(set) var path: [UInt8]?
    private(set) var link: [UInt8]?
    private(set) var owner: [UInt8]?
    private(set) var group: [UInt8]?
    private(set) var size: Int64?
    private(set) var uid: UInt32?
    private(set) var gid: UInt32?
    private(set) var modified: FileTime?
    private(set) var attributes: [ExtendedAttribute] = []
    private(set) var accessACL: AccessControlList?
    private(set) var defaultACL: AccessControlList?
    private(set) var major: UInt32?
    private(set) var minor: UInt32?
    private(set) var sparseMajor: Int64?
    private(set) var sparseMinor: Int64?
    private(set) var sparseName: [UInt8]?
    private(set) var sparseSize: Int64?
    private var hasCharset = false
    private var isEmpty = true

    mutating func reset() {
        guard !isEmpty else { return }
        var buffer: [UInt8] = []
        swap(&buffer, &bytes)
        self = EntryRecords()
        // What one entry with a huge header needed is not kept for the rest.
        if buffer.capacity <= 1 << 16 { bytes = consume buffer }
    }

    mutating func parse() throws(Failure) {
        isEmpty = false
        let data = bytes
        var start = 0
        while start < data.count {
            var length = 0
            var index = start
            while index < data.count, (0x30...0x39).contains(data[index]), index - start < 9 {
                length = length * 10 + Int(data[index] - 0x30)
                index += 1
            }
            guard index > start, data[start] != 0x30, index < data.count, data[index] == 0x20,
                length > index - start + 2, length <= data.count - start,
                data[start + length - 1] == 0x0a
            else { throw PaxReader.malformed("an extended header whose lengths are wrong") }
            let record = data[(index + 1)..<(start + length - 1)]
            guard let sign = record.firstIndex(of: 0x3d) else {
                throw PaxReader.malformed("an extended header record without \"=\"")
            }
            try take(record[..<sign], record[(sign + 1)...])
            start += length
        }
        try sortAttributes()
    }

    private mutating func take(
        _ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>
    ) throws(Failure) {
        if let name = Self.rest(key, "SCHILY.xattr.") {
            guard let name = Self.unescaped(name) else {
                throw PaxReader.malformed("an extended attribute whose name cannot be read")
            }
            return attributes.append(ExtendedAttribute(name: name, value: Array(value)))
        }
        switch String(decoding: key, as: UTF8.self) {
        case "path": try set(&path, Self.name(value), key)
        case "linkpath": try set(&link, Self.name(value), key)
        case "uname": try set(&owner, Self.name(value), key)
        case "gname": try set(&group, Self.name(value), key)
        case "size": try set(&size, Self.number(value), key)
        case "uid": try set(&uid, Self.number(value).flatMap { UInt32(exactly: $0) }, key)
        case "gid": try set(&gid, Self.number(value).flatMap { UInt32(exactly: $0) }, key)
        case "mtime": try set(&modified, Self.time(value), key)
        case "hdrcharset":
            guard !hasCharset, value.elementsEqual("BINARY".utf8) else {
                throw PaxReader.malformed("an unknown character set")
            }
            hasCharset = true
        case "SCHILY.acl.access": try set(&accessACL, Self.list(value), key)
        case "SCHILY.acl.default": try set(&defaultACL, Self.list(value), key)
        case "SCHILY.devmajor":
            try set(&major, Self.number(value).flatMap { UInt32(exactly: $0) }, key)
        case "SCHILY.devminor":
            try set(&minor, Self.number(value).flatMap { UInt32(exactly: $0) }, key)
        case "GNU.sparse.major": try set(&sparseMajor, Self.number(value), key)
        case "GNU.sparse.minor": try set(&sparseMinor, Self.number(value), key)
        case "GNU.sparse.name": try set(&sparseName, Self.name(value), key)
        case "GNU.sparse.realsize": try set(&sparseSize, Self.number(value), key)
        default:
            throw PaxReader.malformed(
                "an extended header record \(EntryPath.quoted(Array(key))) that is not known")
        }
    }

    private func set<Value>(
        _ place: inout Value?, _ value: Value?, _ key: ArraySlice<UInt8>
    ) throws(Failure) {
        let name = String(decoding: key, as: UTF8.self)
        guard place == nil else { throw PaxReader.malformed("the record \"\(name)\" twice") }
        guard let value else { throw PaxReader.malformed("a bad value of the record \"\(name)\"") }
        place = value
    }

    private mutating func sortAttributes() throws(Failure) {
        guard attributes.count > 0 else { return }
        attributes.sort { EntryPath.precedes($0.name, $1.name) }
        for (index, attribute) in attributes.enumerated() {
            guard (1...255).contains(attribute.name.count), !attribute.name.contains(0),
                attribute.value.count <= 65_536
            else { throw PaxReader.malformed("an extended attribute beyond the system's limits") }
            guard index == 0 || attributes[index - 1].name != attribute.name else {
                throw PaxReader.malformed(
                    "the extended attribute \(EntryPath.quoted(attribute.name)) twice")
            }
            // They would go round the records made for them, and round what they are checked for.
            guard !attribute.name.starts(with: "system.posix_acl_".utf8) else {
                throw PaxReader.malformed("an access control list as an extended attribute")
            }
        }
    }

    // MARK: - Values

    private static func rest(
        _ key: ArraySlice<UInt8>, _ prefix: StaticString
    ) -> ArraySlice<UInt8>? {
        let length = prefix.utf8CodeUnitCount
        guard key.count > length else { return nil }
        let same = unsafe UnsafeBufferPointer(start: prefix.utf8Start, count: length)
            .elementsEqual(key.prefix(length))
        return same ? key.dropFirst(length) : nil
    }

    private static func name(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        value.isEmpty || value.contains(0) ? nil : Array(value)
    }

    private static func list(_ value: ArraySlice<UInt8>) -> AccessControlList? {
        AccessControlList(text: String(decoding: value, as: UTF8.self))
    }

    /// Decimal digits without zeros in front, up to 2^63 - 1.
    static func number(_ value: ArraySlice<UInt8>) -> Int64? {
        guard let first = value.first, first != 0x30 || value.count == 1 else { return nil }
        var number: Int64 = 0
        for byte in value {
            guard (0x30...0x39).contains(byte) else { return nil }
            let (product, over) = number.multipliedReportingOverflow(by: 10)
            let (sum, carried) = product.addingReportingOverflow(Int64(byte - 0x30))
            guard !over, !carried else { return nil }
            number = sum
        }
        return number
    }

    /// "-1.5" is half a second before -1: the second -2 and 500 000 000 ns after it.
    static func time(_ value: ArraySlice<UInt8>) -> FileTime? {
        let isNegative = value.first == 0x2d
        let digits = isNegative ? value.dropFirst() : value
        let point = digits.firstIndex(of: 0x2e) ?? digits.endIndex
        guard var seconds = number(digits[..<point]) else { return nil }
        var nanoseconds: Int32 = 0
        if point < digits.endIndex {
            let fraction = digits[(point + 1)...]
            guard (1...9).contains(fraction.count) else { return nil }
            for byte in fraction {
                guard (0x30...0x39).contains(byte) else { return nil }
                nanoseconds = nanoseconds * 10 + Int32(byte - 0x30)
            }
            for _ in fraction.count..<9 { nanoseconds *= 10 }
        }
        if isNegative {
            guard seconds != 0 || nanoseconds != 0 else { return nil }
            seconds = -seconds
            if nanoseconds > 0 {
                seconds -= 1
                nanoseconds = 1_000_000_000 - nanoseconds
            }
        }
        return FileTime(seconds: seconds, nanoseconds: nanoseconds)
    }

    /// "%3D" is "=" and "%25" is "%", as GNU tar writes them; no other escapes.
    private static func unescaped(_ value: ArraySlice<UInt8>) -> [UInt8]? {
        guard value.contains(0x25) else { return Array(value) }
        var bytes: [UInt8] = []
        var rest = value
        while let byte = rest.popFirst() {
            guard byte == 0x25 else {
                bytes.append(byte)
                continue
            }
            let code = rest.prefix(2)
            if code.elementsEqual("3D".utf8) {
                bytes.append(0x3d)
            } else if code.elementsEqual("25".utf8) {
                bytes.append(0x25)
            } else {
                return nil
            }
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
