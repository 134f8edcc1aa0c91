/// Reads what most configuration is made of: lines with a name, a separator and a value.
///
/// It needs no grammar: INI, properties, shell, PHP, JSON, YAML and HCL agree enough on how a name and
/// a value stand beside each other. So it is also what is left when a grammar does not fit. Comments are
/// read like everything else, because commented-out passwords are passwords.
struct LineScanner {
    let bytes: [UInt8]
    let kind: FileKind
    var spots: Spots
    private var known: [ArraySlice<UInt8>: Sensitivity] = [:]

    init(_ bytes: [UInt8], kind: FileKind) {
        self.bytes = bytes
        self.kind = kind
        spots = Spots(bytes)
    }

    mutating func scan(_ range: Range<Int>) {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(bytes.endOfLine(start), range.upperBound)
            let stop = end > start && bytes[end - 1] == 0x0d ? end - 1 : end
            let next = scanLine(start..<stop)
            start = max(end + 1, next)
        }
    }

    /// Returns where a value that began on the line ends, which may be on a later one.
    private mutating func scanLine(_ line: Range<Int>) -> Int {
        var line = Line(line, of: bytes)
        var directives = Directives(bytes: bytes, kind: kind)
        for spot in directives.spots(of: line) {
            spots.add(spot.range, spot.secretClass, spot.detector, key: spot.key)
        }
        var position = line.range.lowerBound
        var last = line.range.upperBound
        while position < line.range.upperBound {
            let byte = bytes[position]
            if byte == 0x3d || byte == 0x3a, let end = pair(at: position, in: &line) {
                position = max(end, position + 1)
                last = max(last, end)
            } else {
                position += 1
            }
        }
        return last
    }

    /// Looks at the name before and the value behind a separator; returns where the value ends if it was read.
    private mutating func pair(at separator: Int, in line: inout Line) -> Int? {
        let start = line.range.lowerBound
        var after = separator + 1
        if bytes[separator] == 0x3a {
            // Parts of `::`, of `scheme://`, of a time, of `C:\`.
            if bytes.has("//", at: after) { return nil }
            if bytes.has(":", at: after) { return nil }
            if bytes.has("=", at: after) { after += 1 }
        } else if bytes.has(">", at: after) {
            after += 1
        } else if bytes.has("=", at: after) || bytes.has("~", at: after) {
            // A comparison holds a value as well: if ($password == 'hunter2').
            after += 1
            if bytes.has("=", at: after) { after += 1 }
        }
        guard let name = name(before: separator, from: start) else { return nil }
        let sensitivity = sensitivity(of: name)
        var value = after
        while value < line.range.upperBound, bytes[value].isSpace { value += 1 }
        guard value < line.range.upperBound else { return nil }
        let isFirst = line.takesFirst(name.lowerBound)
        if bytes[separator] == 0x3a, !isFirst, !bytes[after].isSpace, !bytes[after].isQuote,
            name.upperBound == separator, bytes[name.upperBound - 1].isDigit
        {
            return nil
        }
        let extent = extent(of: value, in: line, isFirst: isFirst, separator: bytes[separator])
        guard sensitivity != .neutral, sensitivity != .plain else {
            return extent.isQuoted ? nil : nil
        }
        for (range, secretClass) in Value.secrets(in: extent.range, of: bytes, sensitivity)
        where !isProse(range, line, isFirst: isFirst) {
            spots.add(range, secretClass, "key-name", key: bytes.text(name))
        }
        return extent.end
    }

    /// The name that ends before a separator: a quoted text, or a word with dots and dashes.
    private func name(before separator: Int, from start: Int) -> Range<Int>? {
        var end = separator
        if end > start, [0x2b, 0x3f, 0x3a, 0x21].contains(bytes[end - 1]) { end -= 1 }
        while end > start, bytes[end - 1].isSpace { end -= 1 }
        // $config['password'] =
        if end > start, bytes[end - 1] == 0x5d { end -= 1 }
        guard end > start else { return nil }
        // "password" and \"password\" in JSON within JSON.
        if bytes[end - 1].isQuote {
            let quote = bytes[end - 1]
            end -= 1
            if end > start, bytes[end - 1] == 0x5c { end -= 1 }
            var begin = end
            while begin > start, end - begin < 128, bytes[begin - 1] != quote { begin -= 1 }
            return begin < end ? begin..<end : nil
        }
        var begin = end
        while begin > start, end - begin < 128,
            bytes[begin - 1].isWordOrDash || bytes[begin - 1] == 0x2e || bytes[begin - 1] >= 0x80
        {
            begin -= 1
        }
        return begin < end ? begin..<end : nil
    }

    private mutating func sensitivity(of name: Range<Int>) -> Sensitivity {
        let key = bytes[name]
        if let found = known[key] { return found }
        let found = kind.sensitivity(of: KeyName(key))
        if known.count < 4096 { known[key] = found }
        return found
    }

    /// Where a value begins and ends; `end` is behind its closing quote.
    private func extent(of start: Int, in line: Line, isFirst: Bool, separator: UInt8)
        -> (range: Range<Int>, end: Int, isQuoted: Bool)
    {
        let stop = line.range.upperBound
        if let quoted = Quoted(at: start, of: bytes, lineEnd: stop, mayBreak: kind.mayBreakQuotes) {
            return (quoted.inner, quoted.end, true)
        }
        if [0x7b, 0x5b].contains(bytes[start]), !bytes.has("{{", at: start), !bytes.has("[[", at: start) {
            // A nested structure is read pair by pair; an LDAP hash ({SSHA}…) is a value.
            let brace = bytes[start] == 0x7b && bytes.has("}", at: start + 1) == false
                && bytes.position(of: 0x7d, from: start, before: min(stop, start + 16)).map { $0 + 1 < stop }
                    == true && bytes[start + 1].isUpper
            if !brace { return (start..<start, start, false) }
        }
        var end = start
        if isFirst, !kind.valuesEndAtSpace {
            end = line.endOfValue(from: start, of: bytes)
        } else {
            while end < stop, !bytes[end].isSpace, ![0x3b, 0x26, 0x2c, 0x22, 0x27, 0x29, 0x3c, 0x60].contains(bytes[end]) {
                end += bytes[end] == 0x5c ? 2 : 1
            }
            end = min(end, stop)
            // Closing brackets of what is around: {password: x}.
            while end > start, [0x7d, 0x5d].contains(bytes[end - 1]),
                !bytes[start..<end].contains(bytes[end - 1] == 0x7d ? 0x7b : 0x5b)
            {
                end -= 1
            }
        }
        return (start..<end, end, false)
    }

    /// A remark such as `# Password: must not be empty` has words, not a value.
    private func isProse(_ range: Range<Int>, _ line: Line, isFirst: Bool) -> Bool {
        guard line.isComment || kind.isProse else { return false }
        let value = bytes[range]
        guard value.contains(0x20) else { return false }
        return value.allSatisfy { $0.isLetter || $0 >= 0x80 || [0x20, 0x2c, 0x2e, 0x27, 0x28, 0x29].contains($0) }
    }
}
