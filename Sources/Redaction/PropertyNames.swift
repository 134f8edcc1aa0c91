/// Names in properties, which may hold escapes and go on behind the end of a line: `pass\u0077ord = x`.
enum PropertyNames {
    /// The text with its names spelled out and as long as before: the blanks that are left lead the line, where they mean nothing.
    static func spelledOut(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(0x5c) else { return bytes }
        var text = bytes
        var line = 0
        while line < text.count {
            var end = text.endOfLine(line)
            var position = line
            // Where the name ends: with a blank, = or :, none of them escaped.
            while position < end, text[position].isSpace { position += 1 }
            let start = position
            if position < end, text[position] == 0x23 || text[position] == 0x21 {
                line = end + 1
                continue
            }
            var hasEscape = false
            while position < end, ![0x3d, 0x3a].contains(text[position]) {
                if text[position] == 0x5c {
                    if isBreak(position + 1, text) {
                        // The name goes on, or its separator follows, on the next line.
                        while position < text.count,
                            text[position] == 0x5c || text[position].isBreak
                        {
                            text[position] = 0x20
                            position += 1
                        }
                        end = text.endOfLine(position)
                        continue
                    }
                    hasEscape = hasEscape || text.has("\\u", at: position)
                    position += 1
                } else if text[position].isSpace, !isGap(position, end, text) {
                    break
                }
                position += 1
            }
            if hasEscape { spell(start..<min(position, end), &text) }
            // A value that goes on is no name.
            while end < text.count, end > line, isContinued(end, text) {
                end = text.endOfLine(end + 1)
            }
            line = end + 1
        }
        return text
    }

    /// Blanks before a separator, or before the end of a line that goes on.
    private static func isGap(_ start: Int, _ end: Int, _ text: [UInt8]) -> Bool {
        let next = text[start..<end].firstIndex { !$0.isSpace } ?? end
        return next < end
            && ([0x3d, 0x3a].contains(text[next]) || text[next] == 0x5c && isBreak(next + 1, text))
    }

    private static func isBreak(_ position: Int, _ text: [UInt8]) -> Bool {
        position < text.count && text[position].isBreak
    }

    private static func isContinued(_ end: Int, _ text: [UInt8]) -> Bool {
        var last = end
        if last > 0, text[last - 1] == 0x0d { last -= 1 }
        return last > 0 && text[..<last].reversed().prefix { $0 == 0x5c }.count % 2 == 1
    }

    private static func spell(_ range: Range<Int>, _ text: inout [UInt8]) {
        let name = Nested.unescaped(range, of: text).bytes
        guard name.count <= range.count, name.allSatisfy({ $0 >= 0x20 }) else { return }
        let start = range.upperBound - name.count
        for index in range { text[index] = index < start ? 0x20 : name[index - start] }
    }
}
