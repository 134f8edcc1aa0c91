public import Primitives

/// Something on the target that is not as the archive says.
public struct TreeDifference: Sendable, Equatable {
    public let path: [UInt8]
    /// "mode", "owner", "xattr user.note", "content", …
    public let attribute: String
    public let expected: String
    public let found: String
    /// It is one that the import has listed as a shortfall.
    public let isShortfall: Bool
}

/// What comparing a slice of a tree with its index has given; slices are joined in order.
public struct TreeComparison: Sendable {
    /// How many differences are kept; all are counted.
    public static let limit = 10_000

    /// Leaves of what the index says, with the owner mapping applied and without what the import
    /// listed as shortfalls, and leaves of what is there.
    public private(set) var contentExpected: MerkleRange
    /// Leaves of what the index says, and nothing else.
    public private(set) var contentIndexed: MerkleRange
    public private(set) var contentFound: MerkleRange
    public private(set) var metadataExpected: MerkleRange
    public private(set) var metadataFound: MerkleRange
    public private(set) var differences: [TreeDifference] = []
    /// Differences that no shortfall explains: none in an import that succeeded.
    public private(set) var mismatches: Int64 = 0
    /// Differences that a shortfall explains.
    public private(set) var shortfalls: Int64 = 0
    /// Entries of the index that are on the target.
    public private(set) var present: Int64 = 0
    /// Entries that are not, as the import has listed.
    public private(set) var lacking: Int64 = 0

    /// - Parameter firstLeaf: the number of entries before the slice.
    public init(firstLeaf: Int64) {
        contentExpected = MerkleRange(start: firstLeaf)
        contentIndexed = MerkleRange(start: firstLeaf)
        contentFound = MerkleRange(start: firstLeaf)
        metadataExpected = MerkleRange(start: firstLeaf)
        metadataFound = MerkleRange(start: firstLeaf)
    }

    public var isEqual: Bool { mismatches == 0 }

    /// Adds the slice that follows this one.
    public mutating func append(_ next: TreeComparison) {
        contentExpected.append(next.contentExpected)
        contentIndexed.append(next.contentIndexed)
        contentFound.append(next.contentFound)
        metadataExpected.append(next.metadataExpected)
        metadataFound.append(next.metadataFound)
        present += next.present
        lacking += next.lacking
        append(differencesOf: next)
    }

    /// Adds what differs, such as objects that no entry is about, and no leaves.
    public mutating func append(differencesOf other: TreeComparison) {
        mismatches += other.mismatches
        shortfalls += other.shortfalls
        differences += other.differences.prefix(max(0, Self.limit - differences.count))
    }

    /// Adds a difference found in another way, such as an object that no entry is about.
    public mutating func append(_ difference: TreeDifference) {
        if difference.isShortfall { shortfalls += 1 } else { mismatches += 1 }
        if differences.count < Self.limit { differences.append(difference) }
    }

    struct Leaves {
        var content: Digest256
        var metadata: Digest256
    }

    /// Counts an entry, by whether it is there, and if not, whether that is a shortfall.
    public mutating func count(isPresent: Bool, isShortfall: Bool) {
        if isPresent { present += 1 } else if isShortfall { lacking += 1 }
    }

    mutating func append(indexed: Digest256, expected: Leaves, found: Leaves) {
        contentIndexed.append(leaf: indexed)
        contentExpected.append(leaf: expected.content)
        metadataExpected.append(leaf: expected.metadata)
        contentFound.append(leaf: found.content)
        metadataFound.append(leaf: found.metadata)
    }
}
