/// Directives of services that put secrets in places of their own.
enum ServiceDirectives {
    static func secrets(
        _ words: [Range<Int>], _ first: String, _ line: Line, in directives: Directives,
        to found: inout [Spot]
    ) {
        let bytes = directives.bytes
        func put(_ range: Range<Int>, _ secretClass: SecretClass = .password) {
            directives.add(
                directives.unquoted(range), .secret(secretClass), "directive", key: first,
                to: &found)
        }
        if directives.kind.name.hasPrefix("tac_plus") {
            // login = cleartext x, enable = des x
            for (index, word) in words.enumerated().dropLast()
            where ["cleartext", "des"].contains(bytes.word(word)) { put(words[index + 1]) }
        }
        switch first {
        case "sentinel" where words.count > 2:
            // sentinel auth-pass MASTER PASSWORD, sentinel sentinel-pass PASSWORD.
            let name = bytes.word(words[1])
            if name == "auth-pass", words.count > 3 { put(words[3]) }
            if name == "sentinel-pass" { put(words[2]) }
        case "password" where words.count > 2 && directives.kind.form == .lines:
            // password manager plaintext x, password operator user-name "a" sha1 x of switches.
            if ["manager", "operator", "port-access"].contains(bytes.word(words[1])),
                let last = words.last
            {
                put(last)
            }
        case "user" where words.count == 3 && directives.kind.name.contains("lftp"):
            put(words[2])
        case "config.omniauth", "provider":
            // provider :github, 'ID', 'SECRET' of OmniAuth.
            if words.count > 3, bytes[words[1].lowerBound] == 0x3a,
                bytes[words[2].lowerBound].isQuote, bytes[words[3].lowerBound].isQuote
            {
                put(words[3], .secret)
            }
        case "proxy" where directives.kind.path.contains("snmp"):
            // proxy -v 2c -c COMMUNITY HOST OID
            if let option = words.dropLast().firstIndex(where: { bytes.word($0) == "-c" }) {
                put(words[option + 1], .community)
            }
        case "client_send" where directives.kind.path.contains("exim"):
            // client_send = ^user^password, or : user : password
            guard let last = words.last else { return }
            let mark = bytes[last].lastIndex(of: 0x5e)
            put((mark.map { $0 + 1 } ?? last.lowerBound)..<last.upperBound)
        case _ where first.hasPrefix("authinfo:"):
            // AuthInfo:host "U:user" "P:password" of sendmail; P= has base64.
            for word in words.dropFirst()
            where word.count > 4
                && (bytes.has("\"P:", at: word.lowerBound)
                    || bytes.has("\"P=", at: word.lowerBound))
            {
                put((word.lowerBound + 3)..<(word.upperBound - 1))
            }
        case "server_condition", "server_secret":
            // ${if eq{$auth2}{password}{yes}{no}}
            for name in [Array("$auth2}{".utf8), Array("$auth3}{".utf8)] {
                if let hit = bytes.position(
                    of: name, from: line.range.lowerBound, before: line.range.upperBound),
                    let end = bytes.position(
                        of: 0x7d, from: hit + name.count, before: line.range.upperBound)
                {
                    put((hit + name.count)..<end)
                }
            }
        case "hide" where words.count > 2:
            // hide mysql_servers = HOST/DATABASE/USER/PASSWORD
            guard bytes.word(words[1]).hasSuffix("_servers") else { return }
            for word in words.dropFirst(2) where bytes[word].count(where: { $0 == 0x2f }) >= 3 {
                if let slash = bytes[word].lastIndex(of: 0x2f) {
                    put((slash + 1)..<word.upperBound)
                }
            }
        case "map" where words.count > 3 && bytes.has("{", at: words[3].lowerBound):
            keys(of: words[1], from: words[3].lowerBound + 1, in: directives, to: &found)
        case "acl" where words.count > 3:
            conditions(words, in: directives, to: &found)
        case _
        where (first.hasPrefix("ft_r0kh=") || first.hasPrefix("ft_r1kh=")) && words.count > 2:
            // ft_r0kh=MAC ID KEY of hostapd.
            put(words[2], .symmetricKey)
        default: break
        }
    }

    /// `set password-user@host=x` of mailx.
    static func mail(_ words: [Range<Int>], in directives: Directives, to found: inout [Spot]) {
        let bytes = directives.bytes
        for word in words
        where bytes[word.lowerBound] == 0x70 && bytes.has("password-", at: word.lowerBound) {
            let name = directives.kind.name
            guard ["mailrc", "mail.rc", "nail.rc"].contains(where: name.hasSuffix),
                let equals = bytes[word].firstIndex(of: 0x3d)
            else { continue }
            directives.add(
                directives.unquoted((equals + 1)..<word.upperBound), .secret(.password),
                "directive", key: "password", to: &found)
        }
    }

    /// `acl ok hdr(X-Token) -m str x` of HAProxy, `acl a snmp_community x` of Squid: what a secret of the request is held against.
    private static func conditions(
        _ words: [Range<Int>], in directives: Directives, to found: inout [Spot]
    ) {
        let bytes = directives.bytes
        let what = words[2]
        let name = bytes.word(what)
        guard name == "snmp_community" || name.contains("hdr(") || name.contains("url_param("),
            case .secret(let secretClass) = KeyName(bytes[what]).sensitivity
        else { return }
        var place = 3
        while place < words.count, bytes[words[place].lowerBound] == 0x2d {
            // -m names how it is held against.
            place += bytes.word(words[place]) == "-m" ? 2 : 1
        }
        for value in words[min(place, words.count)...] {
            if bytes[value.lowerBound] == 0x23 { return }
            directives.add(
                directives.unquoted(value), .secret(secretClass), "directive", key: name,
                to: &found)
        }
    }

    /// `map $http_x_api_key $ok { "x" 1; }` of nginx: what the variable is held against.
    private static func keys(
        of variable: Range<Int>, from open: Int, in directives: Directives, to found: inout [Spot]
    ) {
        let bytes = directives.bytes
        guard
            bytes.has("$http_", at: variable.lowerBound)
                || bytes.has("$arg_", at: variable.lowerBound)
        else { return }
        let sensitivity = KeyName(bytes[variable]).sensitivity
        switch sensitivity {
        case .secret, .suspicious: break
        default: return
        }
        var position = open
        let limit = min(bytes.count, position + 65536)
        while position < limit {
            // Several rows may stand in one line.
            let line = position..<bytes.endOfLine(position)
            var end = line.lowerBound
            while end < line.upperBound, bytes[end] != 0x3b {
                end =
                    Quoted(at: end, of: bytes, lineEnd: line.upperBound, mayBreak: false)?.end
                    ?? end + 1
            }
            let row = Words.split(bytes.trimmed(position..<end), of: bytes)
            position = end + 1
            guard let first = row.first, bytes[first.lowerBound] != 0x23 else { continue }
            if bytes[first.lowerBound] == 0x7d { return }
            guard row.count > 1,
                !["default", "include", "hostnames", "volatile"].contains(bytes.word(first))
            else {
                continue
            }
            var value = directives.unquoted(first)
            let head = bytes[value].drop { [0x7e, 0x2a, 0x5e].contains($0) }
            value = head.startIndex..<value.upperBound
            directives.add(
                value, .secret(.token), "directive", key: bytes.word(variable), to: &found)
        }
    }
}
