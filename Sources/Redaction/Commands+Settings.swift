/// Commands that set something by its name, and what commands are given in their input.
extension Commands {
    /// Behind one of these a name and its value follow.
    private static let verbs: Set<String> = [
        "set", "put", "modify", "mod", "config", "write", "mset", "update", "-n", "add", "edit",
        "set-header", "add-header", "replace-header", "header_up", "setenv", "user-attribute",
        "put-parameter", "put-secret-value", "setex", "setenvif", "setenvifnocase",
        "proxy_set_header", "grpc_set_header", "fastcgi_param", "uwsgi_param",
    ]
    private static let verbFilter = WordFilter(verbs)
    /// What searches for words, or tells them to people.
    private static let readers: Set<String> = [
        "grep", "egrep", "sed", "awk", "mail", "mailx", "tee", "cat", "less", "logger", "wc",
    ]

    /// `aws configure set aws_secret_access_key x`, `consul kv put app/db_password x`, `nmcli … modify … wifi-sec.psk x`.
    static func settings(
        _ words: [Range<Int>], _ line: Line, in directives: Directives, to found: inout [Spot]
    ) {
        guard words.count > 2, !line.isComment || words.count < 8, !directives.kind.isModuleStack
        else { return }
        let bytes = directives.bytes
        var isSetting = false
        for index in words.indices.dropLast() {
            let word = words[index]
            if verbFilter.mayHave(word, of: bytes), verbs.contains(bytes.word(word)) {
                isSetting = true
                continue
            }
            guard isSetting, index > 0, word.count < 80,
                // set $secret x; of nginx.
                bytes[word].dropFirst(bytes[word.lowerBound] == 0x24 ? 1 : 0).allSatisfy({
                    $0.isWordOrDash || [0x2e, 0x2f, 0x3a].contains($0)
                }),
                bytes[word.lowerBound] != 0x2d
            else { continue }
            let slash = bytes[word].lastIndex(of: 0x2f)
            let name = (slash.map { $0 + 1 } ?? word.lowerBound)..<word.upperBound
            let sensitivity = KeyName(bytes[name]).sensitivity
            guard case .secret = sensitivity else { continue }
            var place = index + 1
            if ["-v", "--value", "=", "string", "to"].contains(bytes.word(words[place])) {
                place += 1
            }
            guard place < words.count else { return }
            let value = words[place]
            guard
                ![0x2d, 0x3d, 0x3a, 0x7b, 0x28, 0x5b, 0x40, 0x7c, 0x3e, 0x26].contains(
                    bytes[value.lowerBound]),
                !bytes[value].contains(0x3d) || bytes[value.lowerBound].isQuote,
                // UPDATE t SET password = MD5('x') is read as SQL.
                bytes[value.lowerBound].isQuote || !bytes[value].contains(0x28),
                isValue(
                    value, isLast: place + 1 == words.count || isEnd(words[place + 1], bytes),
                    in: directives)
            else { continue }
            directives.add(
                directives.unquoted(value), sensitivity, "command-line", key: bytes.word(name),
                to: &found)
        }
    }

    /// The last word, a text in quotes, or one that is none of the language.
    private static func isValue(_ word: Range<Int>, isLast: Bool, in directives: Directives) -> Bool
    {
        isLast || directives.bytes[word.lowerBound].isQuote
            || !directives.bytes[word].allSatisfy { $0.isLetter || $0 == 0x2d || $0 >= 0x80 }
    }

    private static func isEnd(_ word: Range<Int>, _ bytes: [UInt8]) -> Bool {
        [0x2d, 0x7c, 0x3b, 0x26, 0x3e, 0x23].contains(bytes[word.lowerBound])
    }

    /// `command <<< "x"`, `echo x | command`, where the command's name speaks of secrets; `(echo x; echo x) | passwd`.
    static func inputs(
        _ words: [Range<Int>], _ line: Line, in directives: Directives, to found: inout [Spot]
    ) {
        let bytes = directives.bytes
        // Few lines have `<<<`, `>` or `|`.
        guard words.count > 2,
            bytes[line.range].contains(where: { $0 == 0x7c || $0 == 0x3c || $0 == 0x3e })
        else { return }
        func speaks(_ part: ArraySlice<Range<Int>>) -> Bool {
            part.contains { word in
                guard word.count < 64, bytes[word].allSatisfy({ $0.isWordOrDash || $0 == 0x2f })
                else { return false }
                switch KeyName(bytes[word]).sensitivity {
                case .secret, .suspicious: return !readers.contains(bytes.word(word))
                default: return false
                }
            }
        }
        if let mark = words.firstIndex(where: { bytes.has("<<<", at: $0.lowerBound) }),
            speaks(words[..<mark]) || words.first.map({ takers.contains(bytes.word($0)) }) == true
        {
            let rest = bytes.trimmed((words[mark].lowerBound + 3)..<line.range.upperBound)
            let end = bytes[rest].firstIndex(of: 0x20) ?? rest.upperBound
            let value =
                bytes[rest].first?.isQuote == true
                ? directives.unquoted(rest) : rest.lowerBound..<end
            if !value.isEmpty {
                directives.add(value, .secret(.password), "command-line", key: nil, to: &found)
            }
        }
        intoFiles(words, in: directives, to: &found)
        // The first of `|`; `||` may stand before it.
        guard let pipe = words.firstIndex(where: { $0.count == 1 && bytes[$0.lowerBound] == 0x7c }),
            pipe > 0
        else { return }
        let behind = words[(pipe + 1)...].prefix(4)
        guard let first = behind.first, !readers.contains(bytes.word(first)),
            // What is encoded by hand goes into a Secret of Kubernetes.
            ["base64", "su"].contains(bytes.word(first)) || speaks(behind),
            // It takes `user:password`, of which the user stays.
            !behind.contains(where: { $0.count < 32 && bytes[$0].ends(with: "chpasswd") })
        else { return }
        for index in 0..<pipe - 1 {
            var word = words[index]
            if bytes[word.lowerBound] == 0x28 { word = (word.lowerBound + 1)..<word.upperBound }
            guard ["echo", "printf"].contains(bytes.word(word)) else { continue }
            for value in words[(index + 1)..<pipe] {
                if bytes[value.lowerBound] == 0x2d || bytes[value].contains(0x5c)
                    || bytes[value].contains(0x25)
                {
                    continue
                }
                if ["echo", "printf"].contains(bytes.word(value)) { break }
                var end = value.upperBound
                while end > value.lowerBound, [0x3b, 0x29].contains(bytes[end - 1]) { end -= 1 }
                directives.add(
                    directives.unquoted(value.lowerBound..<end), .secret(.password), "command-line",
                    key: nil, to: &found)
            }
        }
    }

    private static func isSwitch(_ word: Range<Int>, _ heads: [String], _ bytes: [UInt8]) -> Bool {
        let start = bytes[word.lowerBound].isQuote ? word.lowerBound + 1 : word.lowerBound
        guard start < word.upperBound, bytes[start] == 0x2f, word.count < 256 else { return false }
        return heads.contains { bytes[start..<word.upperBound].starts(with: $0.utf8) }
    }

    /// What programs are told in lines of their own: `user bob x` and `quote PASS x` of ftp, `auth x` of Redis, and
    /// `/u:bob /p:x` of Windows.
    static func dialogues(
        _ words: [Range<Int>], in directives: Directives, to found: inout [Spot]
    ) {
        let bytes = directives.bytes
        guard words.count > 1 else { return }
        func put(_ range: Range<Int>) {
            directives.add(
                directives.unquoted(range), .secret(.password), "command-line", key: nil, to: &found
            )
        }
        let first = bytes.word(words[0])
        switch first {
        case "user"
        where words.count == 3
            && (directives.kind.form == .shell || directives.kind.ending == "ftp"):
            put(words[2])
        case "quote" where words.count == 3 && bytes.word(words[1]) == "pass": put(words[2])
        case "auth" where directives.kind.name.contains("redis"): put(words[words.count - 1])
        case "case" where words.count > 3 && bytes.word(words[2]) == "in":
            // case "$password" in x) …
            if case .secret = KeyName(bytes[words[1]]).sensitivity,
                let close = bytes[words[3]].firstIndex(of: 0x29), close > words[3].lowerBound,
                bytes[words[3].lowerBound] != 0x2a
            {
                put(words[3].lowerBound..<close)
            }
        case "rewritecond" where words.count > 2:
            // RewriteCond %{HTTP:X-Api-Key} !^x$
            guard KeyName(bytes[words[1]]).words.first == "http",
                KeyName(bytes[words[1]].dropFirst(7)).sensitivity != .neutral
            else { break }
            let value = directives.unquoted(words[2])
            let literal = bytes[value].drop { [0x21, 0x5e, 0x3d].contains($0) }
            let end = literal.last == 0x24 ? literal.endIndex - 1 : literal.endIndex
            let marks = [UInt8]("()[]{}*?|\\<>".utf8)
            if end - literal.startIndex >= 4,
                !bytes[literal.startIndex..<end].contains(where: marks.contains)
            {
                put(literal.startIndex..<end)
            }
        default: break
        }
        if words.contains(where: { isSwitch($0, ["/u:", "/user:", "/v:", "/add:"], bytes) }) {
            for word in words where isSwitch(word, ["/p:", "/pass:", "/password:"], bytes) {
                let inner = directives.unquoted(word)
                if let colon = bytes[inner].firstIndex(of: 0x3a) {
                    put((colon + 1)..<inner.upperBound)
                }
            }
        }
        // iwconfig wlan0 key s:x; mc alias set NAME URL KEY SECRET.
        if first == "iwconfig",
            let key = words.dropLast().firstIndex(where: { bytes.word($0) == "key" })
        {
            put(words[key + 1])
        }
        if words.count >= 6, bytes.word(words[1]) == "alias", bytes.word(words[2]) == "set",
            first == "mc" || first == "mcli"
        {
            put(words[5])
        }
        // Debian's preseeding: OWNER QUESTION TYPE VALUE.
        if words.count > 3, bytes[words[1]].contains(0x2f),
            ["string", "password", "text"].contains(bytes.word(words[2])),
            let slash = bytes[words[1]].lastIndex(of: 0x2f)
        {
            let sensitivity = KeyName(bytes[(slash + 1)..<words[1].upperBound]).sensitivity
            if case .secret = sensitivity {
                directives.add(
                    words[3].lowerBound..<words[words.count - 1].upperBound, sensitivity,
                    "directive",
                    key: bytes.word(words[1]), to: &found)
            }
        }
    }
}
