/// Finds passwords that code and SQL take by their place: `IDENTIFIED BY '…'`, `PASSWORD '…'`, `new PDO(…, …, '…')`.
struct CallScanner {
    private let bytes: [UInt8]

    /// Calls, and which of their arguments is the secret, from 0.
    private static let calls: [String: Int] = [
        "mysqli": 2, "pdo": 2, "mysqli_connect": 2, "mysql_connect": 2, "mysql_pconnect": 2,
        "ldap_bind": 2, "ftp_login": 2, "oci_connect": 1,
        "oci_pconnect": 1, "getconnection": 2, "createdatabaseconnection": 3,
        "drivermanager.getconnection": 2, "httpbasicauth": 1, "ssh2_auth_password": 2,
        "imap_open": 2, "sqlsrv_connect": 9, "usernamepasswordtoken": 1, "networkcredential": 1,
        "usernamepasswordcredentials": 1, "convertto-securestring": 0,
        "username_pw_set": 1, "password_hash": 0, "password_verify": 0, "hash_equals": 0,
        "setauth": 1, "setbasicauth": 1, "basicauth": 1, "authenticate": 1, "login": 1,
        "setpassword": 0, "withpassword": 0, "basic_auth": 1, "simple_bind_s": 1,
        "crypt": 0, "pgp_sym_encrypt": 1, "pgp_sym_decrypt": 1, "aes_encrypt": 1,
        "aes_decrypt": 1, "spip_connect_db": 3, "hash_hmac": 2, "openssl_encrypt": 2,
        "openssl_decrypt": 2,
        "createhmac": 1, "jwt.encode": 1, "jwt.decode": 1, "jwt.sign": 1, "jwt.verify": 1,
        "hmac.new": 0, "create_credential": 2, "set_wallet": 1,
        "bind_s": 1, "odbc_connect": 2,
    ]
    private static let filter = WordFilter(
        Set(calls.keys).union(marks).union(["by", "as", "using"]))
    private static let marks: Set<String> = [
        "password", "passphrase", "convertto-securestring", "secret",
    ]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Called for each word of a text; `end` is behind it.
    func secret(after word: Range<Int>, before limit: Int) -> [Range<Int>] {
        guard word.upperBound < limit, [0x20, 0x28, 0x09].contains(bytes[word.upperBound]) else {
            return []
        }
        if bytes[word.upperBound] == 0x20, let value = procedure(word, before: limit) {
            return [value]
        }
        if let literal = fallback(word, before: limit) { return [literal] }
        var word = word
        // auth=HTTPBasicAuth(…) is one word.
        if let equals = bytes[word].lastIndex(of: 0x3d), equals + 1 < word.upperBound {
            word = (equals + 1)..<word.upperBound
        }
        // Factory.createConnection(…): what it is called by its last name.
        if word.count > 32, let dot = bytes[word].lastIndex(of: 0x2e) {
            word = (dot + 1)..<word.upperBound
        }
        guard word.count <= 32 else { return [] }
        guard CallScanner.filter.mayHave(word, of: bytes) || bytes[word.upperBound] == 0x28 else {
            return []
        }
        let text = bytes.word(word)
        let place =
            CallScanner.calls[text]
            ?? CallScanner.calls[text.split(separator: ".").last.map(String.init) ?? ""]
        if let place, !isFilter(word),
            let argument = argument(place, from: word.upperBound, before: limit)
        {
            return [argument]
        }
        if let value = login(text, word, before: limit) { return [value] }
        if let value = setting(text, word, before: limit) { return [value] }
        if let third = connection(text, word, before: limit) { return [third] }
        // IDENTIFIED BY '…', IDENTIFIED WITH a AS '…', IDENTIFIED VIA a USING '…'.
        if CallScanner.marks.contains(text)
            || text == "by" && isIdentified(word)
            || (text == "as" || text == "using") && isIdentifiedByPlugin(word)
        {
            if let quoted = quoted(word.upperBound, before: limit) { return [quoted] }
            // Oracle takes a bare word: IDENTIFIED BY tiger.
            guard text == "by", isOfAccount(word) else { return [] }
            return bare(word.upperBound, before: limit).map { [$0] } ?? []
        }
        return []
    }

    /// `{{ x | password_hash('sha512') }}`: the argument is an algorithm.
    private func isFilter(_ word: Range<Int>) -> Bool {
        bytes.has("| ", at: word.lowerBound - 2) || bytes.has("|", at: word.lowerBound - 1)
    }

    /// `process.env.TOKEN || "…"`, `os.environ["X"] or '…'`: what counts where nothing is set.
    private func fallback(_ word: Range<Int>, before limit: Int) -> Range<Int>? {
        guard bytes[word.upperBound] == 0x20, word.upperBound + 4 < limit,
            bytes.has("|| ", at: word.upperBound + 1) || bytes.has("?? ", at: word.upperBound + 1)
        else { return nil }
        let name = bytes[word].split(separator: 0x2e).last ?? []
        guard bytes[word].contains(0x2e), case .secret = KeyName(name).sensitivity else {
            return nil
        }
        return Quoted(
            at: word.upperBound + 4, of: bytes,
            lineEnd: min(limit, bytes.endOfLine(word.upperBound)),
            mayBreak: false)?.inner
    }

    /// A server, a user and a password as texts one behind the other, in what connects to a database; `$redis->auth('…')`.
    private func connection(_ text: String, _ word: Range<Int>, before limit: Int) -> Range<Int>? {
        guard bytes[word.upperBound] == 0x28 else { return nil }
        let name = text.split(separator: ".").last ?? ""
        let isMethod =
            text.contains(".")
            || word.lowerBound > 0 && [0x3e, 0x3a].contains(bytes[word.lowerBound - 1])
        if name == "auth", isMethod {
            return argument(1, from: word.upperBound, before: limit)
                ?? argument(0, from: word.upperBound, before: limit)
        }
        // cx_Oracle.connect("user", "password", "service").
        if name == "connect", text.contains("oracle") {
            return argument(1, from: word.upperBound, before: limit)
        }
        guard CallScanner.connections.contains(where: { name.hasSuffix($0) }),
            argument(0, from: word.upperBound, before: limit) != nil,
            argument(1, from: word.upperBound, before: limit) != nil
        else { return nil }
        return argument(2, from: word.upperBound, before: limit)
    }

    /// `$ldap->bind('cn=reader,dc=x', '…')`, `Connection(server, 'cn=reader', '…')`: the password follows the name of an entry.
    private func login(_ text: String, _ word: Range<Int>, before limit: Int) -> Range<Int>? {
        guard bytes[word.upperBound] == 0x28 else { return nil }
        let name = text.split(separator: ".").last ?? ""
        if name == "connection",
            let entry = argument(1, from: word.upperBound, before: limit),
            bytes[entry].contains(0x3d)
        {
            return argument(2, from: word.upperBound, before: limit)
        }
        guard name == "bind", let value = argument(1, from: word.upperBound, before: limit) else {
            return nil
        }
        let before = bytes.word(max(0, word.lowerBound - 24)..<word.upperBound)
        let first = bytes.word(word.upperBound..<value.lowerBound)
        return before.contains("ldap") || first.contains("=") || first.contains("dn") ? value : nil
    }

    /// `$servers->setValue('login', 'bind_pass', '…')`: the name is an argument.
    private func setting(_ text: String, _ word: Range<Int>, before limit: Int) -> Range<Int>? {
        guard bytes[word.upperBound] == 0x28 else { return nil }
        let name = text.split(separator: ".").last ?? ""
        guard ["set", "put", "add", "option", "modparam"].contains(where: name.hasPrefix),
            let key = argument(1, from: word.upperBound, before: limit), key.count <= 64,
            case .secret = KeyName(bytes[key]).sensitivity,
            !bytes[word.upperBound..<key.lowerBound].contains(0x5b),
            let value = argument(2, from: word.upperBound, before: limit),
            // No name of its own: default="…", help="…".
            bytes[(key.upperBound + 1)..<(value.lowerBound - 1)].allSatisfy({
                $0.isSpaceOrBreak || $0 == 0x2c
            })
        else { return nil }
        return value
    }

    private static let connections = [
        "connect", "database", "connection", "mysql", "dbconnect", "sftp", "ftp", "imap", "smtp",
        "client", "db",
    ]

    /// IDENTIFIED BY, IDENTIFIED WITH plugin BY.
    private func isIdentified(_ word: Range<Int>) -> Bool {
        bytes.word(max(0, word.lowerBound - 60)..<word.lowerBound).contains("identified")
    }

    /// IDENTIFIED WITH plugin AS, IDENTIFIED VIA plugin USING; an alias stands behind other words.
    private func isIdentifiedByPlugin(_ word: Range<Int>) -> Bool {
        guard quoted(word.upperBound, before: bytes.count) != nil else { return false }
        let before = bytes.word(max(0, word.lowerBound - 60)..<word.lowerBound)
        return before.contains("identified with ") || before.contains("identified via ")
    }

    /// `EXEC sp_addlogin 'name', 'password'` of SQL Server, `MapNetworkDrive "Z:", "…", False, "user", "password"` of VBScript.
    private func procedure(_ word: Range<Int>, before limit: Int) -> Range<Int>? {
        let start = bytes[word].lastIndex(of: 0x2e).map { $0 + 1 } ?? word.lowerBound
        guard bytes.has("sp_", at: start) || bytes.has("Map", at: start),
            let place = [
                "sp_addlogin": 1, "sp_addlinkedsrvlogin": 3, "sp_password": 1, "mapnetworkdrive": 3,
            ][bytes.word(start..<word.upperBound)]
        else { return nil }
        var texts: [Range<Int>] = []
        var position = word.upperBound
        let end = min(limit, bytes.endOfLine(position), position + 1024)
        while position < end {
            if let text = Quoted(at: position, of: bytes, lineEnd: end, mayBreak: false) {
                texts.append(text.inner)
                position = text.end
            } else {
                position += 1
            }
        }
        return place < texts.count ? texts[place] : nil
    }

    /// CREATE USER, ALTER USER and GRANT stand before; `problems identified by …` is a sentence.
    private func isOfAccount(_ word: Range<Int>) -> Bool {
        let before = bytes.word(max(0, word.lowerBound - 120)..<word.lowerBound)
        return ["create user ", "alter user ", "grant ", "create role ", "database link "].contains(
            where: before.contains)
    }

    /// A text in quotes that follows, possibly in a bracket.
    private func quoted(_ start: Int, before limit: Int) -> Range<Int>? {
        var position = start
        while position < limit, position - start < 12,
            bytes[position].isSpace || bytes[position] == 0x28
        { position += 1 }
        // ConvertTo-SecureString -String '…'.
        if bytes.has("-String ", at: position) { position += 8 }
        guard position < limit,
            bytes[position].isQuote || bytes[position] == 0x5c || bytes[position] == 0x60
        else { return nil }
        return Quoted(
            at: position, of: bytes, lineEnd: min(limit, position + 1024), mayBreak: false)?.inner
    }

    private func bare(_ start: Int, before limit: Int) -> Range<Int>? {
        var begin = start
        while begin < limit, bytes[begin].isSpace { begin += 1 }
        var end = begin
        while end < limit, end - begin < 128,
            bytes[end].isWordOrDash || [0x23, 0x24].contains(bytes[end])
        {
            end += 1
        }
        return end > begin && bytes.word(begin..<end) != "values" ? begin..<end : nil
    }

    /// The argument of a call, where it is a text in quotes.
    private func argument(_ place: Int, from start: Int, before limit: Int) -> Range<Int>? {
        guard bytes[start] == 0x28 else { return nil }
        var position = start + 1
        var index = 0
        let limit = min(limit, start + 1024)
        while position < limit {
            let byte = bytes[position]
            if byte.isQuote || byte == 0x5c {
                guard let text = Quoted(at: position, of: bytes, lineEnd: limit, mayBreak: false)
                else { return nil }
                if index == place { return text.inner }
                position = text.end
            } else if byte == 0x2c {
                index += 1
                position += 1
            } else if byte == 0x29 || byte == 0x3b {
                return nil
            } else {
                position += 1
            }
        }
        return nil
    }
}
