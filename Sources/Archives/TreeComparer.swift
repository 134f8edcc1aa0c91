public import Basics
import Glibc
import Primitives
public import Streams

/// Reads a target again and holds it against the index.
///
/// One for each slice of the index, so that several lanes share the work; call it on a `Lane`.
/// Nothing of what the import knew is relied upon but the list of its shortfalls.
public struct TreeComparer: ~Copyable {
    private let target: TreeTarget
    private let names: OwnerNames
    private let scope: MetadataScope
    private let progress: Progress
    private var reader: EntryReader
    private var content = ContentReader()
    private var cursor: TreeCursor
    private var firstNames: TreeCursor
    private var leaf = TreeLeaf()
    private var comparison: TreeComparison

    /// - Parameters:
    ///   - scope: which owners count; with `.names`, those of owners that are mapped are the
    ///     target's own.
    ///   - firstLeaf: the number of entries in the index before the slice.
    public init(
        _ target: TreeTarget, names: OwnerNames, scope: MetadataScope, firstLeaf: Int64,
        progress: Progress
    ) {
        self.target = target
        self.names = names
        self.scope = scope
        self.progress = progress
        reader = EntryReader(names: names)
        cursor = TreeCursor(target.root)
        firstNames = TreeCursor(target.root)
        comparison = TreeComparison(firstLeaf: firstLeaf)
    }

    /// What the slice has given so far.
    public var result: TreeComparison { comparison }

    /// Compares one entry. Throws only when the target cannot be read for a reason that is no
    /// property of the entry, or when the run is cancelled.
    public mutating func compare(_ indexed: IndexedEntry) throws(Failure) {
        try progress.checkCancelled()
        progress.add(objects: 1)
        // Owners and modes, which a target may have its own, are no part of content.
        let sealed = leaf.content(of: indexed.entry, indexed.content)
        var expected = indexed
        expected.entry = try expectation(indexed.entry)
        var found: IndexedEntry?
        do throws(Failure) {
            found = try read(expected)
        } catch {
            guard let text = Self.absence(error) else {
                throw error.during("cannot compare \(EntryPath.quoted(indexed.entry.path))")
            }
            let isCovered = covers(expected.entry, nil)
            add(expected.entry, "object", indexed.entry.kind.rawValue, text, isCovered)
            comparison.count(isPresent: false, isShortfall: isCovered)
            // A leaf that no entry has: what is missing has no digest.
            let nothing = MerkleRange.leaf([])
            let absent = TreeComparison.Leaves(content: nothing, metadata: nothing)
            return comparison.append(
                indexed: sealed, expected: isCovered ? absent : leaves(expected), found: absent)
        }
        guard var found else { return }
        comparison.count(isPresent: true, isShortfall: false)
        let isCovered = covers(expected.entry, nil)
        compareContent(expected, found, isCovered)
        if expected.entry.kind != .hardlink { compareMetadata(&expected, &found, isCovered) }
        let foundLeaves = leaves(found)
        comparison.append(
            indexed: sealed, expected: isCovered ? foundLeaves : leaves(expected),
            found: foundLeaves)
    }

    private func expectation(_ entry: Entry) throws(Failure) -> Entry {
        var expected = target.owners.applied(to: entry)
        expected.mode = entry.kind == .symlink ? Entry.linkMode : target.readableMode(entry)
        if expected.mode != entry.mode {
            // The owner's entry of a list goes with his bits of the mode.
            expected.accessACL?.grantOwner(UInt16(expected.mode >> 6 & 7))
        }
        if !target.owners.isIdentity {
            expected.owner = try names.user(expected.uid)
            expected.group = try names.group(expected.gid)
        }
        return expected
    }

    // MARK: - What is there

    private mutating func read(_ expected: IndexedEntry) throws(Failure) -> IndexedEntry {
        let entry = expected.entry
        switch entry.kind {
        case .hardlink: return try readHardLink(entry)
        case .file:
            let opened = try reader.open(entry.path, through: &cursor)
            var found = Self.indexed(opened.reading)
            if found.entry.size == entry.size {
                switch expected.content {
                case .tree:
                    found.content = try content.tree(
                        opened.descriptor, size: entry.size, progress
                    ).map { .tree($0) }
                default:
                    found.content = try content.sha256(
                        opened.descriptor, size: entry.size, progress
                    ).map { .sha256($0) }
                }
            }
            return found
        default:
            guard let kind = WalkedKind(rawValue: entry.kind.rawValue) else {
                throw Failure(.failed, "a kind of entry that no walk gives")
            }
            return Self.indexed(try reader.read(entry.path, kind, through: &cursor))
        }
    }

    private static func indexed(_ reading: EntryReader.Reading) -> IndexedEntry {
        var found = IndexedEntry(entry: reading.entry)
        found.longAttributes = reading.unreadableAttributes.map {
            TreeLeaf.AttributeDigest(name: $0, digest: Digest256())
        }
        found.entry.extents = nil
        return found
    }

    /// The same object under both names, or a link to nothing.
    private mutating func readHardLink(_ entry: Entry) throws(Failure) -> IndexedEntry {
        let here = try Self.status(entry.path, &cursor)
        let first = try Self.status(entry.target, &firstNames)
        var found = IndexedEntry(entry: entry)
        if here.st_dev != first.st_dev || here.st_ino != first.st_ino { found.entry.target = [] }
        return found
    }

    private static func status(
        _ path: [UInt8], _ cursor: inout TreeCursor
    ) throws(Failure) -> stat {
        try unsafe cursor.withParent(of: path) { (directory, name) throws(Failure) in
            var status = stat()
            guard unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
                throw Failure(errno: errno, "cannot stat \(EntryPath.quoted(path))")
            }
            return status
        }
    }

    /// How an object that cannot be compared is absent; nil for what is no answer.
    private static func absence(_ failure: Failure) -> String? {
        switch failure.code {
        case .sourceVanished, .notFound: "missing"
        case .sourceChanged: "another type"
        case .sourceUnreadable, .denied: "not readable"
        case .treePathUnsafe: "behind a link"
        default: nil
        }
    }

    // MARK: - Differences

    private mutating func compareContent(
        _ expected: IndexedEntry, _ found: IndexedEntry, _ isCovered: Bool
    ) {
        let (left, right) = (expected.entry, found.entry)
        if left.size != right.size {
            add(left, "size", "\(left.size)", "\(right.size)", isCovered)
        } else if expected.content != found.content {
            add(
                left, "content", Self.text(expected.content), Self.text(found.content), isCovered)
        }
        if left.target != right.target {
            add(left, "link", Self.text(left.target), Self.text(right.target), isCovered)
        }
        if left.device != right.device {
            add(
                left, "device", "\(left.device.major):\(left.device.minor)",
                "\(right.device.major):\(right.device.minor)", isCovered)
        }
    }

    /// Where a shortfall explains a difference, what is found becomes what is expected.
    private mutating func compareMetadata(
        _ expected: inout IndexedEntry, _ found: inout IndexedEntry, _ isCovered: Bool
    ) {
        let (left, right) = (expected.entry, found.entry)
        if left.mode != right.mode {
            let known = isCovered || covers(left, .mode) || covers(left, .accessACL)
            add(left, "mode", Self.octal(left.mode), Self.octal(right.mode), known)
            if known { expected.entry.mode = right.mode }
        }
        compareOwners(&expected, right, isCovered)
        if left.modified != right.modified {
            let known = isCovered || covers(left, .modified)
            add(left, "mtime", Self.text(left.modified), Self.text(right.modified), known)
            if known { expected.entry.modified = right.modified }
        }
        if left.accessACL != right.accessACL {
            let known = isCovered || covers(left, .accessACL)
            add(left, "acl", Self.text(left.accessACL), Self.text(right.accessACL), known)
            if known { expected.entry.accessACL = right.accessACL }
        }
        if left.defaultACL != right.defaultACL {
            let known = isCovered || covers(left, .defaultACL)
            add(
                left, "default-acl", Self.text(left.defaultACL), Self.text(right.defaultACL), known)
            if known { expected.entry.defaultACL = right.defaultACL }
        }
        compareAttributes(&expected, &found, isCovered)
    }

    private mutating func compareOwners(
        _ expected: inout IndexedEntry, _ found: Entry, _ isCovered: Bool
    ) {
        let entry = expected.entry
        let known = isCovered || covers(entry, .owner)
        if scope.contains(.owners), entry.uid != found.uid || entry.gid != found.gid {
            add(
                entry, "owner", "\(entry.uid):\(entry.gid)", "\(found.uid):\(found.gid)", known)
        } else if scope.contains(.names),
            entry.owner != found.owner || entry.group != found.group
        {
            add(
                entry, "owner", Self.text(entry.owner + [0x3a] + entry.group),
                Self.text(found.owner + [0x3a] + found.group), known)
        }
        guard known else { return }
        expected.entry.uid = found.uid
        expected.entry.gid = found.gid
        expected.entry.owner = found.owner
        expected.entry.group = found.group
    }

    private mutating func compareAttributes(
        _ expected: inout IndexedEntry, _ found: inout IndexedEntry, _ isCovered: Bool
    ) {
        if expected.entry.attributes.isEmpty, expected.longAttributes.isEmpty,
            found.entry.attributes.isEmpty, found.longAttributes.isEmpty
        {
            return
        }
        let left = expected.attributeDigests
        let right = found.attributeDigests.filter { attribute in
            !Self.isLabel(attribute) || left.contains { $0.name == attribute.name }
        }
        var agreed: [TreeLeaf.AttributeDigest] = []
        var rest = right[...]
        for attribute in left {
            while let extra = rest.first, EntryPath.precedes(extra.name, attribute.name) {
                addExtra(expected.entry, rest.removeFirst(), isCovered)
            }
            let here = rest.first?.name == attribute.name ? rest.removeFirst() : nil
            if here == attribute {
                agreed.append(attribute)
                continue
            }
            let known = isCovered || covers(expected.entry, .extended(attribute.name))
            add(
                expected.entry, "xattr " + Self.text(attribute.name), attribute.digest.hex,
                here?.digest.hex ?? "missing", known)
            if !known { agreed.append(attribute) } else if let here { agreed.append(here) }
        }
        for extra in rest { addExtra(expected.entry, extra, isCovered) }
        expected.entry.attributes = []
        expected.longAttributes = agreed
        found.entry.attributes = []
        found.longAttributes = right
    }

    /// Labels that the target's own security modules put on everything are no part of the tree;
    /// capabilities are.
    private static func isLabel(_ attribute: TreeLeaf.AttributeDigest) -> Bool {
        attribute.name.starts(with: "security.".utf8)
            && !attribute.name.elementsEqual("security.capability".utf8)
    }

    private mutating func addExtra(
        _ entry: Entry, _ attribute: TreeLeaf.AttributeDigest, _ isCovered: Bool
    ) {
        add(
            entry, "xattr " + Self.text(attribute.name), "missing", attribute.digest.hex, isCovered)
    }

    private func covers(_ entry: Entry, _ attribute: Shortfall.Attribute?) -> Bool {
        if let attribute { return target.shortfalls.covers(entry.path, attribute) }
        return target.shortfalls.covers(entry.path, .existing)
            || target.shortfalls.covers(entry.path, .object)
    }

    private mutating func add(
        _ entry: Entry, _ attribute: String, _ expected: String, _ found: String,
        _ isShortfall: Bool
    ) {
        comparison.append(
            TreeDifference(
                path: entry.path, attribute: attribute, expected: expected, found: found,
                isShortfall: isShortfall))
    }

    private mutating func leaves(_ indexed: IndexedEntry) -> TreeComparison.Leaves {
        TreeComparison.Leaves(
            content: leaf.content(of: indexed.entry, indexed.content),
            metadata: leaf.metadata(
                of: indexed.entry, attributes: indexed.attributeDigests, scope))
    }

    // MARK: - Texts

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    private static func text(_ list: AccessControlList?) -> String { list?.text ?? "none" }
    private static func octal(_ mode: UInt32) -> String { String(mode, radix: 8) }

    private static func text(_ time: FileTime) -> String {
        let fraction = String(time.nanoseconds)
        return "\(time.seconds)." + String(repeating: "0", count: 9 - fraction.utf8.count)
            + fraction
    }

    private static func text(_ digest: ContentDigest?) -> String {
        switch digest {
        case .sha256(let digest): "sha256:\(digest)"
        case .tree(let digest): "sha256-tree-1m:\(digest)"
        case nil: "unknown"
        }
    }
}
