import Archives
import Basics

/// Holds the headers of one segment against the index, one after the other: what the index does not
/// know is never written to a target.
final class StreamCheck {
    private let stored: StoredTree
    private let segment: Int
    private var index: IndexReader?
    private var next: IndexedEntry?
    private var isBegun = false
    /// What the index lists as changed and omitted, up to the next entry.
    private var lost: Set<[UInt8]> = []

    init(_ stored: StoredTree, _ segment: Int) {
        self.stored = stored
        self.segment = segment
        index = stored.index(of: segment)
    }

    /// The index's line about an entry of the stream; nil for a hard link that the index lists as
    /// omitted, because the file it was another name of changed during the run. It is never made.
    ///
    /// Throws `.treeMismatch` for an entry that the index does not know, or knows otherwise.
    func admit(_ entry: Entry, at offset: Int64) throws(Failure) -> IndexedEntry? {
        if index == nil, entry.kind == .hardlink {
            // No entry begins in this segment: lines about what it holds may be anywhere.
            index = stored.wholeIndex()
            isBegun = false
        }
        try advance()
        guard let indexed = next, indexed.segment == segment, indexed.entry.path == entry.path
        else {
            if entry.kind == .hardlink, lost.contains(entry.path) { return nil }
            throw Self.mismatch(entry, "is in the stream, and not in the index")
        }
        isBegun = false
        let same = indexed.entry
        guard entry.kind == same.kind, entry.size == same.size, entry.mode == same.mode,
            entry.uid == same.uid, entry.gid == same.gid, entry.modified == same.modified,
            entry.target == same.target, entry.device == same.device,
            entry.attributes.count == same.attributes.count + indexed.longAttributes.count,
            indexed.hasHoles == (entry.extents != nil), indexed.offset == offset
        else { throw Self.mismatch(entry, "is not described alike in stream and index") }
        return indexed
    }

    /// Throws when the index knows of more in this segment than the stream has had.
    func finish() throws(Failure) {
        try advance()
        if let left = next, left.segment == segment {
            throw Self.mismatch(left.entry, "is in the index, and not in the stream")
        }
    }

    private func advance() throws(Failure) {
        guard !isBegun else { return }
        isBegun = true
        next = nil
        while let item = try index?.next() {
            switch item {
            case .omission(let omission):
                if omission.reason == FileOmission.changed.rawValue { lost.insert(omission.path) }
            case .entry(let indexed) where indexed.segment >= segment:
                next = indexed
                return
            case .entry: break
            }
        }
    }

    static func mismatch(_ entry: Entry, _ what: String) -> Failure {
        Failure(
            .treeMismatch, "\"\(String(decoding: entry.path, as: UTF8.self))\" \(what)",
            hint: "The archive is damaged or forged; get a fresh copy from its maker.")
    }
}
