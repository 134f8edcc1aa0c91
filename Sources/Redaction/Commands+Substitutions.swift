/// What commands read from others, and what they answer to prompts.
extension Commands {
    /// Programs that take a password or a key from a file or their input, besides those whose words say so.
    static let takers: Set<String> = [
        "cryptsetup", "passwd", "chpasswd", "kinit", "vncpasswd", "smbpasswd", "openssl", "gpg",
        "ssh-add", "htpasswd", "sudo", "realm", "ktutil", "kadmin", "pdbedit",
    ]
    /// Options whose file holds nothing but settings with a password, or one.
    private static let files = Redaction.bytes(of: [
        "--defaults-extra-file=", "--defaults-file=", "--password-file=",
    ])
    private static let opening = Array("<(".utf8)

    /// `passwd --stdin bob < <(echo x)`, `wg set wg0 private-key <(echo x)`,
    /// `mysql --defaults-extra-file=<(printf '[client]\npassword=%s' 'x')`; and `assword: x` of chat.
    static func substitutions(
        _ words: [Range<Int>], _ line: Line, in directives: Directives, to found: inout [Spot]
    ) {
        let bytes = directives.bytes
        for index in words.indices.dropLast() {
            let word = words[index]
            guard (5...8).contains(word.count), bytes[word.upperBound - 1] == 0x3a,
                word.count == 5
                    ? bytes.has("word:", at: word.lowerBound)
                    : bytes.has("sword:", at: word.upperBound - 6) && bytes[word.lowerBound] != 0x70
            else { continue }
            // What chat of pppd sends begins with \q where it must not be logged.
            var value = directives.unquoted(words[index + 1])
            if bytes.has("\\q", at: value.lowerBound) {
                value = (value.lowerBound + 2)..<value.upperBound
            }
            directives.add(value, .secret(.password), "command-line", key: nil, to: &found)
        }
        var position = line.range.lowerBound
        while let open = bytes.position(
            of: opening, from: position, before: line.range.upperBound)
        {
            position = open + 2
            guard
                let close = bytes.position(
                    of: 0x29, from: position, before: line.range.upperBound)
            else { return }
            let inner = Words.split(position..<close, of: bytes)
            let before = words.filter { $0.lowerBound < open }
            guard let first = inner.first, ["echo", "printf"].contains(bytes.word(first)),
                before.contains(where: { takes($0, bytes) })
            else { continue }
            var values = inner.dropFirst().filter { bytes[$0.lowerBound] != 0x2d }
            if bytes.word(first) == "printf", values.count > 1 { values.removeFirst() }
            for value in values {
                directives.add(
                    directives.unquoted(value), .secret(.password), "command-line", key: nil,
                    to: &found)
            }
        }
    }

    private static func takes(_ word: Range<Int>, _ bytes: [UInt8]) -> Bool {
        guard word.count < 64 else { return false }
        let name = bytes[word].split(separator: 0x2f).last ?? []
        if takers.contains(String(decoding: name, as: UTF8.self))
            || files.contains(where: { bytes.has($0, at: word.lowerBound) })
        {
            return true
        }
        guard bytes[word].allSatisfy({ $0.isWordOrDash }) else { return false }
        if case .secret = KeyName(bytes[word]).sensitivity { return true }
        return false
    }
}
