import Basics
import Primitives
import Streams
import TestKit

@testable import Archives

/// Bytes as a source, in chunks of a given size.
struct BytesSource: ByteSource, ~Copyable {
    private let bytes: [UInt8]
    private var position = 0
    private let step: Int

    init(_ bytes: [UInt8], step: Int = 1 << 20) {
        self.bytes = bytes
        self.step = step
    }

    mutating func read(into chunk: inout Chunk) throws(Failure) {
        chunk.removeAll()
        let end = min(bytes.count, position + min(step, chunk.capacity))
        let part = bytes[position..<end]
        part.withUnsafeBytes { _ = chunk.append($0) }
        position = end
    }
}

/// A real tree as segments and an index, for the import side.
struct TestArchive {
    struct Segment {
        var bytes: [UInt8]
        var from = PaxReader.Beginning.entry
        var to = PaxReader.Ending.entry
        var after: [UInt8]?
    }

    private(set) var segments: [Segment] = []
    private(set) var index: [UInt8] = []
    private(set) var entries: [(entry: Entry, digest: ContentDigest?)] = []

    /// - Parameters:
    ///   - entriesPerSegment: a new segment after that many entries.
    ///   - cut: files with holes larger than this are cut at its multiples.
    init(_ tree: HostileTree, entriesPerSegment: Int, cut: Int64 = 100 << 20) throws {
        let archive = tree.directory.path + "/tree.tar"
        let items = try TreeSnapshot(tree.path, writing: archive).items
        let stream = try Files.read(archive)
        var writer = PaxWriter()
        var position = 0
        var segment = Segment(bytes: [])
        var count = 0
        var last: [UInt8]?
        for item in items {
            let entry = item.entry
            if count == entriesPerSegment {
                segments.append(segment)
                segment = Segment(bytes: [], after: last)
                count = 0
            }
            var header: [UInt8] = []
            writer.appendHeader(of: entry, to: &header)
            let start = position + header.count
            let length = Int(PaxWriter.contentLength(of: entry))
            let end = start + length + PaxWriter.padding(after: Int64(length))
            var digest = item.digest
            if entry.kind == .file, entry.extents == nil {
                digest = .sha256(SHA256.hash(Array(stream[start..<(start + length)])))
            }
            IndexLine.append(
                entry, digest: digest, segment: segments.count, offset: Int64(segment.bytes.count),
                to: &index)
            entries.append((entry, digest))
            segment.bytes += stream[position..<start]
            if entry.kind == .file, let extents = entry.extents, entry.size > cut {
                addParts(of: entry, extents, cut, stream, start, &segment)
                segment.bytes += stream[(start + length)..<end]
            } else {
                segment.bytes += stream[start..<end]
            }
            position = end
            last = entry.path
            count += 1
        }
        segment.bytes += PaxWriter.end
        segment.to = .archive
        segments.append(segment)
    }

    private mutating func addParts(
        of entry: Entry, _ extents: [Extent], _ cut: Int64, _ stream: [UInt8], _ start: Int,
        _ segment: inout Segment
    ) {
        var place = start
        var offset: Int64 = 0
        while offset < entry.size, segments.count < 40 {
            segment.to = .inside(path: entry.path, offset: offset)
            segments.append(segment)
            segment = Segment(bytes: [], from: .inside(entry, offset: offset), after: nil)
            // Nothing but a hole behind the last data: one part for all of it.
            let isLast = !extents.contains { $0.offset + $0.length > offset + cut }
            let end = isLast ? entry.size : min(entry.size, offset + cut)
            for extent in extents {
                let from = max(extent.offset, offset)
                let to = min(extent.offset + extent.length, end)
                guard to > from else { continue }
                segment.bytes += stream[place..<(place + Int(to - from))]
                place += Int(to - from)
            }
            offset = end
        }
    }

    func openIndex() throws(Failure) -> IndexReader { IndexReader(BytesSource(index, step: 777)) }

    func summary(folds: Bool = false) throws -> IndexSummary {
        try IndexCheck.check(folds: folds) { () throws(Failure) in try openIndex() }
    }

    /// Restores segments in the order given.
    func restore(
        _ order: [Int], to target: TreeTarget, cutShortAt length: Int? = nil
    ) throws(Failure) {
        var restorer = TreeRestorer(target)
        for number in order {
            let segment = segments[number]
            let bytes = length.map { Array(segment.bytes.prefix($0)) } ?? segment.bytes
            var reader = PaxReader(
                BytesSource(bytes, step: 100_000), from: segment.from, to: segment.to,
                after: segment.after)
            try restorer.restore(&reader, progress: Progress())
        }
    }

    func finish(_ target: TreeTarget) throws(Failure) {
        var finisher = TreeFinisher(target)
        var index = try openIndex()
        while let entry = try index.nextEntry() { try finisher.add(entry) }
        try finisher.finish()
        var restorer = TreeRestorer(target)
        for number in finisher.segmentsToRevisit {
            let segment = segments[number]
            var reader = PaxReader(
                BytesSource(segment.bytes), from: segment.from, to: segment.to,
                after: segment.after)
            try restorer.restoreLinkAttributes(&reader)
        }
    }

    /// Compares in slices of the index and joins them.
    func compare(
        _ target: TreeTarget, _ scope: MetadataScope, slice: Int64 = 7
    ) throws(Failure) -> TreeComparison {
        var index = try openIndex()
        var joined = TreeComparison(firstLeaf: 0)
        var first: Int64 = 0
        var isDone = false
        while !isDone {
            var comparer = TreeComparer(
                target, names: OwnerNames(), scope: scope, firstLeaf: first, progress: Progress())
            for _ in 0..<slice {
                guard let entry = try index.nextEntry() else {
                    isDone = true
                    break
                }
                try comparer.compare(entry)
                first += 1
            }
            joined.append(comparer.result)
        }
        var extras: [TreeDifference] = []
        var again = try openIndex()
        try TreeExtras.find(on: target, &again, progress: Progress()) { extras.append($0) }
        for extra in extras { joined.append(extra) }
        return joined
    }
}
