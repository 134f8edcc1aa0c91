import Basics
import CLinux
import Glibc
import Primitives
import Streams

/// Takes content digests of open files with a buffer that is used again.
struct ContentReader: ~Copyable {
    private var chunk = Chunk(capacity: Int(TreeDigest.leafSize))

    /// SHA-256 of the first `size` bytes; nil when there are fewer.
    mutating func sha256(
        _ file: borrowing Descriptor, size: Int64, _ progress: Progress
    ) throws(Failure) -> Digest256? {
        var hasher = SHA256()
        var offset: Int64 = 0
        while offset < size {
            try progress.checkCancelled()
            guard try fill(file, at: offset, size - offset) else { return nil }
            try unsafe chunk.withBytes { (bytes) throws(Failure) in unsafe hasher.update(bytes) }
            offset += Int64(chunk.count)
            progress.add(bytes: Int64(chunk.count))
        }
        return hasher.finish()
    }

    /// `sha256-tree-1m` of the first `size` bytes; holes are passed over. nil when there are fewer.
    mutating func tree(
        _ file: borrowing Descriptor, size: Int64, _ progress: Progress
    ) throws(Failure) -> Digest256? {
        var range = MerkleRange()
        var offset: Int64 = 0
        var dataEnd: Int64 = 0
        while offset < size {
            try progress.checkCancelled()
            if offset >= dataEnd {
                let data = Self.data(file, from: offset, size: size)
                let count = (data - offset) / TreeDigest.leafSize
                TreeDigest.append(zeroLeaves: count, to: &range)
                offset += count * TreeDigest.leafSize
                progress.add(bytes: count * TreeDigest.leafSize)
                if offset >= size { break }
                let hole = Int64(lseek(file.raw, Int(max(data, offset)), exeat_seek_hole))
                dataEnd = hole > offset ? hole : size
            }
            guard try fill(file, at: offset, size - offset) else { return nil }
            let leaf = try unsafe chunk.withBytes { (bytes) throws(Failure) in
                unsafe MerkleRange.leaf(bytes)
            }
            range.append(leaf: leaf)
            offset += Int64(chunk.count)
            progress.add(bytes: Int64(chunk.count))
        }
        return range.root
    }

    /// Where the next data begins; `size` when none comes.
    private static func data(
        _ file: borrowing Descriptor, from offset: Int64, size: Int64
    ) -> Int64 {
        let data = Int64(lseek(file.raw, Int(offset), exeat_seek_data))
        if data >= 0 { return min(data, size) }
        return errno == ENXIO ? size : offset
    }

    /// Fills the chunk, or as much of it as is left; false when the file ends before.
    private mutating func fill(
        _ file: borrowing Descriptor, at offset: Int64, _ left: Int64
    ) throws(Failure) -> Bool {
        let wanted = Int(min(left, Int64(chunk.capacity)))
        chunk.removeAll()
        while chunk.count < wanted {
            let count = chunk.count
            try unsafe chunk.append { (free) throws(Failure) in
                try unsafe file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: free[..<(wanted - count)]),
                    at: offset + Int64(count))
            }
            if chunk.count == count { return false }
        }
        return true
    }
}
