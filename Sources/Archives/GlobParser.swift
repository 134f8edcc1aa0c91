import Basics

/// Reads a pattern as wildmatch.c of git does: escapes, bracket expressions with ranges and POSIX
/// classes, and components between slashes.
struct GlobParser {
    private let pattern: ArraySlice<UInt8>
    private var rest: ArraySlice<UInt8>
    /// A slash elsewhere than at the end ties the pattern to the root of the tree.
    let isAnchored: Bool
    let endsWithSlash: Bool

    init(_ pattern: ArraySlice<UInt8>) {
        self.pattern = pattern
        rest = pattern
        endsWithSlash = rest.last == 0x2f
        if endsWithSlash { rest = rest.dropLast() }
        isAnchored = rest.contains(0x2f)
        if rest.first == 0x2f { rest = rest.dropFirst() }
    }

    mutating func components() throws(Failure) -> [Glob.Component] {
        guard !rest.isEmpty else { throw refused("is empty") }
        var components: [Glob.Component] = []
        var tokens: [Glob.Token] = []
        var stars = 0
        func component() throws(Failure) -> Glob.Component {
            if tokens == [.run], stars > 1 { return .any }
            if tokens.isEmpty { throw refused("has an empty component") }
            return .name(tokens)
        }
        while let byte = next() {
            switch byte {
            case 0x2f:
                components.append(try component())
                tokens = []
                stars = 0
            case 0x2a:
                stars += 1
                if tokens.last != .run { tokens.append(.run) }
            case 0x3f: tokens.append(.one)
            case 0x5b: tokens.append(.among(try set()))
            case 0x5c:
                guard let escaped = next() else { throw refused("ends with a backslash") }
                if escaped == 0x2f {
                    components.append(try component())
                    tokens = []
                    stars = 0
                } else {
                    tokens.append(.byte(escaped))
                }
            default: tokens.append(.byte(byte))
            }
        }
        components.append(try component())
        return components
    }

    /// A bracket expression, behind its "[".
    private mutating func set() throws(Failure) -> Glob.Class {
        var set = Glob.Class()
        let negated = rest.first == 0x21 || rest.first == 0x5e
        if negated { rest = rest.dropFirst() }
        var before: UInt8?
        var isFirst = true
        while true {
            guard var byte = next() else { throw refused("has a \"[\" without \"]\"") }
            if byte == 0x5d, !isFirst { break }
            isFirst = false
            if byte == 0x5c {
                byte = try escapedByte()
                set.insert(byte)
                before = byte
            } else if byte == 0x2d, let low = before, let high = rest.first, high != 0x5d {
                rest = rest.dropFirst()
                let last = high == 0x5c ? try escapedByte() : high
                if low <= last { for member in low...last { set.insert(member) } }
                before = nil
            } else if byte == 0x5b, rest.first == 0x3a, let name = className() {
                guard let members = Self.classes[name] else {
                    throw refused("names an unknown class \"[:\(name):]\"")
                }
                for member in UInt8.min...127 where members(member) { set.insert(member) }
                before = nil
            } else {
                set.insert(byte)
                before = byte
            }
        }
        if negated { set.invert() }
        return set
    }

    private mutating func next() -> UInt8? { rest.popFirst() }

    private mutating func escapedByte() throws(Failure) -> UInt8 {
        guard let byte = next() else { throw refused("has a \"[\" without \"]\"") }
        return byte
    }

    /// The word of `[:word:]`, whose "[" is read; nil (and nothing read) when it is none.
    private mutating func className() -> String? {
        let inner = rest.dropFirst()
        guard let end = inner.firstIndex(of: 0x5d), end > inner.startIndex, inner[end - 1] == 0x3a
        else { return nil }
        rest = inner[(end + 1)...]
        return String(decoding: inner[..<(end - 1)], as: UTF8.self)
    }

    private func refused(_ why: String) -> Failure {
        Failure(
            .invalidValue, "the pattern \"\(String(decoding: pattern, as: UTF8.self))\" \(why)",
            hint: "Write it as in a .gitignore file; a backslash takes a byte literally.")
    }

    private static let classes: [String: @Sendable (UInt8) -> Bool] = [
        "alnum": { isAlpha($0) || isDigit($0) },
        "alpha": isAlpha,
        "blank": { $0 == 0x20 || $0 == 0x09 },
        "cntrl": { $0 < 0x20 || $0 == 0x7f },
        "digit": isDigit,
        "graph": { (0x21...0x7e).contains($0) },
        "lower": { (0x61...0x7a).contains($0) },
        "print": { (0x20...0x7e).contains($0) },
        "punct": { (0x21...0x7e).contains($0) && !isAlpha($0) && !isDigit($0) },
        "space": { $0 == 0x20 || (0x09...0x0d).contains($0) },
        "upper": { (0x41...0x5a).contains($0) },
        "xdigit": {
            isDigit($0) || (0x41...0x46).contains($0) || (0x61...0x66).contains($0)
        },
    ]

    private static func isAlpha(_ byte: UInt8) -> Bool {
        (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
