/// What only code has: values as calls, in parts, and templates.
extension LineScanner {
    /// What is in `q(…)`, `qq(…)` and `%q(…)` of Perl and Ruby.
    func perlText(_ start: Int, in line: Line) -> Range<Int>? {
        guard kind.form == .code,
            let head = [Array("q(".utf8), Array("qq(".utf8), Array("%q(".utf8)].first(where: {
                bytes.has($0, at: start)
            }),
            let end = bytes.position(of: 0x29, from: start, before: line.range.upperBound)
        else { return nil }
        return (start + head.count)..<end
    }

    /// The second argument of `os.environ.get('KEY', 'x')`, `env('KEY', 'x')`: what counts where nothing is set.
    func fallback(_ start: Int, in line: Line) -> Range<Int>? {
        guard kind.form == .code else { return nil }
        let call = bytes[start..<line.range.upperBound].prefix { $0.isWord || $0 == 0x2e }
        guard bytes.has("(", at: call.endIndex) else { return nil }
        // Sensitive('x') of Puppet.
        if call.elementsEqual("Sensitive".utf8) {
            return texts(in: (call.endIndex + 1)..<line.range.upperBound).first
        }
        guard ["get", "getenv", "env", "fetch", "config"].contains(where: call.ends) else {
            return nil
        }
        let texts = texts(in: (call.endIndex + 1)..<line.range.upperBound)
        return texts.count > 1 ? texts[1] : nil
    }

    /// `f"{prefix}{suffix}"` of Python, "#{a}-#{b}" of Ruby: names in brackets, and no letter beside them.
    func isTemplate(_ range: Range<Int>) -> Bool {
        guard kind.form == .code, range.count <= 128, bytes[range].contains(0x7b) else {
            return false
        }
        var depth = 0
        for byte in bytes[range] {
            if byte == 0x7b { depth += 1 }
            if byte == 0x7d { depth -= 1 }
            let mayBe =
                depth == 0
                ? !byte.isAlphanumeric && byte < 0x80
                : byte.isWord || [0x7b, 0x2e, 0x5b, 0x5d].contains(byte)
            guard depth == 0 || depth == 1, mayBe else { return false }
        }
        return depth == 0
            && bytes[range].split(whereSeparator: { !$0.isWord }).allSatisfy {
                !Randomness.isOdd($0)
            }
    }

    /// The further parts of `'abc' . 'def'` and `"abc" + "def"`; returns where they end.
    mutating func joined(
        after end: Int, _ sensitivity: Sensitivity, name: Range<Int>, in line: Line
    ) -> Int {
        var end = end
        while true {
            let rest = bytes[end..<max(end, line.range.upperBound)]
            let next = rest.drop { $0.isSpace || $0 == 0x2e || $0 == 0x2b }
            guard rest[..<next.startIndex].contains(where: { !$0.isSpace }),
                next.first?.isQuote == true,
                let quoted = Quoted(
                    at: next.startIndex, of: bytes, lineEnd: line.range.upperBound, mayBreak: false)
            else { return end }
            judge(quoted.inner, sensitivity, name: name)
            end = quoted.end
        }
    }

    /// `PASSWORD = ("one" "two")` of code: the parts stand in brackets, on one line or on several.
    ///
    /// Returns where that ends, which is on the same line where no bracket closes; nil where there are no such parts.
    mutating func brackets(_ value: Range<Int>, _ sensitivity: Sensitivity, name: Range<Int>)
        -> Int?
    {
        guard kind.form == .code else { return nil }
        let head = bytes.has("array(", at: value.lowerBound) ? 5 : 0
        let value = (value.lowerBound + head)..<max(value.upperBound, value.lowerBound + head)
        guard let first = bytes[value].first, first == 0x28 else { return nil }
        let limit = min(bytes.count, value.lowerBound + 4096)
        let end =
            bytes.position(of: 0x29, from: value.lowerBound, before: limit)
            ?? min(limit, bytes.endOfLine(value.lowerBound))
        let texts = texts(in: (value.lowerBound + 1)..<end)
        for text in texts { judge(text, sensitivity, name: name) }
        return texts.isEmpty ? nil : end
    }
}
