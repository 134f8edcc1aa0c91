extension Sentence {
    /// What a comparison found where receipts have a sentence for it, such as `12 of 12` or the digest of a log;
    /// nil for what is the same in every language.
    init?(found text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        func number(_ place: Int) -> Value? {
            guard let number = Int64(words[place]), number >= 0, String(number) == words[place]
            else { return nil }
            return .number(number)
        }
        switch words.count {
        case 2:
            guard let count = number(0) else { return nil }
            switch words[1] {
            case "entries": self.init(.foundEntries, count)
            case "equal": self.init(.foundEqual, count)
            default: return nil
            }
        case 3:
            guard words[1] == "of", let part = number(0), let whole = number(2) else { return nil }
            self.init(.foundShare, part, whole)
        case 8:
            guard words[1] == "entries,", words[3] == "lines,", words[5] == "to",
                words[6].hasSuffix(","),
                let entries = number(0), let lines = number(2)
            else { return nil }
            let (first, last) = (words[4], String(words[6].dropLast()))
            if first == "none", last == "none" {
                self.init(.foundStreamEmpty, entries, lines, .name(words[7]))
            } else {
                self.init(.foundStream, entries, lines, .name(first), .name(last), .name(words[7]))
            }
        default: return nil
        }
    }
}
