import Archives
public import Basics
public import Connectors
import Glibc
public import Manifests
import Primitives
public import Streams
import Synchronization

/// Reads a stored tree through, and holds every header and all content against the index, and the
/// index against the digests of the manifest.
public final class TreeAudit: Sendable {
    private let source: SourceRecord
    private let stored: StoredTree
    private let progress: Progress
    /// What the parts of large files have given, by the segment of their header.
    private let parts = Mutex<[Int: [PartDigest]]>([:])

    private struct PartDigest: Sendable {
        let leaves: MerkleRange
        let plain: Digest256?
    }

    public init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress
    ) throws(Failure) {
        self.source = source
        self.progress = progress
        let base = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        stored = try StoredTree(
            source, from: artifacts, in: base, folds: false, progress: progress)
    }

    public var slices: Int { stored.tree.segments.count }

    public func audit(_ slice: Int) throws(Failure) {
        var reader = try stored.open(slice)
        if let part = try stored.part(of: slice) {
            guard try reader.next() != nil else {
                throw Failure(.treeMalformed, "segment \(slice) of the tree holds no data")
            }
            try audit(part, &reader)
            guard try reader.next() == nil else {
                throw Failure(.treeMalformed, "segment \(slice) of the tree holds too much")
            }
            return
        }
        let check = StreamCheck(stored, slice)
        var leaf = TreeLeaf()
        while let entry = try reader.next() {
            try progress.checkCancelled()
            guard let indexed = try check.admit(entry, at: reader.headerOffset) else { continue }
            guard
                leaf.metadata(of: entry)
                    == leaf.metadata(of: indexed.entry, attributes: indexed.attributeDigests)
            else {
                throw StreamCheck.mismatch(entry, "is not described alike in stream and index")
            }
            if entry.kind == .file, !reader.isCut {
                guard try digest(of: entry, as: indexed.content, &reader) == indexed.content else {
                    throw StreamCheck.mismatch(
                        entry, "does not have the content that the index says")
                }
            }
            progress.add(objects: 1)
        }
        try check.finish()
    }

    private func digest(
        of entry: Entry, as kind: ContentDigest?, _ reader: inout PaxReader
    ) throws(Failure) -> ContentDigest? {
        switch kind {
        case nil: return nil
        case .sha256:
            var hasher = SHA256()
            try unsafe reader.readData { (bytes, _) throws(Failure) in
                unsafe hasher.update(bytes)
                progress.add(bytes: Int64(bytes.count))
            }
            return .sha256(hasher.finish())
        case .tree:
            return .tree(try leaves(0..<entry.size, &reader).root)
        }
    }

    private func leaves(
        _ visible: Range<Int64>, _ reader: inout PaxReader
    ) throws(Failure) -> MerkleRange {
        var hasher = TreeHasher(from: visible.lowerBound)
        var position = visible.lowerBound
        try unsafe reader.readData { (bytes, offset) throws(Failure) in
            try progress.checkCancelled()
            guard offset >= position, offset + Int64(bytes.count) <= visible.upperBound else {
                throw Failure(.treeMalformed, "a large file is cut inside a leaf of its digest")
            }
            hasher.update(zeros: offset - position)
            unsafe hasher.update(bytes)
            position = offset + Int64(bytes.count)
            progress.add(bytes: Int64(bytes.count))
        }
        hasher.update(zeros: visible.upperBound - position)
        return hasher.finish()
    }

    private func audit(_ part: SegmentMap.Part, _ reader: inout PaxReader) throws(Failure) {
        var digest = PartDigest(leaves: MerkleRange(), plain: nil)
        if part.isOnly, part.file.extents == nil,
            case .sha256? = stored.map.largeFiles.first(where: { $0.header == part.header })?
                .content
        {
            var hasher = SHA256()
            try unsafe reader.readData { (bytes, _) throws(Failure) in
                unsafe hasher.update(bytes)
                progress.add(bytes: Int64(bytes.count))
            }
            digest = PartDigest(leaves: MerkleRange(), plain: hasher.finish())
        } else {
            digest = PartDigest(leaves: try leaves(part.visible, &reader), plain: nil)
        }
        let found = digest
        parts.withLock { $0[part.header, default: []].append(found) }
    }

    public func conclude() throws(Failure) -> [ImportResult.Comparison] {
        let parts = parts.withLock { $0 }
        for (header, content) in stored.map.largeFiles {
            let found = (parts[header] ?? []).sorted { $0.leaves.start < $1.leaves.start }
            var leaves = MerkleRange()
            for part in found where part.plain == nil {
                guard part.leaves.start == leaves.end else {
                    throw Failure(.treeMalformed, "parts of a large file are missing")
                }
                leaves.append(part.leaves)
            }
            let digest = found.first?.plain.map { ContentDigest.sha256($0) } ?? .tree(leaves.root)
            guard digest == content else {
                throw Failure(
                    .treeMismatch, "a large file does not have the content that the index says")
            }
        }
        // The index itself was held against the manifest when it was opened.
        return stored.tree.digests.compactMap { digest in
            digest.value.string.map { .init(name: digest.key, expected: $0, found: $0) }
        }
    }
}
