import Archives
import Basics

/// Holds the headers of one segment against the index, one after the other: what the index does not
/// know is never written to a target.
final class StreamCheck {
    private let segment: Int
    private var index: IndexReader?
    private var next: IndexedEntry?
    private var isBegun = false

    init(_ stored: StoredTree, _ segment: Int) {
        self.segment = segment
        index = stored.index(of: segment)
    }

    /// The index's line about an entry of the stream; nil for a hard link that is in the stream
    /// alone, because the file it was another name of changed during the run. It is never made.
    ///
    /// Throws `.treeMismatch` for an entry that the index does not know, or knows otherwise.
    func admit(_ entry: Entry, at offset: Int64) throws(Failure) -> IndexedEntry? {
        try advance()
        guard let indexed = next, indexed.segment == segment, indexed.entry.path == entry.path
        else {
            if entry.kind == .hardlink { return nil }
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
        next = try index?.nextEntry()
        isBegun = true
    }

    static func mismatch(_ entry: Entry, _ what: String) -> Failure {
        Failure(
            .treeMismatch, "\"\(String(decoding: entry.path, as: UTF8.self))\" \(what)",
            hint: "The archive is damaged or forged; get a fresh copy from its maker.")
    }
}
