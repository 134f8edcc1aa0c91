/// The 512 bytes of a ustar header (POSIX.1-2017, pax, "ustar Interchange Format").
///
/// Where a value does not fit, an extended header in front has it, and the field holds a stand-in
/// that depends on the entry alone.
enum UstarHeader {
    static let largestSize: Int64 = 0o777_7777_7777
    static let largestID: UInt32 = 0o777_7777

    /// Whether bytes can stand in a field as they are: not too long, and printable ASCII only.
    static func fits(_ bytes: [UInt8], _ limit: Int) -> Bool {
        guard bytes.count <= limit else { return false }
        return unsafe bytes.withUnsafeBufferPointer {
            unsafe $0.allSatisfy { $0 >= 0x20 && $0 <= 0x7e }
        }
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
        appendBlock(to: &buffer) { fields in
            fill(fields, entry, name: name, size: size)
        }
    }

    private static func fill(_ fields: Fields, _ entry: Entry, name: [UInt8], size: Int64) {
        if entry.kind == .file, entry.extents != nil {
            // What a tar that knows nothing of holes would extract is not the file: another name.
            fields.text("GNUSparseFile.0/", at: 0)
            let last = entry.path.split(separator: 0x2f).last ?? []
            fields.standIn(last, at: 16, width: 84)
        } else {
            fields.standIn(name[...], at: 0, width: 100)
        }
        fields.number(UInt64(entry.mode & 0o7777), at: 100, width: 8)
        fields.number(entry.uid > largestID ? 0 : UInt64(entry.uid), at: 108, width: 8)
        fields.number(entry.gid > largestID ? 0 : UInt64(entry.gid), at: 116, width: 8)
        fields.number(size > largestSize ? 0 : UInt64(size), at: 124, width: 12)
        fields.number(
            fits(entry.modified) ? UInt64(entry.modified.seconds) : 0, at: 136, width: 12)
        fields.byte(kind(entry.kind), at: 156)
        if entry.kind == .hardlink || entry.kind == .symlink {
            fields.standIn(entry.target[...], at: 157, width: 100)
        }
        if fits(entry.owner, 31) { fields.text(entry.owner, at: 265) }
        if fits(entry.group, 31) { fields.text(entry.group, at: 297) }
        let major = entry.device.major > largestID ? 0 : entry.device.major
        let minor = entry.device.minor > largestID ? 0 : entry.device.minor
        fields.number(UInt64(major), at: 329, width: 8)
        fields.number(UInt64(minor), at: 337, width: 8)
    }

    /// The header of an extended header of that many bytes.
    static func appendExtended(length: Int, to buffer: inout [UInt8]) {
        appendBlock(to: &buffer) { fields in
            fields.text("PaxHeaders/x", at: 0)
            fields.number(0o644, at: 100, width: 8)
            fields.number(0, at: 108, width: 8)
            fields.number(0, at: 116, width: 8)
            fields.number(UInt64(length), at: 124, width: 12)
            fields.number(0, at: 136, width: 12)
            fields.byte(0x78, at: 156)
            fields.number(0, at: 329, width: 8)
            fields.number(0, at: 337, width: 8)
        }
    }

    /// Appends a blank header, has its fields filled in, and sets the checksum.
    private static func appendBlock(to buffer: inout [UInt8], _ fill: (Fields) -> Void) {
        let start = buffer.count
        buffer.append(contentsOf: blank)
        unsafe buffer.withUnsafeMutableBufferPointer { bytes in
            let fields = unsafe Fields(block: bytes.extracting(start..<bytes.count))
            fill(fields)
            fields.setChecksum()
        }
    }

    /// A header with nothing in its fields but what is the same in all.
    private static let blank: [UInt8] = {
        var block = [UInt8](repeating: 0, count: PaxWriter.blockSize)
        block.replaceSubrange(257..<265, with: Array("ustar\u{0}00".utf8))
        // The checksum is taken with spaces in its own place.
        block.replaceSubrange(148..<156, with: [UInt8](repeating: 0x20, count: 8))
        return block
    }()

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

    /// The fields of one header that lies blank in a buffer: each byte is written where it belongs,
    /// without asking each time whether the buffer is shared and has room.
    @safe private struct Fields {
        private let block: UnsafeMutableBufferPointer<UInt8>

        init(block: UnsafeMutableBufferPointer<UInt8>) {
            precondition(block.count == PaxWriter.blockSize)
            unsafe self.block = block
        }

        func byte(_ byte: UInt8, at place: Int) { unsafe block[place] = byte }

        func text(_ text: StaticString, at place: Int) {
            for index in 0..<text.utf8CodeUnitCount {
                unsafe block[place + index] = text.utf8Start[index]
            }
        }

        func text(_ bytes: [UInt8], at place: Int) {
            for index in bytes.indices { unsafe block[place + index] = bytes[index] }
        }

        /// The first bytes of a name, "_" for those that are no printable ASCII.
        func standIn(_ bytes: ArraySlice<UInt8>, at place: Int, width: Int) {
            for (index, byte) in bytes.prefix(width).enumerated() {
                unsafe block[place + index] = (0x20...0x7e).contains(byte) ? byte : 0x5f
            }
        }

        /// Octal digits over the whole width but for the NUL at its end.
        func number(_ value: UInt64, at place: Int, width: Int) {
            var rest = value
            for index in (0..<width - 1).reversed() {
                unsafe block[place + index] = 0x30 + UInt8(truncatingIfNeeded: rest & 7)
                rest >>= 3
            }
            unsafe block[place + width - 1] = 0
        }

        /// Over all bytes, its own counted as spaces, which the blank has there; six digits, a NUL,
        /// and one of the spaces.
        func setChecksum() {
            var sum: UInt32 = 0
            for index in 0..<PaxWriter.blockSize { unsafe sum &+= UInt32(block[index]) }
            number(UInt64(sum), at: 148, width: 7)
        }
    }
}
