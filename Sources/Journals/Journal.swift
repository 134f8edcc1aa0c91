public import Basics
public import Primitives

/// The record of a run, as JSON Lines in which every line names the SHA-256 of the one before.
///
///     {"seq":0,"t":"2026-11-23T18:00:00.000Z","prev":"000…0","ev":"run.opened", …}
///     {"seq":1,"t":"…","prev":"<sha256 of the line above, without LF>","ev":"…", …}
///
/// Each line is one object without white space and with the escapes of RFC 8785; `seq`, `t`, `prev`
/// and `ev` come first, in that order; the other members are integers, strings, truth values, or
/// arrays of these. Lines end with LF. Line 0, and no other, is `run.opened`. Times may go back,
/// because clocks are set.
public enum Journal {
    /// What can happen in a run: a closed list.
    public enum Event: String, Sendable, CaseIterable {
        case runOpened = "run.opened"
        case runResumed = "run.resumed"
        /// A time-stamp over the first line is there: what follows is younger.
        case runStamped = "run.stamped"
        /// An authority was asked for one and gave none that holds.
        case runUnstamped = "run.unstamped"
        case sourceInventoried = "source.inventoried"
        /// It is known how many segments an artifact has.
        case artifactCut = "artifact.cut"
        case segmentCommitted = "segment.committed"
        /// A committed segment no longer counts: its source's consistent moment was lost.
        case segmentVoided = "segment.voided"
        case artifactCompleted = "artifact.completed"
        case sourceCompleted = "source.completed"
        /// A tag file or the manifest is in place.
        case fileCommitted = "file.committed"
        case runInterrupted = "run.interrupted"
        case runCompleted = "run.completed"
    }

    /// One line, read.
    public struct Entry: Sendable {
        public let sequence: Int
        public let time: Timestamp
        public let event: Event
        /// The whole line as an object, `seq`, `t`, `prev` and `ev` included.
        public let fields: JSON
    }

    /// Longer lines are neither written nor read.
    public static let longestLine = 1 << 16
    /// Arrays are small.
    public static let longestArray = 256
    static let ownKeys = ["seq", "t", "prev", "ev"]
}

/// What a seal says of a journal.
public struct JournalSummary: Sendable, Equatable {
    /// The number of lines.
    public internal(set) var entries = 0
    /// The SHA-256 of the last line without its LF; zeros before the first.
    public internal(set) var head = Digest256()
    /// The Merkle root of RFC 6962, section 2.1, whose leaves are the lines without their LF.
    public var root: Digest256 { tree.root }
    /// The length of the file.
    public internal(set) var bytes: Int64 = 0

    var tree = MerkleRange()

    /// An empty journal.
    public init() {}

    /// Takes one line, given without its LF.
    public mutating func append(line: [UInt8]) {
        entries += 1
        head = SHA256.hash(line)
        bytes += Int64(line.count) + 1
        tree.append(leaf: MerkleRange.leaf(line))
    }
}
