/// One SQL statement as bytes, cut into tokens.
struct SQLStatement: Sendable {
    /// The text, without a delimiter at its end.
    private(set) var bytes: [UInt8]
    private(set) var tokens: [SQLToken] = []
    private let ansiQuotes: Bool
    private let backslashes: Bool

    /// - Parameter mode: the `sql_mode` in which it was written.
    init(_ bytes: [UInt8], mode: String = "") {
        self.bytes = bytes
        let words = mode.split(separator: ",")
        ansiQuotes = words.contains("ANSI_QUOTES")
        backslashes = !words.contains("NO_BACKSLASH_ESCAPES")
        cut()
    }

    private mutating func cut() {
        var lexer = SQLLexer(bytes, ansiQuotes: ansiQuotes, backslashes: backslashes)
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
        case .word: return spelling(index)
        case .quotedName, .string:
            let range = tokens[index].range
            guard range.count >= 2 else { return nil }
            return Self.unquoted(bytes[range].dropFirst().dropLast(), bytes[range.lowerBound])
        case .number, .symbol, .variable: return nil
        }
    }

    private static func unquoted(_ text: ArraySlice<UInt8>, _ quote: UInt8) -> String {
        var result: [UInt8] = []
        var skips = false
        for byte in text {
            skips = byte == quote && !skips
            if !skips { result.append(byte) }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Puts other text in the place of tokens.
    mutating func replace(_ changes: [(token: Int, text: String)]) {
        if changes.isEmpty { return }
        for change in changes.sorted(by: { $0.token > $1.token }) {
            bytes.replaceSubrange(tokens[change.token].range, with: Array(change.text.utf8))
        }
        cut()
    }

    /// The bytes from one token to another, both included.
    func slice(_ range: ClosedRange<Int>) -> [UInt8] {
        Array(
            bytes[
                tokens[range.lowerBound].range
                    .lowerBound..<tokens[range.upperBound].range.upperBound])
    }

    /// The account of `DEFINER = user@host`: the tokens of the user and of the host.
    var definer: (user: Int, host: Int?)? {
        // It stands before what is created; a body may have the word for its own use.
        guard let mark = tokens.indices.prefix(12).first(where: { word($0) == "DEFINER" }),
            isSymbol(mark + 1, "="), name(mark + 2) != nil
        else { return nil }
        return (mark + 2, isSymbol(mark + 3, "@") ? mark + 4 : nil)
    }
}
