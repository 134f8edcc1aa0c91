/// Finds what is a secret wherever it stands: private keys, tokens of known makers, JWT, and users' parts of URLs.
struct InlineScanner {
    let bytes: [UInt8]
    var spots: Spots

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        spots = Spots(bytes)
    }

    mutating func scan(_ range: Range<Int>) {
        privateKeys(range)
        addresses(range)
        words(range)
    }

    // MARK: private keys

    private static let begin = Array("-----BEGIN ".utf8)
    private static let endMark = Array("-----END ".utf8)

    /// PEM (RFC 7468), OpenSSH and PGP armor; on lines of their own, indented, or in one line with `\n`.
    private mutating func privateKeys(_ range: Range<Int>) {
        var position = range.lowerBound
        while let start = bytes.position(of: InlineScanner.begin, from: position, before: range.upperBound) {
            position = start + InlineScanner.begin.count
            guard let dashes = bytes.position(of: Array("-----".utf8), from: position, before: min(range.upperBound, position + 80))
            else { continue }
            let label = bytes.text(position..<dashes)
            guard label.contains("PRIVATE KEY") || label.contains("SECRET") else { continue }
            position = dashes + 5
            let end = bytes.position(of: InlineScanner.endMark, from: position, before: range.upperBound)
                ?? endOfArmor(position, before: range.upperBound)
            let body = inner(position..<end)
            spots.add(body, .privateKey, "pem", key: nil)
            position = end
        }
    }

    /// Where a key ends whose last line is missing: with the first line that is not of its letters.
    private func endOfArmor(_ start: Int, before end: Int) -> Int {
        var position = start
        while position < end {
            let line = bytes.trimmed(position..<min(bytes.endOfLine(position), end))
            guard bytes[line].allSatisfy({ $0.isBase64 || $0 == 0x5c || $0 == 0x3a || $0 == 0x20 || $0 == 0x2d || $0 == 0x2c }) else { break }
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
            for mark in ["\\r", "\\n"] {
                if bytes[body].starts(with: mark.utf8) {
                    body = bytes.trimmed((body.lowerBound + 2)..<body.upperBound)
                    isShorter = true
                }
                if body.count >= 2, bytes[body].ends(with: mark) {
                    body = bytes.trimmed(body.lowerBound..<(body.upperBound - 2))
                    isShorter = true
                }
            }
        }
        return body
    }

    // MARK: addresses

    /// `scheme://user:password@host`, whatever the scheme; RFC 3986, section 3.2.1.
    private mutating func addresses(_ range: Range<Int>) {
        var position = range.lowerBound
        let mark = Array("://".utf8)
        while let colon = bytes.position(of: mark, from: position, before: range.upperBound) {
            position = colon + 3
            var end = position
            var at: Int?
            while end < range.upperBound, end - position < 4096 {
                let byte = bytes[end]
                if byte.isSpaceOrBreak || byte == 0x22 || byte == 0x3c || byte == 0x3e || byte == 0x2f && at != nil { break }
                if byte == 0x40 { at = end }
                end += 1
            }
            guard let at, let separator = bytes.position(of: 0x3a, from: position, before: at), separator + 1 < at else { continue }
            for (part, _) in Value.secrets(in: (separator + 1)..<at, of: bytes, .secret(.urlCredential)) {
                spots.add(part, .urlCredential, "url")
            }
            position = at
        }
    }

    // MARK: words

    private mutating func words(_ range: Range<Int>) {
        var position = range.lowerBound
        while position < range.upperBound {
            guard bytes[position].isWord else {
                position += 1
                continue
            }
            let start = position
            while position < range.upperBound, bytes[position].isWordOrDash || bytes[position] == 0x2e { position += 1 }
            if position - start >= 16, let known = KnownTokens.secretClass(of: start..<position, in: bytes) {
                spots.add(start..<position, known.0, known.1)
            }
        }
    }
}
