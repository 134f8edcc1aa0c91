/// The kernel's form of an access control list (the value of `system.posix_acl_access`, version 2,
/// little endian) and the numeric text form that acl_from_text(3) reads.
extension AccessControlList {
    private static let version: UInt32 = 2

    /// Reads the value of the extended attribute; nil when it is not of this form.
    public init?(kernelForm bytes: some RandomAccessCollection<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count >= 4, (bytes.count - 4) % 8 == 0 else { return nil }
        func number(_ offset: Int, _ count: Int) -> UInt32 {
            (0..<count).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
        }
        guard number(0, 4) == Self.version else { return nil }
        var items: [Item] = []
        for offset in stride(from: 4, to: bytes.count, by: 8) {
            guard let tag = Tag(rawValue: UInt16(number(offset, 2))) else { return nil }
            let id = tag.hasID ? number(offset + 4, 4) : .max
            items.append(Item(tag: tag, permissions: UInt16(number(offset + 2, 2)), id: id))
        }
        self.init(items: items)
    }

    /// The value to give to setxattr(2).
    public var kernelForm: [UInt8] {
        var bytes: [UInt8] = []
        func append(_ value: UInt32, _ count: Int) {
            for index in 0..<count {
                bytes.append(UInt8(truncatingIfNeeded: value >> UInt32(8 * index)))
            }
        }
        append(Self.version, 4)
        for item in items {
            append(UInt32(item.tag.rawValue), 2)
            append(UInt32(item.permissions), 2)
            append(item.tag.hasID ? item.id : .max, 4)
        }
        return bytes
    }

    /// "user::rwx,user:1000:r--,group::r-x,mask::r-x,other::---", ids in decimal.
    public var text: String {
        var bytes: [UInt8] = []
        appendText(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the text form; nothing is allocated but what `buffer` needs to grow.
    public func appendText(to buffer: inout [UInt8]) {
        for (index, item) in items.enumerated() {
            if index > 0 { buffer.append(0x2c) }
            buffer.append(contentsOf: item.tag.word.utf8)
            buffer.append(0x3a)
            if item.tag.hasID { ByteText.decimal(UInt64(item.id), to: &buffer) }
            buffer.append(0x3a)
            buffer.append(item.permissions & 4 != 0 ? 0x72 : 0x2d)
            buffer.append(item.permissions & 2 != 0 ? 0x77 : 0x2d)
            buffer.append(item.permissions & 1 != 0 ? 0x78 : 0x2d)
        }
    }

    /// Reads the text form, strictly as `text` writes it; nil for anything else.
    public init?(text: some StringProtocol) {
        var items: [Item] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let fields = part.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 3 else { return nil }
            let tag: Tag
            switch (String(fields[0]), fields[1].isEmpty) {
            case ("user", true): tag = .owner
            case ("user", false): tag = .user
            case ("group", true): tag = .owningGroup
            case ("group", false): tag = .group
            case ("mask", true): tag = .mask
            case ("other", true): tag = .other
            default: return nil
            }
            var id = UInt32.max
            if tag.hasID {
                guard let number = UInt32(fields[1]), String(number) == fields[1] else {
                    return nil
                }
                id = number
            }
            let letters = Array(fields[2].utf8)
            guard letters.count == 3 else { return nil }
            var permissions: UInt16 = 0
            for (letter, (name, bit)) in zip(letters, [(0x72, 4), (0x77, 2), (0x78, 1)]) {
                if letter == UInt8(name) {
                    permissions |= UInt16(bit)
                } else if letter != 0x2d {
                    return nil
                }
            }
            items.append(Item(tag: tag, permissions: permissions, id: id))
        }
        self.init(items: items)
    }
}

extension AccessControlList.Tag {
    /// Whether an item of this tag names a user or group.
    public var hasID: Bool { self == .user || self == .group }

    var word: String {
        switch self {
        case .owner, .user: "user"
        case .owningGroup, .group: "group"
        case .mask: "mask"
        case .other: "other"
        }
    }
}
