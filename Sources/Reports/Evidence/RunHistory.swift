import Basics
import Journals
import Primitives
import Streams

/// What a journal tells of a run: which source stored what, and when.
public struct RunHistory: Sendable, Equatable {
    /// A committed segment that counts.
    struct Commit: Sendable, Equatable {
        let source: Int
        let artifact: Int
        let at: Timestamp
        let bytes: Int64
        let plainBytes: Int64
        let exported: Int64
        let omitted: Int64
    }

    /// What was expected of a source, when that was known.
    struct Inventory: Sendable, Equatable {
        let at: Timestamp
        let expected: Int64
        let bytes: Int64
    }

    /// A time in which nobody worked: from what was written last to the resumption.
    struct Pause: Sendable, Equatable {
        let from: Timestamp
        let to: Timestamp
        /// The failure's number, where the run itself said why it ended.
        let code: Int64?
    }

    private(set) var lines = 0
    private(set) var opened: Timestamp?
    private(set) var last: Timestamp?
    private(set) var isCompleted = false
    private(set) var inventories: [Int: Inventory] = [:]
    private(set) var pauses: [Pause] = []
    private(set) var voided = 0
    private var commitsByPlace: [Place: Commit] = [:]
    private var interruption: Int64?

    private struct Place: Hashable {
        let source: Int
        let artifact: Int
        let segment: Int
    }

    init() {}

    /// Reads a journal; throws where it is not one.
    ///
    /// - Returns: also the digest of its last line, which tells whether it is the sealed one.
    static func read(
        _ source: inout some ByteSource & ~Copyable
    ) throws(Failure) -> (history: RunHistory, head: Digest256) {
        var history = RunHistory()
        let summary = try JournalReader.verify(&source) { (entry) throws(Failure) in
            history.take(entry)
        }
        return (history, summary.head)
    }

    /// In the order of their times.
    var commits: [Commit] { commitsByPlace.values.sorted { $0.at < $1.at } }

    mutating func take(_ entry: Journal.Entry) {
        lines += 1
        if opened == nil { opened = entry.time }
        let fields = entry.fields
        switch entry.event {
        case .sourceInventoried:
            inventories[number("s", fields)] = Inventory(
                at: entry.time, expected: fields["expected"]?.integer ?? 0,
                bytes: fields["bytes"]?.integer ?? 0)
        case .segmentCommitted:
            commitsByPlace[place(fields)] = Commit(
                source: number("s", fields), artifact: number("a", fields), at: entry.time,
                bytes: fields["bytes"]?.integer ?? 0,
                plainBytes: fields["plainBytes"]?.integer ?? 0,
                exported: fields["exported"]?.integer ?? 0,
                omitted: fields["omitted"]?.integer ?? 0)
        case .segmentVoided:
            if commitsByPlace.removeValue(forKey: place(fields)) != nil { voided += 1 }
        case .runInterrupted: interruption = fields["code"]?.integer
        case .runResumed:
            if let last { pauses.append(Pause(from: last, to: entry.time, code: interruption)) }
            interruption = nil
        case .runCompleted: isCompleted = true
        default: break
        }
        last = entry.time
    }

    private func number(_ key: String, _ fields: JSON) -> Int {
        Int(clamping: fields[key]?.integer ?? 0)
    }

    private func place(_ fields: JSON) -> Place {
        Place(
            source: number("s", fields), artifact: number("a", fields),
            segment: number("n", fields))
    }
}
