import Glibc

extension UInt8 {
    var isDigit: Bool { self &- 0x30 < 10 }
    var isLower: Bool { self &- 0x61 < 26 }
    var isUpper: Bool { self &- 0x41 < 26 }
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
    var isAlphanumeric: Bool { isLetter || isDigit }
    var isWord: Bool { isAlphanumeric || self == 0x5f }
    var isWordOrDash: Bool { isWord || self == 0x2d }
    var isHex: Bool { isDigit || (self | 0x20) &- 0x61 < 6 }
    var isLowerHex: Bool { isDigit || self &- 0x61 < 6 }
    var isBase64: Bool { isAlphanumeric || self == 0x2b || self == 0x2f || self == 0x3d }
    /// A blank or a tab.
    var isSpace: Bool { self == 0x20 || self == 0x09 }
    var isBreak: Bool { self == 0x0a || self == 0x0d }
    var isSpaceOrBreak: Bool { isSpace || isBreak }
    var isQuote: Bool { self == 0x22 || self == 0x27 }
    var lowered: UInt8 { isUpper ? self | 0x20 : self }
}

extension [UInt8] {
    func has(_ word: [UInt8], at start: Int) -> Bool {
        guard start >= 0, start + word.count <= count else { return false }
        for index in word.indices where self[start + index] != word[index] { return false }
        return true
    }

    func has(_ word: StaticString, at start: Int) -> Bool {
        guard start >= 0, start + word.utf8CodeUnitCount <= count else { return false }
        for index in 0..<word.utf8CodeUnitCount {
            let wanted = unsafe word.utf8Start[index]
            if self[start + index] != wanted { return false }
        }
        return true
    }

    /// The first place at or after `start` where `word` stands, within `end`.
    func position(of word: [UInt8], from start: Int, before end: Int? = nil) -> Int? {
        let end = end ?? count
        guard !word.isEmpty, start >= 0, end <= count, end - start >= word.count else { return nil }
        return unsafe withUnsafeBytes { bytes -> Int? in
            unsafe word.withUnsafeBytes { sought -> Int? in
                guard let base = bytes.baseAddress, let wanted = sought.baseAddress,
                    let hit = unsafe memmem(base + start, end - start, wanted, word.count)
                else { return nil }
                return unsafe UnsafeRawPointer(hit) - base
            }
        }
    }

    func position(of byte: UInt8, from start: Int, before end: Int? = nil) -> Int? {
        let end = end ?? count
        guard start >= 0, start < end, end <= count else { return nil }
        return unsafe withUnsafeBytes { bytes -> Int? in
            guard let base = bytes.baseAddress,
                let hit = unsafe memchr(base + start, Int32(byte), end - start)
            else { return nil }
            return unsafe UnsafeRawPointer(hit) - base
        }
    }

    /// Where the line that holds `position` ends: at its line break, or at the end.
    func endOfLine(_ position: Int) -> Int { self.position(of: 0x0a, from: position) ?? count }

    /// A range without the white space at its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, self[start].isSpaceOrBreak { start += 1 }
        while end > start, self[end - 1].isSpaceOrBreak { end -= 1 }
        return start..<end
    }

    func text(_ range: Range<Int>) -> String { String(decoding: self[range], as: UTF8.self) }

    /// In lower case, if it is a short word; else the empty text.
    func word(_ range: Range<Int>) -> String {
        guard range.count <= 128 else { return "" }
        return String(decoding: self[range].map(\.lowered), as: UTF8.self)
    }
}

/// The bytes of words: tables are written as text, and read as bytes.
func bytes(of words: [String]) -> [[UInt8]] { words.map { Array($0.utf8) } }
