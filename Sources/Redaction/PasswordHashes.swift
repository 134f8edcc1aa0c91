/// Digests of passwords that show by their form what they are: crypt(5), LDAP (RFC 2307), Django, PostgreSQL, GRUB.
enum PasswordHashes {
    private static let heads: [[UInt8]] = Redaction.bytes(of: [
        "$1$", "$2$", "$2a$", "$2b$", "$2x$", "$2y$", "$3$", "$5$", "$6$", "$7$", "$y$", "$gy$",
        "$apr1$", "$argon2",
        "$sha1$", "$pbkdf2", "$scrypt$", "$P$", "$H$", "$S$", "$md5", "$bcrypt", "$dovecot", "$8$",
        "$9$", "$14$",
    ])
    private static let schemes: Set<String> = [
        "ssha", "sha", "md5", "smd5", "crypt", "ssha256", "sha256", "ssha512", "sha512", "pbkdf2",
        "pbkdf2-sha1",
        "pbkdf2-sha256", "pbkdf2-sha512", "argon2", "argon2i", "argon2id", "bcrypt", "blf-crypt",
        "sha256-crypt",
        "sha512-crypt", "cram-md5", "digest-md5", "scram-sha-1", "scram-sha-256", "plain",
        "cleartext", "clear", "nt",
        "lanman", "x-pbkdf2", "ns-mta-md5", "ssha384", "sha384", "noop",
    ]
    private static let words: [[UInt8]] = Redaction.bytes(of: [
        "pbkdf2_sha256$", "pbkdf2_sha1$", "argon2$", "bcrypt$", "bcrypt_sha256$", "scrypt$",
        "scrypt:", "pbkdf2:sha",
        "SCRAM-SHA-256$", "SCRAM-SHA-1$", "grub.pbkdf2.", "sha1$", "sha256$", "md5$", "apr1$",
    ])

    private static let isFirst: [Bool] = (0..<256).map { byte in
        words.contains { Int($0[0]) == byte }
    }

    /// Where the digest that begins at a place ends; nil where none begins.
    static func end(at start: Int, in bytes: [UInt8], before limit: Int) -> Int? {
        let first = bytes[start]
        // *2470C0C0… of MySQL.
        if first == 0x2a, limit - start >= 41,
            bytes[(start + 1)..<(start + 41)].allSatisfy({ $0.isDigit || $0 &- 0x41 < 6 }),
            start + 41 == limit || !bytes[start + 41].isAlphanumeric
        {
            return start + 41
        }
        if first == 0x24 {
            guard heads.contains(where: { bytes.has($0, at: start) }) else { return nil }
            let end = run(from: start, in: bytes, before: limit)
            // Three parts at least, and some length: $1$ in a script is an argument.
            return end - start >= 13 && bytes[start..<end].contains(where: \.isAlphanumeric)
                ? end : nil
        }
        if first == 0x7b {
            guard let close = bytes.position(of: 0x7d, from: start, before: min(limit, start + 24)),
                schemes.contains(bytes.word((start + 1)..<close))
            else { return nil }
            let end = run(from: close + 1, in: bytes, before: limit)
            return end > close + 1 ? end : nil
        }
        guard isFirst[Int(first)],
            words.contains(where: { bytes[start] == $0[0] && bytes.has($0, at: start) })
        else { return nil }
        let end = run(from: start, in: bytes, before: limit)
        return end - start >= 24 ? end : nil
    }

    private static func run(from start: Int, in bytes: [UInt8], before limit: Int) -> Int {
        var end = start
        while end < limit {
            let byte = bytes[end]
            // A colon ends the field of a table, but joins the parts of SCRAM and Werkzeug.
            if byte == 0x3a, !bytes.has("SCRAM", at: start), !bytes.has("scrypt:", at: start),
                !bytes.has("pbkdf2:", at: start)
            {
                break
            }
            guard
                byte.isAlphanumeric
                    || [0x24, 0x2e, 0x2f, 0x2b, 0x3d, 0x2d, 0x5f, 0x2c, 0x3a, 0x5c].contains(byte)
            else { break }
            if byte == 0x2c, !bytes[start..<end].contains(0x24) { break }
            if byte == 0x5c { break }
            end += 1
        }
        while end > start, bytes[end - 1] == 0x2c || bytes[end - 1] == 0x3a { end -= 1 }
        return end
    }
}
