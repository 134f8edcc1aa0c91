import Basics
import Journals
import Primitives

/// What the seal says about the journal.
public struct SealedJournal: Sendable, Equatable {
    public let entries: Int64
    public let bytes: Int64
    /// SHA-256 of the last line, without its line feed.
    public let head: Digest256
    /// RFC 6962 root; a leaf is a line without its line feed.
    public let root: Digest256

    public init(entries: Int64, bytes: Int64, head: Digest256, root: Digest256) {
        self.entries = entries
        self.bytes = bytes
        self.head = head
        self.root = root
    }
}

/// What a journal tells of the archive it belongs to.
struct JournalFacts: Sendable {
    /// The members of `run.opened` and `run.completed`.
    var opening: JSON = .null
    var completion: JSON = .null
    /// Segments committed and not voided since, by path.
    var segments: [String: Segment] = [:]

    /// The opening time-stamps that the run was given, by their names.
    var stamped: [String: Stamped] = [:]

    struct Stamped: Sendable {
        let sha256: String
        /// When the line was written, by the clock of the exporter.
        let moment: Timestamp?
    }

    struct Segment: Sendable {
        let bytes: Int64
        let sha256: String
    }

    mutating func take(_ event: Journal.Event, _ entry: JSON) {
        switch event {
        case .runOpened: opening = entry
        case .runCompleted: completion = entry
        case .segmentCommitted:
            guard let path = entry["path"]?.string, let bytes = entry["bytes"]?.integer,
                let sha256 = entry["sha256"]?.string
            else { return }
            segments[path] = Segment(bytes: bytes, sha256: sha256)
        case .runStamped:
            guard let name = entry["token"]?.string, let sha256 = entry["sha256"]?.string else {
                return
            }
            stamped[name] = Stamped(
                sha256: sha256, moment: entry["t"]?.string.flatMap { Timestamp($0) })
        case .segmentVoided:
            if let path = entry["path"]?.string { segments[path] = nil }
        default: break
        }
    }
}

/// Follows the chain of `journal.jsonl` chunk by chunk: each line is in its one form and names its
/// number and the SHA-256 of the line above. The first opens the run and the last completes it.
struct JournalChain: ~Copyable, Sendable {
    private var buffer = LineBuffer(longest: Journal.longestLine)
    private var summary = JournalSummary()
    private var last: Journal.Event?
    private(set) var facts = JournalFacts()
    /// The first line, which the opening time stamp is about.
    private(set) var first: [UInt8] = []
    /// Where a tar ended after each commit, by path, as the journal of one made as a tar says.
    private(set) var ends: [String: Int64] = [:]

    mutating func read(_ chunk: UnsafeRawBufferPointer) throws(Failure) {
        var position = 0
        do throws(Failure) {
            while try unsafe buffer.next(chunk, &position) { try take(buffer.line) }
        } catch {
            throw error.code == .invalidValue ? broken("is too long") : error
        }
    }

    private mutating func take(_ line: [UInt8]) throws(Failure) {
        let entry = try JournalLine.check(line, after: summary)
        last = entry.event
        facts.take(entry.event, entry.fields)
        if entry.sequence == 0 { first = line }
        if let end = entry.fields["end"]?.integer, end > 0,
            let path = entry.fields["path"]?.string
        {
            ends[path] = end
        }
        summary.append(line: line)
    }

    borrowing func finish() throws(Failure) -> SealedJournal {
        guard buffer.isAtStart else { throw broken("does not end with a line feed") }
        guard last == .runCompleted else {
            throw broken("is missing: the run was not completed")
        }
        return SealedJournal(
            entries: Int64(summary.entries), bytes: summary.bytes, head: summary.head,
            root: summary.root)
    }

    private borrowing func broken(_ what: String) -> Failure {
        Failure(.journalMalformed, "line \(summary.entries + 1) of the journal \(what)")
    }
}
