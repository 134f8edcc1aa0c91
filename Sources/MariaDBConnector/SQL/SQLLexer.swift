/// A piece of SQL text, by its place in the bytes.
struct SQLToken: Sendable, Equatable {
    enum Kind: Sendable {
        /// A key word or a name without quotes.
        case word
        case quotedName
        /// A string of any form.
        case string
        case number
        /// A user variable or a system variable, its @ included.
        case variable
        /// Any other character.
        case symbol
    }

    let kind: Kind
    let range: Range<Int>
}

/// Cuts SQL into tokens (MariaDB documentation, "Language Structure").
///
/// Works on bytes: in every character set that a client may have, the bytes of a longer character
/// are none of those that begin or end a token, but for Shift-JIS, Big5 and GBK, whose second byte
/// may be a backslash or a backquote; texts in these are not rewritten.
struct SQLLexer {
    private let bytes: [UInt8]
    private let ansiQuotes: Bool
    private let backslashes: Bool
    private(set) var position: Int

    /// - Parameter ansiQuotes: double quotes stand around names (`ANSI_QUOTES`).
    /// - Parameter backslashes: they escape within strings (not `NO_BACKSLASH_ESCAPES`).
    init(_ bytes: [UInt8], from position: Int = 0, ansiQuotes: Bool, backslashes: Bool) {
        self.bytes = bytes
        self.position = position
        self.ansiQuotes = ansiQuotes
        self.backslashes = backslashes
    }

    /// The next token, white space and comments left out; nil at the end. What stands in a comment
    /// that some servers execute (`/*! … */`) is read as if it were not in one.
    mutating func next() -> SQLToken? {
        skipSpace()
        guard position < bytes.count else { return nil }
        let start = position
        let kind = scan()
        return SQLToken(kind: kind, range: start..<position)
    }

    private mutating func scan() -> SQLToken.Kind {
        let byte = bytes[position]
        switch byte {
        case 0x27:
            skipQuoted(0x27, escaping: backslashes)
            return .string
        case 0x22:
            skipQuoted(0x22, escaping: backslashes && !ansiQuotes)
            return ansiQuotes ? .quotedName : .string
        case 0x60:
            skipQuoted(0x60, escaping: false)
            return .quotedName
        case 0x40: return scanVariable()
        case 0x30...0x39:
            while let byte = at(position), Self.isWord(byte) || byte == 0x2e { position += 1 }
            return .number
        default:
            guard Self.isWord(byte) else {
                position += 1
                return .symbol
            }
            while let byte = at(position), Self.isWord(byte) { position += 1 }
            return .word
        }
    }

    /// `@name`, `@'name'`, `@@name`. In an account, `user@host`, the sign stands by itself.
    private mutating func scanVariable() -> SQLToken.Kind {
        let isAccount =
            position > 0
            && [0x60, 0x27, 0x22].contains(bytes[position - 1])
            || position > 0 && Self.isWord(bytes[position - 1])
        position += 1
        if isAccount { return .symbol }
        if at(position) == 0x40 { position += 1 }
        while let byte = at(position), Self.isWord(byte) || byte == 0x2e { position += 1 }
        return .variable
    }

    private mutating func skipQuoted(_ quote: UInt8, escaping: Bool) {
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            if escaping, byte == 0x5c {
                position += 2
            } else if byte == quote {
                if at(position + 1) != quote { break }
                position += 2
            } else {
                position += 1
            }
        }
        position = min(position + 1, bytes.count)
    }

    private mutating func skipSpace() {
        while let byte = at(position) {
            if [0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d].contains(byte) {
                position += 1
            } else if byte == 0x23
                || byte == 0x2d && at(position + 1) == 0x2d && (at(position + 2) ?? 0x0a) <= 0x20
            {
                while let byte = at(position), byte != 0x0a { position += 1 }
            } else if byte == 0x2f, at(position + 1) == 0x2a {
                skipComment()
            } else if byte == 0x2a, at(position + 1) == 0x2f {
                // The end of a comment whose content is executed.
                position += 2
            } else {
                return
            }
        }
    }

    private mutating func skipComment() {
        position += 2
        if at(position) == 0x21 || at(position) == 0x4d && at(position + 1) == 0x21 {
            position += at(position) == 0x21 ? 1 : 2
            while let byte = at(position), (0x30...0x39).contains(byte) { position += 1 }
            return
        }
        while position < bytes.count {
            if bytes[position] == 0x2a, at(position + 1) == 0x2f {
                position += 2
                return
            }
            position += 1
        }
    }

    private func at(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
            || byte == 0x5f || byte == 0x24 || byte >= 0x80
    }
}
