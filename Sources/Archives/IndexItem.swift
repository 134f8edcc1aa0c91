import Primitives

/// What a line of an index says.
public enum IndexItem: Sendable {
    case entry(IndexedEntry)
    case omission(IndexedOmission)

    public var path: [UInt8] {
        switch self {
        case .entry(let indexed): indexed.entry.path
        case .omission(let omission): omission.path
        }
    }
}

/// An entry as the index describes it.
public struct IndexedEntry: Sendable {
    /// Its attributes are those whose values the index holds; its extents are unknown.
    public var entry: Entry
    /// Of a file, always there.
    public var content: ContentDigest?
    /// Extended attributes known by their digests only, sorted by the bytes of their names.
    public var longAttributes: [TreeLeaf.AttributeDigest] = []
    public var hasHoles = false
    /// The file changed while it was read, every time it was tried.
    public var hasChanged = false
    /// The segment in which the entry's header begins, and where in its plaintext.
    public var segment = 0
    public var offset: Int64 = 0

    public init(entry: Entry) { self.entry = entry }

    /// All extended attributes by digest, sorted, as the metadata leaf takes them.
    public var attributeDigests: [TreeLeaf.AttributeDigest] {
        if entry.attributes.isEmpty { return longAttributes }
        let short = entry.attributes.map { TreeLeaf.AttributeDigest($0) }
        if longAttributes.isEmpty { return short }
        return (short + longAttributes).sorted { EntryPath.precedes($0.name, $1.name) }
    }
}

/// An object that the export met and left out, and why.
public struct IndexedOmission: Sendable {
    public var path: [UInt8]
    /// nil where not even that could be seen.
    public var kind: WalkedKind?
    /// A word of the format: "excluded", "mount-point", …
    public var reason: String
    public var detail: String?
    /// The plan covers it.
    public var isAccepted: Bool
}
