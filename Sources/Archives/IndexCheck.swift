public import Basics
import Primitives

/// What an index adds up to.
public struct IndexSummary: Sendable {
    public var entries: Int64 = 0
    public var omissions: Int64 = 0
    public var directories: Int64 = 0
    public var files: Int64 = 0
    public var hardlinks: Int64 = 0
    /// Visible bytes of all files, each hard-linked one counted once.
    public var size: Int64 = 0
    /// The names that the source had for user and group ids.
    public var users: [UInt32: [UInt8]] = [:]
    public var groups: [UInt32: [UInt8]] = [:]
}

/// The most that an index may add up to, as the manifest declares it.
public struct IndexLimits: Sendable {
    public var entries: Int64?
    public var size: Int64?

    public init(entries: Int64? = nil, size: Int64? = nil) {
        self.entries = entries
        self.size = size
    }
}

/// The pass over an index before anything is written to a target.
///
/// Holds that paths ascend strictly by bytes; that whatever holds an entry is a directory of the
/// same tree and comes before it; that hard links lead to earlier entries which are neither
/// directories nor hard links; that positions in the segments ascend; that counts and sizes are
/// within the limits; and for a target that folds names, that no two in a directory are twins.
///
/// Memory is bounded by the length of a path, some 50 bytes for each hard-linked file, and with
/// folding 8 bytes for each name in the directories that are open.
public struct IndexCheck: ~Copyable {
    /// - Parameters:
    ///   - open: opens the index at its start; called a second time if there are hard links.
    ///   - visit: gets each line that has passed, with the places where it begins and ends, so that
    ///     who needs the whole index has no need to parse it once more. That hard links lead
    ///     somewhere is known only when the check returns.
    public static func check(
        limits: IndexLimits = IndexLimits(), folds: Bool = false,
        open: () throws(Failure) -> IndexReader,
        visit: (IndexItem, Range<Int64>) throws(Failure) -> Void = { (_, _) throws(Failure) in }
    ) throws(Failure) -> IndexSummary {
        var check = IndexCheck(limits: limits, folds: folds)
        var reader = try open()
        var start = reader.position
        while let item = try reader.next() {
            try check.add(item)
            try visit(item, start..<reader.position)
            start = reader.position
        }
        if !check.targets.isEmpty {
            var again = try open()
            while let indexed = try again.nextEntry() { try check.resolve(indexed.entry) }
        }
        return check.summary
    }

    private struct Level {
        let kind: Entry.Kind
        /// Folded names seen in this directory.
        var names: Set<Int> = []
    }

    private let limits: IndexLimits
    private let folds: Bool
    private var summary = IndexSummary()
    private var last: [UInt8]?
    private var levels = PathLevels<Level>()
    private var position: (segment: Int, offset: Int64) = (0, -1)
    private var topNames: Set<Int> = []
    /// Hard-link targets by salted digest, and whether the second pass has met them.
    private var targets: [TargetKey: Bool] = [:]
    private let salt: [UInt8] = (0..<16).map { _ in UInt8.random(in: 0...255) }

    private struct TargetKey: Hashable {
        let first: UInt64
        let second: UInt64
    }

    private init(limits: IndexLimits, folds: Bool) {
        self.limits = limits
        self.folds = folds
    }

    // MARK: - First pass

    private mutating func add(_ item: IndexItem) throws(Failure) {
        let path = item.path
        guard case .entry(let indexed) = item else {
            // An omission may follow the entry it is about: a directory that could not be listed.
            if let last, EntryPath.precedes(path, last) { throw Self.disorder(path, last) }
            summary.omissions += 1
            return
        }
        if let last, !EntryPath.precedes(last, path) { throw Self.disorder(path, last) }
        while levels.popLeft(by: path) != nil {}
        try checkParent(of: indexed.entry)
        guard
            indexed.segment > position.segment
                || indexed.segment == position.segment && indexed.offset > position.offset
        else {
            throw Failure(
                .treeOrder, "\(EntryPath.quoted(path)) has a position in the archive out of order")
        }
        position = (indexed.segment, indexed.offset)
        levels.push(path, Level(kind: indexed.entry.kind))
        last = path
        try count(indexed.entry)
    }

    private mutating func checkParent(of entry: Entry) throws(Failure) {
        let path = entry.path
        if path.isEmpty { return }
        let slash = path.lastIndex(of: 0x2f)
        guard let slash else {
            // The root need not be an entry itself.
            if folds { try Self.checkTwins(path[...], path, &topNames) }
            return
        }
        guard let index = levels.index(ofLength: slash) else {
            throw Failure(
                .treePathUnsafe, "nothing in the archive holds \(EntryPath.quoted(path))",
                hint: "The archive is damaged or forged; get a fresh copy from its maker.")
        }
        switch levels[index].kind {
        case .directory: break
        case .symlink, .hardlink:
            throw Failure(
                .treeLinkUnsafe, "\(EntryPath.quoted(path)) lies below a link",
                hint: "The archive is forged; do not import it.")
        default:
            throw Failure(
                .treePathUnsafe, "\(EntryPath.quoted(path)) lies below something not a directory")
        }
        if folds { try Self.checkTwins(path[(slash + 1)...], path, &levels[index].names) }
    }

    private mutating func count(_ entry: Entry) throws(Failure) {
        summary.entries += 1
        if let limit = limits.entries, summary.entries > limit {
            throw Failure(.treeMismatch, "the index has more than the \(limit) entries declared")
        }
        switch entry.kind {
        case .directory: summary.directories += 1
        case .file: summary.files += 1
        case .hardlink:
            summary.hardlinks += 1
            targets[key(entry.target)] = false
            return
        default: break
        }
        let (size, isTooBig) = summary.size.addingReportingOverflow(entry.size)
        summary.size = size
        guard !isTooBig, size <= limits.size ?? .max else {
            throw Failure(.treeMismatch, "the files of the index are larger than declared")
        }
        Self.learn(entry.uid, entry.owner, &summary.users)
        Self.learn(entry.gid, entry.group, &summary.groups)
    }

    private static func learn(
        _ id: UInt32, _ name: [UInt8], _ names: inout [UInt32: [UInt8]]
    ) {
        guard !name.isEmpty, names.count < 65_536, names[id] == nil else { return }
        names[id] = name
    }

    // MARK: - Second pass

    private mutating func resolve(_ entry: Entry) throws(Failure) {
        if entry.kind == .hardlink {
            guard targets[key(entry.target)] == true else {
                throw Failure(
                    .treeLinkUnsafe,
                    "the hard link \(EntryPath.quoted(entry.path)) leads to "
                        + "\(EntryPath.quoted(entry.target)), which is no earlier file of the tree",
                    hint: "The archive is damaged or forged; get a fresh copy from its maker.")
            }
        } else if entry.kind != .directory {
            let key = key(entry.path)
            if targets[key] != nil { targets[key] = true }
        }
    }

    private func key(_ path: [UInt8]) -> TargetKey {
        var hasher = SHA256()
        hasher.update(salt)
        hasher.update(path)
        let words = hasher.finish().words
        return TargetKey(first: words.0, second: words.1)
    }

    // MARK: - Twins

    /// Two names are twins if they are the same after upper-casing, lower-casing and canonical
    /// composition (Unicode, sections 3.13 and 3.11); names that are not UTF-8, if they are the same
    /// after lower-casing ASCII. File systems fold less than that, never more.
    private static func checkTwins(
        _ name: ArraySlice<UInt8>, _ path: [UInt8], _ names: inout Set<Int>
    ) throws(Failure) {
        guard names.insert(folded(name)).inserted else {
            throw Failure(
                .treeTwins,
                "\(EntryPath.quoted(path)) has a twin that the target takes for the same name",
                hint: "Import to a file system that tells upper from lower case.")
        }
    }

    static func folded(_ name: ArraySlice<UInt8>) -> Int {
        var hasher = Hasher()
        if let text = String(validating: name, as: UTF8.self) {
            // Strings hash and compare by their canonical composition.
            hasher.combine(text.uppercased().lowercased())
        } else {
            for byte in name {
                hasher.combine((0x41...0x5a).contains(byte) ? byte + 0x20 : byte)
            }
        }
        return hasher.finalize()
    }

    private static func disorder(_ path: [UInt8], _ last: [UInt8]) -> Failure {
        Failure(
            .treeOrder,
            "\(EntryPath.quoted(path)) comes after \(EntryPath.quoted(last)) in the index",
            hint: "The archive is damaged or forged; get a fresh copy from its maker.")
    }
}
