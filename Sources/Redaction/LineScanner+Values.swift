/// Where a value begins and ends, and what is no value.
extension LineScanner {
    /// A value that goes on: behind a backslash at the end of a line, in folded lines of LDIF (RFC 2849), in brackets of a shell.
    func continuation(_ value: Range<Int>, end: Int, isQuoted: Bool, in line: Line)
        -> Range<Int>?
    {
        guard !isQuoted, !value.isEmpty else { return nil }
        if kind.form == .shell, bytes[value.lowerBound] == 0x28,
            let close = bytes.position(
                of: 0x29, from: value.lowerBound, before: line.range.upperBound)
        {
            return (value.lowerBound + 1)..<close
        }
        var last = end
        var stop = bytes.endOfLine(end)
        while stop < bytes.count, last - value.lowerBound < 65536 {
            let isOpen =
                stop > value.lowerBound
                && (bytes[stop - 1] == 0x5c
                    || bytes[stop - 1] == 0x0d && stop > 1 && bytes[stop - 2] == 0x5c)
            let isFolded = kind.ending == "ldif" && bytes.has(" ", at: stop + 1)
            guard isOpen || isFolded else { break }
            stop = bytes.endOfLine(stop + 1)
            last = stop
        }
        return last > end ? bytes.trimmed(value.lowerBound..<last) : nil
    }

    /// A value on the lines below its name, indented more than it.
    mutating func below(_ name: Range<Int>, _ line: Line) -> Int? {
        guard kind.form != .yaml, !line.isComment,
            case .secret = sensitivity(of: spread(name, in: line))
        else { return nil }
        let sensitivity = sensitivity(of: spread(name, in: line))
        var position = bytes.endOfLine(name.upperBound) + 1
        var last: Int?
        while position < bytes.count, position - name.upperBound < 65536 {
            let end = bytes.endOfLine(position)
            let text = bytes.trimmed(position..<end)
            guard !text.isEmpty, text.lowerBound > position,
                text.lowerBound - position > line.indent,
                !bytes.has("-----BEGIN", at: text.lowerBound),
                bytes[text].allSatisfy({ !$0.isSpace }),
                bytes.position(of: 0x3a, from: text.lowerBound, before: text.upperBound) == nil
            else { break }
            let quoted = Quoted(at: text.lowerBound, of: bytes, lineEnd: end, mayBreak: false)
            judge(quoted?.inner ?? text, sensitivity, name: name)
            last = end
            position = end + 1
        }
        return last
    }

    /// The lines of `<<EOF` (shell, HCL) and `<<<EOT` (PHP) until the word stands alone.
    func hereDocument(_ start: Int, in line: Line) -> Range<Int>? {
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

    /// Where a value begins and ends; `end` is behind its closing quote.
    mutating func extent(of start: Int, in line: Line, isFirst: Bool, before stop: Int)
        -> (range: Range<Int>, end: Int, isQuoted: Bool)
    {
        // Erlang writes <<"text">>.
        let start = bytes.has("<<\"", at: start) ? start + 2 : start
        // A text within a text of SQL and its like: 'host=h password=''x'''.
        if bytes.has(LineScanner.twoQuotes, at: start), start + 2 < stop, bytes[start + 2] > 0x2f,
            bytes[start + 2] != 0x3b, isWithinText(start),
            let end = bytes.position(of: LineScanner.twoQuotes, from: start + 2, before: stop)
        {
            return ((start + 2)..<end, end + 2, true)
        }
        // password={{ 'x' | password_hash('sha512') }}
        if bytes.has("{{", at: start),
            let end = bytes.position(of: LineScanner.closing, from: start, before: stop)
        {
            return (start..<(end + 2), end + 2, false)
        }
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

    private static let twoQuotes: [UInt8] = [0x27, 0x27]
    private static let closing: [UInt8] = [0x7d, 0x7d]

    /// A nested structure is read pair by pair; an LDAP digest ({SSHA}…) and an expression ({{ … }}) are values.
    func opensStructure(_ start: Int, before stop: Int) -> Bool {
        guard bytes[start] == 0x7b || bytes[start] == 0x5b else { return false }
        if bytes.has("{{", at: start)
            || bytes[start] == 0x5b && start + 1 < stop && bytes[start + 1].isLetter
        {
            return false
        }
        // 389 Directory Server keeps how a password can be read beside it: {AES-TUhNR0NT…}….
        let isCipher = bytes.has("{AES-", at: start)
        guard bytes[start] == 0x7b,
            let close = bytes.position(
                of: 0x7d, from: start, before: min(stop, start + (isCipher ? 512 : 20))),
            close + 1 < stop
        else { return true }
        if isCipher { return !bytes[(start + 1)..<close].allSatisfy { $0.isBase64 || $0 == 0x2d } }
        return !bytes[(start + 1)..<close].allSatisfy { $0.isAlphanumeric || $0 == 0x2d }
    }

    /// Where a value goes on behind the type of its name: `password: String = "…"`.
    func behindType(_ start: Int, in line: Line) -> Int {
        var position = start
        while position < line.range.upperBound, position - start < 64,
            bytes[position].isWord
                || [0x20, 0x2e, 0x5b, 0x5d, 0x7c, 0x3f, 0x26].contains(bytes[position])
        { position += 1 }
        guard position > start, bytes.has("=", at: position), !bytes.has("==", at: position),
            !bytes.has("=>", at: position), !bytes[start].isDigit
        else { return start }
        position += 1
        while position < line.range.upperBound, bytes[position].isSpace { position += 1 }
        return position < line.range.upperBound ? position : start
    }

    /// In code, a bare word is a variable and a call computes something.
    func isVariable(_ range: Range<Int>, isQuoted: Bool) -> Bool {
        guard kind.form == .code || kind.form == .shell && bytes[range].contains(0x28), !isQuoted,
            !document.contains(range.lowerBound), !isWithinText(range.lowerBound)
        else { return false }
        guard let first = bytes[range].first, first.isLetter || first == 0x5f || first == 0x24
        else { return false }
        return bytes[range].allSatisfy {
            $0.isWord || [0x2e, 0x28, 0x5b, 0x5d, 0x3a, 0x2d, 0x3e, 0x24].contains($0)
        } && !Randomness.isOdd(bytes[range])
            || bytes[range].contains(0x28)
    }

    /// Whether a place lies between quotes: CONNECTION 'host=db password=x'.
    func isWithinText(_ position: Int) -> Bool { openQuote(before: position) != nil }

    /// The quote of the text in which a place lies; nil outside of texts.
    private func openQuote(before position: Int) -> UInt8? {
        var open: UInt8 = 0
        var place = max(0, position - 512)
        if let line = bytes[place..<position].lastIndex(of: 0x0a) { place = line + 1 }
        while place < position {
            if bytes[place] == 0x5c {
                place += 1
            } else if bytes[place].isQuote, open == 0 || open == bytes[place] {
                open = open == 0 ? bytes[place] : 0
            }
            place += 1
        }
        return open == 0 ? nil : open
    }

    /// Whether a quote closes the text that a name stands in (`expect "password:"`), and opens no value that ends on a later line.
    mutating func closesText(_ position: Int, in line: Line) -> Bool {
        guard bytes[position].isQuote, kind.mayBreakQuotes, !line.isComment, wasted < 1 << 22,
            openQuote(before: position) == bytes[position],
            Quoted(at: position, of: bytes, lineEnd: line.range.upperBound, mayBreak: false) == nil
        else { return false }
        wasted += line.range.upperBound - position
        return true
    }

    /// A remark such as `# Password: must not be empty` has words, not a value.
    func isProse(_ range: Range<Int>, _ line: Line) -> Bool {
        guard line.isComment || kind.isProse else { return false }
        let value = bytes[range]
        guard value.contains(0x20) else {
            return value.last == 0x2e && value.dropLast().allSatisfy(\.isLetter)
        }
        return value.allSatisfy {
            $0.isLetter || $0 >= 0x80 || [0x20, 0x2c, 0x2e, 0x27, 0x28, 0x29].contains($0)
        }
    }

    /// Behind a name of several words (`The password of the guests is: …`) a sentence may follow: one word with more than
    /// letters is a value.
    func isSentence(_ range: Range<Int>, _ name: Range<Int>, isQuoted: Bool) -> Bool {
        guard !isQuoted, bytes[name].count(where: { $0 == 0x20 }) > 2 else { return false }
        return bytes[range].contains(0x20) || bytes[range].allSatisfy { $0.isLetter || $0 >= 0x80 }
    }

    /// Texts in quotes one behind the other, up to the bracket that closes.
    func texts(in range: Range<Int>) -> [Range<Int>] {
        var texts: [Range<Int>] = []
        var position = range.lowerBound
        while position < range.upperBound, bytes[position] != 0x29 {
            guard
                let quoted = Quoted(
                    at: position, of: bytes, lineEnd: range.upperBound, mayBreak: false)
            else {
                position += 1
                continue
            }
            texts.append(quoted.inner)
            position = quoted.end
        }
        return texts
    }

    /// `…_password_maps = static:user:password` of Postfix: in place of a table, the value itself.
    mutating func lookup(_ name: Range<Int>, _ value: Int, in line: Line) {
        guard bytes.has("static:", at: value) else { return }
        let rest = bytes.trimmed((value + 7)..<line.range.upperBound)
        guard let colon = bytes.position(of: 0x3a, from: rest.lowerBound, before: rest.upperBound)
        else { return }
        judge((colon + 1)..<rest.upperBound, .secret(.password), name: name)
    }

    private static let logins: Set<String> = [
        "login", "register", "userpwd", "auth", "proxyauth", "basic", "userinfo", "user", "ftpuser",
        "username", "basic_auth", "basicauth", "basic-auth", "http_auth", "httpauth", "proxy_auth",
        "curlopt_userpwd", "credentials", "proxy-user", "wsrep_sst_auth", "http_auth_pair",
        "auth_pair", "users",
    ]

    /// `login=user:password` of Squid, `register => user:password@host` of Asterisk, `user=name%password` of mount.cifs,
    /// `auth=("user", "password")` of Python.
    mutating func login(_ name: Range<Int>, _ value: Range<Int>) {
        // vars.http_auth_pair of Icinga: what it is called by its last name.
        guard value.count > 4, kind.ending != "rdp" else { return }
        let last = bytes[name].lastIndex(of: 0x2e).map { $0 + 1 } ?? name.lowerBound
        guard name.upperBound - last <= 16,
            LineScanner.logins.contains(bytes.word(last..<name.upperBound))
        else {
            return
        }
        if bytes[value.lowerBound] == 0x28 {
            let end = min(bytes.endOfLine(value.lowerBound), value.lowerBound + 1024)
            let line = value.lowerBound..<end
            if let second = texts(in: line).dropFirst().first {
                judge(second, .secret(.password), name: name)
            }
            return
        }
        // accept.users=user::password of CAS.
        if bytes.word(last..<name.upperBound) == "users" {
            guard
                let mark = bytes.position(
                    of: [0x3a, 0x3a], from: value.lowerBound, before: value.upperBound)
            else { return }
            judge(
                (mark + 2)..<(bytes[(mark + 2)..<value.upperBound].firstIndex(of: 0x2c)
                    ?? value.upperBound), .secret(.password), name: name)
            return
        }
        // register => user:password@host/extension.
        let end = bytes[value].firstIndex(of: 0x40) ?? value.upperBound
        // The domain of user=DOMAIN/name%password may stand before a slash.
        let slash = bytes[value.lowerBound..<end].lastIndex(of: 0x2f)
        let isOfDomain =
            slash.map {
                $0 > value.lowerBound && $0 + 1 < end && bytes[$0 + 1].isAlphanumeric
                    && bytes[$0..<end].contains(0x25)
            } ?? true
        guard isOfDomain,
            bytes.position(of: [0x3a, 0x3a], from: value.lowerBound, before: value.upperBound)
                == nil,
            let colon = bytes.position(
                of: 0x3a, from: value.lowerBound + 1, before: value.upperBound)
                ?? bytes.position(of: 0x25, from: value.lowerBound + 1, before: value.upperBound)
        else { return }
        let secret = (colon + 1)..<max(colon + 1, end)
        guard secret.count >= 4, !bytes[secret].allSatisfy(\.isDigit),
            !Value.isSwitch(secret, of: bytes)
        else { return }
        judge(secret, .secret(.password), name: name)
    }

    /// A line of a history that is one word and no command: a password that went to the wrong prompt.
    mutating func typed(_ line: Line) {
        let word = bytes.trimmed(line.range)
        guard !line.isComment, (6...64).contains(word.count), Value.isOneWord(word, of: bytes),
            !Placeholder.isPlaceholder(bytes[word]),
            bytes[word].allSatisfy({
                $0.isWordOrDash
                    || [0x21, 0x40, 0x23, 0x24, 0x25, 0x26, 0x2a, 0x3f, 0x2b].contains($0)
            }),
            let first = bytes[word].first, first.isAlphanumeric
        else { return }
        let value = bytes[word]
        let hasMark = value.contains {
            [0x21, 0x40, 0x23, 0x24, 0x25, 0x26, 0x2a, 0x3f].contains($0)
        }
        guard value.contains(where: \.isDigit) || hasMark && value.contains(where: \.isUpper),
            hasMark || value.contains(where: \.isUpper) && value.contains(where: \.isLower)
        else { return }
        spots.add(word, .unrecognised, "typed")
    }

    mutating func openDocument(_ whole: Range<Int>, _ line: Line) {
        guard wasted < 1 << 22,
            let mark = bytes.position(
                of: [0x3c, 0x3c], from: whole.lowerBound, before: whole.upperBound)
        else { return }
        if let body = hereDocument(mark, in: line) {
            document = body
        } else {
            // Shifts of bits are no documents: a file full of them is read without looking for any.
            wasted += 65536
        }
    }
}
