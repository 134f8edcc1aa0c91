/// The records of an extended header: "length key=value\n", the length counting itself.
struct PaxRecords: Sendable {
    private(set) var bytes: [UInt8] = []
    private var scratch: [UInt8] = []

    var isEmpty: Bool { bytes.isEmpty }

    mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    mutating func append(_ key: StaticString, _ value: StaticString) {
        begin(key)
        ByteText.append(value, to: &scratch)
        end()
    }

    mutating func append(_ key: StaticString, _ value: [UInt8]) {
        begin(key)
        scratch.append(contentsOf: value)
        end()
    }

    mutating func append(_ key: StaticString, _ value: Int64) {
        begin(key)
        ByteText.decimal(value, to: &scratch)
        end()
    }

    /// Seconds as a signed decimal fraction without zeros at its end: half a second before 1970 is
    /// "-0.5".
    mutating func append(_ key: StaticString, _ time: FileTime) {
        begin(key)
        var seconds = time.seconds
        var nanoseconds = UInt64(time.nanoseconds)
        if seconds < 0, nanoseconds > 0 {
            seconds += 1
            nanoseconds = 1_000_000_000 - nanoseconds
            if seconds == 0 { scratch.append(0x2d) }
        }
        ByteText.decimal(seconds, to: &scratch)
        if nanoseconds > 0 {
            scratch.append(0x2e)
            ByteText.decimal(nanoseconds, width: 9, to: &scratch)
            while scratch.last == 0x30 { scratch.removeLast() }
        }
        end()
    }

    mutating func append(_ key: StaticString, _ acl: AccessControlList) {
        begin(key)
        acl.appendText(to: &scratch)
        end()
    }

    /// "=" and "%" in a name are written as GNU tar does, "%3D" and "%25": a key ends at its "=".
    mutating func append(_ attribute: ExtendedAttribute) {
        scratch.removeAll(keepingCapacity: true)
        ByteText.append("SCHILY.xattr.", to: &scratch)
        for byte in attribute.name {
            switch byte {
            case 0x3d: ByteText.append("%3D", to: &scratch)
            case 0x25: ByteText.append("%25", to: &scratch)
            default: scratch.append(byte)
            }
        }
        scratch.append(0x3d)
        scratch.append(contentsOf: attribute.value)
        end()
    }

    private mutating func begin(_ key: StaticString) {
        scratch.removeAll(keepingCapacity: true)
        ByteText.append(key, to: &scratch)
        scratch.append(0x3d)
    }

    private mutating func end() {
        // Space and newline, and as many digits as the whole then needs.
        let rest = scratch.count + 2
        var length = rest + 1
        while length != rest + Self.digits(length) { length = rest + Self.digits(length) }
        ByteText.decimal(UInt64(length), to: &bytes)
        bytes.append(0x20)
        bytes.append(contentsOf: scratch)
        bytes.append(0x0a)
    }

    private static func digits(_ number: Int) -> Int {
        var count = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            count += 1
        }
        return count
    }
}

/// The map in front of the data of a file with holes: the number of runs, then offset and length of
/// each, one decimal number a line, filled up to a whole block.
enum SparseMap {
    static func append(_ entry: Entry, to buffer: inout [UInt8]) {
        guard let extents = entry.extents else { return }
        func line(_ number: Int64) {
            ByteText.decimal(number, to: &buffer)
            buffer.append(0x0a)
        }
        // A run of no bytes at the end gives the file its size.
        let endsInHole = extents.last.map { $0.offset + $0.length < entry.size } ?? true
        line(Int64(extents.count + (endsInHole ? 1 : 0)))
        for extent in extents {
            line(extent.offset)
            line(extent.length)
        }
        if endsInHole {
            line(entry.size)
            line(0)
        }
        let padding = PaxWriter.padding(after: Int64(buffer.count))
        buffer.append(contentsOf: repeatElement(0, count: padding))
    }

    static func length(of entry: Entry) -> Int {
        guard entry.kind == .file, entry.extents != nil else { return 0 }
        var map: [UInt8] = []
        append(entry, to: &map)
        return map.count
    }
}
