public import Basics

/// Is told of each line of a log, in order.
public protocol TextLineVisitor {
    /// - Parameters:
    ///   - offset: where the line begins.
    ///   - time: nil for a line that has none of its own.
    mutating func line(at offset: Int64, _ time: Timestamp?)
}

/// Wants to know nothing of single lines.
public struct TextLinesUnseen: TextLineVisitor {
    public init() {}
    @inline(__always)
    public mutating func line(at offset: Int64, _ time: Timestamp?) {}
}

/// Goes through the text of one member of a log: counts lines and entries, and reads their times.
///
/// A line ends with LF. An entry is a line with a time and the lines without one that follow; lines
/// without a time before the first one with are entries of their own. Lines of any length need no more
/// memory than others, and nothing is allocated for a line.
public struct TextScanner: Sendable {
    public private(set) var facts = TextFacts()
    private var parser: TextTimeParser
    public private(set) var clock: TextClock
    private var position: Int64 = 0
    private var lineStart: Int64 = 0
    private var isInLine = false
    private var isRead = false
    /// The beginning of a line whose rest is in a later piece.
    private var head: [UInt8] = []

    public init(format: TextFormat? = nil, clock: TextClock) {
        parser = TextTimeParser(format)
        self.clock = clock
        head.reserveCapacity(TextTimeParser.window)
    }

    /// Takes the next piece of the text.
    public mutating func feed(
        _ bytes: UnsafeRawBufferPointer, _ visitor: inout some TextLineVisitor
    ) {
        var start = 0
        while start < bytes.count {
            if !isInLine {
                lineStart = position + Int64(start)
                isInLine = true
                isRead = false
            }
            let newline = unsafe bytes.firstNewline(from: start)
            let end = newline ?? bytes.count
            if !isRead { unsafe readHead(bytes, start..<end, isWhole: newline != nil, &visitor) }
            if newline != nil {
                facts.lines += 1
                isInLine = false
            }
            start = end + 1
        }
        position += Int64(bytes.count)
        facts.bytes = position
    }

    /// Ends the text, whose last line may lack its LF.
    public mutating func finish(_ visitor: inout some TextLineVisitor) {
        if isInLine {
            if !isRead { readGathered(&visitor) }
            facts.lines += 1
            facts.isUnterminated = true
            isInLine = false
        }
        facts.clock = clock.tally
    }

    @inline(__always)
    private mutating func readHead(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, isWhole: Bool,
        _ visitor: inout some TextLineVisitor
    ) {
        var start = range.lowerBound
        if head.isEmpty {
            // What a program goes on writing into a file that was emptied begins with a run of NUL.
            while start < range.upperBound, unsafe bytes[start] == 0 { start += 1 }
            if isWhole || range.upperBound - start >= TextTimeParser.window {
                let stop = min(range.upperBound, start + TextTimeParser.window)
                let line = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<stop])
                return unsafe read(line, &visitor)
            }
        }
        let size = min(range.upperBound - start, TextTimeParser.window - head.count)
        unsafe head.append(contentsOf: bytes[start..<start + size])
        if isWhole || head.count == TextTimeParser.window { readGathered(&visitor) }
    }

    private mutating func readGathered(_ visitor: inout some TextLineVisitor) {
        let line = head
        unsafe line.withUnsafeBytes { unsafe read($0, &visitor) }
        head.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    private mutating func read(
        _ line: UnsafeRawBufferPointer, _ visitor: inout some TextLineVisitor
    ) {
        isRead = true
        guard let (time, format, _) = unsafe parser.parse(line) else {
            facts.noteUndated()
            return visitor.line(at: lineStart, nil)
        }
        let moment = clock.moment(of: time)
        facts.note(moment, format, line: facts.lines + 1)
        visitor.line(at: lineStart, moment)
    }
}
