/// One SQL statement as bytes, cut into tokens.
struct SQLStatement: Sendable {
    /// The text, its semicolon included.
    private(set) var bytes: [UInt8]
    private(set) var tokens: [SQLToken]
    /// What pg_dump writes in front of a group of statements, lines of comment without the dashes.
    var notes: [String] = []

    init(_ bytes: [UInt8], notes: [String] = []) {
        self.bytes = bytes
        self.notes = notes
        tokens = []
        cut()
    }

    private mutating func cut() {
        var lexer = SQLLexer(bytes)
        var tokens: [SQLToken] = []
        while let token = lexer.next() { tokens.append(token) }
        self.tokens = tokens
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// The word in capitals at that place; "" for anything but a word.
    func word(_ index: Int) -> String {
        guard tokens.indices.contains(index), tokens[index].kind == .word else { return "" }
        return spelling(index).uppercased()
    }

    /// The token as it is written.
    func spelling(_ index: Int) -> String {
        String(decoding: bytes[tokens[index].range], as: UTF8.self)
    }

    /// Whether the statement begins with these words.
    func begins(_ words: String...) -> Bool {
        words.enumerated().allSatisfy { word($0.offset) == $0.element }
    }

    func isSymbol(_ index: Int, _ character: Character) -> Bool {
        tokens.indices.contains(index) && tokens[index].kind == .symbol
            && spelling(index) == String(character)
    }

    /// The name that a token stands for, without quotes; nil for anything that is no name.
    func name(_ index: Int) -> String? {
        guard tokens.indices.contains(index) else { return nil }
        switch tokens[index].kind {
        case .word: return spelling(index).lowercased()
        case .quotedName:
            return String(spelling(index).dropFirst().dropLast()).unquoted("\"")
        case .string:
            let text = spelling(index)
            guard text.hasPrefix("'") else { return nil }
            return String(text.dropFirst().dropLast()).unquoted("'")
        case .number, .symbol: return nil
        }
    }

    /// The places of tokens outside of parentheses.
    var outer: [Int] {
        var depth = 0
        return tokens.indices.filter { index in
            if isSymbol(index, "(") { depth += 1 }
            defer { if isSymbol(index, ")") { depth -= 1 } }
            return depth == 0
        }
    }

    /// Puts other text in the place of tokens.
    mutating func replace(_ changes: [(token: Int, text: String)]) {
        for change in changes.sorted(by: { $0.token > $1.token }) {
            bytes.replaceSubrange(tokens[change.token].range, with: Array(change.text.utf8))
        }
        cut()
    }

    /// Puts other text in the place of everything from one token to another, both included.
    mutating func replace(_ range: ClosedRange<Int>, with text: String) {
        bytes.replaceSubrange(
            tokens[range.lowerBound].range.lowerBound..<tokens[range.upperBound].range.upperBound,
            with: Array(text.utf8))
        cut()
    }
}

extension String {
    /// Doubled quotes made single.
    fileprivate func unquoted(_ quote: Character) -> String {
        var result = ""
        var skips = false
        for character in self {
            if character == quote {
                skips.toggle()
                if !skips { continue }
            } else {
                skips = false
            }
            result.append(character)
        }
        return result
    }

    /// As an SQL name, in quotes where it needs them or not.
    var quotedName: String { "\"" + replacingEach(["\"": "\"\""]) + "\"" }

    /// As `quote_ident` prints it but for key words, which it quotes as well.
    var nameAsPrinted: String {
        let isPlain = utf8.first.map { (0x61...0x7a).contains($0) || $0 == 0x5f } ?? false
        let isSimple = utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f
        }
        return isPlain && isSimple ? self : quotedName
    }

    /// As an SQL string; `standard_conforming_strings` is on in all our sessions.
    var quotedString: String { "'" + replacingEach(["'": "''"]) + "'" }
}
