/// Finds what is a secret wherever it stands: private keys, vaults, digests of passwords, tokens of known makers, users'
/// parts of URLs, and words that look like nothing else than keys.
struct InlineScanner {
    let bytes: [UInt8]
    private let scan: TextScan
    var spots: Spots
    /// Certificates and public keys, which look random and are public.
    var open: [Range<Int>] = []

    init(_ scan: TextScan) {
        self.scan = scan
        bytes = scan.bytes
        spots = Spots(scan.bytes)
    }

    mutating func scan(_ range: Range<Int>) {
        armored(range)
        vaults(range)
        puttyKeys(range)
        loginBlocks(range)
        phrases(range)
        idioms(range)
        addresses(range)
        var words = WordScanner(scan, open: open.sorted { $0.lowerBound < $1.lowerBound })
        words.scan(range)
        spots.add(contentsOf: words.spots)
    }

    /// Only what cannot be anything else, for content that is not text.
    mutating func scanKnownForms() {
        armored(0..<bytes.count)
        vaults(0..<bytes.count)
    }

    // MARK: keys

    private static let begin = Array("-----BEGIN ".utf8)
    private static let endMark = Array("-----END ".utf8)
    private static let dashes = Array("-----".utf8)

    /// PEM (RFC 7468), OpenSSH and PGP armor; on lines of their own, indented, or in one line with `\n`.
    private mutating func armored(_ range: Range<Int>) {
        var position = range.lowerBound
        var hasEnd = true
        while let start = bytes.position(
            of: InlineScanner.begin, from: position, before: range.upperBound)
        {
            position = start + InlineScanner.begin.count
            guard
                let dashes = bytes.position(
                    of: InlineScanner.dashes, from: position,
                    before: min(range.upperBound, position + 80))
            else { continue }
            let label = bytes.text(position..<dashes).uppercased()
            position = dashes + 5
            let mark =
                hasEnd
                ? bytes.position(
                    of: InlineScanner.endMark, from: position, before: range.upperBound) : nil
            hasEnd = mark != nil
            // Another block begins before this one ends: its end is not this one's.
            let next = bytes.position(
                of: InlineScanner.begin, from: position, before: mark ?? position)
            let end =
                next == nil
                ? mark ?? endOfArmor(position, before: range.upperBound)
                : endOfArmor(position, before: next ?? position)
            if label.contains("PRIVATE") || label.contains("SECRET") || label.contains("STATIC KEY")
                || label.contains("MESSAGE")
                || label.contains("ENCRYPTED FILE") || label.contains("TLS-CRYPT")
            {
                let isMessage = label.contains("MESSAGE") || label.contains("ENCRYPTED FILE")
                let body = inner(position..<end)
                if !Placeholder.isPlaceholder(bytes[body]) {
                    spots.add(body, isMessage ? .ciphertext : .privateKey, "pem")
                }
            } else {
                open.append(position..<end)
            }
            position = max(end, position)
        }
    }

    /// Where a block ends whose last line is missing: with the first line that is not of its letters.
    private func endOfArmor(_ start: Int, before end: Int) -> Int {
        var position = start
        while position < end {
            let line = bytes.trimmed(position..<min(bytes.endOfLine(position), end))
            let isBody = bytes[line].allSatisfy {
                $0.isBase64 || [0x5c, 0x3a, 0x20, 0x2d, 0x2c].contains($0)
            }
            // In one line with other things, the letters end somewhere within it.
            if !isBody {
                var stop = line.lowerBound
                while stop < line.upperBound, bytes[stop].isBase64 || bytes[stop] == 0x5c {
                    stop += 1
                }
                return position == start ? stop : position
            }
            position = min(bytes.endOfLine(position) + 1, end)
        }
        return min(position, end)
    }

    /// Without the white space and the escaped line breaks at both ends.
    private func inner(_ range: Range<Int>) -> Range<Int> {
        var body = bytes.trimmed(range)
        var isShorter = true
        while isShorter {
            isShorter = false
            // Commented out, line by line.
            if let first = bytes[body].first, first == 0x23 {
                body = bytes.trimmed((body.lowerBound + 1)..<body.upperBound)
                isShorter = true
            }
            if let last = bytes[body].last, last == 0x23 {
                body = bytes.trimmed(body.lowerBound..<(body.upperBound - 1))
                isShorter = true
            }
            for mark: [UInt8] in [[0x5c, 0x72], [0x5c, 0x6e], [0x5c, 0x5c]] {
                if bytes[body].starts(with: mark) {
                    body = bytes.trimmed((body.lowerBound + 2)..<body.upperBound)
                    isShorter = true
                }
                if body.count >= 2, bytes[body].suffix(2).elementsEqual(mark) {
                    body = bytes.trimmed(body.lowerBound..<(body.upperBound - 2))
                    isShorter = true
                }
            }
            for mark: [UInt8] in [
                Array("&#10;".utf8), Array("&#xA;".utf8), Array("&#13;".utf8), Array("&#xD;".utf8),
            ] where body.count >= mark.count {
                if bytes[body].starts(with: mark) {
                    body = bytes.trimmed((body.lowerBound + mark.count)..<body.upperBound)
                    isShorter = true
                }
                if body.count >= mark.count, bytes[body].suffix(mark.count).elementsEqual(mark) {
                    body = bytes.trimmed(body.lowerBound..<(body.upperBound - mark.count))
                    isShorter = true
                }
            }
        }
        return body
    }

    /// `$ANSIBLE_VAULT;1.1;AES256` and lines of hexadecimal digits.
    private mutating func vaults(_ range: Range<Int>) {
        let mark = Array("$ANSIBLE_VAULT;".utf8)
        var position = range.lowerBound
        while let start = bytes.position(of: mark, from: position, before: range.upperBound) {
            position = start + mark.count
            while position < range.upperBound,
                bytes[position].isWordOrDash || [0x2e, 0x3b].contains(bytes[position])
            { position += 1 }
            var end = position
            while end < range.upperBound,
                bytes[end].isHex || bytes[end].isSpaceOrBreak
                    || bytes[end] == 0x5c && bytes.has("\\n", at: end)
            {
                end += bytes[end] == 0x5c ? 2 : 1
            }
            // A letter that is no digit does not end the word it stands in.
            while end < range.upperBound, bytes[end].isAlphanumeric { end += 1 }
            let body = inner(position..<end)
            if bytes[body].contains(where: \.isHex) {
                spots.add(body, .ciphertext, "ansible-vault")
            }
            position = max(end, position)
        }
    }

    /// The private part of a PuTTY key: as many lines as `Private-Lines` says.
    private mutating func puttyKeys(_ range: Range<Int>) {
        let mark = Array("Private-Lines: ".utf8)
        guard let start = bytes.position(of: mark, from: range.lowerBound, before: range.upperBound)
        else { return }
        let first = bytes.endOfLine(start)
        var end = first
        var position = min(first + 1, range.upperBound)
        while position < range.upperBound {
            let stop = min(bytes.endOfLine(position), range.upperBound)
            let line = bytes.trimmed(position..<stop)
            guard !line.isEmpty, bytes[line].allSatisfy(\.isBase64) else { break }
            end = stop
            position = stop + 1
        }
        guard end > first else { return }
        let body = bytes.trimmed(first..<end)
        if !Placeholder.isPlaceholder(bytes[body]) { spots.add(body, .privateKey, "putty") }
    }

    /// `<auth-user-pass>` of OpenVPN: a line with the user, a line with the password.
    private mutating func loginBlocks(_ range: Range<Int>) {
        let mark = Array("<auth-user-pass>".utf8)
        guard let start = bytes.position(of: mark, from: range.lowerBound, before: range.upperBound)
        else { return }
        let begin = start + mark.count
        let end =
            bytes.position(of: 0x3c, from: begin, before: range.upperBound) ?? range.upperBound
        var position = begin
        while position < end {
            let line = bytes.trimmed(position..<min(bytes.endOfLine(position), end))
            if !line.isEmpty { spots.add(line, .password, "openvpn") }
            position = bytes.endOfLine(position) + 1
        }
    }

    /// Secrets behind words that nothing else has: objects of QEMU, the password of a nick.
    private mutating func phrases(_ range: Range<Int>) {
        for (head, mark) in [("secret,id=", ",data="), ("nickserv", "identify ")] {
            var position = range.lowerBound
            while let hit = bytes.position(
                of: Array(head.utf8), from: position, before: range.upperBound)
            {
                position = hit + head.utf8.count
                let limit = min(range.upperBound, bytes.endOfLine(hit), hit + 256)
                guard
                    let start = bytes.position(of: Array(mark.utf8), from: position, before: limit)
                else { continue }
                let value = (start + mark.utf8.count)..<limit
                let end =
                    bytes[value].firstIndex {
                        $0.isSpaceOrBreak || [0x22, 0x27, 0x2c, 0x3b, 0x3c].contains($0)
                    } ?? limit
                for (part, secretClass) in Value.secrets(
                    in: value.lowerBound..<max(value.lowerBound, end), of: bytes, .secret(.secret))
                { spots.add(part, secretClass, "phrase") }
            }
        }
    }

    /// `"…".toCharArray()` of Java, `user:…@tcp(host:3306)/db` of Go.
    private mutating func idioms(_ range: Range<Int>) {
        jasypt(range)
        guard
            scan.kind.form == .code || scan.depth > 0 || scan.kind.form == .lines
                || scan.kind.form == .shell
        else { return }
        for (mark, close) in [
            ("\".toCharArray(", UInt8(0x22)), ("@tcp(", 0x3a), ("@unix(", 0x3a),
            ("\" | ConvertTo-SecureString", 0x22), ("' | ConvertTo-SecureString", 0x27),
        ] {
            var position = range.lowerBound
            while let hit = bytes.position(
                of: Array(mark.utf8), from: position, before: range.upperBound)
            {
                position = hit + mark.utf8.count
                var start = hit
                while start > range.lowerBound, hit - start < 128, bytes[start - 1] != close,
                    !bytes[start - 1].isBreak
                { start -= 1 }
                guard start > range.lowerBound, bytes[start - 1] == close else { continue }
                for (part, secretClass) in Value.secrets(
                    in: start..<hit, of: bytes, .secret(.password))
                { spots.add(part, secretClass, "idiom") }
            }
        }
    }

    /// `ENC(…)`: what Jasypt has encrypted with a password that lies elsewhere.
    private mutating func jasypt(_ range: Range<Int>) {
        let mark = Array("ENC(".utf8)
        var position = range.lowerBound
        while let hit = bytes.position(of: mark, from: position, before: range.upperBound) {
            position = hit + mark.count
            let body = bytes[position..<range.upperBound].prefix { $0.isBase64 || $0 == 0x3d }
            guard body.count >= 16, body.endIndex < range.upperBound, bytes[body.endIndex] == 0x29
            else { continue }
            spots.add(body.startIndex..<body.endIndex, .ciphertext, "jasypt")
        }
    }

    // MARK: addresses

    /// `scheme://user:password@host`, whatever the scheme; RFC 3986, section 3.2.1. Passwords may hold what they must not: the last
    /// at-sign before the end of the host's part counts.
    private mutating func addresses(_ range: Range<Int>) {
        var position = range.lowerBound
        let mark = Array("://".utf8)
        // Oracle's driver: jdbc:oracle:thin:user/password@….
        var thin = range.lowerBound
        while let hit = bytes.position(
            of: Array(":thin:".utf8), from: thin, before: range.upperBound)
        {
            thin = hit + 6
            let user = bytes[thin..<range.upperBound].prefix { $0.isWordOrDash || $0 == 0x24 }.count
            guard bytes.has("/", at: thin + user),
                let at = bytes.position(
                    of: 0x40, from: thin + user, before: min(range.upperBound, thin + 256)),
                at > thin + user + 1
            else { continue }
            spots.add((thin + user + 1)..<at, .urlCredential, "url")
        }
        mounts(range)
        targets(range)
        services(range)
        while let colon = bytes.position(of: mark, from: position, before: range.upperBound) {
            position = colon + 3
            webhook(position, before: range.upperBound)
            guard let at = userEnd(position, before: range.upperBound) else { continue }
            guard let separator = bytes.position(of: 0x3a, from: position, before: at) else {
                // A token as the user: https://ghp_…@github.com.
                if Randomness.isOdd(bytes[position..<at]), at - position >= 16 {
                    spots.add(position..<at, .urlCredential, "url")
                }
                continue
            }
            for (part, _) in Value.secrets(in: (separator + 1)..<at, of: bytes, .secret(.password))
            {
                spots.add(part, .urlCredential, "url")
            }
            if at - separator > 1, bytes.has("x-oauth-basic@", at: separator + 1) {
                spots.add(position..<separator, .urlCredential, "url")
            }
            position = at
        }
    }

    /// `curlftpfs#user:password@host` in a table of file systems.
    private mutating func mounts(_ range: Range<Int>) {
        let mark = Array("fs#".utf8)
        var position = range.lowerBound
        while let hit = bytes.position(of: mark, from: position, before: range.upperBound) {
            position = hit + mark.count
            guard let at = userEnd(position, before: range.upperBound),
                let separator = bytes.position(of: 0x3a, from: position, before: at)
            else { continue }
            for (part, _) in Value.secrets(in: (separator + 1)..<at, of: bytes, .secret(.password))
            { spots.add(part, .urlCredential, "url") }
        }
    }

    private func userEnd(_ start: Int, before limit: Int) -> Int? {
        var end = start
        var at: Int?
        var hasSlash = false
        while end < limit, end - start < 512 {
            let byte = bytes[end]
            if byte.isSpaceOrBreak || [0x22, 0x3c, 0x3e, 0x60].contains(byte)
                || byte == 0x5c && bytes.has("\\n", at: end)
            {
                break
            }
            if byte == 0x2f {
                if at != nil || end == start { break }
                hasSlash = true
                if bytes.has("//", at: end) { break }
            }
            if byte == 0x3f || byte == 0x23, at != nil || hasSlash { break }
            if byte == 0x40 { at = end }
            if byte == 0x2c, at != nil { break }
            end += 1
        }
        // user:pa/ss@host, but not host/path@version.
        if let at, hasSlash {
            guard let colon = bytes.position(of: 0x3a, from: start, before: at),
                let slash = bytes.position(of: 0x2f, from: start, before: at),
                colon < slash, !bytes[(colon + 1)..<slash].allSatisfy(\.isDigit)
            else { return nil }
        }
        return at
    }

    private static let webhooks: [[UInt8]] = Redaction.bytes(of: [
        "hooks.slack.com/services/", "discord.com/api/webhooks/", "discordapp.com/api/webhooks/",
        ".webhook.office.com/webhookb2/",
        "outlook.office.com/webhook/", "hooks.zapier.com/hooks/catch/", "api.telegram.org/bot",
        "chat.googleapis.com/v1/spaces/",
        "hooks.chime.aws/incomingwebhooks/", "maker.ifttt.com/trigger/", "hc-ping.com/",
        "events.pagerduty.com/integration/",
        "/hooks/", "sentry.io/",
    ])

    /// Addresses that are themselves the permission.
    private mutating func webhook(_ start: Int, before limit: Int) {
        let end =
            start
            + (bytes[start..<min(limit, start + 256)].prefix {
                !$0.isSpaceOrBreak && ![0x22, 0x27, 0x3c, 0x3e, 0x60, 0x29].contains($0)
            }.count)
        for head in InlineScanner.webhooks {
            guard let hit = bytes.position(of: head, from: start, before: end) else { continue }
            let tail = (hit + head.count)..<end
            guard tail.count >= 12, head != Array("/hooks/".utf8) || Randomness.isOdd(bytes[tail])
            else { continue }
            if !Placeholder.isPlaceholder(bytes[tail]) {
                spots.add(tail, .urlCredential, "webhook")
            }
            return
        }
    }
}
