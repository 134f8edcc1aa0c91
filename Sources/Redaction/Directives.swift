/// Lines whose words stand beside each other without a mark: `requirepass x`, `bindpw x`, `machine h password x`,
/// and the options of commands.
struct Directives {
    let bytes: [UInt8]
    let kind: FileKind

    func spots(of line: Line) -> [Spot] {
        let words = Words.split(line.range, of: bytes)
        guard words.count > 1 else { return [] }
        var found: [Spot] = []
        var current = ""
        for index in words.indices {
            let word = words[index]
            if let command = command(word) { current = command }
            guard index + 1 < words.count else {
                if bytes[word.lowerBound] == 0x2d { option(word, nil, of: current, to: &found) }
                break
            }
            let text = bytes.word(word)
            let value = words[index + 1]
            if let rule = Directives.table[text], rule.applies(at: index, in: line, kind) {
                var place = index + 1 + rule.skip
                // Cisco's and others' kinds of coding: `password 7 0822455D0A16`.
                if rule.mayHaveKind, place + 1 < words.count, words[place].count == 1, bytes[words[place].lowerBound].isDigit {
                    place += 1
                }
                guard place < words.count else { continue }
                let whole = rule.takesRest ? words[place].lowerBound..<line.range.upperBound : words[place]
                add(unquoted(whole), .secret(rule.secretClass), "directive", key: text, to: &found)
            } else if bytes[word.lowerBound] == 0x2d {
                option(word, value, of: current, to: &found)
            } else if index == 0, !line.isComment || words.count == 2 {
                named(word, words, line, to: &found)
            }
        }
        return found
    }

    /// A line that begins with the name of a secret and has one value.
    private func named(_ word: Range<Int>, _ words: [Range<Int>], _ line: Line, to found: inout [Spot]) {
        guard !kind.isProse, !kind.isModuleStack, bytes[word].allSatisfy({ $0.isWordOrDash || $0 == 0x2e })
        else { return }
        let sensitivity = kind.sensitivity(of: KeyName(bytes[word]))
        guard case .secret = sensitivity else { return }
        let value = words[1]
        guard ![0x3d, 0x3a, 0x7b, 0x28, 0x5b].contains(bytes[value.lowerBound]) else { return }
        // Two words are a name and its value; more are a sentence, unless the value is in quotes.
        guard words.count == 2 || bytes[value.lowerBound].isQuote || !line.isComment && Randomness.isOdd(bytes[value])
        else { return }
        var end = value
        while end.upperBound > end.lowerBound + 1, bytes[end.upperBound - 1] == 0x3b {
            end = end.lowerBound..<(end.upperBound - 1)
        }
        add(unquoted(end), sensitivity, "key-name", key: bytes.word(word), to: &found)
    }

    /// `--password x`, `-p x` and `-px` of the commands that mean a password by it, `-u user:password`.
    private func option(_ word: Range<Int>, _ value: Range<Int>?, of command: String, to found: inout [Spot]) {
        let isLong = bytes.has("--", at: word.lowerBound)
        let name = (word.lowerBound + (isLong ? 2 : 1))..<word.upperBound
        if isLong || name.count > 2, !bytes[name].contains(0x3d) {
            let sensitivity = KeyName(bytes[name]).sensitivity
            if case .secret = sensitivity, let value, bytes[value.lowerBound] != 0x2d {
                add(unquoted(value), sensitivity, "command-line", key: bytes.word(name), to: &found)
                return
            }
        }
        guard let letters = CommandOptions.secretOptions[command] else {
            return
        }
        if isLong, let value, bytes.word(name) == "user" || bytes.word(name) == "proxy-user" { pair(value, to: &found) }
        for (letter, isPair) in letters {
            if bytes[word].elementsEqual([0x2d, letter]) {
                guard let value else { continue }
                if isPair { pair(value, to: &found) } else if CommandOptions.takesNext(command, letter) {
                    add(unquoted(value), .secret(.password), "command-line", key: "-" + String(UnicodeScalar(letter)), to: &found)
                }
            } else if !isLong, name.count > 1, bytes[name.lowerBound] == letter {
                let attached = (name.lowerBound + 1)..<word.upperBound
                if isPair { pair(attached, to: &found) } else {
                    add(unquoted(attached), .secret(.password), "command-line", key: "-" + String(UnicodeScalar(letter)), to: &found)
                }
            }
        }
    }

    /// The password in `user:password` or `user%password`.
    private func pair(_ value: Range<Int>, to found: inout [Spot]) {
        let inner = unquoted(value)
        guard let mark = bytes[inner].firstIndex(where: { $0 == 0x3a || $0 == 0x25 }), mark + 1 < inner.upperBound
        else { return }
        add((mark + 1)..<inner.upperBound, .secret(.password), "command-line", key: nil, to: &found)
    }

    /// The command a word is, without its directories and what opens it.
    private func command(_ word: Range<Int>) -> String? {
        var word = word
        if let slash = bytes[word].lastIndex(of: 0x2f) { word = (slash + 1)..<word.upperBound }
        while let first = bytes[word].first, [0x28, 0x60, 0x22, 0x27, 0x24].contains(first) { word = (word.lowerBound + 1)..<word.upperBound }
        let text = bytes.word(word)
        if ["|", "&&", "||", ";"].contains(text) { return "" }
        return CommandOptions.secretOptions[text] == nil ? nil : text
    }

    private func add(_ range: Range<Int>, _ sensitivity: Sensitivity, _ detector: String, key: String?, to found: inout [Spot]) {
        for (part, secretClass) in Value.secrets(in: range, of: bytes, sensitivity) {
            found.append(Spot(range: part, secretClass: secretClass, detector: detector, key: key))
        }
    }

    private func unquoted(_ range: Range<Int>) -> Range<Int> {
        guard let quoted = Quoted(at: range.lowerBound, of: bytes, lineEnd: range.upperBound, mayBreak: false)
        else { return range }
        return quoted.inner
    }
}

/// A word after which a secret follows.
struct DirectiveRule {
    let secretClass: SecretClass
    /// How many words lie between.
    var skip = 0
    /// Only where it is the first word of a line.
    var isFirst = true
    var mayHaveKind = false
    var takesRest = false

    func applies(at index: Int, in line: Line, _ kind: FileKind) -> Bool {
        (!isFirst || index == 0) && !(kind.isModuleStack || kind.isProse)
    }
}

extension Directives {
    static let table: [String: DirectiveRule] = [
        "requirepass": .init(secretClass: .password), "masterauth": .init(secretClass: .password),
        "bindpw": .init(secretClass: .password, takesRest: true),
        "rootbindpw": .init(secretClass: .password, takesRest: true),
        "rootpw": .init(secretClass: .passwordHash, takesRest: true),
        "olcrootpw": .init(secretClass: .passwordHash, takesRest: true),
        "rocommunity": .init(secretClass: .community), "rwcommunity": .init(secretClass: .community),
        "rocommunity6": .init(secretClass: .community), "rwcommunity6": .init(secretClass: .community),
        "trapcommunity": .init(secretClass: .community), "authcommunity": .init(secretClass: .community, skip: 1),
        "com2sec": .init(secretClass: .community, skip: 2), "com2sec6": .init(secretClass: .community, skip: 2),
        "trapsink": .init(secretClass: .community, skip: 1), "trap2sink": .init(secretClass: .community, skip: 1),
        "informsink": .init(secretClass: .community, skip: 1),
        "identified": .init(secretClass: .password, skip: 1, isFirst: false),
        "masterpassword": .init(secretClass: .password), "password_pbkdf2": .init(secretClass: .passwordHash, skip: 1),
        "snmp-server": .init(secretClass: .community, skip: 1),
    ]
}

/// Commands whose short options take a password.
enum CommandOptions {
    /// For each command: the letter, and whether its argument is `user:password`.
    static let secretOptions: [String: [(UInt8, Bool)]] = {
        var table: [String: [(UInt8, Bool)]] = [:]
        let p = UInt8(ascii: "p"), u = UInt8(ascii: "u"), w = UInt8(ascii: "w"), a = UInt8(ascii: "a")
        for name in ["mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "mariadb-admin", "mysqlcheck", "mysqlimport", "mysqlshow", "mysqlbinlog", "mydumper", "mongo", "mongosh", "mongodump", "mongorestore", "sshpass", "docker", "podman", "plink", "rabbitmqadmin", "7z", "7za", "lftp", "oc", "az", "helm", "influx"] {
            table[name] = [(p, false)]
        }
        for name in ["curl", "wget2", "http", "https", "lftp"] { table[name] = [(u, true), (UInt8(ascii: "U"), true)] }
        for name in ["ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldappasswd", "ldapwhoami"] { table[name] = [(w, false)] }
        table["redis-cli"] = [(a, false)]
        table["unzip"] = [(UInt8(ascii: "P"), false)]
        table["zip"] = [(UInt8(ascii: "P"), false)]
        table["sqlcmd"] = [(UInt8(ascii: "P"), false)]
        table["bcp"] = [(UInt8(ascii: "P"), false)]
        table["isql"] = [(UInt8(ascii: "P"), false)]
        table["ipmitool"] = [(UInt8(ascii: "P"), false)]
        table["smbclient"] = [(UInt8(ascii: "U"), true)]
        table["rpcclient"] = [(UInt8(ascii: "U"), true)]
        table["net"] = [(UInt8(ascii: "U"), true)]
        table["snmpget"] = [(UInt8(ascii: "c"), false), (UInt8(ascii: "A"), false), (UInt8(ascii: "X"), false)]
        table["snmpwalk"] = table["snmpget"]
        table["snmpbulkwalk"] = table["snmpget"]
        table["snmpset"] = table["snmpget"]
        table["check_snmp"] = [(UInt8(ascii: "C"), false)]
        table["check_mysql"] = [(p, false)]
        table["htpasswd"] = []
        return table
    }()

    /// `mysql -p x` asks for the password and connects to a database x; the others take the next word.
    static func takesNext(_ command: String, _ letter: UInt8) -> Bool {
        !(command.hasPrefix("mysql") || command.hasPrefix("mariadb")) || letter != UInt8(ascii: "p")
    }
}
