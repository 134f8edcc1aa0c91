import Basics
import Glibc

/// Finds where the data of a file with holes lies (lseek(2), SEEK_DATA and SEEK_HOLE).
struct HoleMap {
    /// More runs than this are joined over the smallest gaps, which then are stored as zeros, so
    /// that no file can fill memory.
    static let largestCount = 65_536

    private(set) var extents: [Extent] = []
    private let limit: Int

    init(limit: Int = HoleMap.largestCount) { self.limit = limit }

    /// The runs of data; nil for a file without holes, or on a file system that cannot tell.
    ///
    /// The descriptor's position is 0 afterwards.
    static func read(_ file: Int32, size: Int64) -> [Extent]? {
        var map = HoleMap()
        var offset: Int64 = 0
        defer { lseek(file, 0, SEEK_SET) }
        scan: while true {
            switch Descriptor.nextData(of: file, from: offset, before: size) {
            case .none: break scan
            case .unknown: return nil
            case .data(let run):
                map.append(
                    Extent(offset: run.lowerBound, length: run.upperBound - run.lowerBound))
                offset = run.upperBound
            }
        }
        if map.extents == [Extent(offset: 0, length: size)] { return nil }
        return map.extents
    }

    mutating func append(_ extent: Extent) {
        if let last = extents.last, last.end == extent.offset {
            extents[extents.count - 1].length += extent.length
            return
        }
        extents.append(extent)
        if extents.count > limit { joinSmallestGaps() }
    }

    /// Leaves half as many runs, so that this happens seldom.
    private mutating func joinSmallestGaps() {
        let gaps = zip(extents.dropFirst(), extents).map { $0.offset - $1.end }
        var left = extents.count - max(1, limit / 2)
        let largest = gaps.sorted()[left - 1]
        // Of the gaps as large as the largest that goes, only as many go as have to.
        left -= gaps.count { $0 < largest }
        var joined = [extents[0]]
        for (extent, gap) in zip(extents.dropFirst(), gaps) {
            if gap < largest || gap == largest && left > 0 {
                if gap == largest { left -= 1 }
                joined[joined.count - 1].length = extent.end - joined[joined.count - 1].offset
            } else {
                joined.append(extent)
            }
        }
        extents = joined
    }
}

extension Extent {
    fileprivate var end: Int64 { offset + length }
}
