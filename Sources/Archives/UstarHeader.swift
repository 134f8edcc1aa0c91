/// The 512 bytes of a ustar header (POSIX.1-2017, pax, "ustar Interchange Format").
///
/// Where a value does not fit, an extended header in front has it, and the field holds a stand-in
/// that depends on the entry alone.
enum UstarHeader {
    static let largestSize: Int64 = 0o777_7777_7777
    static let largestID: UInt32 = 0o777_7777

    /// Whether bytes can stand in a field as they are: not too long, and printable ASCII only.
    static func fits(_ bytes: [UInt8], _ limit: Int) -> Bool {
        bytes.count <= limit && bytes.allSatisfy { (0x20...0x7e).contains($0) }
    }

    static func fits(_ time: FileTime) -> Bool {
        time.seconds >= 0 && time.seconds <= largestSize
    }

    /// The path as tar shows it: a directory's ends with a slash, the root is "./".
    static func setName(of entry: Entry, _ name: inout [UInt8]) {
        name.removeAll(keepingCapacity: true)
        name.append(contentsOf: entry.path)
        if entry.path.isEmpty { name.append(0x2e) }
        if entry.kind == .directory { name.append(0x2f) }
    }

    static func append(_ entry: Entry, name: [UInt8], size: Int64, to buffer: inout [UInt8]) {
        let header = Fields(&buffer)
        if entry.kind == .file, entry.extents != nil {
            // What a tar that knows nothing of holes would extract is not the file: another name.
            header.text("GNUSparseFile.0/", upTo: 16, &buffer)
            let last = entry.path.split(separator: 0x2f).last ?? []
            header.standIn(last, width: 84, &buffer)
        } else {
            header.standIn(name[...], width: 100, &buffer)
        }
        header.number(UInt64(entry.mode & 0o7777), width: 8, &buffer)
        header.number(entry.uid > largestID ? 0 : UInt64(entry.uid), width: 8, &buffer)
        header.number(entry.gid > largestID ? 0 : UInt64(entry.gid), width: 8, &buffer)
        header.number(size > largestSize ? 0 : UInt64(size), width: 12, &buffer)
        header.number(
            fits(entry.modified) ? UInt64(entry.modified.seconds) : 0, width: 12, &buffer)
        header.checksumSpace(&buffer)
        buffer.append(kind(entry.kind))
        let isLink = entry.kind == .hardlink || entry.kind == .symlink
        header.standIn(isLink ? entry.target[...] : [], width: 100, &buffer)
        header.magic(&buffer)
        header.text(fits(entry.owner, 31) ? entry.owner : [], width: 32, &buffer)
        header.text(fits(entry.group, 31) ? entry.group : [], width: 32, &buffer)
        let major = entry.device.major > largestID ? 0 : entry.device.major
        let minor = entry.device.minor > largestID ? 0 : entry.device.minor
        header.number(UInt64(major), width: 8, &buffer)
        header.number(UInt64(minor), width: 8, &buffer)
        header.finish(&buffer)
    }

    /// The header of an extended header of that many bytes.
    static func appendExtended(length: Int, to buffer: inout [UInt8]) {
        let header = Fields(&buffer)
        header.text("PaxHeaders/x", upTo: 100, &buffer)
        header.number(0o644, width: 8, &buffer)
        header.number(0, width: 8, &buffer)
        header.number(0, width: 8, &buffer)
        header.number(UInt64(length), width: 12, &buffer)
        header.number(0, width: 12, &buffer)
        header.checksumSpace(&buffer)
        buffer.append(0x78)
        header.text([], width: 100, &buffer)
        header.magic(&buffer)
        header.text([], width: 64, &buffer)
        header.number(0, width: 8, &buffer)
        header.number(0, width: 8, &buffer)
        header.finish(&buffer)
    }

    private static func kind(_ kind: Entry.Kind) -> UInt8 {
        switch kind {
        case .file: 0x30
        case .hardlink: 0x31
        case .symlink: 0x32
        case .character: 0x33
        case .block: 0x34
        case .directory: 0x35
        case .fifo: 0x36
        }
    }

    /// Writes the fields of one header one after the other.
    private struct Fields {
        private let start: Int

        init(_ buffer: inout [UInt8]) { start = buffer.count }

        func text(_ text: StaticString, upTo width: Int, _ buffer: inout [UInt8]) {
            ByteText.append(text, to: &buffer)
            fill(width - text.utf8CodeUnitCount, &buffer)
        }

        func text(_ bytes: [UInt8], width: Int, _ buffer: inout [UInt8]) {
            buffer.append(contentsOf: bytes)
            fill(width - bytes.count, &buffer)
        }

        /// The first bytes of a name, "_" for those that are no printable ASCII.
        func standIn(_ bytes: ArraySlice<UInt8>, width: Int, _ buffer: inout [UInt8]) {
            let shown = bytes.prefix(width)
            for byte in shown { buffer.append((0x20...0x7e).contains(byte) ? byte : 0x5f) }
            fill(width - shown.count, &buffer)
        }

        func number(_ value: UInt64, width: Int, _ buffer: inout [UInt8]) {
            ByteText.octal(value, width: width - 1, to: &buffer)
            buffer.append(0)
        }

        func magic(_ buffer: inout [UInt8]) {
            ByteText.append("ustar", to: &buffer)
            buffer.append(0)
            ByteText.append("00", to: &buffer)
        }

        func checksumSpace(_ buffer: inout [UInt8]) { fill(8, with: 0x20, &buffer) }

        func finish(_ buffer: inout [UInt8]) {
            fill(start + PaxWriter.blockSize - buffer.count, &buffer)
            let sum = buffer[start...].reduce(UInt64(0)) { $0 + UInt64($1) }
            for digit in 0..<6 {
                buffer[start + 148 + digit] = 0x30 + UInt8(sum >> UInt64(15 - 3 * digit) & 7)
            }
            buffer[start + 154] = 0
        }

        private func fill(_ count: Int, with byte: UInt8 = 0, _ buffer: inout [UInt8]) {
            buffer.append(contentsOf: repeatElement(byte, count: count))
        }
    }
}
