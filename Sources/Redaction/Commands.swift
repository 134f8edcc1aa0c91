/// Commands that take passwords where no name tells it.
enum Commands {
    /// For each command: the letters of its options that take a password, and whether the argument is `user:password`.
    static let options: [String: [(letter: UInt8, isPair: Bool)]] = {
        var table: [String: [(letter: UInt8, isPair: Bool)]] = [:]
        func put(_ names: [String], _ letters: String, isPair: Bool = false) {
            for name in names { table[name, default: []] += letters.utf8.map { ($0, isPair) } }
        }
        put(
            [
                "mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "mariadb-admin",
                "mariadb-check", "mysqlcheck", "mysqlimport",
            ], "p")
        put(
            [
                "mysqlshow", "mysqlbinlog", "mydumper", "myloader", "xtrabackup", "mariabackup",
                "innobackupex", "mongo", "mongosh",
            ], "p")
        put(
            [
                "mongodump", "mongorestore", "sshpass", "docker", "podman", "skopeo", "plink",
                "pscp", "psexec", "rabbitmqadmin", "7z", "7za", "7zr",
            ], "p")
        put(
            [
                "oc", "az", "helm", "influx", "check_mysql", "check_pgsql", "check_mysql_query",
                "vncviewer",
                "isql", "rdesktop", "rar", "unrar", "ncftp", "ncftpget", "ncftpput", "arangosh",
                "cqlsh", "useradd",
                "usermod",
            ], "p")
        put(["curl", "open"], "uU", isPair: true)
        put(["http", "https", "xh"], "ua", isPair: true)
        put(["mosquitto_pub", "mosquitto_sub", "mosquitto_rr"], "P")
        put(["kadmin"], "w")
        put(["lftp", "smbclient", "rpcclient", "net", "smbget", "nmblookup"], "uU", isPair: true)
        put(
            [
                "ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldappasswd", "ldapwhoami",
                "ldapmodrdn", "ldapcompare", "ldapexop", "basic_ldap_auth", "squid_ldap_auth",
                "ext_ldap_group_acl", "squid_ldap_group", "digest_ldap_auth",
            ], "w")
        put(["ldappasswd"], "sa")
        put(["redis-cli", "check_http", "check_ldap"], "a")
        put(
            [
                "unzip", "zip", "sqlcmd", "bcp", "isql", "ipmitool", "check_ldap", "cadaver",
                "vmware-cmd", "osql", "tsql", "sqsh", "freebcp", "fisql",
            ], "P")
        put(
            [
                "snmpget", "snmpwalk", "snmpbulkwalk", "snmpset", "snmpgetnext", "snmptrap",
                "snmpusm",
            ], "cAX")
        put(["net-snmp-create-v3-user"], "AX")
        put(["wbinfo"], "aK", isPair: true)
        put(["winexe", "wmic", "wmis"], "U", isPair: true)
        put(["etcdctl"], "u", isPair: true)
        put(["check_snmp"], "CAX")
        put(["trapsess", "informsess"], "cAX")
        put(["openssl"], "kK")
        put(["ssh-keygen"], "NP")
        put(
            [
                "htpasswd", "chpasswd", "kinit", "passwd", "sqlplus", "expdp", "impdp", "exp",
                "imp", "rman", "sqlldr", "vault",
            ], "")
        return table
    }()

    /// `mysql -p x` asks for the password and connects to a database x; the others take the next word.
    static func takesNext(_ command: String, _ letter: UInt8) -> Bool {
        !(command.hasPrefix("mysql") || command.hasPrefix("mariadb") || command.hasPrefix("7z")
            || command.hasSuffix("rar"))
            || letter != 0x70
    }

    private static let positions = WordFilter(
        [
            "htpasswd", "chpasswd", "passwd", "saslpasswd2", "kinit", "cryptsetup", "smbpasswd",
            "pure-pw", "vncpasswd", "sudo", "sqlplus", "expdp",
            "impdp", "exp", "imp", "rman", "sqlldr", "login", "openssl", "nmcli", "wpa_passphrase",
            "rabbitmqctl", "ipmitool", "ansible-vault", "echo", "printf", "redis-cli", "net",
            "isql",
            "iusql", "schtasks", "xfreerdp", "wfreerdp", "mstsc", "connect", "conn", "send",
            "mosquitto_passwd", "virsh", "smbclient", "obscure", "wpa_cli", "drush", "db2",
            "mysqladmin", "mariadb-admin",
            "mkpasswd", "samba-tool", "pdftk", "composer",
        ], mayBePath: true)

    /// Passwords that a command takes by their place, or from its input.
    static func positional(
        _ words: [Range<Int>], _ line: Line, in directives: Directives, to found: inout [Spot]
    ) {
        let bytes = directives.bytes
        guard words.count < 256 else { return }
        settings(words, line, in: directives, to: &found)
        inputs(words, line, in: directives, to: &found)
        substitutions(words, line, in: directives, to: &found)
        dialogues(words, in: directives, to: &found)
        for (index, word) in words.enumerated()
        where positions.mayHave(word, of: bytes) || bytes.has("userid=", at: word.lowerBound) {
            let text = name(word, in: bytes)
            switch text {
            case "smbclient":
                // smbclient //server/share PASSWORD.
                if let share = words[index...].firstIndex(where: {
                    bytes.has("//", at: $0.lowerBound)
                }), share + 1 < words.count,
                    ![0x2d, 0x7c, 0x3e, 0x3c, 0x26, 0x3b, 0x23].contains(
                        bytes[words[share + 1].lowerBound])
                {
                    put(words[share + 1], directives, &found)
                }
            case "virsh":
                if let verb = words[index...].firstIndex(where: {
                    bytes.word($0) == "secret-set-value"
                }) {
                    libvirt(words[(verb + 1)...], directives, &found)
                }
            case "htpasswd", "mosquitto_passwd":
                // htpasswd -b FILE USER PASSWORD.
                let options = words[(index + 1)...].prefix { bytes[$0.lowerBound] == 0x2d }
                guard options.contains(where: { bytes[$0].contains(0x62) }) else { continue }
                var rest = words[(index + 1 + options.count)...]
                // -C takes the cost.
                if options.last.map({ bytes[$0].last == 0x43 }) == true { rest = rest.dropFirst() }
                let isPrinting = options.contains { bytes[$0].contains(0x6e) }
                if let last = rest.dropFirst(isPrinting ? 1 : 2).first {
                    put(last, directives, &found)
                }
            case "chpasswd", "passwd", "saslpasswd2", "kinit", "cryptsetup", "smbpasswd", "pure-pw",
                "vncpasswd", "sudo":
                if text == "sudo", index + 1 >= words.count || bytes.word(words[index + 1]) != "-s"
                {
                    continue
                }
                // echo PASSWORD | passwd --stdin, chpasswd <<< user:PASSWORD.
                if let mark = words[(index + 1)...].firstIndex(where: {
                    $0.count >= 3 && bytes.has("<<<", at: $0.lowerBound)
                }) {
                    let rest = (words[mark].lowerBound + 3)..<line.range.upperBound
                    fed(bytes.trimmed(rest), text, directives, &found)
                }
                guard let pipe = words[..<index].lastIndex(where: { bytes.word($0) == "|" }),
                    let echo = words[..<pipe].firstIndex(where: {
                        ["echo", "printf"].contains(name($0, in: bytes))
                    })
                else { continue }
                for value in words[(echo + 1)..<pipe] where bytes[value.lowerBound] != 0x2d {
                    fed(value, text, directives, &found)
                }
            case "sqlplus", "expdp", "impdp", "exp", "imp", "rman", "sqlldr":
                for value in words[(index + 1)...] { oracle(value, directives, &found) }
            case "openssl":
                // Within $(…) its last word closes the bracket.
                if index + 1 < words.count, bytes.word(words[index + 1]) == "passwd",
                    words.count > index + 2,
                    let last = words[(index + 2)...].first(where: {
                        bytes[$0.upperBound - 1] == 0x29
                    }) ?? words.last, bytes[last.lowerBound] != 0x2d
                {
                    put(last, directives, &found)
                }
            case "nmcli", "wpa_passphrase", "rabbitmqctl", "ipmitool":
                let skip = [
                    "password": text == "ipmitool" ? 2 : 1, "psk": 1, "wpa_passphrase": 2,
                    "add_user": 2, "change_password": 2,
                ]
                for (place, word) in words.enumerated() where place >= index {
                    guard let distance = skip[name(word, in: bytes)], place + distance < words.count
                    else { continue }
                    put(words[place + distance], directives, &found)
                }
            case "ansible-vault":
                if index + 2 < words.count, bytes.word(words[index + 1]) == "encrypt_string" {
                    for value in words[(index + 2)...] where bytes[value.lowerBound].isQuote {
                        put(value, directives, &found)
                    }
                }
            case "echo", "printf":
                // echo PASSWORD | docker login --password-stdin.
                guard let pipe = words[index...].firstIndex(where: { bytes.word($0) == "|" }),
                    words[pipe...].contains(where: {
                        ["--password-stdin", "--passphrase-fd", "--pass-stdin", "--stdin"].contains(
                            bytes.word($0))
                    })
                else { continue }
                for value in words[(index + 1)..<pipe] where bytes[value.lowerBound] != 0x2d {
                    put(value, directives, &found)
                }
            case "login":
                // vault login TOKEN.
                if index > 0, name(words[index - 1], in: bytes) == "vault", index + 1 < words.count
                {
                    put(words[index + 1], directives, &found)
                }
            case "obscure":
                // rclone obscure PASSWORD.
                if index > 0, name(words[index - 1], in: bytes) == "rclone",
                    index + 1 < words.count
                {
                    put(words[index + 1], directives, &found)
                }
            case "wpa_cli":
                // wpa_cli set_network 0 psk '"PASSWORD"'.
                if let place = words[index...].firstIndex(where: {
                    ["psk", "password", "sae_password", "private_key_passwd"].contains(
                        bytes.word($0))
                }), place + 1 < words.count {
                    put(words[place + 1], directives, &found)
                }
            case "drush", "db2", "mkpasswd", "mysqladmin", "mariadb-admin", "samba-tool", "pdftk",
                "composer":
                administration(text, words[(index + 1)...], directives, &found)
            case "redis-cli":
                if let auth = words[index...].firstIndex(where: { bytes.word($0) == "auth" }),
                    let last = words[(auth + 1)...].prefix(2).last
                {
                    put(last, directives, &found)
                }
            case "net":
                windows(words[(index + 1)...], directives, &found)
            case "isql", "iusql":
                // isql DSN USER PASSWORD.
                let plain = words[(index + 1)...].filter { bytes[$0.lowerBound] != 0x2d }
                if plain.count >= 3 { put(plain[2], directives, &found) }
            case "schtasks":
                if let mark = words[index...].firstIndex(where: {
                    ["/rp", "/p"].contains(bytes.word($0))
                }), mark + 1 < words.count {
                    put(words[mark + 1], directives, &found)
                }
            case "xfreerdp", "wfreerdp", "mstsc":
                for value in words[(index + 1)...] where bytes.has("/p:", at: value.lowerBound) {
                    put((value.lowerBound + 3)..<value.upperBound, directives, &found)
                }
            case "connect", "conn":
                // CONNECT user/password@service AS SYSDBA, of a script for SQL*Plus.
                if index == 0, directives.kind.ending == "sql", words.count > 1 {
                    oracle(words[1], directives, &found)
                    administration("db2", words[1...], directives, &found)
                }
            case "send":
                // send "password\r" of expect.
                if index + 1 < words.count, let last = sent(words, index + 1, bytes) {
                    let inner = directives.unquoted(last)
                    let end = bytes[inner].lastIndex(of: 0x5c) ?? inner.upperBound
                    if !bytes[inner].contains(0x20), end > inner.lowerBound {
                        put(inner.lowerBound..<end, directives, &found)
                    }
                }
            default:
                if text.hasPrefix("userid=") {
                    oracle((word.lowerBound + 7)..<word.upperBound, directives, &found)
                }
            }
        }
    }

    /// `virsh secret-set-value [--secret] UUID [--base64] VALUE`, in any order.
    private static func libvirt(
        _ words: ArraySlice<Range<Int>>, _ directives: Directives, _ found: inout [Spot]
    ) {
        let bytes = directives.bytes
        var isSkipped = false
        for word in words {
            if [0x7c, 0x3b, 0x26, 0x3e, 0x3c].contains(bytes[word.lowerBound]) { return }
            let inner = directives.unquoted(word)
            if bytes.has("--", at: word.lowerBound) {
                if bytes.has("--base64=", at: word.lowerBound) {
                    put((word.lowerBound + 9)..<word.upperBound, directives, &found)
                }
                isSkipped = ["--file", "--secret"].contains(bytes.word(word))
            } else if isSkipped {
                isSkipped = false
            } else if !Value.isUUID(bytes[inner]) {
                put(word, directives, &found)
            }
        }
    }

    /// What is sent ends with an escape: the text in quotes that follows, or the last word of the line.
    private static func sent(_ words: [Range<Int>], _ place: Int, _ bytes: [UInt8]) -> Range<Int>? {
        let isQuoted = bytes[words[place].lowerBound].isQuote
        guard let word = isQuoted ? words[place] : words.last, bytes[word].contains(0x5c) else {
            return nil
        }
        return word
    }

    /// `net user NAME PASSWORD /add`, `net use z: \\\\server\\share PASSWORD`.
    private static func windows(
        _ words: ArraySlice<Range<Int>>, _ directives: Directives, _ found: inout [Spot]
    ) {
        let bytes = directives.bytes
        let plain = words.filter { bytes[$0.lowerBound] != 0x2f && bytes[$0.lowerBound] != 0x2a }
        guard let first = plain.first else { return }
        if bytes.word(first) == "user", plain.count >= 3 { put(plain[2], directives, &found) }
        if bytes.word(first) == "use",
            let share = plain.firstIndex(where: {
                bytes.has("\\\\", at: directives.unquoted($0).lowerBound)
            }),
            share + 1 < plain.count
        {
            put(plain[share + 1], directives, &found)
        }
    }

    private static func name(_ word: Range<Int>, in bytes: [UInt8]) -> String {
        var word = word
        // $(openssl …), `openssl …`, (echo …
        while let first = bytes[word].first, [0x24, 0x28, 0x60].contains(first) {
            word = (word.lowerBound + 1)..<word.upperBound
        }
        guard let slash = bytes[word].lastIndex(of: 0x2f), slash + 1 < word.upperBound,
            !bytes[word].contains(0x3d)
        else { return bytes.word(word) }
        return bytes.word((slash + 1)..<word.upperBound)
    }

    private static func fed(
        _ value: Range<Int>, _ command: String, _ directives: Directives, _ found: inout [Spot]
    ) {
        if command == "chpasswd" {
            directives.pair(value, to: &found)
        } else {
            put(value, directives, &found)
        }
    }

    /// user/password@service.
    static func oracle(_ word: Range<Int>, _ directives: Directives, _ found: inout [Spot]) {
        let inner = directives.unquoted(word)
        let bytes = directives.bytes
        guard
            let slash = bytes.position(of: 0x2f, from: inner.lowerBound, before: inner.upperBound),
            slash > inner.lowerBound,
            bytes[inner.lowerBound..<slash].allSatisfy({
                $0.isWordOrDash || $0 == 0x24 || $0 == 0x3d
            })
        else { return }
        let end = bytes[slash..<inner.upperBound].lastIndex(of: 0x40) ?? inner.upperBound
        if slash + 1 < end { put((slash + 1)..<end, directives, &found) }
    }

    static func put(_ range: Range<Int>, _ directives: Directives, _ found: inout [Spot]) {
        var range = range
        if let last = directives.bytes[range].last, last == 0x29 || last == 0x60,
            !directives.bytes[range.lowerBound].isQuote
        {
            range = range.lowerBound..<(range.upperBound - 1)
        }
        directives.add(
            directives.unquoted(range), .secret(.password), "command-line", key: nil, to: &found)
    }
}
