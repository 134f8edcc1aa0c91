import Archives
import Basics
import Manifests
import Primitives
import Synchronization

/// Where each segment of a tree's stream begins and ends, worked out from the index and the lengths
/// in the manifest.
///
/// A segment that no entry of the index begins in continues the data of the entry before it, if
/// that is a large file; else it holds nothing, because all that was to be in it was omitted.
struct SegmentMap: Sendable {
    struct Place: Sendable {
        let beginning: PaxReader.Beginning
        let ending: PaxReader.Ending
        let previous: [UInt8]?
    }

    private struct Segment: Sendable {
        var isEmpty = true
        var last: [UInt8] = []
        /// What the index says of the last entry's content.
        var lastContent: ContentDigest?
        /// The last entry is a file that may go on in the segments that follow.
        var lastIsLarge = false
        /// Where the first line about an entry of this segment begins in the index.
        var indexOffset: Int64 = 0
        /// The segment with the header of the file that this one continues, and the bytes of its
        /// data in the segments between.
        var continues: Int?
        var dataBefore: Int64 = 0
    }

    private var segments: [Segment]
    private let lengths: [Int64]
    private let files = LargeFiles()

    init(_ tree: ArtifactRecord) {
        lengths = tree.segments.map(\.plainBytes)
        segments = Array(repeating: Segment(), count: lengths.count)
    }

    /// - Parameter line: where the entry's line, or one of an omission before it, begins.
    mutating func add(_ indexed: IndexedEntry, line: Int64) throws(Failure) {
        guard segments.indices.contains(indexed.segment),
            indexed.offset < lengths[indexed.segment]
        else {
            throw Failure(.treeMalformed, "the index leads to a segment that is not there")
        }
        if segments[indexed.segment].isEmpty { segments[indexed.segment].indexOffset = line }
        segments[indexed.segment].isEmpty = false
        segments[indexed.segment].lastContent = indexed.content
        segments[indexed.segment].lastIsLarge =
            indexed.hasHoles || indexed.entry.size > TreeTarget.largestSimpleFile
        segments[indexed.segment].last = indexed.entry.path
    }

    mutating func finish() throws(Failure) {
        var header: Int?
        var data: Int64 = 0
        for number in segments.indices {
            guard segments[number].isEmpty else {
                (header, data) = (segments[number].lastIsLarge ? number : nil, 0)
                continue
            }
            // The end of the stream alone, or nothing at all, is no part of a file.
            let isLast = number == segments.count - 1
            guard let header, lengths[number] > (isLast ? Int64(PaxWriter.end.count) : 0) else {
                continue
            }
            segments[number].continues = header
            segments[number].dataBefore = data
            data += lengths[number]
        }
    }

    /// Where the lines about a segment's entries begin in the index; nil when it has none.
    func indexOffset(of number: Int) -> Int64? {
        segments[number].isEmpty ? nil : segments[number].indexOffset
    }

    /// A large file that a segment holds nothing but a part of.
    struct Part: Sendable {
        /// The segment with the file's header.
        let header: Int
        let file: Entry
        /// In the file, from one leaf of the tree digest to another.
        let visible: Range<Int64>
        let isOnly: Bool
    }

    /// The part that a segment consists of; nil for one that begins with an entry.
    func part(
        of number: Int, _ read: (Int) throws(Failure) -> Entry
    ) throws(Failure) -> Part? {
        let segment = segments[number]
        guard let header = segment.continues else { return nil }
        let file = try files.file(header, read)
        let leaf = TreeDigest.leafSize
        let isFirst = number == header + 1
        let goesOn = number + 1 < segments.count && segments[number + 1].continues == header
        let start = isFirst ? 0 : file.visible(after: segment.dataBefore) / leaf * leaf
        let end =
            goesOn ? file.visible(after: segments[number + 1].dataBefore) / leaf * leaf : file.size
        guard start <= end else {
            throw Failure(.treeMalformed, "the parts of a large file are not in order")
        }
        return Part(
            header: header, file: file, visible: start..<end, isOnly: isFirst && !goesOn)
    }

    /// Segments with the header of a large file, and what the index says of its content.
    var largeFiles: [(header: Int, content: ContentDigest?)] {
        segments.indices.dropLast().filter { segments[$0 + 1].continues == $0 }
            .map { ($0, segments[$0].lastContent) }
    }

    /// - Parameter read: gives the last entry of the segment with a large file's header.
    func place(
        of number: Int, _ read: (Int) throws(Failure) -> Entry
    ) throws(Failure) -> Place {
        let segment = segments[number]
        let isLast = number == segments.count - 1
        let next = isLast ? nil : segments[number + 1]
        var beginning = PaxReader.Beginning.entry
        var previous = (0..<number).last { !segments[$0].isEmpty }.map { segments[$0].last }
        if let header = segment.continues {
            let file = try files.file(header, read)
            beginning = .inside(file, offset: file.visible(after: segment.dataBefore))
            previous = nil
        }
        var ending = PaxReader.Ending.entry
        if isLast {
            ending = .archive
        } else if let header = next?.continues, let dataBefore = next?.dataBefore {
            if header == number {
                ending = .inside(path: segment.last, offset: 0)
            } else {
                let file = try files.file(header, read)
                ending = .inside(path: file.path, offset: file.visible(after: dataBefore))
            }
        }
        return Place(beginning: beginning, ending: ending, previous: previous)
    }
}

/// The entries of large files, read once each from the ends of their header's segments.
private final class LargeFiles: Sendable {
    private let known = Mutex<[Int: Entry]>([:])

    func file(
        _ header: Int, _ read: (Int) throws(Failure) -> Entry
    ) throws(Failure) -> Entry {
        if let entry = known.withLock({ $0[header] }) { return entry }
        let entry = try read(header)
        // Maps of holes may be long: few are kept.
        known.withLock { known in
            if known.count >= 8 { known.removeAll() }
            known[header] = entry
        }
        return entry
    }
}

extension Entry {
    /// The visible offset at which the data goes on after that many bytes of it.
    fileprivate func visible(after data: Int64) -> Int64 {
        guard let extents else { return data }
        var left = data
        for extent in extents {
            if left < extent.length { return extent.offset + left }
            left -= extent.length
        }
        return size
    }
}
