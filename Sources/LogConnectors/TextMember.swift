import Archives
import Basics
import Glibc
import Logs
import Primitives
import Streams

/// A file of a log, as the inventory fixed it.
struct TextMember: Sendable {
    /// What the archive keeps of it; the size is that of what is exported.
    var entry: Entry
    /// Where it is read, links followed.
    var path: [UInt8]
    var device: UInt64
    var inode: UInt64
    /// Of the stored file, at the inventory: no byte behind is read.
    var size: Int64
    var packing: Packing?
    /// The place of its stream, and of itself in that.
    var stream = 0
    var place = 0
    var format: TextFormat?
    var clock: TextClockSetting
    /// Bytes of its text that a range of time selects; nil when the file is kept as it is.
    var runs: [Range<Int64>]?
    /// SHA-256 of its first 64 KiB, as the inventory saw them: a file that was emptied and filled again, or written anew in
    /// its place, has others.
    var head: Digest256?
    static let headSize: Int64 = 64 << 10
    /// Further names of the same file.
    var others: [[UInt8]] = []

    func seeded() -> TextClock { clock.clock() }
}

/// How the times of a member are read, here and on the target.
struct TextClockSetting: Sendable, Equatable {
    var zone: TextTimeZone
    var latest: Timestamp
    var firstYear: Int64?
    /// The moment of the entry before the text, in the hour that comes twice.
    var previous: Int64?

    static func == (left: TextClockSetting, right: TextClockSetting) -> Bool {
        left.zone.name == right.zone.name && left.latest == right.latest
            && left.firstYear == right.firstYear && left.previous == right.previous
    }

    func clock() -> TextClock {
        TextClock(zone, latest: latest, firstYear: firstYear, previous: previous)
    }
}

/// The parts of one log: what was written to one name, in the order of time.
struct TextStream: Sendable {
    /// The path of the file that is written to, whether it is there or not.
    var base: [UInt8]
    /// Places of its members in the layout, oldest first.
    var members: [Int] = []
    /// How the order is known: by rotation, or by times where names and times disagree.
    var order = "rotation"
    var isZoneGiven = false
    var zone = ""
    /// Entries that a range leaves out, and members without any in it.
    var outside: Int64 = 0
    var membersOutside: Int64 = 0
}
