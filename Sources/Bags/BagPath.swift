public import Basics

/// The path of a file in a bag: `[a-z0-9._-]` and `/`, no empty component, none that begins with a
/// dot or a dash, at most 100 bytes.
///
/// With this alphabet there is nothing to encode, to normalise, to fold or to escape from the bag
/// with (RFC 8493, section 5.2). The two files that people open by hand, `VERIFY.txt` and
/// `RESTORE.txt`, are the only names in capitals.
public struct BagPath: Sendable, Hashable {
    public let text: String

    /// The name field of a ustar header.
    public static let longest = 100
    static let capitals: Set<String> = ["VERIFY.txt", "RESTORE.txt"]

    /// Throws `.bagPathTooLong` or `.bagPathUnsafe`.
    public init(_ text: some StringProtocol) throws(Failure) {
        try self.init(bytes: Array(text.utf8))
    }

    public init(bytes: some BidirectionalCollection<UInt8>) throws(Failure) {
        guard bytes.count <= Self.longest else {
            throw Failure(
                .bagPathTooLong,
                "the path \"\(Self.shown(bytes))\" is longer than \(Self.longest) bytes")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard Self.isSafe(bytes) || Self.capitals.contains(text) else {
            throw Failure(
                .bagPathUnsafe, "the path \"\(Self.shown(bytes))\" is not one of a bag",
                hint: "Paths of a bag consist of a-z, 0-9, dot, dash and underscore.")
        }
        self.text = text
    }

    /// For paths of ours that are known to be good.
    init(known text: StaticString) { self.text = "\(text)" }

    private static func isSafe(_ bytes: some BidirectionalCollection<UInt8>) -> Bool {
        var atStart = true
        for byte in bytes {
            switch byte {
            case 0x61...0x7a, 0x30...0x39, 0x5f: atStart = false
            case 0x2e, 0x2d:
                if atStart { return false }
            case 0x2f:
                if atStart { return false }
                atStart = true
            default: return false
            }
        }
        return !atStart
    }

    /// Bytes of unknown origin, fit for a message: one line, and not endless.
    static func shown(_ bytes: some BidirectionalCollection<UInt8>) -> String {
        var text = ""
        for byte in bytes.prefix(120) {
            if (0x20..<0x7f).contains(byte), byte != 0x5c, byte != 0x22 {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "\\x" + Hex.encode([byte])
            }
        }
        return bytes.count > 120 ? text + "…" : text
    }

    public var components: [Substring] { text.split(separator: "/") }

    public var isPayload: Bool { text.utf8.starts(with: "data/".utf8) }
    public var isProof: Bool { text.utf8.starts(with: "proof/".utf8) }
}

extension BagPath: Comparable, CustomStringConvertible {
    /// By bytes, as `LC_ALL=C sort` does: for ASCII that is how Swift compares strings.
    public static func < (left: BagPath, right: BagPath) -> Bool { left.text < right.text }

    public var description: String { text }
}

/// The name of a bag, which is the one top folder of its tar form: `[A-Za-z0-9._-]+` without a
/// leading dot or dash, at most 155 bytes.
public struct BagName: Sendable, Hashable, CustomStringConvertible {
    public let text: String

    /// The prefix field of a ustar header.
    public static let longest = 155

    public init(_ text: some StringProtocol) throws(Failure) {
        try self.init(bytes: Array(text.utf8))
    }

    init(bytes: some BidirectionalCollection<UInt8>) throws(Failure) {
        let good = bytes.allSatisfy { byte in
            switch byte {
            case 0x41...0x5a, 0x61...0x7a, 0x30...0x39, 0x2d, 0x2e, 0x5f: true
            default: false
            }
        }
        guard good, let first = bytes.first, first != 0x2e, first != 0x2d else {
            throw Failure(
                .bagPathUnsafe, "\"\(BagPath.shown(bytes))\" is not the name of a bag",
                hint: "Use letters, digits, dot, dash and underscore, a letter or digit first.")
        }
        guard bytes.count <= Self.longest else {
            throw Failure(
                .bagPathTooLong, "the name of the bag is longer than \(Self.longest) bytes")
        }
        text = String(decoding: bytes, as: UTF8.self)
    }

    public var description: String { text }
}
