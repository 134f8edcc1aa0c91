import Basics

/// The records of an extended header of pax, as much of them as concerns objects.
///
/// Sources: POSIX.1-2017, pax, "pax Extended Header"; GNU tar's manual, "Storing Sparse Files".
struct TarRecords {
    typealias Run = (offset: Int64, length: Int64)

    var path: [UInt8]?
    var link: [UInt8]?
    var size: Int64?
    var owner: Int64?
    var group: Int64?
    var modified: (seconds: Int64, nanoseconds: Int64)?
    var attributes: [TarMember.Attribute] = []
    /// Of a file with holes: its name and its visible size.
    var sparseName: [UInt8]?
    var sparseSize: Int64?
    /// Whether the map stands before the data (form 1.0), not here.
    var hasMapInData = false
    /// The map of the forms 0.0 and 0.1.
    var runs: [Run] = []
    var isSparse = false

    /// More runs than this no map may have.
    static let mostRuns = 4 << 20

    /// Takes the records `LENGTH KEY=VALUE\n` of one header.
    mutating func read(_ bytes: [UInt8]) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard digits.count < 10, let length = Self.decimal(digits), length <= rest.count,
                length > digits.count + 2, rest[digits.endIndex] == 0x20
            else { throw TarBlock.malformed("the length of a record is wrong") }
            let record = rest.prefix(Int(length)).dropFirst(digits.count + 1)
            guard record.last == 0x0a, let equals = record.firstIndex(of: 0x3d) else {
                throw TarBlock.malformed("a record is none")
            }
            try take(record[..<equals], record[(equals + 1)...].dropLast())
            rest = rest.dropFirst(Int(length))
        }
        attributes.sort { $0.name.lexicographicallyPrecedes($1.name) }
    }

    private mutating func take(
        _ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>
    ) throws(Failure) {
        switch String(decoding: key, as: UTF8.self) {
        case "path": path = Array(value)
        case "linkpath": link = Array(value)
        case "size": size = try Self.count(value)
        case "uid": owner = try Self.count(value)
        case "gid": group = try Self.count(value)
        case "mtime": modified = try Self.time(value)
        case "GNU.sparse.name": sparseName = Array(value)
        case "GNU.sparse.realsize", "GNU.sparse.size":
            sparseSize = try Self.count(value)
            isSparse = true
        case "GNU.sparse.major": hasMapInData = value.elementsEqual([0x31])
        case "GNU.sparse.map":
            let numbers = value.split(separator: 0x2c)
            guard numbers.count % 2 == 0, numbers.count / 2 <= Self.mostRuns else {
                throw TarBlock.malformed("the map of a file with holes is none")
            }
            for place in stride(from: 0, to: numbers.count, by: 2) {
                runs.append((try Self.count(numbers[place]), try Self.count(numbers[place + 1])))
            }
        case "GNU.sparse.offset":
            guard runs.count < Self.mostRuns else {
                throw TarBlock.malformed("the map of a file with holes is none")
            }
            runs.append((try Self.count(value), 0))
        case "GNU.sparse.numbytes":
            guard !runs.isEmpty else {
                throw TarBlock.malformed("the map of a file with holes is none")
            }
            runs[runs.count - 1].length = try Self.count(value)
        case let name where name.hasPrefix("SCHILY.xattr.") || name.hasPrefix("SCHILY.acl."):
            attributes.append(TarMember.Attribute(name: Array(key), value: Array(value)))
        default: break
        }
    }

    static func decimal(_ digits: some Collection<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.count <= 18 else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - 0x30)
        }
        return value
    }

    private static func count(_ digits: ArraySlice<UInt8>) throws(Failure) -> Int64 {
        guard let value = decimal(digits) else {
            throw TarBlock.malformed("a number of a record is none")
        }
        return value
    }

    /// Seconds as a decimal fraction, which may be negative.
    private static func time(
        _ text: ArraySlice<UInt8>
    ) throws(Failure) -> (seconds: Int64, nanoseconds: Int64) {
        let isNegative = text.first == 0x2d
        let parts = text.dropFirst(isNegative ? 1 : 0).split(
            separator: 0x2e, maxSplits: 1, omittingEmptySubsequences: false)
        var fraction = Array((parts.count > 1 ? parts[1] : []).prefix(9))
        while fraction.count < 9 { fraction.append(0x30) }
        guard let seconds = decimal(parts[0]), let nanoseconds = decimal(fraction) else {
            throw TarBlock.malformed("a time is none")
        }
        if !isNegative { return (seconds, nanoseconds) }
        return nanoseconds == 0 ? (-seconds, 0) : (-seconds - 1, 1_000_000_000 - nanoseconds)
    }
}
