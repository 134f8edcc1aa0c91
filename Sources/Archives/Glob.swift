import Basics

/// One pattern of a `GlobSet`, cut into components.
struct Glob: Sendable {
    /// A set of bytes.
    struct Class: Sendable, Equatable {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

        mutating func insert(_ byte: UInt8) {
            let bit: UInt64 = 1 << UInt64(byte & 63)
            switch byte >> 6 {
            case 0: words.0 |= bit
            case 1: words.1 |= bit
            case 2: words.2 |= bit
            default: words.3 |= bit
            }
        }

        mutating func invert() { words = (~words.0, ~words.1, ~words.2, ~words.3) }

        func contains(_ byte: UInt8) -> Bool {
            let word =
                switch byte >> 6 {
                case 0: words.0
                case 1: words.1
                case 2: words.2
                default: words.3
                }
            return word >> UInt64(byte & 63) & 1 == 1
        }

        static func == (left: Class, right: Class) -> Bool { left.words == right.words }
    }

    enum Token: Sendable, Equatable {
        case byte(UInt8)
        /// `?`: any one byte.
        case one
        /// `*`: any bytes.
        case run
        case among(Class)

        func matches(_ byte: UInt8) -> Bool {
            switch self {
            case .byte(let expected): byte == expected
            case .one: true
            case .among(let set): set.contains(byte)
            case .run: false
            }
        }
    }

    enum Component: Sendable, Equatable {
        case name([Token])
        /// `**`: any number of components.
        case any
    }

    let takesBack: Bool
    private let directoriesOnly: Bool
    /// Compared with the last component of a path alone, wherever it lies.
    private let anywhere: Bool
    private let components: [Component]

    init(_ pattern: [UInt8]) throws(Failure) {
        var rest = pattern[...]
        takesBack = rest.first == 0x21
        if takesBack { rest = rest.dropFirst() }
        var parser = GlobParser(rest)
        let parts = try parser.components()
        directoriesOnly = parser.endsWithSlash
        anywhere = !parser.isAnchored
        components = anywhere && parts == [.any] ? [.name([.run])] : parts
    }

    /// - Parameter name: where the last component of `path` begins.
    func matches(_ path: [UInt8], name: Int, isDirectory: Bool) -> Bool {
        if directoriesOnly && !isDirectory { return false }
        if path.isEmpty { return false }
        if anywhere, case .name(let tokens) = components[0] {
            return Self.match(tokens, path, name..<path.count)
        }
        return matchComponents(path)
    }

    /// Matches component by component; only the last `**` passed has to be tried again, as for `*`
    /// in a name, so the time is at most the product of the lengths.
    private func matchComponents(_ path: [UInt8]) -> Bool {
        var component = 0
        var start = 0
        var retry: (component: Int, start: Int)?
        while true {
            let atEnd = start > path.count
            if component < components.count, components[component] == .any {
                // At the end `**` stands for at least one component, elsewhere also for none.
                if component == components.count - 1 { return !atEnd }
                retry = (component + 1, start)
                component += 1
                continue
            }
            if atEnd, component == components.count { return true }
            if !atEnd, component < components.count, case .name(let tokens) = components[component]
            {
                let end = Self.end(of: path, from: start)
                if Self.match(tokens, path, start..<end) {
                    component += 1
                    start = end + 1
                    continue
                }
            }
            guard let last = retry, last.start <= path.count else { return false }
            let next = Self.end(of: path, from: last.start) + 1
            retry = (last.component, next)
            component = last.component
            start = next
        }
    }

    private static func end(of path: [UInt8], from start: Int) -> Int {
        var index = start
        while index < path.count, path[index] != 0x2f { index += 1 }
        return index
    }

    private static func match(_ tokens: [Token], _ text: [UInt8], _ range: Range<Int>) -> Bool {
        var token = 0
        var index = range.lowerBound
        var retry: (token: Int, index: Int)?
        while index < range.upperBound {
            if token < tokens.count {
                if tokens[token] == .run {
                    token += 1
                    retry = (token, index)
                    continue
                }
                if tokens[token].matches(text[index]) {
                    token += 1
                    index += 1
                    continue
                }
            }
            guard let last = retry else { return false }
            token = last.token
            index = last.index + 1
            retry = (token, index)
        }
        while token < tokens.count, tokens[token] == .run { token += 1 }
        return token == tokens.count
    }
}
