/// Commands that are written as texts: in quotes, or as lists of their words.
extension Directives {
    /// Commands that stand in quotes as a whole, or word by word.
    func quoted(_ words: [Range<Int>], _ line: Line, to found: inout [Spot]) {
        for var word in words {
            // ARGS="--password x" of a file in /etc/default.
            if !bytes[word.lowerBound].isQuote, word.count < 65536, bytes[word].contains(0x20),
                let equals = bytes[word].firstIndex(of: 0x3d), equals + 1 < word.upperBound,
                bytes[equals + 1].isQuote
            {
                word = (equals + 1)..<word.upperBound
            }
            // A command within quotes: sh -c '…', - "…" of a pipeline.
            if bytes[word.lowerBound].isQuote, word.count < 65536, bytes[word].contains(0x20),
                let quoted = Quoted(
                    at: word.lowerBound, of: bytes, lineEnd: word.upperBound, mayBreak: false)
            {
                command(Words.split(quoted.inner, of: bytes), quoted.inner, to: &found)
            }
        }
        command(elements(of: line.range), line.range, to: &found)
    }

    /// The secrets among the words of a command, which is not all that its line holds.
    func command(_ words: [Range<Int>], _ range: Range<Int>, to found: inout [Spot]) {
        guard words.count > 1 else { return }
        var current = ""
        for index in words.indices {
            let word = words[index]
            if Directives.commands.mayHave(word, of: bytes), let command = command(word) {
                current = command
            }
            if bytes[word.lowerBound] == 0x2d {
                let value = index + 1 < words.count ? words[index + 1] : nil
                option(word, value, of: current, to: &found)
            }
        }
        Commands.positional(words, Line(range, of: bytes), in: self, to: &found)
    }

    /// The words in `["redis-server", "--requirepass", "…"]`.
    func elements(of line: Range<Int>) -> [Range<Int>] {
        guard let open = bytes.position(of: 0x5b, from: line.lowerBound, before: line.upperBound)
        else { return [] }
        var elements: [Range<Int>] = []
        var position = open + 1
        while position < line.upperBound, bytes[position] != 0x5d, elements.count < 1024 {
            guard bytes[position].isQuote else {
                position += 1
                continue
            }
            guard
                let quoted = Quoted(
                    at: position, of: bytes, lineEnd: line.upperBound, mayBreak: false)
            else { break }
            if !quoted.inner.isEmpty { elements.append(quoted.inner) }
            position = quoted.end
        }
        return elements
    }

    /// The secrets in `["CMD", "curl", "-u", "user:password"]`, wherever such a list stands in a JSON text.
    func lists(in whole: Range<Int>) -> [Spot] {
        var found: [Spot] = []
        var position = whole.lowerBound
        while let open = bytes.position(of: 0x5b, from: position, before: whole.upperBound) {
            position = open + 1
            var elements: [Range<Int>] = []
            while position < whole.upperBound, elements.count < 1024 {
                if bytes[position].isSpaceOrBreak || bytes[position] == 0x2c {
                    position += 1
                    continue
                }
                guard bytes[position] == 0x22,
                    let quoted = Quoted(
                        at: position, of: bytes, lineEnd: min(whole.upperBound, position + 65536),
                        mayBreak: false)
                else { break }
                if !quoted.inner.isEmpty { elements.append(quoted.inner) }
                position = quoted.end
            }
            command(elements, open..<position, to: &found)
        }
        return found
    }
}
