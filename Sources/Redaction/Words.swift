/// The words of a line.
enum Words {
    /// What is in quotes is one word or part of one; at most 4096 are told apart.
    static func split(_ range: Range<Int>, of bytes: [UInt8]) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var position = range.lowerBound
        // A double quote that nothing closes leaves none behind it that anything closes: all those are escaped.
        var isUnclosed = false
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
                let isDouble = bytes[position] == 0x22
                if bytes[position].isQuote, !(isDouble && isUnclosed),
                    let quoted = Quoted(
                        at: position, of: bytes, lineEnd: range.upperBound, mayBreak: false)
                {
                    position = quoted.end
                } else {
                    if isDouble, !bytes.has("\"\"\"", at: position) { isUnclosed = true }
                    position += 1
                }
            }
            words.append(start..<position)
        }
        return words
    }
}
