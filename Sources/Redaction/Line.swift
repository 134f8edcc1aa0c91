/// One line of a configuration: where its content begins, and whether it is a comment.
struct Line {
    /// Without the marks of a comment, `export`, `- ` and the like.
    let range: Range<Int>
    let isComment: Bool
    /// How many blanks stand before everything.
    let indent: Int
    private var hasFirst = false

    private static let leads: [[UInt8]] = Redaction.bytes(of: [
        "export ", "set ", "setx ", "declare -x ", "local ", "readonly ", "const ", "let ", "var ",
        "env ", "ENV ", "ARG ", "LABEL ", "- ", "$", "static ", "public ", "private ", "protected ",
        "setenv ", "SetEnv ", "fastcgi_param ", "uwsgi_param ", "proxy_set_header ", "add_header ",
        "env.", "ENV.", "php_value ", "PerlSetVar ", "PerlSetEnv ",
        "php_admin_value ", "Defaults ", "final ", "String ", "!",
    ])

    init(_ whole: Range<Int>, of bytes: [UInt8]) {
        var start = whole.lowerBound
        let end = whole.upperBound
        func skipSpace() { while start < end, bytes[start].isSpace { start += 1 } }
        skipSpace()
        indent = start - whole.lowerBound
        var isComment = false
        while start < end {
            if [0x23, 0x3b].contains(bytes[start]) {
                start += 1
            } else if bytes.has("//", at: start)
                || bytes.has("--", at: start) && !Line.isOption(start, bytes)
            {
                start += 2
            } else if bytes.has("<!--", at: start) {
                start += 4
            } else if bytes[start] == 0x2a, start + 1 < end, bytes[start + 1].isSpace {
                start += 1
            } else if isComment, bytes[start] == 0x21 {
                start += 1
            } else {
                break
            }
            isComment = true
            skipSpace()
        }
        var isStripped = true
        while isStripped {
            isStripped = false
            for lead in Line.leads where start < end && bytes.has(lead, at: start) {
                start += lead.count
                isStripped = true
            }
            skipSpace()
        }
        range = min(start, end)..<end
        self.isComment = isComment
    }

    private static func isOption(_ start: Int, _ bytes: [UInt8]) -> Bool {
        start + 2 < bytes.count && bytes[start + 2].isLetter
    }

    /// Whether a name is the first on the line: then its value reaches to the end.
    mutating func takesFirst(_ name: Int) -> Bool {
        guard !hasFirst else { return false }
        hasFirst = true
        return name <= range.lowerBound + 2
    }

    /// The end of a bare value: the end of the line, without a remark or a closing mark.
    func endOfValue(from start: Int, of bytes: [UInt8]) -> Int {
        var end = range.upperBound
        var position = start + 1
        while position + 1 < end {
            // A remark has a blank on both sides of its mark; `a#b` and `a #b` are passwords.
            if [0x23, 0x3b].contains(bytes[position]), bytes[position - 1].isSpace,
                bytes[position + 1].isSpace
            {
                end = position
                break
            }
            if bytes.has(" //", at: position) || bytes.has(" /*", at: position)
                || bytes.has("-->", at: position)
            {
                end = position
                break
            }
            position += 1
        }
        while end > start, bytes[end - 1].isSpace { end -= 1 }
        while end > start + 1, [0x2c, 0x3b].contains(bytes[end - 1]) { end -= 1 }
        return end
    }
}

/// A text in quotes.
struct Quoted {
    let inner: Range<Int>
    /// Behind the closing quote.
    let end: Int

    /// Nil where no quote opens, or none closes within the line (within 64 KiB, where quotes may break lines).
    init?(at start: Int, of bytes: [UInt8], lineEnd: Int, mayBreak: Bool) {
        var open = start
        guard open < lineEnd else { return nil }
        // Prefixes of strings: b'', r'', $'', @"", and the escaped quotes of a text within a text.
        if [0x62, 0x72, 0x75, 0x66, 0x24, 0x40, 0x4e].contains(bytes[open]), open + 1 < lineEnd,
            bytes[open + 1].isQuote
        {
            open += 1
        }
        let isEscaped = bytes[open] == 0x5c && open + 1 < lineEnd && bytes[open + 1].isQuote
        if isEscaped { open += 1 }
        let quote = bytes[open]
        guard quote.isQuote || quote == 0x60 else { return nil }
        let isTriple = !isEscaped && bytes.has([quote, quote, quote], at: open)
        let limit = mayBreak || isTriple ? min(bytes.count, open + 65536) : lineEnd
        let begin = open + (isTriple ? 3 : 1)
        var position = begin
        while position < limit {
            let byte = bytes[position]
            if byte == 0x5c {
                if isEscaped, bytes.has([quote], at: position + 1) {
                    inner = begin..<position
                    end = position + 2
                    return
                }
                position += 2
                continue
            }
            if byte == quote {
                if isTriple {
                    guard bytes.has([quote, quote, quote], at: position) else {
                        position += 1
                        continue
                    }
                    inner = begin..<position
                    end = position + 3
                    return
                }
                // '' within '…' of YAML and SQL.
                if quote == 0x27, position > begin, bytes.has("'", at: position + 1) {
                    position += 2
                    continue
                }
                inner = begin..<position
                end = position + 1
                return
            }
            position += 1
        }
        return nil
    }
}
