/// Addresses with passwords that are no URLs.
extension InlineScanner {
    /// `netroot=iscsi:user:password[:user:password]@host` of dracut.
    mutating func targets(_ range: Range<Int>) {
        let mark = Array("root=iscsi:".utf8)
        var position = range.lowerBound
        while let hit = bytes.position(of: mark, from: position, before: range.upperBound) {
            position = hit + mark.count
            let word = bytes[position..<min(range.upperBound, position + 512)].prefix {
                !$0.isSpaceOrBreak && !$0.isQuote
            }
            guard let at = word.lastIndex(of: 0x40) else { continue }
            var fields: [Range<Int>] = []
            var start = position
            for place in position..<at where bytes[place] == 0x3a {
                fields.append(start..<place)
                start = place + 1
            }
            fields.append(start..<at)
            // A password of the user, and one of the target.
            for field in [1, 3] where field < fields.count { credential(fields[field]) }
        }
    }

    /// `user/password@//host:1521/service` and `user/password@host:1521:service` of Oracle, `user:password@host:3128` of proxies.
    mutating func services(_ range: Range<Int>) {
        var position = range.lowerBound
        while let at = bytes.position(of: 0x40, from: position, before: range.upperBound) {
            position = at + 1
            var start = at
            let first = max(range.lowerBound, at - 128)
            while start > first, bytes[start - 1] > 0x20,
                ![0x22, 0x27, 0x3d, 0x40, 0x3c, 0x3e].contains(bytes[start - 1])
            { start -= 1 }
            if let secret = password(in: start..<at),
                isHostWithPort(at + 1, before: range.upperBound)
            {
                credential(secret)
                continue
            }
            guard let slash = bytes[start..<at].firstIndex(of: 0x2f), slash > start, slash + 1 < at,
                bytes[start..<slash].allSatisfy({ $0.isWord || $0 == 0x24 }),
                !bytes[slash..<at].contains(0x3a), isService(at + 1, before: range.upperBound)
            else { continue }
            credential((slash + 1)..<at)
        }
    }

    /// What begins an address that has a number behind its at-sign and no password before.
    private static let schemes: Set<String> = [
        "sip", "sips", "mailto", "xmpp", "im", "ldap", "h323", "acct", "ssh", "scp", "sftp", "user",
        "tcp", "udp", "tls", "inet", "from", "to", "relay", "host", "server", "http", "https",
    ]

    /// The second half of `user:password`.
    private func password(in range: Range<Int>) -> Range<Int>? {
        guard let colon = bytes[range].firstIndex(of: 0x3a), colon > range.lowerBound,
            range.upperBound - colon > 4,
            bytes[range.lowerBound..<colon].allSatisfy({ $0.isWordOrDash || $0 == 0x2e }),
            !InlineScanner.schemes.contains(bytes.word(range.lowerBound..<colon)),
            !bytes[(colon + 1)..<range.upperBound].contains(where: { $0 == 0x2f || $0 == 0x3a }),
            !bytes[(colon + 1)..<range.upperBound].allSatisfy({ $0.isDigit || $0 == 0x2e })
        else { return nil }
        return (colon + 1)..<range.upperBound
    }

    /// `proxy:3128`.
    private func isHostWithPort(_ start: Int, before limit: Int) -> Bool {
        let host = bytes[start..<limit].prefix(128).prefix { $0.isWordOrDash || $0 == 0x2e }
        guard !host.isEmpty, bytes.has(":", at: host.endIndex) else { return false }
        let port = bytes[(host.endIndex + 1)..<limit].prefix(6).prefix(while: \.isDigit)
        return (2...5).contains(port.count)
            && (port.endIndex == limit || !bytes[port.endIndex].isWordOrDash)
    }

    /// `//host`, or a host with a port and a service.
    private func isService(_ start: Int, before limit: Int) -> Bool {
        if bytes.has("//", at: start) {
            return start + 2 < limit && bytes[start + 2].isAlphanumeric
        }
        let host = bytes[start..<limit].prefix(128).prefix { $0.isWordOrDash || $0 == 0x2e }
        guard !host.isEmpty, bytes.has(":", at: host.endIndex) else { return false }
        let port = bytes[(host.endIndex + 1)..<limit].prefix(6).prefix(while: \.isDigit)
        return port.count >= 4
            && (bytes.has("/", at: port.endIndex) || bytes.has(":", at: port.endIndex))
    }

    private mutating func credential(_ range: Range<Int>) {
        for (part, _) in Value.secrets(in: range, of: bytes, .secret(.password)) {
            spots.add(part, .urlCredential, "url")
        }
    }
}
