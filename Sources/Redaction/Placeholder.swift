/// What stands where a secret was: `EXEAT-REDACTED-password`, or in mode `reference`
/// `EXEAT-REDACTED-password-` and 32 hexadecimal digits.
///
/// Letters, digits and dashes alone: such a word needs no quotes and no escapes in any format, and is no
/// value that somebody would have chosen.
public enum Placeholder {
    private static let prefix = Array("EXEAT-REDACTED-".utf8)
    private static let classes = SecretClass.allCases.map { Array($0.rawValue.utf8) }
        .sorted { $0.count > $1.count }

    static func text(_ secretClass: SecretClass, reference: String?) -> String {
        let base = "EXEAT-REDACTED-\(secretClass.rawValue)"
        return reference.map { "\(base)-\($0)" } ?? base
    }

    /// Whether a value is a placeholder and nothing else, but for white space around it.
    public static func isPlaceholder(_ value: some Collection<UInt8>) -> Bool {
        // Most values are none, and show it with their first letter.
        guard let first = value.first, first == prefix[0] || first.isSpaceOrBreak else {
            return false
        }
        var bytes = Array(value)
        while let last = bytes.last, last.isSpaceOrBreak { bytes.removeLast() }
        let start = bytes.firstIndex { !$0.isSpaceOrBreak } ?? bytes.count
        return bytes.count > start && end(in: bytes, at: start) == bytes.count
    }

    public static func isPlaceholder(_ value: String) -> Bool { isPlaceholder(Array(value.utf8)) }

    /// Whether a file has a placeholder anywhere, so that it must not take the place of one with real values.
    public static func isContained(in content: [UInt8]) -> Bool { !ranges(in: content).isEmpty }

    /// Where placeholders are.
    static func ranges(in bytes: [UInt8]) -> [Range<Int>] {
        var found: [Range<Int>] = []
        var position = 0
        while let start = bytes.position(of: prefix, from: position) {
            position = start + prefix.count
            // It may follow a letter at once: mysql -pEXEAT-REDACTED-password.
            if let end = end(in: bytes, at: start) {
                found.append(start..<end)
                position = end
            }
        }
        return found
    }

    /// Where the placeholder that begins at `start` ends; nil if there is none. What follows is another matter.
    private static func end(in bytes: [UInt8], at start: Int) -> Int? {
        guard bytes.has(prefix, at: start) else { return nil }
        let name = start + prefix.count
        for word in classes where bytes.has(word, at: name) {
            let end = name + word.count
            return hasDigits(in: bytes, at: end) ? end + 33 : end
        }
        return nil
    }

    /// Whether a dash and 32 hexadecimal digits stand there. A value must not be replaced right before them.
    static func hasDigits(in bytes: [UInt8], at start: Int) -> Bool {
        start + 33 <= bytes.count && bytes[start] == 0x2d
            && bytes[(start + 1)..<(start + 33)].allSatisfy(\.isLowerHex)
    }
}
