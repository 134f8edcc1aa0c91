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

/// Follows the chain of `journal.jsonl` chunk by chunk: each line names its number and the SHA-256
/// of the line above. The first opens the run and the last completes it.
struct JournalChain: ~Copyable, Sendable {
    private var buffer = LineBuffer(longest: Journal.longestLine)
    private var entries: Int64 = 0
    private var bytes: Int64 = 0
    private var head = Digest256()
    private var last: Journal.Event?
    private(set) var facts = JournalFacts()
    private var tree = MerkleRange()
    /// The first line, which the opening time stamp is about.
    private(set) var first: [UInt8] = []
    /// Where a tar ended after each commit, by path, as the journal of one made as a tar says.
    private(set) var ends: [String: Int64] = [:]

    mutating func read(_ chunk: UnsafeRawBufferPointer) throws(Failure) {
        var position = 0
        do throws(Failure) {
            while try unsafe buffer.next(chunk, &position) { try take(buffer.line) }
        } catch {
            throw error.code == .invalidValue ? broken(.journalMalformed, "is too long") : error
        }
        bytes += Int64(chunk.count)
    }

    private mutating func take(_ line: [UInt8]) throws(Failure) {
        let entry: JSON
        do throws(Failure) { entry = try JSON(parsing: line) } catch {
            throw broken(.journalMalformed, "is not a JSON object", error)
        }
        guard entry["seq"]?.integer == entries else {
            throw broken(.journalBroken, "does not bear its number")
        }
        guard entry["prev"]?.string == head.hex else {
            throw broken(.journalBroken, "does not follow from the line above")
        }
        guard entry.line == line, let word = entry["ev"]?.string,
            let event = Journal.Event(rawValue: word),
            entry["t"]?.string.flatMap({ Timestamp($0) }) != nil,
            (event == .runOpened) == (entries == 0)
        else { throw broken(.journalMalformed, "is not a line that an export writes") }
        last = event
        facts.take(event, entry)
        if entries == 0 { first = line }
        if let end = entry["end"]?.integer, end > 0, let path = entry["path"]?.string {
            ends[path] = end
        }
        head = SHA256.hash(line)
        tree.append(leaf: MerkleRange.leaf(line))
        entries += 1
    }

    borrowing func finish() throws(Failure) -> SealedJournal {
        guard buffer.isAtStart else {
            throw broken(.journalMalformed, "does not end with a line feed")
        }
        guard last == .runCompleted else {
            throw broken(.journalMalformed, "is missing: the run was not completed")
        }
        return SealedJournal(entries: entries, bytes: bytes, head: head, root: tree.root)
    }

    private borrowing func broken(
        _ code: Failure.Code, _ what: String, _ cause: Failure? = nil
    ) -> Failure {
        Failure(code, "line \(entries + 1) of the journal \(what)", cause: cause)
    }
}
