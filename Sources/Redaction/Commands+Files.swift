/// What commands write into files whose names speak of secrets.
extension Commands {
    /// `echo x > /etc/db_password`, `printf '%s' x >>.vault_pass`, `echo x | sudo tee /run/secrets/db`.
    static func intoFiles(
        _ words: [Range<Int>], in directives: Directives, to found: inout [Spot]
    ) {
        let bytes = directives.bytes
        for index in words.indices where isEcho(words[index], bytes) {
            let rest = words[(index + 1)...]
            // What is said, up to where it goes.
            let end =
                rest.firstIndex { word in
                    [0x3e, 0x7c, 0x3b, 0x26].contains(bytes[word.lowerBound])
                        || word.count > 1 && bytes.has("1>", at: word.lowerBound)
                } ?? words.count
            guard end < words.count, holdsSecret(target(words[end...], bytes), bytes) else {
                continue
            }
            var values = words[(index + 1)..<end].filter {
                !(bytes[$0.lowerBound] == 0x2d && $0.count <= 3)
            }
            // The first one of printf says how the others look.
            if values.count > 1, let first = values.first, bytes[first].contains(0x25) {
                values.removeFirst()
            }
            for value in values {
                directives.add(
                    directives.unquoted(value), .secret(.password), "command-line", key: nil,
                    to: &found)
            }
        }
    }

    private static func isEcho(_ word: Range<Int>, _ bytes: [UInt8]) -> Bool {
        guard word.count <= 20 else { return false }
        let name = bytes[word].drop { [0x28, 0x24, 0x60, 0x7b].contains($0) }
        return name.elementsEqual("echo".utf8) || name.elementsEqual("printf".utf8)
            || name.ends(with: "/echo") || name.ends(with: "/printf")
    }

    /// The file that is written, behind `>`, `>>` or `| tee`; nil where there is none.
    static func target(_ words: ArraySlice<Range<Int>>, _ bytes: [UInt8]) -> Range<Int>? {
        guard let first = words.first else { return nil }
        if bytes[first.lowerBound] == 0x7c {
            let command = words.dropFirst().prefix(6)
            guard
                let tee = command.firstIndex(where: {
                    bytes.word($0).split(separator: "/").last == "tee"
                })
            else { return nil }
            return words[(tee + 1)...].first { bytes[$0.lowerBound] != 0x2d }
        }
        guard
            let mark = words.first(where: {
                bytes[$0.lowerBound] == 0x3e || bytes.has("1>", at: $0.lowerBound)
            })
        else { return nil }
        let name = bytes[mark].drop { [0x31, 0x3e, 0x7c].contains($0) }
        if !name.isEmpty { return name.startIndex..<name.endIndex }
        return words[words.index(after: words.firstIndex(of: mark) ?? words.startIndex)...].first
    }

    /// Whether a file's name, or that of a directory it is in, speaks of secrets.
    static func holdsSecret(_ file: Range<Int>?, _ bytes: [UInt8]) -> Bool {
        guard let file, file.count < 512 else { return false }
        let parts = bytes[file].drop(while: \.isQuote).split {
            $0 == 0x2f || $0.isQuote || $0 == 0x3b || $0 == 0x29
        }
        guard let name = parts.last, !name.ends(with: ".pub"), !name.ends(with: ".log") else {
            return false
        }
        if case .secret = KeyName(name).sensitivity { return true }
        return parts.dropLast().contains {
            ["secrets", ".secrets", "credentials", "credstore", "passwords"].contains(
                String(decoding: $0, as: UTF8.self))
        }
    }
}
