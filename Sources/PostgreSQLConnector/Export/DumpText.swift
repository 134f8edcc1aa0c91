import Basics

/// Takes out of pg_dump's text the two lines that are no SQL: `\restrict KEY` at its head, and
/// `\unrestrict KEY` with the same key at its end. What looks like them inside a function stays.
struct DumpText {
    /// The key, once it was seen.
    private var key: [UInt8]?
    private var hasStatement = false
    /// A line that begins with a backslash, until its end is known.
    private var held: [UInt8] = []
    private var isHolding = false
    private var atLineStart = true

    /// Appends what stays of a piece of text.
    mutating func filter(_ bytes: UnsafeRawBufferPointer, into kept: inout [UInt8]) {
        unsafe bytes.forEach { take($0, &kept) }
    }

    private mutating func take(_ byte: UInt8, _ kept: inout [UInt8]) {
        if atLineStart {
            atLineStart = false
            if byte == 0x5c {
                isHolding = true
                held.removeAll(keepingCapacity: true)
            } else if byte != 0x2d, byte != 0x0a {
                // Neither a comment nor empty: from here on it is statements.
                hasStatement = true
            }
        }
        if isHolding { held.append(byte) } else { kept.append(byte) }
        guard byte == 0x0a else { return }
        atLineStart = true
        if isHolding {
            isHolding = false
            if !isMeta(held) { kept += held }
        }
    }

    private mutating func isMeta(_ line: [UInt8]) -> Bool {
        let words = line.dropLast().split(separator: 0x20)
        guard words.count == 2 else { return false }
        if words[0].elementsEqual("\\restrict".utf8), key == nil, !hasStatement {
            key = Array(words[1])
            return true
        }
        return words[0].elementsEqual("\\unrestrict".utf8)
            && key.map { words[1].elementsEqual($0) } == true
    }

    /// What is left when the text ends without a line feed.
    mutating func finish(into kept: inout [UInt8]) {
        kept += held.isEmpty || !isHolding ? [] : held
        isHolding = false
    }
}
