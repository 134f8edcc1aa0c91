import Basics

/// The id of a task: `UPID:NODE:PID:PSTART:START:TYPE:ID:USER:`.
struct UPID: Sendable, Hashable, CustomStringConvertible {
    /// As the server wrote it.
    let text: String
    let node: String
    /// Seconds since 1970.
    let start: Int64
    let type: String
    /// What it works on: the number of a guest, a name; may be empty.
    let object: String
    let user: String

    var description: String { text }

    /// Takes the form of pve-common's `upid_decode` and nothing else.
    init?(_ text: String) {
        guard text.utf8.count <= 500, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x2f })
        else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 9, parts[0] == "UPID", parts[8].isEmpty,
            Self.isNode(parts[1]), Self.isHex(parts[2], 8...8), Self.isHex(parts[3], 8...9),
            Self.isHex(parts[4], 8...8), let start = Int64(parts[4], radix: 16),
            !parts[5].isEmpty, !parts[7].isEmpty
        else { return nil }
        self.text = text
        self.start = start
        (node, type, object, user) = (parts[1], parts[5], parts[6], parts[7])
    }

    private static func isHex(_ text: String, _ count: ClosedRange<Int>) -> Bool {
        count.contains(text.utf8.count) && text.utf8.allSatisfy { $0.isHexDigit }
    }

    private static func isNode(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, first != 0x2d, last != 0x2d
        else { return false }
        return text.utf8.allSatisfy { $0.isLetterOrDigit || $0 == 0x2d }
    }
}

extension UInt8 {
    fileprivate var isHexDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x46).contains(self) || (0x61...0x66).contains(self)
    }

    fileprivate var isLetterOrDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5a).contains(self) || (0x61...0x7a).contains(self)
    }
}
