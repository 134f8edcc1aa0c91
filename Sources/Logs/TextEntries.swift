public import Basics

/// Is given each entry of a text, in order.
public protocol TextEntryTaker: AnyObject {
    func take(
        _ entry: TextEntries.Entry, _ body: UnsafeRawBufferPointer
    ) throws(Failure)
}

/// Cuts the text of a member into entries: a line with a time and those without that follow it, as
/// `TextScanner` counts them.
///
/// An entry longer than a limit comes in parts, so that memory is bounded. Written one behind the other,
/// each with its LF unless it is unterminated, they are the text again.
public struct TextEntries: Sendable {
    public struct Entry: Sendable, Hashable {
        public var time: Timestamp?
        /// Where the part begins in the text.
        public var offset: Int64
        /// 0 for an entry, or its first part.
        public var part: Int
        /// No LF follows: a part that goes on, or the end of a text without one.
        public var isUnterminated: Bool
        public var format: TextFormat?
        /// Where the line goes on behind its time, in the body.
        public var timeEnd: Int
    }

    /// Bytes of a body.
    public static let longest = 1 << 20

    private var parser: TextTimeParser
    private var clock: TextClock
    private var entry = Entry(
        time: nil, offset: 0, part: 0, isUnterminated: false, format: nil, timeEnd: 0)
    private var body: [UInt8] = []
    private var hasEntry = false
    private var hasTime = false
    /// Of the line at hand: all of it until it is known what it is, then it goes to the body.
    private var line: [UInt8] = []
    private var zeros = 0
    private var lineStart: Int64 = 0
    private var isInLine = false
    private var isKnown = false
    private var position: Int64 = 0
    private var hasNewline = false
    /// The entry at hand was handed over up to the middle of a line.
    private var isMidLine = false

    public init(format: TextFormat? = nil, clock: TextClock) {
        parser = TextTimeParser(format)
        self.clock = clock
    }

    public mutating func feed(
        _ bytes: UnsafeRawBufferPointer, _ taker: some TextEntryTaker
    ) throws(Failure) {
        var start = 0
        while start < bytes.count {
            if !isInLine {
                lineStart = position + Int64(start)
                isInLine = true
                isKnown = false
            }
            let newline = unsafe bytes.firstNewline(from: start)
            let end = newline ?? bytes.count
            try unsafe add(bytes, start..<end, taker)
            if newline != nil { try endLine(taker) }
            start = end + 1
        }
        position += Int64(bytes.count)
    }

    public mutating func finish(_ taker: some TextEntryTaker) throws(Failure) {
        if isInLine {
            if !isKnown { try decide(taker) }
            isInLine = false
            entry.isUnterminated = true
        }
        // Parts that were handed over may be all there is.
        if hasEntry, !(body.isEmpty && entry.part > 0 && entry.isUnterminated) { try hand(taker) }
    }

    private mutating func add(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ taker: some TextEntryTaker
    ) throws(Failure) {
        var start = range.lowerBound
        while start < range.upperBound {
            if !isKnown {
                let size = min(range.upperBound - start, 16 << 10)
                unsafe line.append(contentsOf: bytes[start..<start + size])
                countZeros()
                start += size
                if line.count - zeros >= TextTimeParser.window {
                    try decide(taker)
                } else if zeros == line.count, zeros >= Self.longest {
                    try putZeros(taker)
                }
                continue
            }
            let size = min(range.upperBound - start, max(1, Self.longest - body.count))
            unsafe body.append(contentsOf: bytes[start..<start + size])
            start += size
            if body.count >= Self.longest { try handPart(taker) }
        }
    }

    private mutating func endLine(_ taker: some TextEntryTaker) throws(Failure) {
        if !isKnown { try decide(taker) }
        isInLine = false
        hasNewline = true
    }

    /// NUL at the beginning of the line at hand; what was counted is not looked at again.
    private mutating func countZeros() {
        while zeros < line.count, line[zeros] == 0 { zeros += 1 }
    }

    /// What the line at hand is: the beginning of an entry, or more of the one before.
    private mutating func decide(_ taker: some TextEntryTaker) throws(Failure) {
        countZeros()
        let zeros = zeros
        let end = min(line.count, zeros + TextTimeParser.window)
        let found = unsafe line.withUnsafeBytes {
            unsafe parser.parse(UnsafeRawBufferPointer(rebasing: $0[zeros..<end]))
        }
        let moment = found.map { clock.moment(of: $0.time) }
        if moment != nil || !hasTime {
            if hasEntry, !isMidLine { try hand(taker) }
            entry = Entry(
                time: moment, offset: lineStart, part: 0, isUnterminated: false,
                format: found?.format, timeEnd: zeros + (found?.end ?? 0))
            hasEntry = true
            hasTime = hasTime || moment != nil
        } else if hasNewline {
            if body.count >= Self.longest { try handPart(taker) }
            body.append(0x0a)
        }
        hasNewline = false
        isMidLine = false
        isKnown = true
        if body.count + line.count > Self.longest, !body.isEmpty { try handPart(taker) }
        body += line
        line.removeAll(keepingCapacity: true)
        self.zeros = 0
        if body.count >= Self.longest { try handPart(taker) }
    }

    /// Hands over the entry at hand, which its LF ends unless it says otherwise.
    private mutating func hand(_ taker: some TextEntryTaker) throws(Failure) {
        let entry = entry
        try Failure.catching {
            try unsafe body.withUnsafeBytes { try unsafe taker.take(entry, $0) }
        }
        body.removeAll(keepingCapacity: true)
        hasEntry = false
    }

    /// Hands over what there is of an entry that goes on.
    private mutating func handPart(_ taker: some TextEntryTaker) throws(Failure) {
        var part = entry
        part.isUnterminated = true
        let length = Int64(body.count)
        try Failure.catching { try unsafe body.withUnsafeBytes { try unsafe taker.take(part, $0) } }
        body.removeAll(keepingCapacity: true)
        entry.part += 1
        entry.offset += length
        entry.timeEnd = 0
    }

    /// A long run of NUL in front of a line goes to the entry before, whatever the line will be.
    private mutating func putZeros(_ taker: some TextEntryTaker) throws(Failure) {
        if !hasEntry {
            entry = Entry(
                time: nil, offset: lineStart, part: 1, isUnterminated: false, format: nil,
                timeEnd: 0)
            hasEntry = true
        } else if hasNewline {
            body.append(0x0a)
        }
        hasNewline = false
        if !body.isEmpty { try handPart(taker) }
        let length = Int64(line.count)
        body = line
        line.removeAll(keepingCapacity: true)
        zeros = 0
        try handPart(taker)
        lineStart += length
        isMidLine = true
    }
}
