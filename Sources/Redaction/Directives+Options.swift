/// Options of commands that take passwords.
extension Directives {
    /// The option in `Exec=--password x` of a unit.
    func assigned(_ word: Range<Int>) -> Range<Int>? {
        guard let equals = bytes[word].firstIndex(of: 0x3d), equals > word.lowerBound,
            bytes.has("--", at: equals + 1), equals + 3 < word.upperBound
        else { return nil }
        return (equals + 1)..<word.upperBound
    }

    /// `--password x`, `-p x` and `-px` of the commands that mean a password by it, `-u user:password`.
    func option(
        _ word: Range<Int>, _ value: Range<Int>?, of command: String, to found: inout [Spot]
    ) {
        guard !word.isEmpty, word.count < 4096, bytes[word.upperBound - 1] != 0x29,
            !Placeholder.isContained(in: Array(bytes[word]))
        else { return }
        let isLong = word.count >= 2 && bytes.has("--", at: word.lowerBound)
        if isLong, bytes.has("--from-literal", at: word.lowerBound) {
            literal(word, value, to: &found)
            return
        }
        let name = (word.lowerBound + (isLong ? 2 : 1))..<word.upperBound
        let letters = Commands.options[command]
        // -pMyPwd of mysql is the letter and a password, -pw of plink is a name.
        let isAttached =
            !isLong && name.count > 1 && !Directives.spelled.contains(bytes.word(name))
            && letters?.contains { $0.letter == bytes[name.lowerBound] } == true
        if name.count >= 2, !isAttached, !bytes[name].contains(0x3d), let value,
            bytes[value.lowerBound] != 0x2d
        {
            let sensitivity = KeyName(bytes[name]).sensitivity
            if case .secret = sensitivity {
                add(unquoted(value), sensitivity, "command-line", key: bytes.word(name), to: &found)
                return
            }
        }
        // --pin 482193.
        if case .code = KeyName(bytes[name]).sensitivity, let value {
            add(unquoted(value), .code, "command-line", key: bytes.word(name), to: &found)
        }
        guard let letters else { return }
        // -hpPASSWORD of rar hides names as well.
        if bytes.has("-hp", at: word.lowerBound), command.hasSuffix("rar"), word.count > 3 {
            add(
                unquoted((word.lowerBound + 3)..<word.upperBound), .secret(.password),
                "command-line", key: "-hp", to: &found)
        }
        if isLong {
            if let value, ["user", "proxy-user"].contains(bytes.word(name)) {
                pair(value, to: &found)
            }
            if let equals = bytes[name].firstIndex(of: 0x3d),
                ["user", "proxy-user"].contains(bytes.word(name.lowerBound..<equals))
            {
                pair((equals + 1)..<name.upperBound, to: &found)
            }
            return
        }
        for (letter, isPair) in letters {
            let key = "-" + String(UnicodeScalar(letter))
            if bytes[word].elementsEqual([0x2d, letter]) {
                guard let value else { continue }
                if isPair {
                    pair(value, to: &found)
                } else if Commands.takesNext(command, letter), bytes[value.lowerBound] != 0x2d,
                    !isPortMapping(value)
                {
                    add(unquoted(value), .secret(.password), "command-line", key: key, to: &found)
                }
            } else if isAttached, bytes[name.lowerBound] == letter {
                let attached = (name.lowerBound + 1)..<word.upperBound
                if isPair {
                    pair(attached, to: &found)
                } else {
                    add(
                        unquoted(attached), .secret(.password), "command-line", key: key, to: &found
                    )
                }
            }
        }
    }

    /// `127.0.0.1:8080:80/tcp` of container engines.
    private func isPortMapping(_ value: Range<Int>) -> Bool {
        let inner = bytes[unquoted(value)]
        let ports = inner.ends(with: "/tcp") || inner.ends(with: "/udp") ? inner.dropLast(4) : inner
        return ports.contains(0x3a)
            && ports.allSatisfy { $0.isDigit || [0x3a, 0x2e, 0x2d].contains($0) }
    }

    /// `--from-literal=name=x` and `--from-literal name=x` of kubectl, which makes a Secret of it.
    private func literal(_ word: Range<Int>, _ value: Range<Int>?, to found: inout [Spot]) {
        let end = word.lowerBound + 14
        let isAttached = end < word.upperBound && bytes[end] == 0x3d
        guard let pair = isAttached ? (end + 1)..<word.upperBound : value else { return }
        let inner = unquoted(pair)
        guard let equals = bytes[inner].firstIndex(of: 0x3d),
            !KeyWords.ordinary.contains(bytes.word(inner.lowerBound..<equals))
        else { return }
        add(
            unquoted((equals + 1)..<inner.upperBound), .secret(.secret), "command-line",
            key: bytes.text(inner.lowerBound..<equals), to: &found)
    }

    /// Names of options that are written out behind one dash.
    private static let spelled: Set<String> = [
        "pw", "pwd", "pass", "passwd", "password", "passphrase", "secret", "token", "passin",
        "passout", "user", "username",
    ]

    /// The password in `user:password`, `user%password`, or `user,password` of lftp.
    func pair(_ value: Range<Int>, to found: inout [Spot]) {
        let inner = unquoted(value)
        guard
            let mark = bytes[inner].firstIndex(where: { $0 == 0x3a || $0 == 0x25 })
                ?? bytes[inner].firstIndex(of: 0x2c),
            mark + 1 < inner.upperBound
        else { return }
        // user:"password" in a shell.
        add(
            unquoted((mark + 1)..<inner.upperBound), .secret(.password), "command-line", key: nil,
            to: &found)
    }

    /// The command a word is, without its directories and what opens it.
    func command(_ word: Range<Int>) -> String? {
        var word = word
        if let slash = bytes[word].lastIndex(of: 0x2f) { word = (slash + 1)..<word.upperBound }
        // : 1700000000:0;mysql … in the history of zsh.
        if let mark = bytes[word].lastIndex(of: 0x3b), mark + 1 < word.upperBound {
            word = (mark + 1)..<word.upperBound
        }
        while let first = bytes[word].first, [0x28, 0x60, 0x22, 0x27, 0x24].contains(first) {
            word = (word.lowerBound + 1)..<word.upperBound
        }
        let text = bytes.word(word)
        if ["|", "&&", "||", ";"].contains(text) { return "" }
        return Commands.options[text] == nil ? nil : text
    }
}
