/// A piece of SQL text, by its place in the bytes.
struct SQLToken: Sendable, Equatable {
    enum Kind: Sendable {
        /// A key word or a name without quotes.
        case word
        /// A name in double quotes.
        case quotedName
        /// A string of any form.
        case string
        case number
        /// Any other character.
        case symbol
    }

    let kind: Kind
    let range: Range<Int>
}

/// Cuts SQL into tokens (PostgreSQL documentation, "Lexical Structure").
///
/// Works on bytes: in every encoding that a server may have, the bytes of a longer character are
/// none of ASCII.
struct SQLLexer {
    private let bytes: [UInt8]
    private(set) var position: Int

    init(_ bytes: [UInt8], from position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    /// The next token, white space and comments left out; nil at the end.
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
            skipString(escaping: false)
            return .string
        case 0x22:
            skipQuoted(0x22)
            return .quotedName
        case 0x24:
            return scanDollar()
        case 0x30...0x39:
            while let byte = at(position), Self.isWord(byte) || byte == 0x2e { position += 1 }
            return .number
        default:
            guard Self.isWordStart(byte) else {
                position += 1
                return .symbol
            }
            return scanWord()
        }
    }

    private mutating func scanWord() -> SQLToken.Kind {
        let start = position
        while let byte = at(position), Self.isWord(byte) { position += 1 }
        let length = position - start
        let first = bytes[start] | 0x20
        if length == 1, at(position) == 0x27, [0x65, 0x62, 0x78, 0x6e].contains(first) {
            // E'…' knows backslashes; B, X and N do not.
            skipString(escaping: first == 0x65)
            return .string
        }
        if length == 1, first == 0x75, at(position) == 0x26 {
            if at(position + 1) == 0x27 {
                position += 1
                skipString(escaping: false)
                return .string
            }
            if at(position + 1) == 0x22 {
                position += 1
                skipQuoted(0x22)
                return .quotedName
            }
        }
        return .word
    }

    /// `$tag$ … $tag$`, or a parameter, or a lone dollar sign.
    private mutating func scanDollar() -> SQLToken.Kind {
        var end = position + 1
        while let byte = at(end), Self.isWord(byte), byte != 0x24 { end += 1 }
        let isTag = end == position + 1 || Self.isWordStart(bytes[position + 1])
        guard at(end) == 0x24, isTag else {
            position += 1
            return .symbol
        }
        let tag = bytes[position...end]
        var place = end + 1
        while place + tag.count <= bytes.count {
            if bytes[place] == 0x24, bytes[place..<place + tag.count].elementsEqual(tag) {
                position = place + tag.count
                return .string
            }
            place += 1
        }
        position = bytes.count
        return .string
    }

    private mutating func skipString(escaping: Bool) {
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            if escaping, byte == 0x5c {
                position += 2
            } else if byte == 0x27 {
                if at(position + 1) != 0x27 { break }
                position += 2
            } else {
                position += 1
            }
        }
        position = min(position + 1, bytes.count)
    }

    private mutating func skipQuoted(_ quote: UInt8) {
        position += 1
        while position < bytes.count {
            if bytes[position] == quote {
                if at(position + 1) != quote { break }
                position += 1
            }
            position += 1
        }
        position = min(position + 1, bytes.count)
    }

    private mutating func skipSpace() {
        while let byte = at(position) {
            if [0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d].contains(byte) {
                position += 1
            } else if byte == 0x2d, at(position + 1) == 0x2d {
                while let byte = at(position), byte != 0x0a { position += 1 }
            } else if byte == 0x2f, at(position + 1) == 0x2a {
                skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() {
        var depth = 0
        while position < bytes.count {
            if bytes[position] == 0x2f, at(position + 1) == 0x2a {
                depth += 1
                position += 2
            } else if bytes[position] == 0x2a, at(position + 1) == 0x2f {
                depth -= 1
                position += 2
                if depth == 0 { return }
            } else {
                position += 1
            }
        }
    }

    private func at(_ index: Int) -> UInt8? { index < bytes.count ? bytes[index] : nil }

    private static func isWordStart(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f || byte >= 0x80
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isWordStart(byte) || (0x30...0x39).contains(byte) || byte == 0x24
    }
}
