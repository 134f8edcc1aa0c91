/// Reads files whose lines have fields and no names: shadow, htpasswd, .pgpass, chap-secrets and their like.
struct TableScanner {
    let bytes: [UInt8]
    private let kind: FileKind
    private(set) var spots: Spots

    init(_ scan: TextScan) {
        bytes = scan.bytes
        kind = scan.kind
        spots = Spots(scan.bytes)
    }

    /// True where the file is such a table, and has been read whole.
    mutating func run() -> Bool {
        guard let table = kind.table else { return false }
        // svnserve calls a file of sections passwd.
        if table == .accounts, bytes.position(of: Array("[users]".utf8), from: 0) != nil {
            return false
        }
        if table == .netrc {
            netrc()
            return true
        }
        if table == .lines {
            forEachLine { scanner, line in scanner.add(line, .password) }
            return true
        }
        if table == .columns { return columns() }
        if table == .twoLines || table == .alternating { return pairsOfLines(table) }
        if table == .subversion {
            subversion()
            return true
        }
        forEachLine { scanner, line in scanner.row(line, table) }
        return table.isWhole
    }

    mutating func forEachLine(_ body: (inout TableScanner, Range<Int>) -> Void) {
        var position = 0
        while position < bytes.count {
            let end = bytes.endOfLine(position)
            var line = bytes.trimmed(position..<end)
            // A commented-out row is a row.
            while !line.isEmpty, bytes[line.lowerBound] == 0x23 {
                line = bytes.trimmed((line.lowerBound + 1)..<line.upperBound)
            }
            if !line.isEmpty { body(&self, line) }
            position = end + 1
        }
    }

    mutating func add(_ range: Range<Int>, _ secretClass: SecretClass) {
        let range = bytes.trimmed(range)
        guard !Placeholder.isPlaceholder(bytes[range]) else { return }
        spots.add(range, secretClass, "table")
    }

    private mutating func row(_ line: Range<Int>, _ table: FileTable) {
        switch table {
        case .accounts:
            // name:hash:…; x, * and ! stand for no password, and ! before a hash locks it.
            let fields = fields(line, by: 0x3a)
            guard fields.count >= 2 else { return }
            var hash = fields[1]
            while !hash.isEmpty, [0x21, 0x2a].contains(bytes[hash.lowerBound]) {
                hash = (hash.lowerBound + 1)..<hash.upperBound
            }
            if hash.count > 1 { add(hash, .passwordHash) }
        case .oldAccounts:
            // name:uid:count:hash,hash,…
            let fields = fields(line, by: 0x3a)
            if fields.count >= 4 { add(fields[3].lowerBound..<line.upperBound, .passwordHash) }
        case .samba:
            let fields = fields(line, by: 0x3a)
            for field in fields.dropFirst(2).prefix(2)
            where bytes[field].allSatisfy(\.isHex) && field.count == 32 {
                add(field, .passwordHash)
            }
        case .pgpass:
            let fields = fields(line, by: 0x3a)
            if fields.count >= 5 { add(fields[4].lowerBound..<line.upperBound, .password) }
        case .digest:
            let fields = fields(line, by: 0x3a)
            if let last = fields.last, fields.count >= 3 { add(last, .passwordHash) }
        case .ppp:
            // client server secret addresses
            let words = words(line)
            // "user" MSCHAPV2 "secret" [2] of hostapd; a method may have options in the third place.
            if words.count >= 3, bytes[words[2].lowerBound] != 0x5b {
                add(unquoted(words[2]), .password)
            }
        case .ipsec:
            ipsec(line)
        case .sasl:
            let words = words(line)
            guard let second = words.dropFirst().first else { return }
            let rest = second.lowerBound..<line.upperBound
            if let colon = bytes.position(of: 0x3a, from: rest.lowerBound, before: rest.upperBound)
            {
                add((colon + 1)..<rest.upperBound, .password)
            }
        case .realm:
            // name: credential[,role …] of Jetty's login service, with = in Karaf, ActiveMQ and WildFly.
            guard let mark = bytes[line].firstIndex(where: { $0 == 0x3a || $0 == 0x3d }) else {
                return
            }
            let rest = (mark + 1)..<line.upperBound
            add(rest.lowerBound..<(bytes[rest].firstIndex(of: 0x2c) ?? rest.upperBound), .password)
        case .ntp:
            let words = words(line)
            guard words.count >= 2, bytes[words[0]].allSatisfy(\.isDigit) else { return }
            var key = words[words.count >= 3 ? 2 : 1]
            for head in ["HEX:", "ASCII:"] where bytes[key].starts(with: head.utf8) {
                key = (key.lowerBound + head.utf8.count)..<key.upperBound
            }
            add(key, .symmetricKey)
        case .macros:
            // $USER3$=value
            guard bytes[line.lowerBound] == 0x24,
                let equals = bytes.position(
                    of: 0x3d, from: line.lowerBound, before: line.upperBound)
            else { return }
            for (part, secretClass) in Value.secrets(
                in: (equals + 1)..<line.upperBound, of: bytes, .secret(.password))
            { add(part, secretClass) }
        case .oath:
            // HOTP/T30 USER PIN SECRET
            let words = words(line)
            if words.count >= 4 {
                add(words[3], .symmetricKey)
                if words[2].count > 1 { add(words[2], .password) }
            }
        case .identities:
            // identity:key of stunnel and Zabbix, identity and key of racoon; or the key alone.
            guard let mark = bytes[line].firstIndex(where: { $0 == 0x3a || $0.isSpace }) else {
                add(line, .symmetricKey)
                return
            }
            add((mark + 1)..<line.upperBound, .symmetricKey)
        case .userSecond:
            let words = words(line)
            if words.count >= 2 { add(unquoted(words[1]), .password) }
        case .proxies:
            // socks5 HOST PORT USER PASSWORD
            let words = words(line)
            if words.count >= 5, ["http", "socks4", "socks5", "raw"].contains(bytes.word(words[0]))
            {
                add(words[4], .password)
            }
        case .mailboxes:
            // 100 => PIN,name,address
            guard
                let arrow = bytes.position(of: 0x3e, from: line.lowerBound, before: line.upperBound)
            else { return }
            let pin = bytes.trimmed((arrow + 1)..<line.upperBound)
            add(pin.lowerBound..<(bytes[pin].firstIndex(of: 0x2c) ?? pin.upperBound), .password)
        case .netrc, .lines, .subversion, .columns, .twoLines, .alternating: break
        }
    }

    /// `… : PSK "secret"`, also `: RSA key.pem passphrase`, `user : EAP "secret"`.
    private mutating func ipsec(_ line: Range<Int>) {
        let words = words(line)
        // : PIN %smartcard1:45 1234
        if let pin = words.firstIndex(where: { bytes.word($0) == "pin" }), pin + 2 < words.count {
            add(unquoted(words[pin + 2]), .password)
            return
        }
        guard
            let place = words.firstIndex(where: {
                ["psk", "eap", "xauth", "ntlm", "rsa", "ecdsa", "pkcs8", "pkcs12", "p12"]
                    .contains(bytes.word($0))
            }),
            place + 1 < words.count
        else { return }
        let isFile = ["rsa", "ecdsa", "pkcs8", "pkcs12", "p12"].contains(bytes.word(words[place]))
        let secret = words[
            isFile ? min(place + 2, words.count) - (place + 2 < words.count ? 0 : 1) : place + 1]
        if isFile, place + 2 >= words.count { return }
        if bytes[secret] != bytes[words[place]] { add(unquoted(secret), .symmetricKey) }
    }

    /// `machine h login u password p`, over lines or in one.
    private mutating func netrc() {
        var position = 0
        var isNext = false
        var previous = 0..<0
        while position < bytes.count {
            guard !bytes[position].isSpaceOrBreak else {
                position += 1
                continue
            }
            let start = position
            if let quoted = Quoted(
                at: start, of: bytes, lineEnd: bytes.endOfLine(start), mayBreak: false)
            {
                position = quoted.end
            } else {
                while position < bytes.count, !bytes[position].isSpaceOrBreak { position += 1 }
            }
            let word = bytes.word(start..<position)
            if isNext {
                add(unquoted(start..<position), .password)
                isNext = false
            } else {
                isNext =
                    word == "password" || word == "passwd" || word == "account"
                    || word == "pass" && bytes.word(previous) == "quote"
                previous = start..<position
            }
        }
    }

    /// `K 8`, `password`, `V 7`, `hunter2`: each length is followed by a line of it.
    private mutating func subversion() {
        var isPassword = false
        var position = 0
        var previous = 0..<0
        while position < bytes.count {
            let end = bytes.endOfLine(position)
            let line = bytes.trimmed(position..<end)
            let word = bytes.word(line)
            if bytes[previous].starts(with: "V ".utf8), isPassword {
                add(line, .password)
                isPassword = false
            } else if bytes[previous].starts(with: "K ".utf8) {
                isPassword = word == "password" || word == "passphrase"
            }
            previous = line
            position = end + 1
        }
    }

    private func fields(_ line: Range<Int>, by mark: UInt8) -> [Range<Int>] {
        var fields: [Range<Int>] = []
        var start = line.lowerBound
        var position = start
        while position < line.upperBound, fields.count < 16 {
            if bytes[position] == 0x5c {
                position += 2
                continue
            }
            if bytes[position] == mark {
                fields.append(start..<position)
                start = position + 1
            }
            position += 1
        }
        fields.append(min(start, line.upperBound)..<line.upperBound)
        return fields
    }

    private func words(_ line: Range<Int>) -> [Range<Int>] { Words.split(line, of: bytes) }

    private func unquoted(_ range: Range<Int>) -> Range<Int> {
        Quoted(at: range.lowerBound, of: bytes, lineEnd: range.upperBound, mayBreak: false)?.inner
            ?? range
    }
}

/// Files of fields.
enum FileTable: Sendable {
    case accounts, oldAccounts, samba, pgpass, digest, ppp, ipsec, sasl, ntp, macros, netrc,
        userSecond, subversion, proxies, mailboxes, realm, oath, identities
    /// Every line is a secret.
    case lines
    /// A first line of names, with the same marks between them as between the values below.
    case columns
    /// A user's name, and a password below it: the whole file, or again and again.
    case twoLines, alternating

    /// Whether nothing else is to be read in such a file.
    var isWhole: Bool {
        switch self {
        case .accounts, .oldAccounts, .samba, .pgpass, .digest, .ppp, .netrc, .lines, .sasl, .ntp,
            .userSecond, .subversion, .columns, .twoLines, .alternating, .realm, .oath,
            .identities:
            true
        case .ipsec, .macros, .proxies, .mailboxes: false
        }
    }
}
