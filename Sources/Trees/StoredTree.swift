import Archives
import Basics
import Connectors
import Glibc
import Manifests
import Primitives
import Streams

/// A tree as an archive holds it: its index, checked and kept in a private file, and what every
/// segment of the stream begins and ends with.
struct StoredTree: Sendable {
    /// A run of index lines that one lane compares.
    struct Slice: Sendable {
        let from: Int64
        let to: Int64
        /// Entries in the index before it.
        let firstLeaf: Int64
    }

    let tree: ArtifactRecord
    let index: SharedDescriptor
    let indexSize: Int64
    let summary: IndexSummary
    let slices: [Slice]
    private let artifacts: any ArtifactSource
    let map: SegmentMap

    private static let sliceEntries: Int64 = 2000
    private static let sliceBytes: Int64 = 64 << 20

    /// Decodes the index into a file without a name in `directory`, and checks all of it.
    init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, in directory: String,
        folds: Bool, progress: Progress
    ) throws(Failure) {
        guard let tree = source.artifacts.first(where: { $0.kind == "file-tree" }),
            let lines = source.artifacts.first(where: { $0.kind == "file-index" }),
            tree.format == "tar", lines.format == "jsonl"
        else {
            throw Failure(
                .manifestMalformed, "source \"\(source.name)\" has no tree with an index")
        }
        self.tree = tree
        self.artifacts = artifacts
        let index = try StoredIndex.decode(lines, from: artifacts, in: directory, progress)
        let size = lines.plainBytes
        let expected = tree.counts.first { $0.key == "entries" }?.value.integer
        var map = SegmentMap(tree)
        var roots = StoredIndex.Roots()
        var cutter = SliceCutter()
        summary = try IndexCheck.check(
            limits: IndexLimits(entries: expected), folds: folds,
            open: { () throws(Failure) in IndexReader(FileSource(index, from: 0, size: size)) },
            visit: { (item, line) throws(Failure) in
                if case .entry(let indexed) = item {
                    try map.add(indexed, line: line.lowerBound)
                    roots.add(indexed)
                }
                cutter.add(item, line)
            })
        guard summary.entries == expected else {
            throw Failure(
                .treeMismatch,
                "the index has \(summary.entries) entries, the manifest \(expected ?? 0)")
        }
        try map.finish()
        slices = cutter.finished(size)
        try roots.check(against: tree)
        self.map = map
        self.index = index
        indexSize = size
    }

    /// Cuts the index into slices of about the same work.
    private struct SliceCutter {
        private var slices: [Slice] = []
        private var from: Int64 = 0
        private var firstLeaf: Int64 = 0
        private var entries: Int64 = 0
        private var bytes: Int64 = 0

        mutating func add(_ item: IndexItem, _ line: Range<Int64>) {
            if case .entry(let indexed) = item {
                entries += 1
                bytes += indexed.entry.size
            }
            if entries - firstLeaf >= sliceEntries || bytes >= sliceBytes {
                end(at: line.upperBound)
            }
        }

        private mutating func end(at to: Int64) {
            slices.append(Slice(from: from, to: to, firstLeaf: firstLeaf))
            (from, firstLeaf, bytes) = (to, entries, 0)
        }

        consuming func finished(_ size: Int64) -> [Slice] {
            if from < size { end(at: size) }
            return slices
        }
    }

    func reader(_ slice: Slice) -> IndexReader {
        IndexReader(FileSource(index, from: slice.from, size: slice.to - slice.from))
    }

    func wholeIndex() -> IndexReader { IndexReader(FileSource(index, from: 0, size: indexSize)) }

    /// Opens a segment of the stream where it begins.
    func open(_ segment: Int) throws(Failure) -> PaxReader {
        let place = try map.place(of: segment) { (header) throws(Failure) in
            try entry(ending: header)
        }
        return PaxReader(
            StreamSource(try artifacts.open(tree, segment: segment)), from: place.beginning,
            to: place.ending, after: place.previous)
    }

    func part(of segment: Int) throws(Failure) -> SegmentMap.Part? {
        try map.part(of: segment) { (header) throws(Failure) in try entry(ending: header) }
    }

    /// The index from the first line about an entry of a segment on.
    func index(of segment: Int) -> IndexReader? {
        map.indexOffset(of: segment).map {
            IndexReader(FileSource(index, from: $0, size: indexSize - $0))
        }
    }

    /// The last entry of a segment: a large file, whose map of holes only its header has.
    private func entry(ending segment: Int) throws(Failure) -> Entry {
        let place = try map.place(of: segment) { (header) throws(Failure) in
            try entry(ending: header)
        }
        var reader = PaxReader(
            StreamSource(try artifacts.open(tree, segment: segment)), from: place.beginning,
            to: place.ending, after: place.previous)
        var last: Entry?
        while let entry = try reader.next() { last = entry }
        guard let last else {
            throw Failure(.treeMalformed, "segment \(segment) of the tree holds no entry")
        }
        return last
    }
}
