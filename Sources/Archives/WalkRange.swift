public import Basics

/// A stretch of the paths of a tree in their order: from `start` on and up to `end`, which is not
/// part of it.
///
/// Ranges that follow each other hold every path exactly once, whatever happens to the tree
/// meanwhile, because they are made of bytes and not of what was found.
public struct WalkRange: Sendable, Equatable {
    public let start: [UInt8]
    /// nil when nothing comes behind it.
    public let end: [UInt8]?

    /// The whole tree.
    public static let all = WalkRange(start: [], end: nil)

    init(start: [UInt8], end: [UInt8]?) {
        self.start = start
        self.end = end
    }

    enum Side {
        /// With all that is below it.
        case before
        /// Itself before, but something below it may be inside.
        case onTheWay
        case inside, behind
    }

    /// - Parameter descends: whether the place is that of what the directory `path` holds.
    func side(of path: [UInt8], descends: Bool) -> Side {
        let slash: UInt8? = descends ? 0x2f : nil
        if let end, !Self.precedes(path, slash, end) { return .behind }
        if start.isEmpty || !Self.precedes(path, slash, start) { return .inside }
        // All paths below "a" come before "a0".
        return Self.precedes(path, 0x30, start) ? .before : .onTheWay
    }

    /// Whether a path, with a byte more behind it, comes before another path.
    private static func precedes(_ path: [UInt8], _ more: UInt8?, _ other: [UInt8]) -> Bool {
        for index in 0..<min(path.count, other.count) where path[index] != other[index] {
            return path[index] < other[index]
        }
        guard path.count < other.count else { return false }
        guard let more else { return true }
        let next = other[path.count]
        return more == next ? path.count + 1 < other.count : more < next
    }
}

extension WalkRange {
    private static let fewest = 8
    private static let most = 32
    private static let deepest = 3
    private static let mostLooks = 2000

    /// Cuts a tree at directories near its top, so that its ranges can be walked at the same time.
    ///
    /// Looks at no more than a few thousand objects. A tree whose directories lie deeper is one
    /// range.
    public static func cutting(_ scope: TreeScope) throws(Failure) -> [WalkRange] {
        var cuts: [[UInt8]] = []
        for depth in 1...deepest where cuts.count < fewest {
            cuts.removeAll()
            var walker = try TreeWalker(scope, deepest: depth)
            var looks = 0
            while looks < mostLooks, let event = try walker.next() {
                looks += 1
                if case .entry(let status) = event, status.kind == .directory, !walker.path.isEmpty
                {
                    cuts.append(walker.path)
                }
            }
        }
        return ranges(at: cuts)
    }

    /// The ranges between cuts that are in order; of many cuts, some.
    private static func ranges(at cuts: [[UInt8]]) -> [WalkRange] {
        let count = min(cuts.count, most - 1)
        var starts: [[UInt8]] = [[]]
        for number in 0..<count { starts.append(cuts[number * cuts.count / count]) }
        return starts.indices.map { number in
            WalkRange(
                start: starts[number],
                end: number + 1 < starts.count ? starts[number + 1] : nil)
        }
    }
}
