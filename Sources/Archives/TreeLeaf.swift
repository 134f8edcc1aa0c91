import Primitives

/// Which owners count when metadata is compared; everything else always does.
public struct MetadataScope: OptionSet, Sendable {
    public let rawValue: Int
    public init(rawValue: Int) { self.rawValue = rawValue }

    /// Numeric user and group.
    public static let owners = MetadataScope(rawValue: 1)
    /// Names of user and group.
    public static let names = MetadataScope(rawValue: 2)
    public static let all: MetadataScope = [.owners, .names]
}

/// The two leaves of an entry in the digests of a file tree (RFC 6962, section 2.1), one for its
/// content and one for its metadata. Fields are bytes, each with a NUL behind it.
///
/// Content: path, type, and the payload: "sha256:" or "sha256-tree-1m:" and the hexadecimal digest
/// of a file; the target of a link of either kind; "major:minor" of a device; else nothing.
///
/// Metadata: path and type, and but for hard links: mode (four octal digits), uid, gid, owner, group,
/// modification time ("seconds.nanoseconds", nine digits, the seconds rounded down), for each
/// extended attribute its name and the SHA-256 of its value, then "acl:" and "default-acl:" with the
/// text of the access control lists that are there. A field out of scope is empty.
public struct TreeLeaf: Sendable {
    /// An extended attribute whose value is known by its digest.
    public struct AttributeDigest: Sendable, Hashable {
        public var name: [UInt8]
        public var digest: Digest256

        public init(name: [UInt8], digest: Digest256) {
            self.name = name
            self.digest = digest
        }

        public init(_ attribute: ExtendedAttribute) {
            self.init(name: attribute.name, digest: SHA256.hash(attribute.value))
        }
    }

    /// The leaf's bytes, kept for their memory.
    private var buffer: [UInt8] = []

    public init() {}

    /// The hash of the content leaf.
    public mutating func content(of entry: Entry, _ digest: ContentDigest?) -> Digest256 {
        buffer.removeAll(keepingCapacity: true)
        Self.appendContent(of: entry, digest, to: &buffer)
        return MerkleRange.leaf(buffer)
    }

    /// The hash of the metadata leaf.
    public mutating func metadata(of entry: Entry, _ scope: MetadataScope = .all) -> Digest256 {
        buffer.removeAll(keepingCapacity: true)
        Self.appendMetadata(of: entry, scope, to: &buffer)
        return MerkleRange.leaf(buffer)
    }

    /// The hash of the metadata leaf, where the values of extended attributes are known by their
    /// digests only; `entry.attributes` does not count. Sorted by the bytes of the names.
    public mutating func metadata(
        of entry: Entry, attributes: [AttributeDigest], _ scope: MetadataScope = .all
    ) -> Digest256 {
        buffer.removeAll(keepingCapacity: true)
        Self.appendStart(of: entry, scope, to: &buffer)
        if entry.kind != .hardlink {
            for attribute in attributes {
                Self.append(attribute.name, attribute.digest, to: &buffer)
            }
            Self.appendACLs(of: entry, to: &buffer)
        }
        return MerkleRange.leaf(buffer)
    }

    /// Appends the bytes that the content leaf is the hash of.
    public static func appendContent(
        of entry: Entry, _ digest: ContentDigest?, to buffer: inout [UInt8]
    ) {
        appendName(of: entry, to: &buffer)
        switch entry.kind {
        case .file:
            switch digest {
            case .sha256(let digest):
                ByteText.append("sha256:", to: &buffer)
                ByteText.hex(words: digest.words, to: &buffer)
            case .tree(let digest):
                ByteText.append("sha256-tree-1m:", to: &buffer)
                ByteText.hex(words: digest.words, to: &buffer)
            case nil: break
            }
        case .symlink, .hardlink: buffer.append(contentsOf: entry.target)
        case .character, .block:
            ByteText.decimal(UInt64(entry.device.major), to: &buffer)
            buffer.append(0x3a)
            ByteText.decimal(UInt64(entry.device.minor), to: &buffer)
        case .directory, .fifo: break
        }
        buffer.append(0)
    }

    /// Appends the bytes that the metadata leaf is the hash of.
    public static func appendMetadata(
        of entry: Entry, _ scope: MetadataScope = .all, to buffer: inout [UInt8]
    ) {
        appendStart(of: entry, scope, to: &buffer)
        if entry.kind == .hardlink { return }
        for attribute in entry.attributes {
            append(attribute.name, SHA256.hash(attribute.value), to: &buffer)
        }
        appendACLs(of: entry, to: &buffer)
    }

    private static func appendName(of entry: Entry, to buffer: inout [UInt8]) {
        buffer.append(contentsOf: entry.path)
        buffer.append(0)
        ByteText.append(entry.kind.word, to: &buffer)
        buffer.append(0)
    }

    /// Everything up to the extended attributes.
    private static func appendStart(
        of entry: Entry, _ scope: MetadataScope, to buffer: inout [UInt8]
    ) {
        appendName(of: entry, to: &buffer)
        if entry.kind == .hardlink { return }
        ByteText.octal(UInt64(entry.mode), width: 4, to: &buffer)
        buffer.append(0)
        if scope.contains(.owners) { ByteText.decimal(UInt64(entry.uid), to: &buffer) }
        buffer.append(0)
        if scope.contains(.owners) { ByteText.decimal(UInt64(entry.gid), to: &buffer) }
        buffer.append(0)
        if scope.contains(.names) { buffer.append(contentsOf: entry.owner) }
        buffer.append(0)
        if scope.contains(.names) { buffer.append(contentsOf: entry.group) }
        buffer.append(0)
        ByteText.decimal(entry.modified.seconds, to: &buffer)
        buffer.append(0x2e)
        ByteText.decimal(UInt64(entry.modified.nanoseconds), width: 9, to: &buffer)
        buffer.append(0)
    }

    private static func append(_ name: [UInt8], _ digest: Digest256, to buffer: inout [UInt8]) {
        buffer.append(contentsOf: name)
        buffer.append(0)
        ByteText.hex(words: digest.words, to: &buffer)
        buffer.append(0)
    }

    private static func appendACLs(of entry: Entry, to buffer: inout [UInt8]) {
        if let acl = entry.accessACL {
            ByteText.append("acl:", to: &buffer)
            acl.appendText(to: &buffer)
            buffer.append(0)
        }
        if let acl = entry.defaultACL {
            ByteText.append("default-acl:", to: &buffer)
            acl.appendText(to: &buffer)
            buffer.append(0)
        }
    }
}
