import Archives
import Basics
import Glibc
import Streams

/// Walks the tree, or a range of it, once and fixes the expected list: the layout file, in path order.
struct TreeInventory: Sendable {
    private(set) var totals = Totals()
    private let selection: TreeSelection
    /// Files with more bytes are left out as `unsearched`.
    private let largest: Int64?
    private let scope: TreeScope
    private let progress: Progress
    private let names = OwnerNames()
    /// The run's own private directory: an archive cannot hold itself.
    private let own: InodeIdentity?
    /// First names of inodes with several; a few dozen bytes for each such inode.
    private var firstNames: [InodeIdentity: FirstName] = [:]

    /// An inode's first name, and what it has added to the totals.
    private struct FirstName {
        let path: [UInt8]
        var bytes: Int64 = 0
        var streamBytes: Int64 = 0
    }

    /// What the walk found, for plan and catalogue.
    struct Totals: Sendable, Equatable {
        var records: Int64 = 0
        var entries: Int64 = 0
        /// Visible bytes of all files.
        var bytes: Int64 = 0
        /// What the pax stream will take, roughly.
        var streamBytes: Int64 = 0
        var kinds: [String: Int64] = [:]
        var largest: Int64 = 0
    }

    /// - Parameter room: where the run keeps its private files; nil when nothing is exported.
    init(
        _ selection: TreeSelection, largest: Int64? = nil, room: String? = nil, progress: Progress
    ) throws(Failure) {
        var status = stat()
        let isThere = room.map { unsafe stat($0, &status) == 0 } ?? false
        own = isThere ? InodeIdentity(status) : nil
        self.selection = selection
        self.largest = largest
        self.progress = progress
        scope = try selection.scope()
    }

    /// Ranges that can be walked at the same time, each by a copy of this inventory.
    func ranges() throws(Failure) -> [WalkRange] { try WalkRange.cutting(scope) }

    /// Calls `body` for every record in path order.
    ///
    /// Throws `.sourceChanged` when a range's beginning can no longer be reached.
    mutating func walk(
        _ range: WalkRange = .all, _ body: (LayoutRecord) throws(Failure) -> Void
    ) throws(Failure) {
        var walker = try TreeWalker(scope, range)
        while let event = try walker.next() {
            try progress.checkCancelled()
            guard let record = try record(walker.path, event) else { continue }
            totals.records += 1
            try body(record)
        }
    }

    /// Takes the totals of the range that follows.
    mutating func append(totals next: TreeInventory) {
        totals.records += next.totals.records
        totals.entries += next.totals.entries
        totals.bytes += next.totals.bytes
        totals.streamBytes += next.totals.streamBytes
        totals.kinds.merge(next.totals.kinds, uniquingKeysWith: +)
        totals.largest = max(totals.largest, next.totals.largest)
    }

    /// A record of the range that follows, whose inode may have its first name in one before.
    mutating func append(_ record: LayoutRecord, of range: TreeInventory) -> LayoutRecord {
        guard let group = record.group else { return record }
        guard let first = firstNames[group] else {
            firstNames[group] = range.firstNames[group]
            return record
        }
        guard first.path != record.path else { return record }
        if record.firstName != nil, let counted = range.firstNames[group] {
            totals.bytes -= counted.bytes
            totals.streamBytes -= counted.streamBytes
        }
        return .link(path: record.path, target: first.path, group: group)
    }

    private mutating func record(
        _ path: [UInt8], _ event: WalkEvent
    ) throws(Failure) -> LayoutRecord? {
        switch event {
        case .entry(let status):
            // Several roots hang below "/", which is not itself part of the tree.
            if path.isEmpty, scope.roots != [[]] { return nil }
            return try entry(path, status)
        case .mountPoint(let status): return omission(path, status.kind, .mountPoints, "")
        case .excluded(let status, let pattern):
            let reason = selection.excludeReasons[pattern]
            return .omission(
                path: path, type: status.kind.rawValue, reason: FileOmission.excluded,
                detail: reason, accepted: true)
        case .unreadable(let kind, let number):
            return omission(path, kind, .unreadable, describeErrno(number))
        case .vanished(let kind): return omission(path, kind, .vanished, "")
        }
    }

    private func omission(
        _ path: [UInt8], _ kind: WalkedKind?, _ reason: FileOmission, _ detail: String
    ) -> LayoutRecord {
        .omission(
            path: path, type: kind?.rawValue ?? "unknown", reason: reason.rawValue, detail: detail,
            accepted: selection.accepted.contains(reason))
    }

    private mutating func entry(
        _ path: [UInt8], _ status: WalkedStatus
    ) throws(Failure) -> LayoutRecord {
        switch status.kind {
        case .socket: return omission(path, .socket, .sockets, "")
        case .character, .block:
            if !selection.devices { return omission(path, status.kind, .devices, "") }
        case .directory:
            if let own, own == InodeIdentity(device: status.device, inode: status.inode) {
                throw Failure(
                    .planInvalidValue, "the output of this run lies inside the tree to export",
                    hint: "Name an output elsewhere, or exclude it from the tree.")
            }
        case .file:
            if let largest, status.size > largest {
                return omission(path, .file, .unsearched, "larger than \(largest) bytes")
            }
        case .symlink, .fifo: break
        }
        totals.entries += 1
        totals.kinds[status.kind.rawValue, default: 0] += 1
        totals.streamBytes += TreeLayout.headerEstimate
        var group: InodeIdentity?
        if status.links > 1, status.kind != .directory {
            let identity = InodeIdentity(device: status.device, inode: status.inode)
            if let first = firstNames[identity] {
                return .link(path: path, target: first.path, group: identity)
            }
            firstNames[identity] = FirstName(path: path)
            group = identity
        }
        guard status.kind == .file else {
            return .entry(path: path, kind: status.kind, group: group, bytes: 0)
        }
        totals.bytes += status.size
        if let group { firstNames[group]?.bytes = status.size }
        totals.largest = max(totals.largest, status.size)
        if status.size > TreeLayout.inlineLimit,
            let large = try large(path, status, group)
        {
            count(stored: large.extents.reduce(0) { $0 + $1.length }, group)
            return .large(large)
        }
        let stored = min(status.size, status.blocks * 512 + 512)
        count(stored: stored, group)
        return .entry(path: path, kind: .file, group: group, bytes: stored)
    }

    private mutating func count(stored bytes: Int64, _ group: InodeIdentity?) {
        totals.streamBytes += bytes
        if let group { firstNames[group]?.streamBytes = bytes }
    }

    /// The layout of a file that may have to be cut; nil when its data fits in one segment.
    private mutating func large(
        _ path: [UInt8], _ status: WalkedStatus, _ group: InodeIdentity?
    ) throws(Failure) -> LargeFile? {
        // One that cannot be opened now is an omission when its segment is written, as all are.
        var cursor = TreeCursor(scope.root)
        var reader = EntryReader(names: names)
        let opened: EntryReader.OpenedFile
        do throws(Failure) { opened = try reader.open(path, through: &cursor) } catch {
            guard error.code != .exhausted else { throw error }
            return nil
        }
        let (identity, extents) = (opened.reading.identity, opened.reading.entry.extents)
        let data = (extents ?? []).reduce(0) { $0 + $1.length }
        if extents != nil, data <= TreeLayout.inlineLimit { return nil }
        return LargeFile(
            path: path, group: group, identity: identity,
            extents: extents ?? [Extent(offset: 0, length: identity.size)],
            hasHoles: extents != nil)
    }
}
