/// The words of a line.
enum Words {
    /// What is in quotes is one word or part of one; at most 4096 are told apart.
    static func split(_ range: Range<Int>, of bytes: [UInt8]) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var position = range.lowerBound
        // A quote that nothing closes leaves none of its kind behind it that anything closes: all those are escaped,
        // but for two single ones side by side.
        var unclosed: Set<UInt8> = []
        var wasted = 0
        while position < range.upperBound, words.count < 4096 {
            if bytes[position].isSpace
                || bytes[position] == 0x21 && bytes.has("-", at: position + 1)
            {
                position += 1
                continue
            }
            let start = position
            while position < range.upperBound, !bytes[position].isSpace {
                // Nagios puts arguments behind exclamation marks: check_snmp!-C public.
                if bytes[position] == 0x21, position > start, bytes.has("-", at: position + 1) {
                    break
                }
                let quote = bytes[position]
                if quote.isQuote, wasted < 16,
                    !unclosed.contains(quote)
                        || quote == 0x27 && bytes.has("'", at: position + 1),
                    let quoted = Quoted(
                        at: position, of: bytes, lineEnd: range.upperBound, mayBreak: false)
                {
                    position = quoted.end
                } else {
                    if quote.isQuote {
                        // Three of them are looked for beyond the line, which has to end.
                        if bytes.has([quote, quote, quote], at: position) {
                            wasted += 1
                        } else {
                            unclosed.insert(quote)
                        }
                    }
                    position += 1
                }
            }
            words.append(start..<position)
        }
        return words
    }
}
