/// A JSON value of an Exeat document: integers only, members in the order they were given.
///
/// Documents are written once in canonical form (RFC 8785, whose number rules reduce to plain
/// decimal for integers below 2^53) and read strictly: UTF-8, no byte order mark, no duplicate
/// keys, no fractions, no trailing bytes.
public enum JSON: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case string(String)
    case array([JSON])
    case object([Member])

    public struct Member: Sendable, Equatable {
        public let key: String
        public let value: JSON
        public init(_ key: String, _ value: JSON) {
            self.key = key
            self.value = value
        }
    }

    /// Integers beyond this are not exact in every JSON reader.
    public static let largestInteger: Int64 = 1 << 53 - 1
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
}

extension JSON {
    /// The member's value, or nil where this is not an object or has no such key.
    public subscript(key: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    public var integer: Int64? {
        if case .integer(let number) = self { number } else { nil }
    }

    public var bool: Bool? {
        if case .bool(let flag) = self { flag } else { nil }
    }

    public var array: [JSON]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    public var members: [Member]? {
        if case .object(let members) = self { members } else { nil }
    }
}

// MARK: - Writing

extension JSON {
    /// The canonical form of RFC 8785: members sorted by UTF-16 code units, no white space.
    public var canonical: [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes, sorted: true)
        return bytes
    }

    /// One line without white space, members in their own order (journal lines, results).
    public var line: [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes, sorted: false)
        return bytes
    }

    /// Indented by two spaces, for people; members in their own order.
    public var pretty: String {
        var bytes: [UInt8] = []
        write(into: &bytes, sorted: false, indent: 0)
        return String(decoding: bytes, as: UTF8.self)
    }

    private func write(into bytes: inout [UInt8], sorted: Bool, indent: Int? = nil) {
        switch self {
        case .null: bytes += "null".utf8
        case .bool(let flag): bytes += (flag ? "true" : "false").utf8
        case .integer(let number): bytes += String(number).utf8
        case .string(let text): Self.quote(text, into: &bytes)
        case .array(let elements):
            Self.writeList(elements, "[", "]", into: &bytes, indent) { element, bytes, inner in
                element.write(into: &bytes, sorted: sorted, indent: inner)
            }
        case .object(let members):
            let ordered =
                sorted
                ? members.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) } : members
            Self.writeList(ordered, "{", "}", into: &bytes, indent) { member, bytes, inner in
                Self.quote(member.key, into: &bytes)
                bytes += (inner == nil ? ":" : ": ").utf8
                member.value.write(into: &bytes, sorted: sorted, indent: inner)
            }
        }
    }

    private static func writeList<Element>(
        _ elements: [Element], _ open: String, _ close: String, into bytes: inout [UInt8],
        _ indent: Int?, _ body: (Element, inout [UInt8], Int?) -> Void
    ) {
        bytes += open.utf8
        let inner = indent.map { $0 + 2 }
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(0x2c) }
            newline(into: &bytes, inner)
            body(element, &bytes, inner)
        }
        if !elements.isEmpty { newline(into: &bytes, indent) }
        bytes += close.utf8
    }

    private static func newline(into bytes: inout [UInt8], _ indent: Int?) {
        guard let indent else { return }
        bytes.append(0x0a)
        bytes += repeatElement(0x20, count: indent)
    }

    /// Appends `text` as a JSON string with the escapes of RFC 8785, section 3.2.2.2.
    public static func quote(_ text: some StringProtocol, into bytes: inout [UInt8]) {
        bytes.append(0x22)
        for byte in text.utf8 {
            switch byte {
            case 0x22: bytes += [0x5c, 0x22]
            case 0x5c: bytes += [0x5c, 0x5c]
            case 0x08: bytes += [0x5c, 0x62]
            case 0x09: bytes += [0x5c, 0x74]
            case 0x0a: bytes += [0x5c, 0x6e]
            case 0x0c: bytes += [0x5c, 0x66]
            case 0x0d: bytes += [0x5c, 0x72]
            case 0..<0x20:
                bytes += "\\u00".utf8
                bytes += Hex.encode([byte]).utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(0x22)
    }
}
