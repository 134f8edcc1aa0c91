/// Lines whose words stand beside each other without a mark: `requirepass x`, `bindpw x`, `user a password x`, and the options
/// of commands.
struct Directives {
    let bytes: [UInt8]
    let kind: FileKind

    func spots(of line: Line) -> [Spot] {
        var words = Words.split(line.range, of: bytes)
        // UserParameter=name,command of Zabbix.
        if let first = words.first, bytes.has("UserParameter=", at: first.lowerBound),
            let comma = bytes[first].firstIndex(of: 0x2c), comma + 1 < first.upperBound
        {
            words[0] = (comma + 1)..<first.upperBound
        }
        // { NAME value } of Tcl, in which interface engines keep their settings.
        if words.count == 4, words[0].count == 1, bytes[words[0].lowerBound] == 0x7b,
            words[3].count == 1, bytes[words[3].lowerBound] == 0x7d
        {
            words = Array(words[1...2])
        }
        var found: [Spot] = []
        ServiceDirectives.mail(words, in: self, to: &found)
        guard words.count > 1 else {
            Commands.positional(words, line, in: self, to: &found)
            quoted(words, line, to: &found)
            return found
        }
        var current = kind.name == ".curlrc" ? "curl" : ""
        // env.mysqlopts -u munin -px
        if bytes.has("mysql", at: words[0].lowerBound), kind.path.contains("munin") {
            current = "mysql"
        }
        if !kind.isProse { first(words, line, to: &found) }
        for index in words.indices {
            let word = words[index]
            if Directives.commands.mayHave(word, of: bytes), let command = command(word) {
                current = command
            }
            let value = index + 1 < words.count ? words[index + 1] : nil
            if bytes[word.lowerBound] == 0x2d {
                option(word, value, of: current, to: &found)
            } else if index == 0, let value, let option = assigned(word) {
                self.option(option, value, of: current, to: &found)
            } else if let value, index > 0, !line.isComment, kind.form == .lines {
                within(
                    word, value, isLast: index + 2 == words.count,
                    isShort: words.count <= 4 || Directives.openers.contains(bytes.word(words[0])),
                    next: index + 2 < words.count ? words[index + 2] : nil, to: &found)
            }
        }
        Commands.positional(words, line, in: self, to: &found)
        if kind.form == .shell || kind.form == .lines, !line.isComment {
            Commands.logins(words, in: self, to: &found)
        }
        if kind.isDevice { DeviceDirectives.secrets(words, in: self, to: &found) }
        quoted(words, line, to: &found)
        return found
    }

    // MARK: names

    /// A line that begins with a known directive, or with the name of a secret and has one value.
    private func first(_ words: [Range<Int>], _ line: Line, to found: inout [Spot]) {
        let text = bytes.word(words[0])
        let isTrapHost =
            text == "snmp-server"
            && ["host", "user", "group", "location", "contact", "view"].contains(
                bytes.word(words[1]))
        if !kind.isModuleStack, !isTrapHost, let rule = DirectiveRule.table[text] {
            // com2sec -Cn CONTEXT …
            // and createUser -e ENGINE …
            let options = ["-cn", "-e"].contains(bytes.word(words[1])) ? 2 : 0
            for skip in rule.places {
                var place = 1 + skip + options
                if rule.mayHaveKind, place + 1 < words.count, isKindOfCoding(words[place]) {
                    place += 1
                }
                // A remark about a directive is a sentence: it has more words than the directive takes.
                guard place < words.count, !line.isComment || words.count <= place + 2,
                    !bytes[words[place]].elementsEqual([0x7b])
                else { continue }
                let whole =
                    rule.takesRest ? words[place].lowerBound..<line.range.upperBound : words[place]
                add(
                    unquoted(withoutMark(whole)), .secret(rule.secretClass), "directive", key: text,
                    to: &found)
            }
            if text == "password", kind.path.contains("grub"), words.count >= 3 {
                add(words[2], .secret(.password), "directive", key: text, to: &found)
            }
            if rule.isWhole { return }
        }
        named(words, line, to: &found)
        ServiceDirectives.secrets(words, text, line, in: self, to: &found)
        if text == "stats", words.count > 2, bytes.word(words[1]) == "auth" {
            pair(words[2], to: &found)
        }
        // Monit: allow admin:password.
        if kind.name.hasPrefix("monit"),
            let allow = words.dropLast().firstIndex(where: { bytes.word($0) == "allow" }),
            bytes[words[allow + 1]].contains(0x3a)
        {
            pair(words[allow + 1], to: &found)
        }
        // rsyslog: *.* :ommysql:host,database,user,password.
        if let last = words.last, bytes.has(":om", at: last.lowerBound),
            bytes[last].count(where: { $0 == 0x2c }) == 3,
            let comma = bytes[last].lastIndex(of: 0x2c)
        {
            let end = bytes[comma..<last.upperBound].firstIndex(of: 0x3b) ?? last.upperBound
            add((comma + 1)..<end, .secret(.password), "directive", key: nil, to: &found)
        }
        // Redis: user alice on >password ~* +@all; #… is a digest.
        if text == "user" || text == "acl" {
            for word in words.dropFirst()
            where [0x3e, 0x3c].contains(bytes[word.lowerBound]) && word.count > 1
                || bytes[word.lowerBound] == 0x23 && word.count == 65
            {
                add(
                    (word.lowerBound + 1)..<word.upperBound, .secret(.password), "directive",
                    key: text, to: &found)
            }
        }
    }

    private func named(_ words: [Range<Int>], _ line: Line, to found: inout [Spot]) {
        // `name = value` is no directive; most lines are such.
        guard !kind.isModuleStack, !kind.isRegister,
            ![0x3d, 0x3a, 0x7b, 0x28, 0x5b].contains(bytes[words[1].lowerBound]),
            bytes[words[0]].allSatisfy({ $0.isWordOrDash || $0 == 0x2e }),
            // The command passwd is followed by a user.
            kind.form != .shell || bytes.word(words[0]) != "passwd"
        else { return }
        let sensitivity = kind.sensitivity(named: bytes[words[0]])
        guard case .secret = sensitivity else { return }
        var place = 1
        if words.count > 2, isKindOfCoding(words[1]) { place = 2 }
        let value = words[place]
        guard ![0x3d, 0x3a, 0x7b, 0x28, 0x5b].contains(bytes[value.lowerBound]),
            // `pass  # nothing to do` of Python.
            value.count > 2 || !isRemark(value), !isHeading(words, line)
        else { return }
        // credentials "app.terraform.io" { names a block.
        if let last = words.last, bytes.has("{", at: last.lowerBound), words.count == place + 2 {
            return
        }
        // In properties a blank separates as well, and the value reaches to the end of the line.
        if kind.form == .properties, !line.isComment {
            add(
                value.lowerBound..<line.range.upperBound, sensitivity, "key-name",
                key: bytes.word(words[0]), to: &found)
            return
        }
        // Two words are a name and its value; more are a sentence, unless the value is in quotes or odd.
        guard
            words.count == place + 1 || bytes[value.lowerBound].isQuote
                || isRemark(words[place + 1])
                || !line.isComment
                    && !bytes[value].allSatisfy({
                        $0.isLetter || $0 >= 0x80 || [0x2c, 0x2e, 0x27].contains($0)
                    })
        else { return }
        add(
            unquoted(withoutMark(value)), sensitivity, "key-name", key: bytes.word(words[0]),
            to: &found)
    }

    /// `# Authorization controls`: a remark of two words of the language.
    private func isHeading(_ words: [Range<Int>], _ line: Line) -> Bool {
        guard line.isComment, words.count == 2, let first = bytes[words[0]].first, first.isUpper,
            words[0].lowerBound > 0, bytes[words[0].lowerBound - 1] == 0x20
        else { return false }
        return bytes[words[0]].dropFirst().allSatisfy(\.isLower)
            && bytes[words[1]].allSatisfy(\.isLower)
    }

    private static let inner: Set<String> = [
        "password", "passwd", "secret", "passphrase", "insecure-password", "shared-secret",
        "authorization", "psksecret", "pre-shared-key", "preshared-key", "ascii-text",
        "key-string", "auth-password", "priv-password", "community", "encrypted-password", "md5",
        "authentication-key", "psk", "pass", "plain-text-password-value",
    ]

    private static let openers: Set<String> = [
        "username", "user", "enable", "set", "neighbor", "ppp", "crypto", "tacacs-server",
        "radius-server", "poll", "machine", "login", "snmp-server",
        "ip", "isakmp", "key", "server", "account", "create", "alter", "grant",
    ]
    private static let inwards = WordFilter(inner.union(["key"]))
    static let commands = WordFilter(
        Set(Commands.options.keys).union(["|", "||", "&&", ";"]), mayBePath: true)

    /// `username admin privilege 15 password 7 …` of network devices, `user a insecure-password x` of HAProxy.
    private func within(
        _ word: Range<Int>, _ value: Range<Int>, isLast: Bool, isShort: Bool, next: Range<Int>?,
        to found: inout [Spot]
    ) {
        guard Directives.inwards.mayHave(word, of: bytes) else { return }
        let text = bytes.word(word)
        guard Directives.inner.contains(text) || text == "key", !kind.isModuleStack,
            !kind.isRegister
        else { return }
        var value = value
        // community public { … of Junos.
        // and community public authorization read-only.
        let isBlock =
            text == "community"
            && next.map { bytes[$0.lowerBound] == 0x7b || bytes.word($0) == "authorization" }
                == true
        // user joe insecure-password x groups admins: this word is nowhere else.
        var isLast = isLast || isBlock || text == "insecure-password"
        // Header Authorization Bearer x.
        if text == "authorization", let next,
            ["bearer", "basic", "token"].contains(bytes.word(value))
        {
            add(unquoted(withoutMark(next)), .secret(.token), "directive", key: text, to: &found)
            return
        }
        if let next, isKindOfCoding(value) {
            value = next
            isLast = true
            // ntp authentication-key 1 md5 …: the algorithm stands between.
            if kind.isDevice, ["md5", "sha", "sha1"].contains(bytes.word(value)) { return }
        } else if text == "key" || text == "md5" {
            return
        }
        guard ![0x3d, 0x3a, 0x7b, 0x28].contains(bytes[value.lowerBound]),
            // The end of a regular expression: passphrase cache\.$
            !bytes[value].ends(with: "\\.$")
        else { return }
        // A plain word is a password on a short line, or on one of a network device.
        // Names such as plain-text-password-value are in no sentence.
        if isLast, bytes[value].allSatisfy({ $0.isLetter || $0 == 0x2d }), !isShort, !isBlock,
            !text.contains("-")
        {
            return
        }
        guard
            isLast || bytes[value.lowerBound].isQuote
                || !bytes[value].allSatisfy({
                    $0.isLetter || $0 >= 0x80 || [0x2c, 0x2e, 0x27, 0x2d].contains($0)
                })
        else { return }
        add(
            unquoted(withoutMark(value)), .secret(text == "community" ? .community : .password),
            "directive", key: text, to: &found)
    }

    /// `7` in `password 7 0822455D0A16`, `ENC` in `set password ENC …`.
    private func isKindOfCoding(_ word: Range<Int>) -> Bool {
        word.count == 1 && bytes[word.lowerBound].isDigit
            || [
                "enc", "encrypted", "hash", "sha512", "plaintext", "cleartext", "cipher", "simple",
                "irreversible-cipher",
            ]
            .contains(bytes.word(word))
    }

    /// What ends a directive: a remark, or the bracket around it.
    private func isRemark(_ word: Range<Int>) -> Bool {
        [0x23, 0x3b, 0x7d].contains(bytes[word.lowerBound]) || bytes.has("//", at: word.lowerBound)
    }

    private func withoutMark(_ range: Range<Int>) -> Range<Int> {
        var end = range.upperBound
        while end > range.lowerBound + 1, bytes[end - 1] == 0x3b || bytes[end - 1] == 0x2c {
            end -= 1
        }
        return range.lowerBound..<end
    }

    func add(
        _ range: Range<Int>, _ sensitivity: Sensitivity, _ detector: String, key: String?,
        to found: inout [Spot]
    ) {
        for (part, secretClass) in Value.secrets(in: range, of: bytes, sensitivity) {
            found.append(Spot(range: part, secretClass: secretClass, detector: detector, key: key))
        }
    }

    func unquoted(_ range: Range<Int>) -> Range<Int> {
        Quoted(at: range.lowerBound, of: bytes, lineEnd: range.upperBound, mayBreak: false)?.inner
            ?? range
    }
}
