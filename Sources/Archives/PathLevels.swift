import Glibc

/// The entries of an ascending run of paths that may still hold what follows, innermost last.
///
/// In the order of bytes "a", "a!" and "a/b" follow each other, so an entry is left only when no
/// later path can lie below it. All levels are byte prefixes of the last path: only their lengths
/// are kept, and their number is bounded by the length of a path.
struct PathLevels<Value> {
    struct Level {
        let length: Int
        var value: Value
    }

    private var last: [UInt8] = []
    private(set) var levels: [Level] = []

    /// Takes out the innermost level that `path` has left behind; nil when all others stay.
    mutating func popLeft(by path: [UInt8]) -> Value? {
        guard let level = levels.last, !holds(level, path) else { return nil }
        return levels.removeLast().value
    }

    /// Takes out the innermost level; nil when none is left.
    mutating func pop() -> Value? { levels.popLast()?.value }

    /// Adds the level of `path`, which follows all paths so far, after what it left behind is out.
    mutating func push(_ path: [UInt8], _ value: Value) {
        levels.append(Level(length: path.count, value: value))
        last = path
    }

    /// Where the level with the first `length` bytes of the next path stands.
    func index(ofLength length: Int) -> Int? { levels.lastIndex { $0.length == length } }

    subscript(index: Int) -> Value {
        get { levels[index].value }
        _modify { yield &levels[index].value }
    }

    private func holds(_ level: Level, _ path: [UInt8]) -> Bool {
        if level.length == 0 { return true }
        guard path.count > level.length, path[level.length] <= 0x2f else { return false }
        return unsafe path.withUnsafeBufferPointer { path in
            unsafe last.withUnsafeBufferPointer { last in
                guard let left = path.baseAddress, let right = last.baseAddress else {
                    return false
                }
                return unsafe memcmp(left, right, level.length) == 0
            }
        }
    }
}
