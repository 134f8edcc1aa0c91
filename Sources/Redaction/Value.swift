/// What the look of a value says, whatever its name.
enum Value {
    /// Words that switch something, or stand for no value.
    private static let switches: Set<String> = [
        "true", "false", "yes", "no", "on", "off", "none", "null", "nil", "undefined", "~",
        "default",
        "enabled", "disabled", "required", "optional", "oui", "non", "ask", "prompt", "never",
        "always",
        "auto", "nan", "inherit", "n/a", "unset", "{}", "[]", "\"\"", "''", "sealed", "omit",
        "string", "read-only", "read-write", "disable", "enable",
        // The prompt that openssl.cnf comes with.
        "a challenge password",
    ]

    /// The parts of `range` that must go, where its name has that sensitivity; without quotes.
    static func secrets(
        in range: Range<Int>, of bytes: [UInt8], _ sensitivity: Sensitivity
    ) -> [(Range<Int>, SecretClass)] {
        var range = bytes.trimmed(range)
        guard !range.isEmpty else { return [] }
        range =
            afterScheme(range.lowerBound, of: bytes, before: range.upperBound)..<range.upperBound
        switch sensitivity {
        case .secret(let secretClass):
            if let defaults = reference(in: range, of: bytes) {
                return defaults.map { ($0, secretClass) }
            }
            return isInnocent(range, of: bytes, secretClass) ? [] : [(range, secretClass)]
        case .suspicious(let secretClass):
            if let defaults = reference(in: range, of: bytes) {
                return defaults.map { ($0, secretClass) }
            }
            guard !isInnocent(range, of: bytes, .symmetricKey),
                !WordScanner.isPublicForm(range, of: bytes), isOneWord(range, of: bytes),
                Randomness.isOdd(bytes[range])
            else { return [] }
            return [(range, secretClass)]
        case .code:
            return (4...12).contains(range.count) && bytes[range].allSatisfy(\.isDigit)
                ? [(range, .password)] : []
        case .neutral, .plain:
            return []
        }
    }

    static func isSwitch(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        guard range.count <= 40 else { return false }
        let word = bytes.word(range)
        if switches.contains(word) { return true }
        // Alternatives in a remark: true|false.
        return word.contains("|")
            && word.split(separator: "|").allSatisfy { switches.contains(String($0)) }
    }

    /// What a value of a name that says nothing is, where it looks like a key or a generated password.
    static func unrecognised(_ range: Range<Int>, of bytes: [UInt8]) -> SecretClass? {
        let range = bytes.trimmed(range)
        guard range.count >= 8, range.count <= 4096 else { return nil }
        let value = bytes[range]
        var (lower, upper, digits, marks) = (0, 0, 0, 0)
        for byte in value {
            if byte.isLower {
                lower += 1
            } else if byte.isUpper {
                upper += 1
            } else if byte.isDigit {
                digits += 1
            } else if [0x21, 0x23, 0x24, 0x25, 0x26, 0x2a, 0x3f, 0x5e, 0x7e, 0x40].contains(byte) {
                marks += 1
            } else if !(byte.isWordOrDash || [0x2b, 0x2f, 0x3d, 0x2e].contains(byte)) {
                return nil
            }
        }
        if Placeholder.isPlaceholder(value) || isUUID(value)
            || WordScanner.isPublicForm(range, of: bytes) || isPath(range, of: bytes)
            || reference(in: range, of: bytes) != nil
        {
            return nil
        }
        if Randomness.isHexKey(value) { return .unrecognised }
        if value.count >= 20 {
            return marks == 0 && Randomness.isRandom(value) ? .unrecognised : nil
        }
        // A generated password has everything.
        return lower > 0 && upper > 0 && digits > 1 && Randomness.tenths(of: value) >= 56
            && marks + digits >= 2 ? .unrecognised : nil
    }

    /// RFC 9562, section 4.
    static func isUUID(_ value: ArraySlice<UInt8>) -> Bool {
        guard value.count == 36 else { return false }
        for (index, byte) in value.enumerated() {
            if [8, 13, 18, 23].contains(index) ? byte != 0x2d : !byte.isHex { return false }
        }
        return true
    }

    /// How credentials of HTTP begin (RFC 9110, section 11.4): the name of a scheme, and a blank.
    private static let schemes: Set<String> = [
        "bearer", "basic", "token", "digest", "apikey", "splunk", "bot", "enc", "aws4-hmac-sha256",
        "key", "negotiate",
    ]

    /// Where a value goes on behind the name of a scheme.
    static func afterScheme(_ start: Int, of bytes: [UInt8], before end: Int) -> Int {
        guard let space = bytes.position(of: 0x20, from: start, before: min(end, start + 20)),
            space + 1 < end,
            schemes.contains(bytes.word(start..<space))
        else { return start }
        var next = space
        while next < end, bytes[next].isSpace { next += 1 }
        return next < end ? next : start
    }

    /// What stands under the name of a secret and yet is none.
    private static func isInnocent(
        _ range: Range<Int>, of bytes: [UInt8], _ secretClass: SecretClass
    ) -> Bool {
        let value = bytes[range]
        if isSwitch(range, of: bytes) || Placeholder.isPlaceholder(value) { return true }
        // Masks: ****, xxxx, ....
        if let first = value.first, value.allSatisfy({ $0 == first }),
            [0x2a, 0x78, 0x58, 0x2e, 0x2d, 0x21, 0x3f].contains(first)
        {
            return true
        }
        if isPath(range, of: bytes) || isPlainURL(range, of: bytes) { return true }
        if isValidation(range, of: bytes) { return true }
        if isBlank(range, of: bytes) { return true }
        // accesskey="n" of HTML.
        if secretClass == .cloudCredential, value.count < 4 { return true }
        if secretClass != .password, WordScanner.isPublicForm(range, of: bytes) { return true }
        // What a program fills in: %p, %u.
        if value.count == 2, value.first == 0x25, value.last?.isLetter == true { return true }
        // `secret static.key` of OpenVPN names a file.
        if secretClass == .secret, [".key", ".pem"].contains(where: value.ends),
            value.allSatisfy({ $0.isWordOrDash || $0 == 0x2e })
        {
            return true
        }
        if value.allSatisfy(\.isDigit) {
            return value.count <= (secretClass == .password ? 1 : secretClass == .secret ? 2 : 5)
        }
        if secretClass == .privateKey {
            if isAnyPath(range, of: bytes) { return true }
            return ["pem", "key", "crt", "cer", "p12", "pub"].contains { value.ends(with: $0) }
        }
        return false
    }

    /// A blank to be filled in: `<password>`, `[your token]`, `YOUR_API_KEY`.
    private static func isBlank(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        guard range.count > 2 else { return false }
        let (first, last) = (bytes[range.lowerBound], bytes[range.upperBound - 1])
        guard first == 0x3c && last == 0x3e || first == 0x5b && last == 0x5d else { return false }
        return bytes[(range.lowerBound + 1)..<(range.upperBound - 1)].allSatisfy {
            $0.isLetter || $0 == 0x5f || $0 == 0x2d || $0 == 0x20
        }
    }

    /// What forms ask of a password: `required|min:8` of Laravel.
    private static func isValidation(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        guard range.count <= 120, let first = bytes[range].first, first.isLower else {
            return false
        }
        let parts = bytes[range].split(separator: 0x7c, omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            let halves = part.split(separator: 0x3a, maxSplits: 1)
            guard let name = halves.first else { return false }
            let text = String(decoding: name, as: UTF8.self)
            guard halves.count > 1 else { return validations.contains(text) }
            return ["min", "max", "size", "digits", "between"].contains(text)
                ? halves[1].allSatisfy { $0.isDigit || $0 == 0x2c }
                : parts.count > 1
                    && ["same", "different", "unique", "exists", "regex", "in", "current_password"]
                        .contains(text)
        }
    }

    private static let validations: Set<String> = [
        "required", "nullable", "sometimes", "confirmed", "string", "present", "filled", "bail",
        "current_password", "alpha_num",
    ]

    /// The name of a file anywhere: `/path/to/id_rsa`, `${user.home}/.ssh/id_rsa`, `C:\\keys\\id_rsa`.
    private static func isAnyPath(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        var start = range.lowerBound
        let isWindows =
            range.count > 3 && bytes[start].isLetter
            && (bytes.has(":\\", at: start + 1) || bytes.has(":/", at: start + 1))
        if isWindows { start += 2 }
        if bytes.has("${", at: start),
            let close = bytes.position(of: 0x7d, from: start, before: range.upperBound),
            bytes[(start + 2)..<close].allSatisfy({ $0.isWordOrDash || $0 == 0x2e })
        {
            start = close + 1
        }
        guard start < range.upperBound, [0x2f, 0x5c].contains(bytes[start]), range.count <= 200
        else { return false }
        return bytes[start..<range.upperBound].allSatisfy {
            $0.isWordOrDash || [0x2f, 0x5c, 0x2e, 0x20, 0x7e].contains($0)
        } && !Randomness.isRandom(bytes[start..<range.upperBound])
    }

    private static let roots: [[UInt8]] = Redaction.bytes(of: [
        "etc", "run", "var", "srv", "opt", "usr", "home", "root", "proc", "mnt", "data", "secrets",
        "vault", "tmp", "dev", "app", "config", "certs", "conf", "lib", "sys", "boot", "media",
        "bin", "keys", "ssl",
    ])

    /// A file's absolute name below a directory that systems have; `file:`, `@` and `<` may lead it.
    static func isPath(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        var start = range.lowerBound
        if bytes.has("file:", at: start) { start += bytes.has("file:///", at: start) ? 7 : 5 }
        if start < range.upperBound, bytes[start] == 0x3c || bytes[start] == 0x40 { start += 1 }
        guard start < range.upperBound else { return false }
        if bytes.has("~/", at: start) || bytes.has("./", at: start) || bytes.has("../", at: start) {
            return isPathText(start..<range.upperBound, of: bytes)
        }
        guard start < range.upperBound, bytes[start] == 0x2f else { return false }
        return roots.contains {
            bytes.has($0, at: start + 1) && start + 1 + $0.count < range.upperBound
                && bytes[start + 1 + $0.count] == 0x2f
        } && isPathText(start..<range.upperBound, of: bytes)
    }

    private static func isPathText(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        bytes[range].allSatisfy {
            $0.isWordOrDash || [0x2f, 0x2e, 0x40, 0x2b, 0x3a, 0x25, 0x7e].contains($0)
        } && !Randomness.isRandom(bytes[range])
    }

    /// An address without a user's part and without parameters.
    private static func isPlainURL(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        guard
            let colon = bytes.position(of: 0x3a, from: range.lowerBound, before: range.upperBound),
            bytes.has("://", at: colon), colon + 3 <= range.upperBound, colon > range.lowerBound,
            bytes[range.lowerBound..<colon].allSatisfy({ $0.isAlphanumeric || $0 == 0x2b })
        else { return false }
        return bytes[(colon + 3)..<range.upperBound].allSatisfy {
            $0 != 0x40 && $0 != 0x3f && !$0.isSpaceOrBreak
        }
    }

    static func isOneWord(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        !bytes[range].contains(where: \.isSpaceOrBreak)
    }

    /// Nil unless the value as a whole refers to something elsewhere; else the literal defaults within it
    /// (`${DB_PASSWORD:-hunter2}`), which are values.
    static func reference(in range: Range<Int>, of bytes: [UInt8]) -> [Range<Int>]? {
        let (start, end) = (range.lowerBound, range.upperBound)
        guard end - start >= 2 else { return nil }
        if bytes.has("${", at: start), !bytes.has("${{", at: start), bytes[end - 1] == 0x7d {
            let inner = (start + 2)..<(end - 1)
            // Two references in one value, or text between them, are left to the caller.
            guard !bytes[inner].contains(0x7d) else { return nil }
            guard let colon = bytes[inner].firstIndex(where: { $0 == 0x3a || $0 == 0x2d }) else {
                return isName(inner, of: bytes) ? [] : nil
            }
            if bytes.has("env:", at: inner.lowerBound) || bytes.has("file:", at: inner.lowerBound) {
                return []
            }
            guard isName(inner.lowerBound..<colon, of: bytes) else { return nil }
            var literal = colon + 1
            if bytes[colon] == 0x3a, literal < inner.upperBound,
                [0x2d, 0x3d].contains(bytes[literal])
            {
                literal += 1
            } else if bytes[colon] == 0x3a, literal < inner.upperBound,
                [0x3f, 0x2b].contains(bytes[literal])
            {
                return []
            }
            let word = bytes.trimmed(literal..<inner.upperBound)
            return word.isEmpty || Placeholder.isPlaceholder(bytes[word])
                || bytes[word.lowerBound] == 0x24 ? [] : [word]
        }
        for (open, close) in brackets
        where bytes[range].starts(with: open.utf8) && bytes[range].ends(with: close)
            && range.count > open.utf8.count + close.utf8.count
        {
            let inner = (start + open.utf8.count)..<(end - close.utf8.count)
            guard !bytes[inner].ends(with: open) else { return nil }
            if open == "@" || open.hasPrefix("%(") { return isName(inner, of: bytes) ? [] : nil }
            return literals(in: inner, of: bytes)
        }
        if bytes[start] == 0x24,
            bytes[(start + 1)..<end].allSatisfy(\.isDigit) || bytes.has("$@", at: start)
        {
            return []
        }
        if bytes[start] == 0x24, bytes[(start + 1)..<end].allSatisfy({ $0.isWord || $0 == 0x3a }),
            bytes[start..<end].contains(0x3a)
        {
            return []
        }
        // In upper case, or speaking of a secret itself; `$ummer2024` is a password.
        if bytes[start] == 0x24, isName((start + 1)..<end, of: bytes),
            bytes[(start + 1)..<end].allSatisfy({ !$0.isLower })
                || KeyName(bytes[(start + 1)..<end]).sensitivity != .neutral
        {
            return []
        }
        if bytes[start] == 0x25, bytes[end - 1] == 0x25, isName((start + 1)..<(end - 1), of: bytes)
        {
            return []
        }
        for head in ["vault:", "secret:", "env:", "env.", "!secret ", "!Ref ", "!env "]
        where bytes[range].starts(with: head.utf8) {
            return isPathText((start + head.utf8.count)..<end, of: bytes) ? [] : nil
        }
        return nil
    }

    private static let brackets: [(String, String)] = [
        ("${{", "}}"), ("{{", "}}"), ("<%", "%>"), ("$(", ")"), ("%(", ")s"), ("@", "@"),
        ("%{", "}"), ("$__file{", "}"), ("$__env{", "}"), ("$__vault{", "}"),
    ]

    /// Quoted texts in an expression (`db_pass | default('hunter2')`) that are not the names of what is looked up.
    private static func literals(in range: Range<Int>, of bytes: [UInt8]) -> [Range<Int>] {
        // {{ 'hunter2' | password_hash }} begins with a value.
        let start = bytes.trimmed(range).lowerBound
        guard
            let place = start < range.upperBound && bytes[start].isQuote
                ? start
                : bytes.position(
                    of: Array("default".utf8), from: range.lowerBound, before: range.upperBound)
                    ?? bytes.position(
                        of: Array("||".utf8), from: range.lowerBound, before: range.upperBound)
        else { return [] }
        var found: [Range<Int>] = []
        var position = place
        while position < range.upperBound {
            // The algorithm of a filter: password_hash('sha512').
            if bytes.has("hash(", at: position) {
                position =
                    bytes.position(of: 0x29, from: position, before: range.upperBound)
                    ?? range.upperBound
            }
            guard position < range.upperBound, bytes[position].isQuote,
                let end = bytes.position(
                    of: bytes[position], from: position + 1, before: range.upperBound)
            else {
                position += 1
                continue
            }
            if end > position + 1 { found.append((position + 1)..<end) }
            position = end + 1
        }
        return found
    }

    private static func isName(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        !range.isEmpty && bytes[range].allSatisfy { $0.isWordOrDash || $0 == 0x2e || $0 == 0x20 }
            && !bytes[range.lowerBound].isDigit
    }
}

extension ArraySlice<UInt8> {
    func ends(with text: String) -> Bool {
        let wanted = text.utf8
        return count >= wanted.count && suffix(wanted.count).elementsEqual(wanted)
    }
}
