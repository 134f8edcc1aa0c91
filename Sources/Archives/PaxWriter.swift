/// Lays out what stands in front of an entry's data in a pax stream (POSIX.1-2017, pax, "pax
/// Interchange Format"), so that GNU tar and bsdtar restore it: an extended header where the ustar
/// one is not enough, the ustar header, and for a file with holes its map (GNU sparse format 1.0).
///
/// The bytes depend on the entry alone. An entry's part of the stream is
/// `header ‖ content ‖ padding`: the content of a file without holes is the file, of one with holes
/// its extents one after the other, of everything else nothing.
public struct PaxWriter: Sendable {
    public static let blockSize = 512
    /// What ends the whole stream, once.
    public static let end = [UInt8](repeating: 0, count: 2 * blockSize)

    /// The extended header's records, kept for their memory.
    private var records = PaxRecords()
    private var name: [UInt8] = []
    private var map: [UInt8] = []

    public init() {}

    /// The bytes of content that follow the header.
    public static func contentLength(of entry: Entry) -> Int64 {
        guard entry.kind == .file else { return 0 }
        guard let extents = entry.extents else { return entry.size }
        return extents.reduce(0) { $0 + $1.length }
    }

    /// The bytes that tar counts as the file's: the content, and in front of it the map of a file
    /// with holes, which `append` writes.
    public static func dataLength(of entry: Entry) -> Int64 {
        contentLength(of: entry) + Int64(SparseMap.length(of: entry))
    }

    /// How many zeros follow that many bytes of content.
    public static func padding(after length: Int64) -> Int { Int(-length & 511) }

    /// Appends all that stands in front of the entry's content; always whole blocks.
    public mutating func appendHeader(of entry: Entry, to buffer: inout [UInt8]) {
        records.removeAll()
        UstarHeader.setName(of: entry, &name)
        map.removeAll(keepingCapacity: true)
        if entry.kind == .file, entry.extents != nil { SparseMap.append(entry, to: &map) }
        let size = Self.contentLength(of: entry) + Int64(map.count)
        appendRecords(of: entry, size: size)
        if !records.isEmpty {
            UstarHeader.appendExtended(length: records.bytes.count, to: &buffer)
            buffer.append(contentsOf: records.bytes)
            let padding = Self.padding(after: Int64(records.bytes.count))
            buffer.append(contentsOf: Self.end[..<padding])
        }
        UstarHeader.append(entry, name: name, size: size, to: &buffer)
        buffer.append(contentsOf: map)
    }

    private mutating func appendRecords(of entry: Entry, size: Int64) {
        let isLink = entry.kind == .hardlink || entry.kind == .symlink
        if !ByteText.isUTF8(name) || !ByteText.isUTF8(entry.owner) || !ByteText.isUTF8(entry.group)
            || isLink && !ByteText.isUTF8(entry.target)
        {
            records.append("hdrcharset", "BINARY")
        }
        if !map.isEmpty {
            records.append("GNU.sparse.major", "1")
            records.append("GNU.sparse.minor", "0")
            records.append("GNU.sparse.name", name)
            records.append("GNU.sparse.realsize", entry.size)
        } else if !UstarHeader.fits(name, 100) {
            records.append("path", name)
        }
        if isLink, !UstarHeader.fits(entry.target, 100) { records.append("linkpath", entry.target) }
        if size > UstarHeader.largestSize { records.append("size", size) }
        if entry.uid > UstarHeader.largestID { records.append("uid", Int64(entry.uid)) }
        if entry.gid > UstarHeader.largestID { records.append("gid", Int64(entry.gid)) }
        if !UstarHeader.fits(entry.owner, 31) { records.append("uname", entry.owner) }
        if !UstarHeader.fits(entry.group, 31) { records.append("gname", entry.group) }
        if entry.modified.nanoseconds != 0 || !UstarHeader.fits(entry.modified) {
            records.append("mtime", entry.modified)
        }
        if entry.device.major > UstarHeader.largestID || entry.device.minor > UstarHeader.largestID
        {
            records.append("SCHILY.devmajor", Int64(entry.device.major))
            records.append("SCHILY.devminor", Int64(entry.device.minor))
        }
        // A further name has no metadata of its own.
        if entry.kind == .hardlink { return }
        if let acl = entry.accessACL { records.append("SCHILY.acl.access", acl) }
        if let acl = entry.defaultACL { records.append("SCHILY.acl.default", acl) }
        for attribute in entry.attributes { records.append(attribute) }
    }
}
