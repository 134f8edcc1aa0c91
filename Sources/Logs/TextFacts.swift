public import Basics
import Glibc

/// What the text of one member of a log adds up to.
public struct TextFacts: Sendable, Equatable {
    /// Two entries that follow each other, the later in the text by its line number.
    public struct Jump: Sendable, Equatable {
        public var line: Int64
        public var from: Timestamp
        public var to: Timestamp

        public init(line: Int64, from: Timestamp, to: Timestamp) {
            self.line = line
            self.from = from
            self.to = to
        }

        var length: Int64 { to.seconds - from.seconds }
    }

    public var bytes: Int64 = 0
    public var lines: Int64 = 0
    /// Lines with a time, and those without that have none before them.
    public var entries: Int64 = 0
    /// Lines without a time of their own.
    public var undated: Int64 = 0
    /// Those of them that no line with a time precedes.
    public var leading: Int64 = 0
    /// The last line has no LF.
    public var isUnterminated = false
    /// In the order of the text.
    public var first: Timestamp?
    public var last: Timestamp?
    public var earliest: Timestamp?
    public var latest: Timestamp?
    public var formats: Set<TextFormat> = []
    public var clock = TextClock.Tally()
    /// How often a time lay more than a second before the one before it; the first of them.
    public var steps: Int64 = 0
    public var stepList: [Jump] = []
    /// Longest first, an hour at least.
    public var gaps: [Jump] = []

    static let mostJumps = 8
    static let shortestGap: Int64 = 3600
    private var lastFormat: TextFormat?

    public init() {}

    @inline(__always)
    mutating func noteUndated() {
        undated += 1
        if first == nil {
            leading += 1
            entries += 1
        }
    }

    @inline(__always)
    mutating func note(_ moment: Timestamp, _ format: TextFormat, line: Int64) {
        entries += 1
        if format != lastFormat {
            formats.insert(format)
            lastFormat = format
        }
        guard let before = last, let low = earliest, let high = latest else {
            (first, last, earliest, latest) = (moment, moment, moment, moment)
            return
        }
        last = moment
        if moment < low { earliest = moment }
        if high < moment { latest = moment }
        let length = moment.seconds - before.seconds
        if length < -1 || length >= Self.shortestGap {
            note(Jump(line: line, from: before, to: moment))
        }
    }

    private mutating func note(_ jump: Jump) {
        if jump.length < 0 {
            steps += 1
            if stepList.count < Self.mostJumps { stepList.append(jump) }
            return
        }
        let place = gaps.firstIndex { $0.length < jump.length } ?? gaps.endIndex
        guard place < Self.mostJumps else { return }
        gaps.insert(jump, at: place)
        if gaps.count > Self.mostJumps { gaps.removeLast() }
    }
}

extension UnsafeRawBufferPointer {
    /// The place of the next LF.
    @inline(__always)
    func firstNewline(from start: Int) -> Int? {
        guard let base = baseAddress, start < count,
            let found = unsafe memchr(base + start, 0x0a, count - start)
        else { return nil }
        return unsafe UnsafeRawPointer(found) - base
    }
}
