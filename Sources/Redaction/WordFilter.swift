/// Says quickly of most words that they are not in a set: texts are made for few of them.
struct WordFilter {
    /// For each first letter and length, whether a word of the set has them.
    private var known = [Bool](repeating: false, count: 128 * 32)
    private let mayBePath: Bool

    /// - Parameter mayBePath: whether a word may have directories before it, or a bracket or quote.
    init(_ words: Set<String>, mayBePath: Bool = false) {
        self.mayBePath = mayBePath
        for word in words {
            let bytes = Array(word.utf8)
            if let first = bytes.first, first < 128, bytes.count < 32 {
                known[Int(first) * 32 + bytes.count] = true
            }
        }
    }

    func mayHave(_ word: Range<Int>, of bytes: [UInt8]) -> Bool {
        guard let first = bytes[word].first?.lowered, first < 128 else { return false }
        if mayBePath,
            !(first.isLetter || first.isDigit)
                || bytes[word].contains(where: { $0 == 0x2f || $0 == 0x3b })
        {
            return true
        }
        return word.count < 32 && known[Int(first) * 32 + word.count]
    }
}
