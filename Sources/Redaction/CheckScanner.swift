/// Arguments of checks of Nagios and its kin that are passwords: `check_command check_mssql!sql1!sa!x`.
///
/// Which argument is one says the command's definition, where it stands in the same file (`-P $ARG3$`). Where it lies elsewhere, the
/// command's name has to do: what logs in to a database or directory takes a user and a password, what asks by SNMP a community.
struct CheckScanner {
    private let bytes: [UInt8]
    private(set) var spots: Spots
    /// For each command that the file defines: the places of its arguments that are secrets.
    private var defined: [String: Set<Int>] = [:]

    init(_ scan: TextScan) {
        bytes = scan.bytes
        spots = Spots(scan.bytes)
    }

    private static let mark = Array("check_command".utf8)

    mutating func run() {
        guard bytes.position(of: CheckScanner.mark, from: 0) != nil else { return }
        var checks: [Range<Int>] = []
        var name: String?
        var line = 0
        while line < bytes.count {
            let text = bytes.trimmed(line..<bytes.endOfLine(line))
            line = bytes.endOfLine(line) + 1
            if bytes.has("check_command", at: text.lowerBound) {
                checks.append(bytes.trimmed((text.lowerBound + 13)..<text.upperBound))
            } else if bytes.has("command_name", at: text.lowerBound) {
                name = bytes.word(bytes.trimmed((text.lowerBound + 12)..<text.upperBound))
            } else if bytes.has("command_line", at: text.lowerBound), let command = name {
                let words = Words.split((text.lowerBound + 12)..<text.upperBound, of: bytes)
                defined[command] = secretPlaces(of: words)
                name = nil
            }
        }
        for check in checks { read(check) }
    }

    /// The numbers of the arguments that a command line has behind options for passwords.
    private func secretPlaces(of words: [Range<Int>]) -> Set<Int> {
        var places: Set<Int> = []
        var letters: [UInt8] = []
        for (index, word) in words.enumerated() {
            let slash = bytes[word].lastIndex(of: 0x2f).map { $0 + 1 } ?? word.lowerBound
            let command = bytes.word(slash..<word.upperBound)
            if command.hasPrefix("check_") {
                letters = Commands.options[command]?.map(\.letter) ?? []
                if CheckScanner.logsIn(command), letters.isEmpty { letters = [0x50, 0x70] }
            }
            guard
                let mark = bytes.position(
                    of: CheckScanner.argument, from: word.lowerBound, before: word.upperBound),
                mark + 4 < word.upperBound, bytes[mark + 4].isDigit
            else { continue }
            // -P $ARG3$, -p$ARG3$ and --password=$ARG3$.
            let option =
                bytes[word.lowerBound] == 0x2d
                ? word.lowerBound..<mark : index > 0 ? words[index - 1] : word
            let isLong = bytes.has("--", at: option.lowerBound)
            let isSecret =
                if isLong, case .secret = KeyName(bytes[option]).sensitivity {
                    true
                } else {
                    !isLong && option.count >= 2 && bytes[option.lowerBound] == 0x2d
                        && letters.contains(bytes[option.lowerBound + 1])
                }
            if isSecret { places.insert(Int(bytes[mark + 4] - 0x30)) }
        }
        return places
    }

    private static let argument = Array("$ARG".utf8)
    private static let logins = [
        "mysql", "mariadb", "pgsql", "postgres", "mssql", "oracle", "ldap", "vmware", "esx",
        "mongo", "imap", "pop", "smtp", "ftp", "ssh_", "wmi", "jmx", "tomcat", "weblogic",
        "db2", "sybase", "firebird", "rabbitmq", "idrac", "ilo", "ipmi", "netapp", "_auth",
        "_login", "cred",
    ]

    private static func logsIn(_ command: String) -> Bool {
        logins.contains(where: command.contains)
    }

    private mutating func read(_ check: Range<Int>) {
        var parts: [Range<Int>] = []
        var start = check.lowerBound
        for position in check where bytes[position] == 0x21 && bytes[max(position - 1, 0)] != 0x5c {
            parts.append(start..<position)
            start = position + 1
        }
        parts.append(start..<check.upperBound)
        guard parts.count > 1, parts.count < 64 else { return }
        let command = bytes.word(parts[0])
        if let places = defined[command] {
            for place in places where place < parts.count { add(parts[place], .password) }
            return
        }
        let words = parts.dropFirst().filter(mayBeWord)
        if command.contains("snmp") {
            if let first = parts.dropFirst().first, words.contains(first) { add(first, .community) }
        } else if CheckScanner.logsIn(command), words.count > 1 {
            // Debian's commands have a database behind the two.
            let isSecond = command.hasSuffix("_database") || command.contains("cmdlinecred")
            add(isSecond ? words[1] : words[words.count - 1], .password)
            // check_mysql_health!password!mode has the modes of its plug-in.
            if command.contains("_health"), words.count == 2 { add(words[0], .password) }
        }
        for word in words where CheckScanner.logsIn(command) || command.contains("http") {
            guard let colon = bytes[word].firstIndex(of: 0x3a), colon > word.lowerBound,
                !bytes.has("://", at: colon), bytes[word.lowerBound].isLetter
            else { continue }
            add((colon + 1)..<word.upperBound, .password)
        }
    }

    /// No number, threshold, option, path or host.
    private func mayBeWord(_ range: Range<Int>) -> Bool {
        let text = bytes[bytes.trimmed(range)]
        guard let first = text.first, ![0x2d, 0x2f, 0x24].contains(first) else { return false }
        return !text.contains(where: \.isSpace)
            && !text.allSatisfy { $0.isDigit || [0x2e, 0x2c, 0x3a, 0x25, 0x40, 0x7e].contains($0) }
    }

    private mutating func add(_ range: Range<Int>, _ secretClass: SecretClass) {
        for (part, secretClass) in Value.secrets(in: range, of: bytes, .secret(secretClass))
        where bytes[part].first != 0x2d && bytes[part].first != 0x24 {
            spots.add(part, secretClass, "position", key: "check_command")
        }
    }
}
