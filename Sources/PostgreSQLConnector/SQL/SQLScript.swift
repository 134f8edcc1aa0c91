import Basics

/// The statements of a script as pg_dump writes it.
///
/// A statement ends at a semicolon outside of quotes, parentheses and bodies in BEGIN ATOMIC.
/// Commands of psql (a backslash between statements) are no SQL: they are left out, and counted.
struct SQLScript: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var position = 0
    /// How many commands of psql were passed over.
    private(set) var commands = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> SQLStatement? {
        let notes = skipBetween()
        var lexer = SQLLexer(bytes, from: position)
        var last = ""
        var start: Int?
        var depth = 0
        var words: [String] = []
        var blocks = 0
        while let token = lexer.next() {
            if start == nil { start = token.range.lowerBound }
            if token.kind == .symbol {
                switch bytes[token.range.lowerBound] {
                case 0x28: depth += 1
                case 0x29: depth -= 1
                case 0x3b where depth <= 0 && blocks == 0:
                    position = token.range.upperBound
                    return SQLStatement(
                        Array(bytes[(start ?? position)..<position]), notes: notes)
                default: break
                }
            } else if token.kind == .word {
                let word = String(decoding: bytes[token.range], as: UTF8.self).uppercased()
                if words.count < 4 { words.append(word) }
                // The body of a routine in standard SQL: what BEGIN ATOMIC and CASE open, END closes.
                // Elsewhere these are names like others.
                if depth == 0 {
                    switch word {
                    case "ATOMIC" where last == "BEGIN" && Self.isRoutine(words): blocks += 1
                    case "CASE" where blocks > 0: blocks += 1
                    case "END" where blocks > 0: blocks -= 1
                    default: break
                    }
                }
                last = word
            }
        }
        position = bytes.count
        guard let start else { return nil }
        return SQLStatement(Array(bytes[start...]), notes: notes)
    }

    /// CREATE [OR REPLACE] FUNCTION or PROCEDURE.
    private static func isRoutine(_ words: [String]) -> Bool {
        guard words.first == "CREATE" else { return false }
        let kind = words.count > 3 && words[1] == "OR" ? words[3] : words.count > 1 ? words[1] : ""
        return kind == "FUNCTION" || kind == "PROCEDURE"
    }

    /// Passes over white space, comments and commands of psql; gives back the lines of comment.
    private mutating func skipBetween() -> [String] {
        var notes: [String] = []
        while position < bytes.count {
            let byte = bytes[position]
            if [0x20, 0x09, 0x0a, 0x0d].contains(byte) {
                position += 1
            } else if byte == 0x5c || byte == 0x2d && isAt(position + 1, 0x2d) {
                let end = bytes[position...].firstIndex(of: 0x0a) ?? bytes.count
                if byte == 0x5c { commands += 1 }
                if byte == 0x2d {
                    let line = String(decoding: bytes[position..<end].dropFirst(2), as: UTF8.self)
                    let text = line.drop { $0 == " " }
                    if !text.isEmpty { notes.append(String(text)) }
                }
                position = end
            } else {
                break
            }
        }
        return notes
    }

    private func isAt(_ index: Int, _ byte: UInt8) -> Bool {
        index < bytes.count && bytes[index] == byte
    }
}
