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
            // os.system('…'), exec("…").
            if !bytes[word.lowerBound].isQuote, word.count < 65536, bytes[word].contains(0x20),
                let open = bytes[word].firstIndex(where: \.isQuote), bytes[open - 1] == 0x28
            {
                word = open..<word.upperBound
            }
            // A command within quotes: sh -c '…', - "…" of a pipeline.
            if bytes[word.lowerBound].isQuote, word.count < 65536, bytes[word].contains(0x20),
                let quoted = Quoted(
                    at: word.lowerBound, of: bytes, lineEnd: word.upperBound, mayBreak: false)
            {
                command(Words.split(quoted.inner, of: bytes), quoted.inner, to: &found)
            }
        }
        let elements = elements(of: line.range)
        command(elements, line.range, to: &found)
        commands(in: elements, to: &found)
    }

    /// Elements that are whole commands: `["sh", "-c", "echo 'root:x' | chpasswd"]`.
    private func commands(in elements: [Range<Int>], to found: inout [Spot]) {
        for element in elements where element.count < 65536 && bytes[element].contains(0x20) {
            command(Words.split(element, of: bytes), element, to: &found)
        }
        // ['DBI:mysql:database=x', 'user', 'password'] of Perl.
        if elements.count > 2, bytes.has("DBI:", at: elements[0].lowerBound) {
            add(elements[2], .secret(.password), "position", key: nil, to: &found)
        }
    }

    /// The secrets among the words of a command, which is not all that its line holds.
    func command(_ words: [Range<Int>], _ range: Range<Int>, to found: inout [Spot]) {
        guard words.count > 1 else { return }
        var current = ""
        for index in words.indices {
            let word = words[index]
            // sh -c "…" within quotes.
            if bytes[word.lowerBound].isQuote, word.count < 4096, bytes[word].contains(0x20),
                word.count < range.count,
                let quoted = Quoted(
                    at: word.lowerBound, of: bytes, lineEnd: word.upperBound, mayBreak: false)
            {
                command(Words.split(quoted.inner, of: bytes), quoted.inner, to: &found)
            }
            if Directives.commands.mayHave(word, of: bytes), let command = command(word) {
                current = command
            }
            if bytes[word.lowerBound] == 0x2d {
                let value = index + 1 < words.count ? words[index + 1] : nil
                option(word, value, of: current, to: &found)
            }
        }
        Commands.positional(words, Line(range, of: bytes), in: self, to: &found)
        Commands.logins(words, in: self, to: &found)
    }

    /// The words in `["redis-server", "--requirepass", "…"]`.
    func elements(of line: Range<Int>) -> [Range<Int>] {
        guard let open = bytes.position(of: 0x5b, from: line.lowerBound, before: line.upperBound)
        else { return [] }
        var elements: [Range<Int>] = []
        var position = open + 1
        while position < line.upperBound, bytes[position] != 0x5d, elements.count < 1024 {
            guard bytes[position].isQuote else {
                // [mysql, -u, root] of YAML.
                if kind.form == .yaml, bytes[position].isWordOrDash || bytes[position] == 0x2f {
                    let end =
                        bytes[position..<line.upperBound].firstIndex { $0 == 0x2c || $0 == 0x5d }
                        ?? line.upperBound
                    elements.append(bytes.trimmed(position..<end))
                    position = end
                } else {
                    position += 1
                }
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
            commands(in: elements, to: &found)
        }
        return found
    }
}
