/// Reads what most configuration is made of: lines with a name, a separator and a value.
///
/// It needs no grammar: INI, properties, shell, PHP, JSON, YAML and HCL agree enough on how a name and
/// a value stand beside each other. So it is also what is left when a grammar does not fit. Comments are
/// read like everything else, because commented-out passwords are passwords.
struct LineScanner {
    let bytes: [UInt8]
    let kind: FileKind
    let isPublic: Bool
    var spots: Spots
    var known: [ArraySlice<UInt8>: Sensitivity] = [:]

    /// Bytes that were looked at in vain for a closing quote: a file full of them is read without quotes.
    var wasted = 0
    /// What a structure that was opened under a name says about what is in it, and where it ends.
    private var around: (sensitivity: Sensitivity, name: Range<Int>, inner: Range<Int>, end: Int)?
    /// The value of the last `name` on the line: what a `value` beside it is.
    var named: Range<Int>?
    /// A text of several lines in code (`<<EOT`): no code, so that bare words in it are values.
    var document = 0..<0
    /// What the heading of the section says: `[passwords]`.
    private var section: Sensitivity
    var sectionName: Range<Int>?
    /// A structure whose name says what a `key` in it is for.
    var holder: (name: Range<Int>, end: Int)?
    /// What the place of the file says about names that say nothing.
    private let outside: Sensitivity

    init(_ scan: TextScan) {
        bytes = scan.bytes
        kind = scan.kind
        isPublic = scan.isPublic
        outside =
            scan.depth == 0 && scan.kind.isListOfSecrets && !scan.kind.isModuleStack
            ? .secret(.secret) : .neutral
        section = outside
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
    private mutating func scanLine(_ whole: Range<Int>) -> Int {
        var line = Line(whole, of: bytes)
        if let heading = heading(line.range) {
            section = heading
            sectionName = bytes.trimmed(line.range)
            return 0
        }
        if kind.form == .code, document.upperBound <= whole.lowerBound { openDocument(whole, line) }
        for spot in Directives(bytes: bytes, kind: kind).spots(of: line) {
            spots.add(spot.range, spot.secretClass, spot.detector, key: spot.key)
        }
        named = nil
        if kind.name.hasSuffix("_history") { typed(line) }
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
        // acl { tokens { agent = "…" } } in one line.
        if kind.ending == "hcl",
            let open = bytes.position(
                of: Array("tokens {".utf8), from: range.lowerBound, before: range.upperBound)
        {
            enter(open + 7, .suspicious(.token), open..<(open + 6))
            return
        }
        guard range.count > 4, bytes[range.upperBound - 1] == 0x7b else { return }
        // tokens { … } of Consul.
        let bare = bytes.trimmed(range.lowerBound..<(range.upperBound - 1))
        if bytes[bare].allSatisfy(\.isWord),
            case .suspicious(let secretClass) = sensitivity(of: bare)
        {
            enter(range.upperBound - 1, .suspicious(secretClass), bare)
        }
        guard
            let open = bytes[range].firstIndex(of: 0x22),
            let close = bytes.position(of: 0x22, from: open + 1, before: range.upperBound)
        else { return }
        let sensitivity = sensitivity(of: (open + 1)..<close)
        if sensitivity != .neutral, sensitivity != .plain {
            enter(range.upperBound - 1, sensitivity, (open + 1)..<close)
        }
    }

    /// Remembers a structure until its bracket closes, within 64 KiB.
    mutating func enter(_ open: Int, _ sensitivity: Sensitivity, _ name: Range<Int>) {
        if let around, around.end > open { return }
        let (opening, closing): (UInt8, UInt8) = bytes[open] == 0x7b ? (0x7b, 0x7d) : (0x5b, 0x5d)
        var depth = 0
        var position = open
        var nested: Int?
        let limit = min(bytes.count, open + 65536)
        while position < limit {
            if bytes[position] == opening {
                depth += 1
                if depth == 2, nested == nil { nested = position }
            }
            if bytes[position] == closing {
                depth -= 1
                if depth == 0 { break }
            }
            position += 1
        }
        // Members before the first structure within stand directly in this one.
        let direct = opening == 0x7b ? (open + 1)..<max(open + 1, nested ?? position) : open..<open
        around = (sensitivity, name, direct, position)
        guard opening == 0x5b else { return }
        // Elements of a list have no names of their own.
        var element = open + 1
        while element < position {
            if let quoted = Quoted(at: element, of: bytes, lineEnd: position, mayBreak: false) {
                judge(quoted.inner, sensitivity, name: name)
                element = quoted.end
            } else if bytes[element].isAlphanumeric {
                let start = element
                while element < position, ![0x2c, 0x5d, 0x0a].contains(bytes[element]) {
                    element += 1
                }
                judge(
                    bytes.trimmed(start..<element), sensitivity, name: name,
                    needsQuotes: needsQuotes)
            } else {
                element += 1
            }
        }
    }

    mutating func judge(
        _ range: Range<Int>, _ sensitivity: Sensitivity, name: Range<Int>, needsQuotes: Bool = false
    ) {
        guard !isTemplate(range) else { return }
        for (part, secretClass) in Value.secrets(in: range, of: bytes, sensitivity)
        where !KeyName.isNamedKey(bytes[name], bytes[part]) {
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
            bytes[line.lowerBound + 1] != 0x5b,
            // [ "sh", "-c", "…" ] is a list of words.
            kind.form != .yaml,
            !bytes[line].contains(0x2c) || !bytes[line].contains(where: \.isQuote)
        else { return nil }
        let name = KeyName(bytes[(line.lowerBound + 1)..<(line.upperBound - 1)])
        if LineScanner.userSections.contains(name.words.joined()) { return .secret(.password) }
        if case .suspicious(let secretClass) = name.sensitivity, name.words.count == 1 {
            return .suspicious(secretClass)
        }
        return outside
    }

    /// Looks at the name before and the value behind a separator; returns where the value ends if it was read.
    private mutating func pair(at separator: Int, in line: inout Line) -> Int? {
        if bytes[separator] == 0x2c {
            var next = separator + 1
            while next < line.range.upperBound, bytes[next].isSpace { next += 1 }
            guard next < line.range.upperBound, bytes[next].isQuote || bytes[next] == 0x3c else {
                // add_argument("--password", default="…").
                if kind.form == .code,
                    let name = argument(before: separator, from: line.range.lowerBound),
                    bytes.has("--", at: name.lowerBound)
                {
                    named = name
                }
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
        while value < line.range.upperBound,
            bytes[value].isSpace || kind.isProse && bytes[value] == 0x2a
        {
            value += 1
        }
        guard value < line.range.upperBound else { return below(name, line) }
        if closesText(value, in: line) { return nil }
        if bytes[separator] == 0x3a, kind.form == .code { value = behindType(value, in: line) }
        // Nothing but a remark: secret = # none.
        if bytes[value] == 0x23 || bytes[value] == 0x3b, value + 1 < line.range.upperBound,
            bytes[value + 1].isSpace
        {
            return nil
        }
        if bytes[separator] == 0x2c, !bytes[value].isQuote, !bytes.has("<<\"", at: value) {
            return nil
        }
        if bytes[value] == 0x28 { login(name, value..<line.range.upperBound) }
        let isFirst = line.takesFirst(name.lowerBound)
        if bytes[separator] == 0x3a, !isFirst, name.upperBound == separator, !bytes[after].isSpace,
            !bytes[after].isQuote, bytes[separator - 1].isDigit
        {
            return nil
        }
        switch context(name, in: line, isAssigned: bytes[separator] == 0x3d) {
        case .plain:
            lookup(name, value, in: line)
            return nil
        case .neutral:
            // All that matters of it is whether it is one random word.
            var limit = min(line.range.upperBound, value + 128)
            while limit < line.range.upperBound,
                bytes[limit].isWordOrDash || bytes[limit] == 0x2b || bytes[limit] == 0x2f
            { limit += 1 }
            if limit < line.range.upperBound, bytes[limit].isQuote { limit += 1 }
            let extent = extent(of: value, in: line, isFirst: false, before: limit)
            noteName(name, extent.range)
            login(name, extent.range)
            hold(name, value, before: line.range.upperBound)
            if kind.form != .prose, !line.isComment, !isPublic,
                let secretClass = Value.unrecognised(extent.range, of: bytes),
                !WordScanner.isDeployment(extent.range, of: bytes)
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
            if case .suspicious = sensitivity {
                login(name, extent.range)
                noteName(name, extent.range)
                hold(name, value, before: line.range.upperBound)
            }
            if extent.end == value, bytes[value] == 0x7b || bytes[value] == 0x5b {
                enter(value, sensitivity, name)
            }
            if let more = continuation(
                extent.range, end: extent.end, isQuoted: extent.isQuoted, in: line)
            {
                judge(more, sensitivity, name: name)
                return more.upperBound
            }
            if let end = brackets(extent.range, sensitivity, name: name) { return end }
            if let inner = perlText(value, in: line) {
                judge(inner, sensitivity, name: name)
                return inner.upperBound
            }
            if let literal = fallback(value, in: line) {
                judge(literal, sensitivity, name: name)
                return literal.upperBound
            }
            // `;password = three plain words` is a setting that was switched off.
            let before = spots.all.count
            let isSetting =
                line.isComment && isFirst && bytes[separator] == 0x3d
                && name.upperBound <= separator
                && bytes[extent.range].count { $0 == 0x20 } < 5
            if isSetting || !isProse(extent.range, line),
                !isVariable(extent.range, isQuoted: extent.isQuoted),
                self.sensitivity(of: name) != .neutral
                    || !isSentence(extent.range, spread(name, in: line), isQuoted: extent.isQuoted)
            {
                judge(
                    extent.range, sensitivity, name: name,
                    needsQuotes: needsQuotes && !extent.isQuoted)
            }
            // dsn = 'host=db password=x': what is none itself may hold some.
            if case .suspicious = sensitivity, spots.all.count == before { return nil }
            return extent.isQuoted && kind.form == .code
                ? joined(after: extent.end, sensitivity, name: name, in: line) : extent.end
        }
    }

    /// Bare numbers: a word in their place needs quotes.
    private var needsQuotes: Bool {
        kind.form == .json || kind.form == .code || kind.ending == "toml"
    }

    /// What the name says, or what stands around where it says nothing.
    private mutating func context(
        _ name: Range<Int>, in line: Line, isAssigned: Bool
    ) -> Sensitivity {
        // pam_mysql.so passwd=…: only the first word of a stage is none.
        let own =
            kind.isModuleStack && isAssigned
            ? KeyName(bytes[name]).sensitivity : sensitivity(ofWords: name, in: line)
        // PlainLoginModule of Kafka: user_NAME="password".
        if own == .neutral, bytes.has("user_", at: name.lowerBound),
            kind.path.contains("kafka") || kind.path.contains("jaas")
        {
            return .secret(.password)
        }
        if own == .suspicious(.symmetricKey), let above = keyHolder(of: name),
            let found = KeyName(bytes[name]).sensitivity(below: KeyName(bytes[above]))
        {
            return found
        }
        // pass_attrs = userPassword=password of Dovecot names an attribute.
        if own == .secret(.password), bytes.word(name) == "userpassword",
            kind.path.contains("dovecot")
        {
            return .plain
        }
        // if ($arg_key = x) of nginx.
        if own == .suspicious(.symmetricKey), isRequestVariable(name, in: line) {
            return .secret(.token)
        }
        // What acme.sh has saved of a provider, under the provider's own names.
        if bytes.has("SAVED_", at: name.lowerBound), kind.path.contains("acme"),
            !KeyName(bytes[name]).words.contains(where: { ["email", "id", "zone"].contains($0) })
        {
            return .secret(.token)
        }
        guard own == .neutral else { return own }
        if outside != .neutral, section == outside, KeyWords.ordinary.contains(bytes.word(name)) {
            return .neutral
        }
        let word = bytes.word(name)
        // [password] with value = … below it.
        if let sectionName, ["value", "text", "valeur"].contains(word),
            case .secret(let secretClass) = KeyName(bytes[sectionName]).sensitivity
        {
            return .secret(secretClass)
        }
        guard named != nil || around != nil else { return section }
        if let named,
            ["value", "val", "default", "current", "content", "httpheadervalue", "valeur"].contains(
                word)
        {
            let sensitivity = sensitivity(of: named)
            if sensitivity != .neutral { return sensitivity }
        }
        if let around, around.inner.contains(name.lowerBound), !kind.isStyle,
            let member = ContainerNames.member(
                KeyName(bytes[name]), of: KeyName(bytes[around.name]))
        {
            return member
        }
        if let around, name.lowerBound < around.end, name.lowerBound > around.name.upperBound,
            ContainerNames.carriers.contains(word) || isPluralName(around.name)
        {
            return around.sensitivity
        }
        return section
    }
}
