/// Which options of servers, mappings and foreign tables, and which settings, hold a secret.
///
/// Nobody but the wrapper knows for certain, so whatever looks like one counts: what is left out
/// wrongly is named and can be given again, what is written wrongly is out.
enum SecretOptions {
    private static let words = [
        "pass", "pwd", "secret", "token", "credential", "private_key", "privatekey", "apikey",
        "api_key", "access_key", "accesskey", "encryption_key", "connection_string",
    ]
    private static let switches = [
        "", "0", "1", "f", "false", "n", "no", "off", "on", "t", "true", "y", "yes",
    ]

    /// An option of a wrapper, a server, a user mapping, a foreign table or its column.
    static func holds(_ name: String, _ value: String) -> Bool {
        let (name, lowered) = (name.lowercased(), value.lowercased())
        // `password_required 'false'`, `key 'yes'`: a decision, no secret.
        if switches.contains(lowered) { return false }
        return words.contains { name.contains($0) } || name == "key" || name.hasSuffix("_key")
            || holdsPassword(lowered)
    }

    /// A setting of a role or a database. Those of the server itself have no dot in their names, and
    /// none of them is a secret.
    static func holds(setting name: String, _ value: String) -> Bool {
        name.contains(".") && holds(name, value)
    }

    /// The same for both in one, as `parts` takes them.
    static func holds(option: String) -> Bool {
        let parts = parts(option)
        return holds(parts.name, parts.value)
    }

    /// `name=value`, as catalogs keep options and settings.
    static func parts(_ option: String) -> (name: String, value: String) {
        let mark = option.firstIndex(of: "=") ?? option.endIndex
        return (String(option[..<mark]), String(option[mark...].dropFirst()))
    }

    /// `scheme://user:password@host`, or `password=` within a connection string.
    private static func holdsPassword(_ value: String) -> Bool {
        for word in ["password=", "pwd=", "passwd="] where value.contains(word) { return true }
        guard let scheme = value.firstRange(of: "://") else { return false }
        let authority = value[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" }
        guard let mark = authority.lastIndex(of: "@") else { return false }
        return authority[..<mark].contains(":")
    }
}

extension String {
    /// Where a text begins first.
    fileprivate func firstRange(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text),
                let end = index(start, offsetBy: text.count, limitedBy: endIndex)
            {
                return start..<end
            }
            start = index(after: start)
        }
        return nil
    }
}

extension SQLStatement {
    /// The statement without the options and settings that hold secrets; nil where nothing of it is
    /// left.
    func withoutSecrets() -> SQLStatement? {
        if begins("ALTER", "ROLE") || begins("ALTER", "DATABASE") {
            guard let setting = setting else { return self }
            return SecretOptions.holds(setting: setting.name, setting.value) ? nil : self
        }
        let isMade = word(0) == "CREATE" && ["SERVER", "FOREIGN", "USER"].contains(word(1))
        guard isMade || begins("ALTER", "FOREIGN") || begins("ALTER", "SERVER") else { return self }
        var statement = self
        // From the last to the first, so that the places of the others stay what they are.
        for place in tokens.indices.reversed() where word(place) == "OPTIONS" {
            guard let options = options(from: place),
                let end = options.last.map({ $0.value + 1 }) ?? nil
            else { continue }
            let kept = options.filter {
                !SecretOptions.holds(name($0.name) ?? "", literal($0.value))
            }
            if kept.count == options.count { continue }
            if kept.isEmpty, word(0) == "ALTER" { return nil }
            let text = kept.map { "\(spelling($0.name)) \(spelling($0.value))" }
                .joined(separator: ", ")
            statement.replace(place...end, with: kept.isEmpty ? "" : "OPTIONS (\(text))")
        }
        return statement
    }

    /// What ALTER ROLE or ALTER DATABASE sets.
    var setting: (name: String, value: String, place: Int)? {
        guard let mark = outer.first(where: { $0 > 2 && word($0) == "SET" }) else { return nil }
        // A name with a dot is one name in quotes, or two words.
        var place = mark + 1
        guard var found = name(place) else { return nil }
        while isSymbol(place + 1, "."), let more = name(place + 2) {
            found += "." + more
            place += 2
        }
        guard word(place + 1) == "TO" || isSymbol(place + 1, "="), place + 2 < tokens.count else {
            return nil
        }
        let value = (place + 2..<tokens.count - 1).map(literal).joined()
        return (found.lowercased(), value, place + 2)
    }

    /// Name and value of each option in the parentheses behind a word; nil where there are none.
    private func options(from place: Int) -> [(name: Int, value: Int)]? {
        guard isSymbol(place + 1, "(") else { return nil }
        var found: [(name: Int, value: Int)] = []
        var index = place + 2
        while index + 2 < tokens.count, name(index) != nil, tokens[index + 1].kind == .string {
            found.append((index, index + 1))
            if isSymbol(index + 2, ")") { return found }
            guard isSymbol(index + 2, ",") else { return nil }
            index += 3
        }
        return nil
    }

    /// The content of a string, or the token as it is written. Backslashes stay, which is enough
    /// to tell what a value is.
    private func literal(_ index: Int) -> String {
        let text = spelling(index)
        guard tokens[index].kind == .string, let start = text.firstIndex(of: "'") else {
            return text
        }
        return String(text[start...].dropFirst().dropLast())
    }
}
