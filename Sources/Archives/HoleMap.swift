import CLinux
import Glibc

/// Finds where the data of a file with holes lies (lseek(2), SEEK_DATA and SEEK_HOLE).
struct HoleMap {
    /// More runs than this are joined over the smallest gaps, which then are stored as zeros, so
    /// that no file can fill memory.
    static let largestCount = 65_536

    private(set) var extents: [Extent] = []
    private let limit: Int
    /// Gaps up to this many bytes are not kept.
    private var threshold: Int64 = 0

    init(limit: Int = HoleMap.largestCount) { self.limit = limit }

    /// The runs of data; nil for a file without holes, or on a file system that cannot tell.
    ///
    /// The descriptor's position is 0 afterwards.
    static func read(_ file: Int32, size: Int64) -> [Extent]? {
        var map = HoleMap()
        var offset: Int64 = 0
        defer { lseek(file, 0, SEEK_SET) }
        while offset < size {
            let data = Int64(lseek(file, Int(offset), exeat_seek_data))
            if data < 0 {
                // ENXIO: nothing but a hole from here to the end.
                guard errno == ENXIO else { return nil }
                break
            }
            if data >= size { break }
            let hole = Int64(lseek(file, Int(data), exeat_seek_hole))
            guard hole > data else { return nil }
            let end = min(hole, size)
            map.append(Extent(offset: data, length: end - data))
            offset = end
        }
        if map.extents == [Extent(offset: 0, length: size)] { return nil }
        return map.extents
    }

    mutating func append(_ extent: Extent) {
        extents.appendOrJoin(extent, threshold)
        while extents.count > limit {
            threshold = max(4096, threshold * 2)
            var joined: [Extent] = []
            for extent in extents { joined.appendOrJoin(extent, threshold) }
            extents = joined
        }
    }
}

extension [Extent] {
    fileprivate mutating func appendOrJoin(_ extent: Extent, _ threshold: Int64) {
        if let last, extent.offset - (last.offset + last.length) <= threshold {
            self[count - 1].length = extent.offset + extent.length - last.offset
        } else {
            append(extent)
        }
    }
}
