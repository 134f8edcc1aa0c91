import Basics

/// Takes `sha256-tree-1m` over part of a file, in order of the visible bytes; holes are skipped.
public struct TreeHasher: ~Copyable {
    public private(set) var leaves: MerkleRange
    private var hasher = SHA256()
    /// Bytes in the leaf that is not complete yet.
    private var held: Int64 = 0

    /// - Parameter start: where the part begins, a multiple of 1 MiB.
    public init(from start: Int64 = 0) {
        precondition(start % TreeDigest.leafSize == 0, "a part begins at a leaf")
        leaves = MerkleRange(start: start / TreeDigest.leafSize)
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var position = 0
        while position < bytes.count {
            if held == 0 { hasher.update(byte: 0) }
            let taken = min(bytes.count - position, Int(TreeDigest.leafSize - held))
            unsafe hasher.update(
                UnsafeRawBufferPointer(rebasing: bytes[position..<position + taken]))
            position += taken
            held += Int64(taken)
            if held == TreeDigest.leafSize { closeLeaf() }
        }
    }

    /// As if that many zeros were passed to `update`; whole leaves cost nothing.
    public mutating func update(zeros count: Int64) {
        var left = count
        if held > 0 {
            let fill = min(left, TreeDigest.leafSize - held)
            updateShort(zeros: fill)
            left -= fill
        }
        TreeDigest.append(zeroLeaves: left / TreeDigest.leafSize, to: &leaves)
        updateShort(zeros: left % TreeDigest.leafSize)
    }

    private mutating func updateShort(zeros count: Int64) {
        var left = Int(count)
        while left > 0 {
            let size = min(left, Self.zeros.count)
            unsafe Self.zeros.withUnsafeBytes {
                unsafe update(UnsafeRawBufferPointer(rebasing: $0[..<size]))
            }
            left -= size
        }
    }

    private static let zeros = [UInt8](repeating: 0, count: 64 << 10)

    private mutating func closeLeaf() {
        leaves.append(leaf: hasher.finish())
        held = 0
    }

    /// Closes the last leaf of a file, which may be shorter than the others.
    public mutating func finish() -> MerkleRange {
        if held > 0 { closeLeaf() }
        return leaves
    }
}
