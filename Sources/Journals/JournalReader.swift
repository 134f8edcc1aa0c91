public import Basics
import Primitives
public import Streams

/// Reads journals in one pass with flat memory.
public enum JournalReader {
    /// Checks every line of a journal file and hands it to `each`, in order.
    ///
    /// Throws `.journalMalformed` for a line that is not a line of a journal (the missing LF of the
    /// last one included) and `.journalBroken` for one that does not follow. A journal that was
    /// cut after a whole line passes: compare the summary with the one that was sealed.
    public static func verify(
        path: String, each: (Journal.Entry) throws(Failure) -> Void = { _ in }
    ) throws(Failure) -> JournalSummary {
        var source = try FileSource(opening: path)
        return try verify(&source, each: each)
    }

    /// The same for the bytes of a stream.
    public static func verify(
        _ source: inout some ByteSource & ~Copyable,
        each: (Journal.Entry) throws(Failure) -> Void = { _ in }
    ) throws(Failure) -> JournalSummary {
        var summary = JournalSummary()
        let rest = try lines(of: &source) { (line) throws(Failure) in
            try each(try JournalLine.check(line, after: summary))
            summary.append(line: line)
            return true
        }
        guard rest.isEmpty else {
            throw JournalLine.malformed(summary.entries, "does not end with a line feed")
        }
        guard summary.entries > 0 else {
            throw Failure(.journalMalformed, "the journal is empty")
        }
        return summary
    }

    /// Hands out the lines without their LF until `body` says false; gives back the bytes that no
    /// LF followed. More than `longest` bytes without LF are not gathered: `.journalMalformed`.
    static func lines(
        of source: inout some ByteSource & ~Copyable, longest: Int = Journal.longestLine,
        _ body: ([UInt8]) throws(Failure) -> Bool
    ) throws(Failure) -> [UInt8] {
        var chunk = Chunk(capacity: 1 << 16)
        var line: [UInt8] = []
        var number = 0
        while true {
            try source.read(into: &chunk)
            if chunk.isEmpty { return line }
            let goesOn = try unsafe chunk.withBytes { (bytes) throws(Failure) -> Bool in
                var start = 0
                while start < bytes.count {
                    let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
                    let end = unsafe rest.firstIndex(of: 0x0a)
                    unsafe line += rest[..<(end ?? rest.count)]
                    guard line.count <= longest else {
                        throw JournalLine.malformed(number, "is too long")
                    }
                    guard let end else { return true }
                    guard try body(line) else { return false }
                    line.removeAll(keepingCapacity: true)
                    number += 1
                    start += end + 1
                }
                return true
            }
            guard goesOn else { return [] }
        }
    }
}
