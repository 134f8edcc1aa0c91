import Archives
import Basics

/// What GNU tar cannot restore of a tree, gathered while the index is written: for the command that
/// restores it with tar, and for the notes beside that command.
struct TarNotes {
    /// Names in the notes, and patterns in the command; the rest is counted.
    static let limit = 1000

    private(set) var count: Int64 = 0
    private var lines: [String] = []
    /// Patterns of what tar is to leave out, so that it ends well; nothing below them is needed.
    private var patterns: [String] = []
    private var tooMany = false
    private var lastDirectory: [UInt8]?

    mutating func add(_ entry: Entry) {
        let problems = TarLimits.problems(of: entry)
        guard let problem = problems.first else { return }
        count += 1
        if lines.count < Self.limit {
            lines.append("\(problem.rawValue): \(Self.shown(entry.path))")
        }
        if let last = lastDirectory, entry.path.starts(with: last + [0x2f]) { return }
        if entry.kind == .directory { lastDirectory = entry.path }
        if patterns.count < Self.limit {
            patterns.append(Self.pattern(entry.path))
        } else {
            tooMany = true
        }
    }

    var notes: [String] {
        guard count > 0 else { return [] }
        var notes =
            ["tar cannot restore \(counted(count, "entry", "entries")), which Exeat can:"] + lines
        if Int64(lines.count) < count { notes.append("and \(count - Int64(lines.count)) more") }
        if tooMany { notes.append("tar will name them, and end with status 2") }
        return notes
    }

    /// Reads a tar on standard input and restores it below `$HERE`.
    ///
    /// Only root can give files to others; tar ends with an error for each it cannot.
    var command: String {
        let tar =
            "tar --extract --file=- --preserve-permissions --numeric-owner $OWNER "
            + "--delay-directory-restore --xattrs --xattrs-include='*' --acls --directory=\"$HERE\""
        let owner = "OWNER=$(test \"$(id -u)\" = 0 && echo --same-owner || echo --no-same-owner)"
        if patterns.isEmpty { return "{ \(owner); \(tar); }" }
        let list = patterns.map { "'\($0)'" }.joined(separator: " \\\n  ")
        return """
            { \(owner)
            printf '%b\\n' \(list) > "$HERE.not-by-tar"
            LC_ALL=C \(tar) --anchored --exclude-from="$HERE.not-by-tar"; }
            """
    }

    /// A wildcard pattern of tar as printf(1) takes it for "%b"; a newline, which would end it, is
    /// any character.
    private static func pattern(_ path: [UInt8]) -> String {
        var text = ""
        for byte in path {
            switch byte {
            case 0x0a: text += "?"
            case 0x2a, 0x3f, 0x5b, 0x5d, 0x5c: text += "\\\\" + octal(byte)
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e, 0x2d, 0x5f, 0x2f, 0x20:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += octal(byte)
            }
        }
        return text
    }

    private static func octal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 8)
        return "\\0" + String(repeating: "0", count: 3 - digits.utf8.count) + digits
    }

    /// One line of text, whatever the bytes.
    private static func shown(_ path: [UInt8]) -> String {
        String(decoding: path, as: UTF8.self)
    }
}
