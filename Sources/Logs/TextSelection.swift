public import Basics

/// A range of time, and which bytes of a text its entries are.
///
/// An entry is in the range from `since` on and until `until`, both included. Lines without a time go with the entry before them, over the end of a member too.
public struct TextRange: Sendable, Hashable {
    public var since: Timestamp?
    public var until: Timestamp?

    public init(since: Timestamp? = nil, until: Timestamp? = nil) {
        self.since = since
        self.until = until
    }

    public var isAll: Bool { since == nil && until == nil }

    @inline(__always)
    public func contains(_ time: Timestamp) -> Bool {
        if let since, time < since { return false }
        if let until, until < time { return false }
        return true
    }
}

/// Gathers the runs of bytes that a range of time selects, in order.
public struct TextSelector: TextLineVisitor, Sendable {
    private let range: TextRange
    public private(set) var runs: [Range<Int64>] = []
    private var runStart: Int64?
    /// Lines without a time at the beginning, when nothing has decided about them.
    private var isUndecided: Bool
    private var isSelected: Bool
    /// Lines with a time that are not in the range.
    public private(set) var outside: Int64 = 0
    /// The time of the first entry selected.
    public private(set) var first: Timestamp?

    /// - Parameter continuing: whether the entry before the text, in the member before, is selected; nil
    ///   where there is none.
    public init(_ range: TextRange, continuing: Bool?) {
        self.range = range
        isUndecided = continuing == nil
        isSelected = continuing ?? true
    }

    public mutating func line(at offset: Int64, _ time: Timestamp?) {
        if let time {
            let isIn = range.contains(time)
            if !isIn { outside += 1 } else if first == nil { first = time }
            if isUndecided, !isIn {
                // Nobody knows when they were written: they stay, by themselves.
                if let start = runStart, start < offset { runs.append(start..<offset) }
                runStart = nil
            }
            isUndecided = false
            if isIn != (runStart != nil) { turn(isIn, at: offset) }
            isSelected = isIn
        } else if runStart == nil, isSelected {
            runStart = offset
        }
    }

    private mutating func turn(_ isIn: Bool, at offset: Int64) {
        if isIn {
            runStart = offset
        } else if let start = runStart {
            runs.append(start..<offset)
            runStart = nil
        }
    }

    /// Ends the text; whether its last entry is selected, nil where it has none and had none before.
    public mutating func finish(at size: Int64) -> Bool? {
        if let start = runStart, start < size { runs.append(start..<size) }
        runStart = nil
        return isUndecided ? nil : isSelected
    }
}
