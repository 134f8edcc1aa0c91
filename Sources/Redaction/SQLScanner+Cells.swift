/// What statements say of values whose columns they do not name, and what `UPDATE … SET` computes.
extension SQLScanner {
    private static let people: Set<String> = [
        "users", "user", "accounts", "account", "members", "member", "utilisateurs", "utilisateur",
        "comptes", "compte", "staff", "logins", "login", "admins", "admin", "employees",
        "personnel",
        "operators", "benutzer",
    ]
    private static let set = Array("set ".utf8)
    private static let stops = ["where ", "from ", "returning "].map { Array($0.utf8) }

    /// `wp_users`, `public.account`: the digests in its rows are those of passwords.
    static func isOfPeople(_ table: String) -> Bool {
        people.contains(table)
            || table.split(separator: "_").last.map { people.contains(String($0)) } == true
    }

    /// A hexadecimal digest in quotes, as MD5 and SHA give it.
    func isDigest(_ cell: Range<Int>) -> Bool {
        guard cell.count >= 34, cell.count <= 130, bytes[cell.lowerBound].isQuote else {
            return false
        }
        let inner = (cell.lowerBound + 1)..<(cell.upperBound - 1)
        return [32, 40, 64, 96, 128].contains(inner.count) && Randomness.isHexKey(bytes[inner])
    }

    private static let parts = ["pass", "pwd", "secret", "token", "key", "mdp"].map {
        Array($0.utf8)
    }

    /// The name of a setting in quotes, whose value stands in the cell behind it: `'smtp_password','…'`.
    func setting(_ cell: Range<Int>) -> SecretClass? {
        guard (8...64).contains(cell.count), bytes[cell.lowerBound].isQuote else { return nil }
        let inner = (cell.lowerBound + 1)..<(cell.upperBound - 1)
        guard bytes[inner].allSatisfy({ $0.isWordOrDash || $0 == 0x2e }),
            !Placeholder.isPlaceholder(bytes[inner]),
            bytes[inner].contains(where: { $0 == 0x5f || $0 == 0x2e || $0 == 0x2d }),
            SQLScanner.parts.contains(where: { part in
                (inner.lowerBound..<inner.upperBound).contains { has(part, at: $0) }
            })
        else { return nil }
        return secretClass(inner)
    }

    /// The columns and values of `SET a = 1, b = MD5('x') WHERE …`.
    func assignments(_ range: Range<Int>) -> [(column: Range<Int>, value: Range<Int>)] {
        guard
            var position = (range.lowerBound..<range.upperBound).first(where: {
                has(SQLScanner.set, at: $0) && $0 > 0 && bytes[$0 - 1].isSpaceOrBreak
            })
        else { return [] }
        position += SQLScanner.set.count
        var found: [(Range<Int>, Range<Int>)] = []
        while position < range.upperBound, let column = name(&position) {
            skipSpace(&position)
            guard bytes.has("=", at: position) else { return found }
            position += 1
            let start = position
            var depth = 0
            while position < range.upperBound {
                let byte = bytes[position]
                if byte.isQuote,
                    let quoted = Quoted(
                        at: position, of: bytes, lineEnd: range.upperBound, mayBreak: false)
                {
                    position = quoted.end
                    continue
                }
                if byte == 0x28 { depth += 1 }
                if byte == 0x29 { depth -= 1 }
                if depth == 0,
                    byte == 0x2c || SQLScanner.stops.contains(where: { has($0, at: position) })
                {
                    break
                }
                position += 1
            }
            found.append((column, bytes.trimmed(start..<min(position, range.upperBound))))
            guard bytes.has(",", at: position) else { return found }
            position += 1
        }
        return found
    }
}
