/// Texts of the form that Debian's control files have: fields of `Name: value`, lines that go on begin
/// with white space, stanzas end with an empty line. deb822(5).
enum Stanzas {
    /// Field names in lower case; lines that go on are joined by newlines, without their first blank.
    static func parse(_ text: String) -> [[String: String]] {
        var stanzas: [[String: String]] = []
        var fields: [String: String] = [:]
        var last: String?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.first == "#" { continue }
            if line.allSatisfy({ $0 == " " || $0 == "\t" || $0 == "\r" }) {
                if !fields.isEmpty { stanzas.append(fields) }
                (fields, last) = ([:], nil)
                continue
            }
            if line.first == " " || line.first == "\t" {
                if let last { fields[last, default: ""] += "\n" + line.dropFirst() }
                continue
            }
            guard let colon = line.utf8.firstIndex(of: 0x3a) else { continue }
            let name = line[..<colon].lowercased()
            fields[name] = Text.trimmed(line[line.utf8.index(after: colon)...])
            last = name
        }
        if !fields.isEmpty { stanzas.append(fields) }
        return stanzas
    }
}

/// Small helpers for lines of configuration.
enum Text {
    static func trimmed(_ text: some StringProtocol) -> String {
        var rest = Substring(text)
        while let first = rest.utf8.first, first == 0x20 || (0x09...0x0d).contains(first) {
            rest = rest[rest.utf8.index(after: rest.startIndex)...]
        }
        while let last = rest.utf8.last, last == 0x20 || (0x09...0x0d).contains(last) {
            rest = rest[..<rest.utf8.index(before: rest.endIndex)]
        }
        return String(rest)
    }

    /// Words between blanks and tabs.
    static func words(_ line: some StringProtocol) -> [String] {
        let bytes = Substring(line).utf8.split(whereSeparator: {
            $0 == 0x20 || $0 == 0x09 || $0 == 0x0d
        })
        return bytes.map { String(Substring($0)) }
    }

    static func lines(_ text: String) -> [Substring] {
        text.utf8.split(separator: 0x0a).map { Substring($0) }
    }

    /// Lines that are neither empty nor comments, with what surrounds them cut off.
    static func statements(_ text: String, comments: Set<Character> = ["#"]) -> [String] {
        lines(text).map { trimmed($0) }.filter { line in
            line.first.map { !comments.contains($0) } ?? false
        }
    }

    /// What stands before and after the first such byte.
    static func halves(_ text: some StringProtocol, at separator: UInt8) -> (String, String)? {
        guard let place = text.utf8.firstIndex(of: separator) else { return nil }
        return (
            trimmed(text[..<place]), trimmed(text[text.utf8.index(after: place)...])
        )
    }
}
