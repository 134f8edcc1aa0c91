import Archives
import Basics
import Primitives

/// What the export of one segment learnt, kept privately until the index is written.
///
/// For a segment of entries: one note for each record of the layout, in order. For a part of a
/// large file: the digest of its leaves.
enum SegmentNote {
    struct Flags: OptionSet {
        let rawValue: UInt8
        static let entry = Flags(rawValue: 1)
        /// The content digest comes from the parts; the line holds zeros in its place.
        static let large = Flags(rawValue: 2)
        static let changed = Flags(rawValue: 4)
        static let accepted = Flags(rawValue: 8)
        /// Exported, but it is no longer the inode whose further names the inventory recorded.
        static let detached = Flags(rawValue: 16)
        /// Exported, but without extended attributes that could not be read.
        static let attributesLost = Flags(rawValue: 32)
        /// Exported as a further name of another entry.
        static let link = Flags(rawValue: 64)
    }
}

/// One line of the index to be.
struct EntryNote {
    var flags: SegmentNote.Flags
    /// Leaves of the two Merkle trees; zeros for an omission, and the content's for a large file.
    var content: Digest256
    var metadata: Digest256
    /// Why it was omitted, or what it lacks; empty for an entry that is all there.
    var reason: String
    var line: ArraySlice<UInt8>
}

/// The leaves of one part of a large file.
struct PartNote {
    var changed: Bool
    /// Why its bytes are not the file's, as an omission; empty when they are.
    var omission: String
    var leaves: MerkleRange
    /// Plain SHA-256, where the part is the whole file and has no holes.
    var plain: Digest256?
}

extension RecordWriter {
    mutating func append(_ note: EntryNote) throws(Failure) {
        try append(note.flags.rawValue)
        try append(note.content)
        try append(note.metadata)
        try append(counted: note.reason.utf8)
        try append(counted: note.line)
    }

    mutating func append(_ note: PartNote) throws(Failure) {
        try append(UInt8((note.changed ? 1 : 0) | (note.plain == nil ? 0 : 2)))
        if let plain = note.plain { try append(plain) }
        try append(counted: note.omission.utf8)
        try append(note.leaves.start)
        try append(UInt32(note.leaves.nodes.count))
        for node in note.leaves.nodes {
            try append(UInt8(node.level))
            try append(node.digest)
        }
    }
}

extension RecordReader {
    mutating func entryNote() throws(Failure) -> EntryNote {
        let flags = SegmentNote.Flags(rawValue: try number(UInt8.self))
        let content = try digest()
        let metadata = try digest()
        let reason = String(decoding: try counted(), as: UTF8.self)
        return EntryNote(
            flags: flags, content: content, metadata: metadata, reason: reason,
            line: try counted())
    }

    mutating func partNote() throws(Failure) -> PartNote {
        let flags = try number(UInt8.self)
        let plain = flags & 2 == 0 ? nil : try digest()
        let omission = String(decoding: try counted(), as: UTF8.self)
        var leaves = MerkleRange(start: try number(Int64.self))
        for _ in 0..<(try number(UInt32.self)) {
            let level = Int(try number(UInt8.self))
            leaves.append(.init(level: level, digest: try digest()))
        }
        return PartNote(
            changed: flags & 1 != 0, omission: omission, leaves: leaves, plain: plain)
    }
}
