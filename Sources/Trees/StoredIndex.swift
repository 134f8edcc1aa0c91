public import Archives
public import Basics
public import Connectors
import Glibc
public import Manifests
import Primitives
public import Streams

/// The index of a tar in an archive, whichever connector made it.
public enum StoredIndex {
    /// Decodes it into a file in `directory` that has no name, and goes away with its descriptor.
    public static func decode(
        _ lines: ArtifactRecord, from artifacts: any ArtifactSource, in directory: String,
        _ progress: Progress
    ) throws(Failure) -> SharedDescriptor {
        let path = directory + "/index"
        unsafe unlink(path)
        let file = try Descriptor(opening: path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW)
        unsafe unlink(path)
        var chunk = Chunk()
        for segment in lines.segments.indices {
            let stream = try artifacts.open(lines, segment: segment)
            repeat {
                try progress.checkCancelled()
                try stream.read(into: &chunk)
                do throws(Failure) {
                    try unsafe chunk.withBytes { (bytes) throws(Failure) in
                        try unsafe file.writeAll(bytes)
                    }
                } catch { throw error.during("cannot keep the index in \"\(directory)\"") }
            } while !chunk.isEmpty
        }
        return SharedDescriptor(file, name: "the index of the archive")
    }

    /// The two Merkle roots of its entries, as the export took them.
    public struct Roots {
        private var content = MerkleRange()
        private var metadata = MerkleRange()
        private var leaf = TreeLeaf()

        public init() {}

        public mutating func add(_ indexed: IndexedEntry) {
            content.append(leaf: leaf.content(of: indexed.entry, indexed.content))
            metadata.append(
                leaf: leaf.metadata(of: indexed.entry, attributes: indexed.attributeDigests))
        }

        /// Throws `.treeMismatch` where they are not those that the manifest has of the tar.
        public func check(against tree: ArtifactRecord) throws(Failure) {
            for (name, root) in [("tree-content", content.root), ("tree-metadata", metadata.root)] {
                guard tree.digests.first(where: { $0.key == name })?.value.string == root.hex else {
                    throw Failure(
                        .treeMismatch, "the index does not have the \(name) digest of the manifest")
                }
            }
        }
    }
}
