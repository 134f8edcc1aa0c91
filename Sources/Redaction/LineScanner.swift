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

    /// Bytes that were looked at in vain for a closing quote: a file full of them is read without quotes.
    private var wasted = 0
    /// What a structure that was opened under a name says about what is in it, and where it ends.
    private var around: (sensitivity: Sensitivity, name: Range<Int>, end: Int)?
    /// The value of the last `name` on the line: what a `value` beside it is.
    private var named: Range<Int>?
    /// What the heading of the section says: `[passwords]`.
    private var section: Sensitivity = .neutral

    init(_ scan: TextScan) {
        bytes = scan.bytes
        kind = scan.kind
        spots = Spots(scan.bytes)
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
    /// Returns where a value that began on the line ends, which may be on a later one.
    private mutating func scanLine(_ whole: Range<Int>) -> Int {
        var line = Line(whole, of: bytes)
        if let heading = heading(line.range) {
            section = heading
            return 0
        }
        for spot in Directives(bytes: bytes, kind: kind).spots(of: line) {
            spots.add(spot.range, spot.secretClass, spot.detector, key: spot.key)
        }
        named = nil
        block(line)
        var position = line.range.lowerBound
        var last = line.range.upperBound
        while position < line.range.upperBound {
            let byte = bytes[position]
            if byte == 0x3d || byte == 0x3a || byte == 0x2c, let end = pair(at: position, in: &line)
            {
                position = max(end, position + 1)
                last = max(last, end)
            } else {
                position += 1
            }
        }
        return last
    }

    /// `variable "db_password" {`: what is in the block belongs to its label.
    private mutating func block(_ line: Line) {
        let range = bytes.trimmed(line.range)
        guard range.count > 4, bytes[range.upperBound - 1] == 0x7b,
            let open = bytes[range].firstIndex(of: 0x22),
            let close = bytes.position(of: 0x22, from: open + 1, before: range.upperBound)
        else { return }
        let sensitivity = sensitivity(of: (open + 1)..<close)
        if sensitivity != .neutral, sensitivity != .plain {
            enter(range.upperBound - 1, sensitivity, (open + 1)..<close)
        }
    }

    /// Remembers a structure until its bracket closes, within 64 KiB.
    private mutating func enter(_ open: Int, _ sensitivity: Sensitivity, _ name: Range<Int>) {
        if let around, around.end > open { return }
        let (opening, closing): (UInt8, UInt8) = bytes[open] == 0x7b ? (0x7b, 0x7d) : (0x5b, 0x5d)
        var depth = 0
        var position = open
        let limit = min(bytes.count, open + 65536)
        while position < limit {
            if bytes[position] == opening { depth += 1 }
            if bytes[position] == closing {
                depth -= 1
                if depth == 0 { break }
            }
            position += 1
        }
        around = (sensitivity, name, position)
        guard opening == 0x5b else { return }
        // Elements of a list have no names of their own.
        var element = open + 1
        while element < position {
            if let quoted = Quoted(at: element, of: bytes, lineEnd: position, mayBreak: false) {
                judge(quoted.inner, sensitivity, name: name)
                element = quoted.end
            } else {
                element += 1
            }
        }
    }

    private mutating func judge(
        _ range: Range<Int>, _ sensitivity: Sensitivity, name: Range<Int>, needsQuotes: Bool = false
    ) {
        for (part, secretClass) in Value.secrets(in: range, of: bytes, sensitivity) {
            spots.add(
                part, secretClass, "key-name", key: bytes.text(name),
                needsQuotes: needsQuotes && part == range)
        }
    }

    private static let userSections: Set<String> = [
        "users", "admins", "passwords", "basicauth", "accounts",
    ]

    private func heading(_ line: Range<Int>) -> Sensitivity? {
        let line = bytes.trimmed(line)
        guard line.count > 2, bytes[line.lowerBound] == 0x5b, bytes[line.upperBound - 1] == 0x5d,
            bytes[line.lowerBound + 1] != 0x5b
        else { return nil }
        let name = KeyName(bytes[(line.lowerBound + 1)..<(line.upperBound - 1)])
        if LineScanner.userSections.contains(name.words.joined()) { return .secret(.password) }
        if case .suspicious(let secretClass) = name.sensitivity, name.words.count == 1 {
            return .suspicious(secretClass)
        }
        return .neutral
    }

    /// Looks at the name before and the value behind a separator; returns where the value ends if it was read.
    private mutating func pair(at separator: Int, in line: inout Line) -> Int? {
        if bytes[separator] == 0x2c {
            var next = separator + 1
            while next < line.range.upperBound, bytes[next].isSpace { next += 1 }
            guard next < line.range.upperBound, bytes[next].isQuote || bytes[next] == 0x3c else {
                return nil
            }
        }
        let start = line.range.lowerBound
        var after = separator + 1
        if bytes[separator] == 0x3a {
            // Parts of `::`, of `scheme://`, of a time, of `C:\`.
            if bytes.has("//", at: after) { return nil }
            if bytes.has(":", at: after) { return nil }
            if bytes.has("=", at: after) { after += 1 }
        } else if bytes[separator] == 0x2c {
            // The mark between two arguments.
        } else if bytes.has(">", at: after) {
            after += 1
        } else if bytes.has("=", at: after) || bytes.has("~", at: after) {
            // A comparison holds a value as well: if ($password == 'hunter2').
            after += 1
            if bytes.has("=", at: after) { after += 1 }
        }
        guard
            let name = bytes[separator] == 0x2c
                ? argument(before: separator, from: start) : name(before: separator, from: start)
        else { return nil }
        var value = after
        while value < line.range.upperBound, bytes[value].isSpace { value += 1 }
        guard value < line.range.upperBound else { return nil }
        // Nothing but a remark: secret = # none.
        if bytes[value] == 0x23 || bytes[value] == 0x3b, value + 1 < line.range.upperBound,
            bytes[value + 1].isSpace
        {
            return nil
        }
        if bytes[separator] == 0x2c, !bytes[value].isQuote, !bytes.has("<<\"", at: value) {
            return nil
        }
        let isFirst = line.takesFirst(name.lowerBound)
        if bytes[separator] == 0x3a, !isFirst, name.upperBound == separator, !bytes[after].isSpace,
            !bytes[after].isQuote, bytes[separator - 1].isDigit
        {
            return nil
        }
        switch context(name, in: line) {
        case .plain: return nil
        case .neutral:
            // All that matters of it is whether it is one random word.
            let limit = min(line.range.upperBound, value + 512)
            let extent = extent(of: value, in: line, isFirst: false, before: limit)
            noteName(name, extent.range)
            if kind.form != .prose, !line.isComment,
                let secretClass = Value.unrecognised(extent.range, of: bytes)
            {
                spots.add(extent.range, secretClass, "random", key: bytes.text(name))
            }
            return nil
        case let sensitivity:
            value = Value.afterScheme(value, of: bytes, before: line.range.upperBound)
            if let body = hereDocument(value, in: line) {
                judge(body, sensitivity, name: name)
                return body.upperBound
            }
            let extent = extent(
                of: value, in: line, isFirst: isFirst, before: line.range.upperBound)
            if extent.end == value, bytes[value] == 0x7b || bytes[value] == 0x5b {
                enter(value, sensitivity, name)
            }
            if !isProse(extent.range, line), !isVariable(extent.range, isQuoted: extent.isQuoted) {
                judge(
                    extent.range, sensitivity, name: name,
                    needsQuotes: needsQuotes && !extent.isQuoted)
            }
            return extent.end
        }
    }

    /// Bare numbers: a word in their place needs quotes.
    private var needsQuotes: Bool {
        kind.form == .json || kind.form == .code || kind.ending == "toml"
    }

    /// What the name says, or what stands around where it says nothing.
    private mutating func context(_ name: Range<Int>, in line: Line) -> Sensitivity {
        let own = sensitivity(of: spread(name, in: line))
        guard own == .neutral, named != nil || around != nil else {
            return own == .neutral ? section : own
        }
        let word = bytes.word(name)
        if let named, ["value", "val", "default"].contains(word) {
            let sensitivity = sensitivity(of: named)
            if sensitivity != .neutral { return sensitivity }
        }
        if let around, name.lowerBound < around.end, name.lowerBound > around.name.upperBound,
            ContainerNames.carriers.contains(word) || isPluralName(around.name)
        {
            return around.sensitivity
        }
        return section
    }

    private func isPluralName(_ name: Range<Int>) -> Bool {
        let joined = KeyName(bytes[name]).words.last ?? ""
        return ["passwords", "secrets", "passwds", "creds", "users"].contains(joined)
            || ContainerNames.holders.contains(joined)
    }

    /// `public key: age1…` is a name of two words.
    private func spread(_ name: Range<Int>, in line: Line) -> Range<Int> {
        guard name.lowerBound > line.range.lowerBound, name.lowerBound - line.range.lowerBound < 40,
            !bytes[name.lowerBound - 1].isQuote,
            bytes[line.range.lowerBound..<name.lowerBound].allSatisfy({
                $0.isWordOrDash || $0 == 0x20
            })
        else { return name }
        return line.range.lowerBound..<name.upperBound
    }

    private mutating func noteName(_ name: Range<Int>, _ value: Range<Int>) {
        if name.count <= 9,
            ["name", "key", "variable", "property", "parameter"].contains(bytes.word(name)),
            !value.isEmpty
        {
            named = value
        }
    }

    /// The lines of `<<EOF` (shell, HCL) and `<<<EOT` (PHP) until the word stands alone.
    private func hereDocument(_ start: Int, in line: Line) -> Range<Int>? {
        guard bytes.has("<<", at: start), !bytes.has("<<\"", at: start) else { return nil }
        let word = bytes[start..<line.range.upperBound].drop {
            [0x3c, 0x2d, 0x7e, 0x27, 0x22].contains($0)
        }.prefix(while: \.isWord)
        guard !word.isEmpty, word.count < 64 else { return nil }
        let begin = min(bytes.endOfLine(start) + 1, bytes.count)
        var position = begin
        let limit = min(bytes.count, begin + 65536)
        while position < limit {
            let end = bytes.endOfLine(position)
            if bytes[bytes.trimmed(position..<end)].prefix(word.count) == word {
                return begin < position ? bytes.trimmed(begin..<position) : nil
            }
            position = end + 1
        }
        return nil
    }

    /// The first argument in `define('DB_PASSWORD', '…')` and `{default_pass, <<"…">>}`.
    private func argument(before separator: Int, from start: Int) -> Range<Int>? {
        guard let name = name(before: separator, from: start) else { return nil }
        var before = name.lowerBound
        while before > start,
            bytes[before - 1].isSpace || bytes[before - 1].isQuote || bytes[before - 1] == 0x3c
        { before -= 1 }
        return before > start && (bytes[before - 1] == 0x28 || bytes[before - 1] == 0x7b)
            ? name : nil
    }

    /// The name that ends before a separator: a quoted text, or a word with dots and dashes.
    private func name(before separator: Int, from start: Int) -> Range<Int>? {
        var end = separator
        if end > start, [0x2b, 0x3f, 0x3a, 0x21].contains(bytes[end - 1]) { end -= 1 }
        while end > start, bytes[end - 1].isSpace { end -= 1 }
        // <<"text">> of Erlang.
        if end > start + 1, bytes[end - 1] == 0x3e, bytes[end - 2] == 0x3e { end -= 2 }
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
    private mutating func extent(of start: Int, in line: Line, isFirst: Bool, before stop: Int)
        -> (range: Range<Int>, end: Int, isQuoted: Bool)
    {
        // Erlang writes <<"text">>.
        let start = bytes.has("<<\"", at: start) ? start + 2 : start
        if wasted < 1 << 22 {
            let mayBreak = kind.mayBreakQuotes && wasted < 1 << 20
            if let quoted = Quoted(at: start, of: bytes, lineEnd: stop, mayBreak: mayBreak) {
                return (quoted.inner, quoted.end, true)
            }
            if bytes[start].isQuote { wasted += mayBreak ? 65536 : stop - start }
        }
        if kind.form == .yaml, [0x7c, 0x3e, 0x21, 0x26, 0x2a].contains(bytes[start]),
            start + 3 >= stop || bytes[start] > 0x3e || bytes[start] < 0x2b
        {
            // Block scalars, tags and anchors are read by those who know YAML.
            if bytes[start] != 0x21
                || start + 1 < stop && (bytes[start + 1] == 0x21 || bytes[start + 1].isLetter)
            {
                return (start..<start, stop, false)
            }
        }
        if opensStructure(start, before: stop) { return (start..<start, start, false) }
        var end = start
        if isFirst, !kind.valuesEndAtSpace {
            end = line.endOfValue(from: start, of: bytes)
        } else {
            while end < stop, !bytes[end].isSpace,
                ![0x3b, 0x26, 0x2c, 0x22, 0x27, 0x29, 0x3c, 0x60].contains(bytes[end])
            {
                end += bytes[end] == 0x5c ? 2 : 1
            }
            end = min(end, stop)
        }
        // Closing brackets of what is around: {password: x}.
        while end > start, [0x7d, 0x5d].contains(bytes[end - 1]),
            !bytes[start..<end].contains(bytes[end - 1] == 0x7d ? 0x7b : 0x5b)
        {
            end -= 1
        }
        return (start..<max(start, end), max(start, end), false)
    }

    /// A nested structure is read pair by pair; an LDAP digest ({SSHA}…) and an expression ({{ … }}) are values.
    private func opensStructure(_ start: Int, before stop: Int) -> Bool {
        guard bytes[start] == 0x7b || bytes[start] == 0x5b else { return false }
        if bytes.has("{{", at: start)
            || bytes[start] == 0x5b && start + 1 < stop && bytes[start + 1].isLetter
        {
            return false
        }
        guard bytes[start] == 0x7b,
            let close = bytes.position(of: 0x7d, from: start, before: min(stop, start + 20)),
            close + 1 < stop
        else { return true }
        return !bytes[(start + 1)..<close].allSatisfy { $0.isAlphanumeric || $0 == 0x2d }
    }

    /// In code, a bare word is a variable and a call computes something.
    private func isVariable(_ range: Range<Int>, isQuoted: Bool) -> Bool {
        guard kind.form == .code || kind.form == .shell && bytes[range].contains(0x28), !isQuoted
        else { return false }
        guard let first = bytes[range].first, first.isLetter || first == 0x5f || first == 0x24
        else { return false }
        return bytes[range].allSatisfy {
            $0.isWord || [0x2e, 0x28, 0x5b, 0x3a, 0x2d, 0x3e, 0x24].contains($0)
        } && !Randomness.isOdd(bytes[range])
            || bytes[range].contains(0x28)
    }

    /// A remark such as `# Password: must not be empty` has words, not a value.
    private func isProse(_ range: Range<Int>, _ line: Line) -> Bool {
        guard line.isComment || kind.isProse else { return false }
        let value = bytes[range]
        guard value.contains(0x20) else { return false }
        return value.allSatisfy {
            $0.isLetter || $0 >= 0x80 || [0x20, 0x2c, 0x2e, 0x27, 0x28, 0x29].contains($0)
        }
    }
}
