import Basics

/// Goes through the words of a text, and takes those that are tokens, digests of passwords, encoded secrets, or random.
struct WordScanner {
    private let bytes: [UInt8]
    private let scan: TextScan
    private let open: [Range<Int>]
    private let calls: CallScanner
    private(set) var spots: Spots
    private var nextOpen = 0

    init(_ scan: TextScan, open: [Range<Int>]) {
        self.scan = scan
        self.open = open
        bytes = scan.bytes
        calls = CallScanner(scan.bytes)
        spots = Spots(scan.bytes)
    }

    mutating func scan(_ range: Range<Int>) {
        var position = range.lowerBound
        while position < range.upperBound {
            let byte = bytes[position]
            if byte == 0x24 || byte == 0x7b || byte == 0x2a,
                let end = PasswordHashes.end(at: position, in: bytes, before: range.upperBound)
            {
                spots.add(position..<end, .passwordHash, "hash-form")
                position = end
                continue
            }
            guard isPart(byte) else {
                position += 1
                continue
            }
            // The n of an escaped line break belongs to no word.
            if position > range.lowerBound, bytes[position - 1] == 0x5c,
                [0x6e, 0x72, 0x74].contains(byte)
            {
                position += 1
                continue
            }
            let start = position
            if let end = PasswordHashes.end(at: start, in: bytes, before: range.upperBound) {
                spots.add(start..<end, .passwordHash, "hash-form")
                position = end
                continue
            }
            while position < range.upperBound, isPart(bytes[position]) { position += 1 }
            word(start..<position)
            if !scan.kind.isProse {
                for value in calls.secret(after: start..<position, before: range.upperBound) {
                    for (part, secretClass) in Value.secrets(
                        in: value, of: bytes, .secret(.password))
                    { spots.add(part, secretClass, "position") }
                }
            }
        }
    }

    private func isPart(_ byte: UInt8) -> Bool {
        byte.isWordOrDash || byte == 0x2e || byte == 0x2b || byte == 0x2f || byte == 0x3d
    }

    private mutating func word(_ range: Range<Int>) {
        // name=value is two words; padding is not a separator.
        var start = range.lowerBound
        while let equals = bytes.position(of: 0x3d, from: start, before: range.upperBound),
            equals + 1 < range.upperBound,
            bytes[equals + 1] != 0x3d
        {
            part(start..<equals)
            start = equals + 1
        }
        part(start..<range.upperBound)
    }

    private mutating func part(_ range: Range<Int>) {
        guard range.count >= 8, !Placeholder.isPlaceholder(bytes[range]) else { return }
        if let known = known(range) {
            spots.add(known.0, known.1, known.2)
            return
        }
        guard range.count >= 12, !isPublic(range) else { return }
        if let secretClass = encoded(range) {
            if secretClass == .unrecognised, WordScanner.isDeployment(range, of: bytes) { return }
            spots.add(range, secretClass, "encoded")
            return
        }
        guard range.count >= 20, !bytes[range].allSatisfy(\.isHex),
            Randomness.isRandom(bytes[range]), !isUnderPlainName(range),
            !WordScanner.isDeployment(range, of: bytes)
        else { return }
        spots.add(range, .unrecognised, "random")
    }

    /// A token of a known maker, possibly after a path or another mark.
    private func known(_ range: Range<Int>) -> (Range<Int>, SecretClass, String)? {
        var start = range.lowerBound
        while start < range.upperBound {
            let end =
                bytes[start..<range.upperBound].firstIndex {
                    $0 == 0x2f || $0 == 0x3d || $0 == 0x2b
                } ?? range.upperBound
            let candidate = start..<end
            if candidate.count >= 16, let found = KnownTokens.secretClass(of: candidate, in: bytes)
            {
                return (found.1 == "jwt" ? candidate : start..<range.upperBound, found.0, found.1)
            }
            start = end + 1
        }
        return nil
    }

    /// Base64 of something with secrets: Kubernetes data, basic authentication, keys in DER.
    private func encoded(_ range: Range<Int>) -> SecretClass? {
        guard range.count >= 16, scan.depth < TextScan.deepest, mayBeBase64(range),
            let decoded = WordScanner.decoded(bytes[range])
        else { return nil }
        if let name = BinaryContent.der(decoded) {
            return name == "certificate" ? nil : .privateKey
        }
        if decoded.starts(with: "openssh-key-v1".utf8) { return .privateKey }
        guard decoded.count >= 8,
            decoded.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0.isSpaceOrBreak }),
            String(validating: decoded, as: UTF8.self) != nil
        else { return nil }
        let inner = TextScan(
            bytes: decoded, kind: FileKind(form: .lines, of: scan.kind), depth: scan.depth + 1)
        let found = inner.found().settled()
        if let first = found.first { return first.secretClass }
        // Basic authentication: user:password.
        if isAfterBasic(range), decoded.contains(0x3a) { return .password }
        return nil
    }

    /// Both cases, and none of what names have: dots, and dashes or underscores beside plus or slash.
    private func mayBeBase64(_ range: Range<Int>) -> Bool {
        var (lower, upper, marks) = (false, false, false)
        for byte in bytes[range] {
            if byte.isLower {
                lower = true
            } else if byte.isUpper {
                upper = true
            } else if byte == 0x2e {
                return false
            } else if byte == 0x2d || byte == 0x5f {
                marks = true
            }
        }
        return lower && upper && (!marks || range.count % 4 == 0)
    }

    static func decoded(_ word: ArraySlice<UInt8>) -> [UInt8]? {
        var text = word.map { $0 == 0x2d ? 0x2b : $0 == 0x5f ? 0x2f : $0 }
        while text.last == 0x3d { text.removeLast() }
        guard text.count % 4 != 1, !text.contains(0x2e), !text.contains(0x3d) else { return nil }
        return Base64.decode(String(decoding: text, as: UTF8.self), padded: false)
    }

    private func isAfterBasic(_ range: Range<Int>) -> Bool {
        let start = max(0, range.lowerBound - 24)
        let before = bytes.word(start..<range.lowerBound)
        return before.hasSuffix("basic ") || before.hasSuffix("auth\": \"")
            || before.hasSuffix("auth\":\"") || before.hasSuffix("_auth=")
            || before.hasSuffix("auth: ") || before.hasSuffix("_auth = ")
    }

    private static let publicHeads: [[UInt8]] = Redaction.bytes(of: [
        "AAAAB3NzaC1", "AAAAC3NzaC1", "AAAAE2VjZHNh", "AAAAGnNr", "AAAAInNr", "sha1-", "sha256-",
        "sha384-", "sha512-", "age1", "SHA256",
        "ssh-", "h1", "MIIBIjANBgkq", "MIICIjANBgkq", "MIGfMA0GCSq", "MFkwEwYHKoZI", "MCowBQYDK2V",
    ])

    /// Public keys and digests that say what they are by their first letters.
    static func isPublicForm(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        publicHeads.contains {
            bytes[range.lowerBound] == $0[0] && bytes.has($0, at: range.lowerBound)
                && range.count >= $0.count + 16
        }
    }

    private func isPublic(_ range: Range<Int>) -> Bool {
        if WordScanner.isPublicForm(range, of: bytes) { return true }
        if Value.isUUID(bytes[range]) { return true }
        // Digests that say what they are: sha256:…, SHA256:…, @sha256:….
        let before = bytes.word(max(0, range.lowerBound - 10)..<range.lowerBound)
        if before.hasSuffix(":"),
            ["sha1:", "sha256:", "sha384:", "sha512:", "md5:"].contains(where: before.hasSuffix)
        {
            return true
        }
        // known_hosts: |1|salt|hash.
        return range.lowerBound > 0 && bytes[range.lowerBound - 1] == 0x7c
    }

    /// `cloud.id: "name:…"` of Elastic Cloud: an address in base64.
    static func isDeployment(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        var start = range.lowerBound
        while start > 0, range.lowerBound - start < 96, bytes[start - 1] != 0x0a { start -= 1 }
        let before = bytes.word(start..<range.lowerBound)
        return ["cloud.id", "cloud_id", "cloudid"].contains(where: before.contains)
    }

    /// Whether the name before a word on its line says that it is public.
    private mutating func isUnderPlainName(_ range: Range<Int>) -> Bool {
        while nextOpen < open.count, open[nextOpen].upperBound <= range.lowerBound { nextOpen += 1 }
        if nextOpen < open.count, open[nextOpen].lowerBound <= range.lowerBound { return true }
        var start = range.lowerBound
        while start > 0, range.lowerBound - start < 96, bytes[start - 1] != 0x0a,
            bytes[start - 1] != 0x2c, bytes[start - 1] != 0x3b
        { start -= 1 }
        let name = bytes[start..<range.lowerBound]
        return name.count >= 2 && KeyName(name).sensitivity == .plain
    }
}
