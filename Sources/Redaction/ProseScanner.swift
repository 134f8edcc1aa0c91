/// Finds what sentences and tables of people say: `the password of root is hunter2`, `password "hunter2"`, `| root | hunter2 |`
/// below `| user | password |`.
///
/// A word of the language stays: "the password is required" says none. One with digits or marks, or in quotes, is taken.
struct ProseScanner {
    private let bytes: [UInt8]
    private let isProse: Bool
    private(set) var spots: Spots

    init(_ scan: TextScan) {
        bytes = scan.bytes
        isProse =
            scan.kind.isProse || ["txt", "motd", "issue", "notes"].contains(scan.kind.ending)
            || scan.kind.name.hasPrefix("motd.")
        spots = Spots(scan.bytes)
    }

    mutating func run() {
        var position = 0
        var columns: [SecretClass?] = []
        var previous: [Range<Int>] = []
        while position < bytes.count {
            let end = bytes.endOfLine(position)
            let line = bytes.trimmed(position..<end)
            position = end + 1
            guard line.count > 8 else {
                columns = []
                previous = []
                continue
            }
            if bytes[line.lowerBound] == 0x7c {
                row(line, &columns, &previous)
                continue
            }
            // Lines between the rows of a drawn table: +-----+-----+.
            if bytes[line.lowerBound] == 0x2b, !previous.isEmpty {
                columns = previous.map(secretClass)
                continue
            }
            columns = []
            previous = []
            if isProse { login(line) }
            if isProse || isRemark(line.lowerBound) { sentence(line) }
        }
    }

    private func isRemark(_ start: Int) -> Bool {
        [0x23, 0x3b].contains(bytes[start]) || bytes.has("//", at: start)
            || bytes.has("<!--", at: start)
    }

    // MARK: tables

    private mutating func row(
        _ line: Range<Int>, _ columns: inout [SecretClass?], _ previous: inout [Range<Int>]
    ) {
        let cells = cells(line)
        if cells.allSatisfy({ bytes[$0].allSatisfy { $0 == 0x2d || $0 == 0x3a || $0 == 0x3d } }) {
            columns = previous.map(secretClass)
            return
        }
        if columns.contains(where: { $0 != nil }) {
            for (cell, secretClass) in zip(cells, columns) {
                if let secretClass { add(cell, secretClass) }
            }
        } else if cells.count >= 2, !isHead(line), let secretClass = secretClass(cells[0]) {
            // Name and value beside each other.
            add(cells[1], secretClass)
        }
        previous = cells
    }

    /// Whether the line below separates a head from rows.
    private func isHead(_ line: Range<Int>) -> Bool {
        let start = bytes.endOfLine(line.upperBound) + 1
        guard start < bytes.count else { return false }
        let next = bytes.trimmed(start..<bytes.endOfLine(start))
        return next.count > 2
            && bytes[next].allSatisfy {
                [0x7c, 0x2d, 0x3a, 0x20, 0x2b, 0x3d].contains($0)
            }
    }

    private func cells(_ line: Range<Int>) -> [Range<Int>] {
        var cells: [Range<Int>] = []
        var start = line.lowerBound + 1
        while start < line.upperBound, cells.count < 64 {
            let end = bytes.position(of: 0x7c, from: start, before: line.upperBound)
            var cell = bytes.trimmed(start..<(end ?? line.upperBound))
            while let first = bytes[cell].first, let last = bytes[cell].last, first == last,
                [0x60, 0x2a, 0x5f].contains(first), cell.count > 2
            { cell = (cell.lowerBound + 1)..<(cell.upperBound - 1) }
            cells.append(cell)
            start = (end ?? line.upperBound) + 1
        }
        return cells
    }

    private func secretClass(_ cell: Range<Int>) -> SecretClass? {
        guard cell.count <= 40, case .secret(let secretClass) = KeyName(bytes[cell]).sensitivity
        else { return nil }
        return secretClass
    }

    private mutating func add(_ range: Range<Int>, _ secretClass: SecretClass) {
        for (part, secretClass) in Value.secrets(in: range, of: bytes, .secret(secretClass)) {
            spots.add(part, secretClass, "table")
        }
    }

    // MARK: sentences

    /// What stands between the word for a secret and its value.
    private static let links: Set<String> = [
        "is", "was", "are", "est", "sont", "ist", "lautet", "es", "=", ":", "->", "=>",
    ]
    private static let names: [String: SecretClass] = [
        "password": .password, "passwords": .password, "passwort": .password,
        "kennwort": .password, "passphrase": .password, "passe": .password, "passwd": .password,
        "pwd": .password, "pw": .password, "mdp": .password, "secret": .secret,
        "token": .token, "contraseña": .password, "wachtwoord": .password,
    ]
    private static let pairs: Set<String> = [
        "credentials", "login", "identifiants", "connexion", "account", "compte", "zugangsdaten",
        "accès", "acces",
    ]
    private static let filter = WordFilter(Set(names.keys).union(pairs), mayBePath: true)

    private mutating func sentence(_ line: Range<Int>) {
        let words = Words.split(line, of: bytes)
        var index = 0
        while index < words.count {
            let bare = bare(words[index])
            guard !bare.isEmpty, ProseScanner.filter.mayHave(bare, of: bytes) else {
                index += 1
                continue
            }
            let text = bytes.word(bare)
            if let secretClass = ProseScanner.names[text], words[index].count < 40 {
                index = value(after: index, words, secretClass)
            } else {
                if ProseScanner.pairs.contains(text) { pair(after: index, words) }
                index += 1
            }
        }
    }

    /// Returns the place of the next word to look at.
    private mutating func value(
        after index: Int, _ words: [Range<Int>], _ secretClass: SecretClass
    ) -> Int {
        var place = index + 1
        // "password", "scram-sha-256": one of a list of words.
        if bytes[words[index]].last == 0x2c { return place }
        if place < words.count, !endsSentence(words[index]), isGenerated(bare(words[place])) {
            for (part, secretClass) in Value.secrets(
                in: bare(words[place]), of: bytes, .secret(secretClass))
            { spots.add(part, secretClass, "sentence") }
            return place
        }
        // `password is x`, and `password of the server db1 is x`.
        if let link = words[place...].prefix(6).firstIndex(where: {
            ProseScanner.links.contains(bytes.word($0))
        }), !words[index..<link].contains(where: endsSentence) {
            place = link + 1
        }
        guard place < words.count, !endsSentence(words[index]) else { return place }
        let bare = bare(words[place])
        guard !bare.isEmpty else { return place }
        let isMarked =
            bare.lowerBound > words[place].lowerBound
            && [0x60, 0x22, 0x27].contains(bytes[bare.lowerBound - 1])
        if isMarked && !bytes[bare].contains(0x20) || isGenerated(bare) {
            for (part, secretClass) in Value.secrets(
                in: bare, of: bytes, .secret(secretClass))
            { spots.add(part, secretClass, "sentence") }
        }
        return place
    }

    /// `admin / hunter2`, `admin/hunter2`, `admin:hunter2`.
    private mutating func pair(after index: Int, _ words: [Range<Int>]) {
        for place in (index + 1)..<min(words.count, index + 8) {
            let word = bare(words[place])
            if bytes.word(words[place]) == "/", place + 1 < words.count {
                let secret = bare(words[place + 1])
                if isGenerated(secret) { add(secret, .password) }
                return
            }
            guard let mark = bytes[word].firstIndex(where: { $0 == 0x2f || $0 == 0x3a }),
                mark > word.lowerBound, mark + 1 < word.upperBound,
                !bytes[(mark + 1)..<word.upperBound].contains(0x2f)
            else { continue }
            if isGenerated((mark + 1)..<word.upperBound) {
                add((mark + 1)..<word.upperBound, .password)
            }
            return
        }
    }

    private static let everybody: Set<String> = [
        "root", "admin", "administrator", "administrateur", "administrador", "sa", "sysadmin",
    ]

    /// `root/calvin77` and `admin / Hiver2026` where nothing but a label stands before.
    private mutating func login(_ line: Range<Int>) {
        guard let slash = bytes[line].firstIndex(of: 0x2f), bytes[line].last != 0x2f else { return }
        let before = bytes.trimmed(line.lowerBound..<slash)
        let user = bare(
            (bytes[before].lastIndex { $0.isSpace || $0 == 0x3a }.map { $0 + 1 }
                ?? before.lowerBound)..<before.upperBound)
        let label = bytes[line.lowerBound..<user.lowerBound]
        // administrator@vsphere.local as well.
        let account = user.lowerBound..<(bytes[user].firstIndex(of: 0x40) ?? user.upperBound)
        guard ProseScanner.everybody.contains(bytes.word(account)),
            // One or two words may say of what.
            label.allSatisfy({ !$0.isAlphanumeric }) || label.contains(0x3a)
                || label.count(where: \.isSpace) <= 2
        else { return }
        let value = bare(bytes.trimmed((slash + 1)..<line.upperBound))
        if !bytes[value].contains(where: { $0.isSpace || $0 == 0x2f }), isGenerated(value) {
            add(value, .password)
        }
    }

    private static let technical: Set<String> = [
        "md5", "sha1", "sha2", "sha256", "sha512", "sha-1", "sha-256", "sha-512", "base64",
        "oauth2", "oauth2.0", "utf8", "utf-8", "argon2", "argon2id", "pbkdf2", "ntlmv2", "x509",
        "pkcs11", "pkcs12", "pkcs#12", "ipv4", "ipv6", "aes256", "aes-256", "v1", "v2", "v3",
        "scram-sha-256", "3des", "db2", "log4j", "saml2", "http2", "rfc2307", "k8s",
    ]

    /// One word that has more than letters, and is none of the trade's.
    private func isGenerated(_ word: Range<Int>) -> Bool {
        guard word.count >= 5, word.count <= 128 else { return false }
        let value = bytes[word]
        guard value.contains(where: \.isLetter), !value.contains(0x28), !value.contains(0x3d),
            !value.contains(0x3c), !value.contains(0x7b),
            value.contains(where: {
                $0.isDigit || [0x21, 0x40, 0x24, 0x25, 0x26, 0x2a].contains($0)
            }
            )
        else { return false }
        let text = bytes.word(word)
        if ProseScanner.technical.contains(text) { return false }
        // 12-characters, 90days: a number and a word.
        let digits = value.prefix(while: \.isDigit).count
        return !(digits > 0 && value.dropFirst(digits).allSatisfy { $0.isLower || $0 == 0x2d })
    }

    private func endsSentence(_ word: Range<Int>) -> Bool {
        guard let last = bytes[word].last else { return false }
        return last == 0x2e || last == 0x3b || last == 0x21 || last == 0x3f
    }

    /// A word without the marks around it.
    private func bare(_ word: Range<Int>) -> Range<Int> {
        var (start, end) = (word.lowerBound, word.upperBound)
        let marks: [UInt8] = [0x2a, 0x5f, 0x60, 0x22, 0x27, 0x28, 0x29, 0x2c, 0x3b, 0x3a, 0x2e]
        while start < end, marks.contains(bytes[start]) { start += 1 }
        while end > start, marks.contains(bytes[end - 1]) { end -= 1 }
        return start..<end
    }
}
