import Basics

/// Part of a Merkle tree of RFC 6962, section 2.1 (leaf prefix 0x00, node prefix 0x01), built from
/// left to right over the leaves `start..<end`.
///
/// It holds only the maximal aligned subtrees, so memory grows with the logarithm of the leaves,
/// and ranges that were hashed on different threads are joined by appending their nodes in order.
public struct MerkleRange: Sendable, Equatable {
    /// An aligned, complete subtree: 2^level leaves from the place where the one before ends.
    public struct Node: Sendable, Equatable {
        public let level: Int
        public let digest: Digest256
        public init(level: Int, digest: Digest256) {
            self.level = level
            self.digest = digest
        }
    }

    public let start: Int64
    public private(set) var end: Int64
    public private(set) var nodes: [Node] = []

    public init(start: Int64 = 0) {
        self.start = start
        self.end = start
    }

    public static func leaf(_ bytes: UnsafeRawBufferPointer) -> Digest256 {
        var hasher = SHA256()
        hasher.update(byte: 0)
        unsafe hasher.update(bytes)
        return hasher.finish()
    }

    public static func leaf(_ bytes: [UInt8]) -> Digest256 {
        unsafe bytes.withUnsafeBytes { unsafe leaf($0) }
    }

    static func parent(_ left: Digest256, _ right: Digest256) -> Digest256 {
        var hasher = SHA256()
        hasher.update(byte: 1)
        hasher.update(left)
        hasher.update(right)
        return hasher.finish()
    }

    public mutating func append(leaf digest: Digest256) {
        append(Node(level: 0, digest: digest))
    }

    /// Appends a complete subtree. It must be aligned: `end` a multiple of 2^level.
    public mutating func append(_ node: Node) {
        precondition(end & ((1 << Int64(node.level)) - 1) == 0, "a subtree that is not aligned")
        nodes.append(node)
        end += 1 << Int64(node.level)
        while nodes.count > 1 {
            let right = nodes[nodes.count - 1]
            let left = nodes[nodes.count - 2]
            let begin = end - 2 << Int64(right.level)
            guard left.level == right.level, begin >= start,
                begin & ((2 << Int64(right.level)) - 1) == 0
            else { return }
            nodes.removeLast(2)
            nodes.append(
                Node(level: right.level + 1, digest: Self.parent(left.digest, right.digest)))
        }
    }

    /// Appends the leaves of the range that follows this one.
    public mutating func append(_ next: MerkleRange) {
        precondition(next.start == end, "a range that does not follow")
        for node in next.nodes { append(node) }
    }

    /// The root over all leaves; of no leaves, the SHA-256 of nothing.
    ///
    /// The range must begin at leaf 0.
    public var root: Digest256 {
        precondition(start == 0, "a root needs the tree from its first leaf")
        guard var digest = nodes.last?.digest else { return SHA256.hash([]) }
        for node in nodes.dropLast().reversed() { digest = Self.parent(node.digest, digest) }
        return digest
    }
}

/// The content digest `sha256-tree-1m`: a Merkle root over 1 MiB leaves of a file's visible bytes
/// (the last leaf is shorter; an empty file has no leaf).
public enum TreeDigest {
    public static let leafSize: Int64 = 1 << 20

    /// Roots of complete subtrees whose leaves are 1 MiB of zeros, by level.
    private static let zeros: [Digest256] = {
        var digests = [MerkleRange.leaf([UInt8](repeating: 0, count: Int(leafSize)))]
        for level in 1..<44 {
            digests.append(MerkleRange.parent(digests[level - 1], digests[level - 1]))
        }
        return digests
    }()

    /// Appends that many whole leaves of zeros in logarithmic time.
    public static func append(zeroLeaves count: Int64, to range: inout MerkleRange) {
        var left = count
        while left > 0 {
            var level = min(range.end == 0 ? 43 : range.end.trailingZeroBitCount, 43)
            while 1 << Int64(level) > left { level -= 1 }
            range.append(.init(level: level, digest: zeros[level]))
            left -= 1 << Int64(level)
        }
    }
}
