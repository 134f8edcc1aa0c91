/// Where a name begins and ends, and what more it says by its form.
extension LineScanner {
    /// A variable that nginx fills from the request: $arg_key, $http_x_key.
    func isRequestVariable(_ name: Range<Int>, in line: Line) -> Bool {
        name.lowerBound > line.range.lowerBound && bytes[name.lowerBound - 1] == 0x24
            && (bytes.has("arg_", at: name.lowerBound) || bytes.has("http_", at: name.lowerBound))
    }

    func isPluralName(_ name: Range<Int>) -> Bool {
        let joined = KeyName(bytes[name]).words.last ?? ""
        return ["passwords", "secrets", "passwds", "creds", "users"].contains(joined)
            || ContainerNames.holders.contains(joined)
    }

    /// `public key: age1…` is a name of two words.
    func spread(_ name: Range<Int>, in line: Line) -> Range<Int> {
        var start = line.range.lowerBound
        // In code the words before are no part of the name: use constant PASSWORD => 'x'.
        guard kind.form != .code || line.isComment,
            name.lowerBound > start, name.lowerBound - start < 100,
            !bytes[name.lowerBound - 1].isQuote
        else { return name }
        // After the sentence before: Welcome. The password is: …
        if let stop = bytes[start..<name.lowerBound].lastIndex(of: 0x2e),
            bytes.has(" ", at: stop + 1)
        {
            start = stop + 2
        }
        guard name.lowerBound - start < 60,
            bytes[start..<name.lowerBound].allSatisfy({
                $0.isWordOrDash || $0 == 0x20 || $0 >= 0x80
            })
        else { return name }
        return start..<name.upperBound
    }

    /// The first argument in `define('DB_PASSWORD', '…')` and `{default_pass, <<"…">>}`.
    func argument(before separator: Int, from start: Int) -> Range<Int>? {
        guard let name = name(before: separator, from: start) else { return nil }
        var before = name.lowerBound
        while before > start,
            bytes[before - 1].isSpace || bytes[before - 1].isQuote || bytes[before - 1] == 0x3c
        { before -= 1 }
        guard before > start else { return nil }
        // curl_setopt($c, CURLOPT_USERPWD, "…").
        let isOption = bytes[before - 1] == 0x2c && bytes.word(name).hasPrefix("curlopt_")
        // ["Authorization", "…"]: a header, and not one of a list of names.
        let isHeader = bytes[before - 1] == 0x5b && HeaderNames.isSecret(bytes[name])
        // set :password, 'x' of Ruby.
        let isSymbol = bytes[before - 1] == 0x3a && kind.ending == "rb"
        return bytes[before - 1] == 0x28 || bytes[before - 1] == 0x7b || isOption || isHeader
            || isSymbol
            ? name : nil
    }

    /// The name that ends before a separator: a quoted text, or a word with dots and dashes.
    func name(before separator: Int, from start: Int) -> Range<Int>? {
        var end = separator
        // += ?= := !=, and the escapes of properties: password\=x.
        if end > start, [0x2b, 0x3f, 0x3a, 0x21, 0x5c, 0x7c].contains(bytes[end - 1]) { end -= 1 }
        // ||= and ??= of code.
        if end > start, [0x7c, 0x3f].contains(bytes[end - 1]) { end -= 1 }
        while end > start, bytes[end - 1].isSpace || bytes.has([0xc2, 0xa0], at: end - 2) {
            end -= bytes[end - 1].isSpace ? 1 : 2
        }
        // **Password**: of Markdown.
        while end > start, bytes[end - 1] == 0x2a { end -= 1 }
        // <<"text">> of Erlang.
        if end > start + 1, bytes[end - 1] == 0x3e, bytes[end - 2] == 0x3e { end -= 2 }
        // $config['password'] =
        if end > start, bytes[end - 1] == 0x5d { end -= 1 }
        // $config->{password} = of Perl.
        if end > start, bytes[end - 1] == 0x7d, kind.form == .code { end -= 1 }
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

    /// Remembers `crypt => [ 'key' => …`, within 4 KiB.
    mutating func hold(_ name: Range<Int>, _ value: Int, before end: Int) {
        guard value < end, name.count <= 16, holder.map({ $0.end <= value }) ?? true else { return }
        var open = value
        if bytes.has("array", at: open) { open += 5 }
        while open < end, bytes[open] == 0x20 { open += 1 }
        guard open < end, [0x7b, 0x5b, 0x28].contains(bytes[open]),
            let last = KeyName(bytes[name]).words.last, KeyWords.keyHolders.contains(last)
        else { return }
        var depth = 0
        let limit = min(bytes.count, open + 4096)
        while open < limit {
            if [0x7b, 0x5b, 0x28].contains(bytes[open]) { depth += 1 }
            if [0x7d, 0x5d, 0x29].contains(bytes[open]) { depth -= 1 }
            if depth == 0 { break }
            open += 1
        }
        holder = (name, open)
    }

    /// What a `key` stands in: the structure around it, or its section.
    func keyHolder(of name: Range<Int>) -> Range<Int>? {
        if let holder, holder.end > name.lowerBound, holder.name.upperBound < name.lowerBound {
            return holder.name
        }
        return sectionName
    }

    /// What a name of several words says. Of a sentence (CREATE LOGIN x WITH PASSWORD) only the last word is the name.
    mutating func sensitivity(ofWords name: Range<Int>, in line: Line) -> Sensitivity {
        let words = spread(name, in: line)
        if bytes[words].count(where: { $0 == 0x20 }) > 3, case .secret = sensitivity(of: name) {
            return sensitivity(of: name)
        }
        return sensitivity(of: words)
    }

    /// Keeps what stands beside a `name`: a `value` on the same line is of that.
    mutating func noteName(_ name: Range<Int>, _ value: Range<Int>) {
        if name.count <= 9 || name.count == 13,
            ["name", "key", "variable", "property", "parameter", "httpheaderkey", "nom", "cle"]
                .contains(
                    bytes.word(name)),
            !value.isEmpty
        {
            named = value
        }
    }

    mutating func sensitivity(of name: Range<Int>) -> Sensitivity {
        let key = bytes[name]
        // What stands in the place of a user is no name.
        if key.first == 0x45, Placeholder.isPlaceholder(key) { return .neutral }
        if let special = kind.special, bytes.word(name) == special.name {
            return special.sensitivity
        }
        if let found = known[key] { return found }
        let found = kind.sensitivity(named: key)
        if known.count < 4096 { known[key] = found }
        return found
    }
}
