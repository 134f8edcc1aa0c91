import Basics

/// Patterns that leave paths out, with the meaning gitignore(5) gives them: the last pattern that
/// matches decides, `!` takes back, a trailing slash asks for a directory, and a slash anywhere
/// else ties the pattern to the root of the tree.
///
/// Patterns and paths are bytes, compared as they are. Two points differ from a gitignore file,
/// because patterns come one by one from a plan: `#` and spaces at the end have no meaning of their
/// own, and a pattern that can never match is refused.
public struct GlobSet: Sendable {
    public struct Match: Sendable, Equatable {
        /// The place of the pattern in the list given.
        public let pattern: Int
        /// False when the pattern began with `!`.
        public let excludes: Bool
    }

    /// The patterns as they were given.
    public let patterns: [[UInt8]]
    private let globs: [Glob]

    /// No pattern: nothing is left out.
    public init() {
        patterns = []
        globs = []
    }

    public init(_ patterns: [[UInt8]]) throws(Failure) {
        self.patterns = patterns
        var globs: [Glob] = []
        for pattern in patterns { globs.append(try Glob(pattern)) }
        self.globs = globs
    }

    public init(_ patterns: [String]) throws(Failure) {
        try self.init(patterns.map { Array($0.utf8) })
    }

    public var isEmpty: Bool { globs.isEmpty }

    /// The last pattern that matches this very path, whatever the directories above it do.
    ///
    /// - Parameter path: relative to the root of the tree, without a slash at either end.
    public func lastMatch(_ path: [UInt8], isDirectory: Bool) -> Match? {
        if globs.isEmpty { return nil }
        let name = (path.lastIndex(of: 0x2f) ?? -1) + 1
        for index in globs.indices.reversed()
        where globs[index].matches(path, name: name, isDirectory: isDirectory) {
            return Match(pattern: index, excludes: !globs[index].takesBack)
        }
        return nil
    }

    /// The pattern that leaves this path out, if one does; for a walk that asks about every
    /// directory before it enters, so that nothing below an excluded one is ever asked about.
    public func excluding(_ path: [UInt8], isDirectory: Bool) -> Int? {
        guard let match = lastMatch(path, isDirectory: isDirectory), match.excludes else {
            return nil
        }
        return match.pattern
    }

    /// The same for a path by itself: a directory above it that is left out decides.
    public func excludingAnywhere(_ path: [UInt8], isDirectory: Bool) -> Int? {
        if globs.isEmpty { return nil }
        for index in path.indices where path[index] == 0x2f {
            if let pattern = excluding(Array(path[..<index]), isDirectory: true) { return pattern }
        }
        return excluding(path, isDirectory: isDirectory)
    }
}
