public import Archives
public import Basics
public import Connectors
import Glibc
public import Manifests
import Primitives
import Streams
import Synchronization

/// Replays a tree below a directory, and compares what is then there with the index: the part that
/// all connectors with trees share. Its calls are those of `Importer`.
public final class TreeImport: Sendable {
    private let source: SourceRecord
    private let artifacts: any ArtifactSource
    private let room: Room
    private let destination: TreeDestination
    private let resuming: Bool
    private let names = OwnerNames()
    private let state = Mutex(State())

    private struct State {
        var stored: StoredTree?
        var target: TreeTarget?
        var record: ShortfallRecord?
        var comparisons: [Int: TreeComparison] = [:]
        /// Objects in excess; nil until they were looked for.
        var extras: TreeComparison?
    }

    public init(
        _ destination: TreeDestination, source: SourceRecord, from artifacts: any ArtifactSource,
        room: Room, resuming: Bool
    ) {
        self.destination = destination
        self.source = source
        self.artifacts = artifacts
        self.room = room
        // Only an import that has begun can have left anything on the target.
        self.resuming = resuming && Files.exists(room.directory + "/begun")
    }

    /// What marks the objects that are half made, so that an import finds its own again when it is resumed.
    private func mark() throws(Failure) -> [UInt8] {
        let path = room.directory + "/mark"
        if Files.exists(path) { return try Files.read(path) }
        // Begun by a release that had none.
        if resuming { return [] }
        let mark = room.world.random(16)
        try Files.write(mark, to: path, mode: 0o600)
        return mark
    }

    /// A question about the tree that is there.
    public func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        try FileProbe.answer(question, below: TreeRoot(destination.path), room.progress)
    }

    public func prepare() throws(Failure) -> ImportOutline {
        var owners = try OwnerMapping(
            destination.policy, users: destination.users, groups: destination.groups)
        // The target's root decides whether names fold; the index is checked before anything else
        // is written to it.
        let record = try ShortfallRecord(room.directory + "/not-set", resuming: resuming)
        let opened = try open(owners, record.shortfalls, mark())
        let stored = try StoredTree(
            source, from: artifacts, in: room.directory, folds: opened.folds,
            progress: room.progress)
        owners.learn(from: stored.summary)
        let target = TreeTarget(opened, owners: owners)
        state.withLock {
            $0.stored = stored
            $0.target = target
            $0.record = record
        }
        return ImportOutline(
            rounds: [
                stored.tree.segments.indices.map { SegmentNumber(artifact: 0, segment: $0) }
            ],
            slices: Work.allCount(stored), bytes: stored.summary.size)
    }

    public func begin() throws(Failure) {
        let (stored, target) = try prepared()
        try Files.write([], to: room.directory + "/begun", mode: 0o600)
        if resuming, TreeRestrictor.isNeeded(for: target) {
            var loosener = TreeLoosener(target)
            var index = stored.wholeIndex()
            while let entry = try index.nextEntry() { try loosener.add(entry) }
        }
    }

    private func open(
        _ owners: OwnerMapping, _ shortfalls: ShortfallList, _ mark: [UInt8]
    ) throws(Failure) -> TreeTarget {
        guard resuming, isFinished else {
            return try TreeTarget(
                destination.path, existing: destination.existing, resuming: resuming,
                owners: owners, shortfalls: shortfalls, mark: mark)
        }
        return try TreeTarget(
            finished: destination.path, try JSON(parsing: Files.read(finishedPath)),
            existing: destination.existing, owners: owners, shortfalls: shortfalls)
    }

    private func prepared() throws(Failure) -> (StoredTree, TreeTarget) {
        guard
            let pair = state.withLock({ state in
                state.stored.flatMap { stored in state.target.map { (stored, $0) } }
            })
        else { throw Failure(.failed, "an import that is not prepared") }
        return pair
    }

    public func replay(_ segment: SegmentNumber) throws(Failure) {
        if isFinished { return }
        let (stored, target) = try prepared()
        var reader = try stored.open(segment.segment)
        var restorer = TreeRestorer(target)
        let check = StreamCheck(stored, segment.segment)
        try restorer.restore(&reader, progress: room.progress) { (entry, offset) throws(Failure) in
            _ = try check.admit(entry, at: offset)
        }
        try check.finish()
        // Before the segment counts as done: a resumed import does not come here again.
        try saveShortfalls()
    }

    /// All lines of the index, in path order; once prepared.
    public func eachItem(_ body: (IndexItem) throws(Failure) -> Void) throws(Failure) {
        let (stored, _) = try prepared()
        var index = stored.wholeIndex()
        while let item = try index.next() {
            try room.progress.checkCancelled()
            try body(item)
        }
    }

    private func saveShortfalls() throws(Failure) {
        try state.withLock { $0.record }?.keep()
    }

    /// There once the tree is complete: from then on it is only compared, so that what anyone
    /// changes in it later is found and never put right in silence. Holds what was found out about
    /// the target, which must not be touched for that again.
    private var finishedPath: String { room.directory + "/finished" }

    /// Names the start of the machine, from before `finished` is there until the tree is on the disk.
    private var notStoredPath: String { room.directory + "/not-stored" }

    /// Whether the tree was complete, and no power cut can have taken of it.
    private var isFinished: Bool {
        guard Files.exists(finishedPath) else { return false }
        guard Files.exists(notStoredPath) else { return true }
        return (try? Files.readText(notStoredPath)) == Boot.identity
    }

    public func finish() throws(Failure) {
        if isFinished { return }
        let (stored, target) = try prepared()
        var finisher = TreeFinisher(target, hasGaps: artifacts.lacksAny(of: source))
        var index = stored.wholeIndex()
        while let entry = try index.nextLate() {
            try room.progress.checkCancelled()
            try finisher.add(entry)
        }
        try finisher.finish()
        for segment in finisher.segmentsToRevisit.sorted() { try revisit(segment) }
        try saveShortfalls()
        try Files.write(Array(Boot.identity.utf8), to: notStoredPath, mode: 0o600)
        try Files.write(target.findings.line, to: finishedPath, mode: 0o600)
    }

    /// Sets what attributes of links only a segment has.
    private func revisit(_ segment: Int) throws(Failure) {
        let (stored, target) = try prepared()
        do throws(Failure) {
            var reader = try stored.open(segment)
            var restorer = TreeRestorer(target)
            try restorer.restoreLinkAttributes(&reader)
        } catch {
            guard error.code == .bagFileChanged, artifacts.lacksAny(of: source) else { throw error }
        }
    }

    /// What `compare` is asked for by number. What takes long in one go comes first, beside the
    /// slices: the disk writes, and the target is walked, while other lanes compare.
    private enum Work {
        case storing, extras
        case slice(Int)

        init(_ number: Int) {
            switch number {
            case 0: self = .storing
            case 1: self = .extras
            default: self = .slice(number - 2)
            }
        }

        static func allCount(_ stored: StoredTree) -> Int { stored.slices.count + 2 }
    }

    public func compare(_ number: Int) throws(Failure) {
        let (stored, target) = try prepared()
        switch Work(number) {
        case .storing: try store(target)
        case .extras: try findExtras(stored, target)
        case .slice(let slice):
            let part = stored.slices[slice]
            var comparer = TreeComparer(
                target, names: names, scope: scope, firstLeaf: part.firstLeaf,
                progress: room.progress)
            var reader = stored.reader(part)
            while let entry = try reader.nextEntry() { try comparer.compare(entry) }
            let result = comparer.result
            state.withLock { $0.comparisons[slice] = result }
        }
    }

    private func store(_ target: TreeTarget) throws(Failure) {
        try target.root.descriptor.syncFileSystem()
        try Files.remove(notStoredPath)
    }

    /// Objects on a target of our own that no line of the index is about.
    private func findExtras(_ stored: StoredTree, _ target: TreeTarget) throws(Failure) {
        guard target.existing == .refuse else { return }
        var extras = TreeComparison(firstLeaf: 0)
        var index = stored.wholeIndex()
        try TreeExtras.find(on: target, &index, progress: room.progress) { extras.append($0) }
        let found = extras
        state.withLock { $0.extras = found }
    }

    /// Names of owners are part of the proof only where owners go by name.
    private var scope: MetadataScope { destination.policy == .names ? .all : .owners }

    public func conclude(counting: Bool) throws(Failure) -> ImportResult {
        let (stored, target) = try prepared()
        let compared = state.withLock { $0.comparisons }
        var comparison = TreeComparison(firstLeaf: 0)
        for slice in stored.slices.indices {
            if let part = compared[slice] { comparison.append(part) }
        }
        // Not compared by digest, the target is still looked through.
        if state.withLock({ $0.extras == nil }) { try findExtras(stored, target) }
        if let extras = state.withLock({ $0.extras }) { comparison.append(differencesOf: extras) }
        // Before directories are closed to a user who may not look past their modes.
        if counting { try count(stored, on: target, into: &comparison) }
        if TreeRestrictor.isNeeded(for: target) {
            var restrictor = TreeRestrictor(target)
            var index = stored.wholeIndex()
            while let entry = try index.nextEntry() { try restrictor.add(entry) }
            try restrictor.finish()
        }
        try store(target)
        return result(
            stored, target, comparison, wasCompared: !compared.isEmpty, wasCounted: counting)
    }

    /// Looks for each of the index's entries on the target, by name alone.
    private func count(
        _ stored: StoredTree, on target: TreeTarget, into comparison: inout TreeComparison
    ) throws(Failure) {
        var cursor = TreeCursor(target.root)
        var index = stored.wholeIndex()
        while let indexed = try index.nextEntry() {
            try room.progress.checkCancelled()
            let path = indexed.entry.path
            var isPresent = false
            do throws(Failure) {
                isPresent = try unsafe cursor.withParent(of: path) {
                    (directory, name) throws(Failure) in
                    var status = stat()
                    return unsafe fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0
                }
            } catch {
                // A directory on the way that is not there: neither is the entry.
                if error.code == .cancelled { throw error }
            }
            let isListed =
                !isPresent
                && (target.shortfalls.covers(path, .object)
                    || target.shortfalls.covers(path, .existing))
            comparison.count(isPresent: isPresent, isShortfall: isListed)
        }
    }

    private func result(
        _ stored: StoredTree, _ target: TreeTarget, _ comparison: TreeComparison,
        wasCompared: Bool, wasCounted: Bool
    ) -> ImportResult {
        var comparisons: [ImportResult.Comparison] = []
        if wasCompared {
            comparisons = [
                .init(
                    name: "tree-content", expected: comparison.contentExpected.root.hex,
                    found: comparison.contentFound.root.hex),
                .init(
                    name: "tree-metadata", expected: comparison.metadataExpected.root.hex,
                    found: comparison.metadataFound.root.hex),
            ]
        }
        if wasCompared || wasCounted {
            comparisons.append(
                .init(
                    name: "entries",
                    expected: String(stored.summary.entries - comparison.lacking),
                    found: String(comparison.present)))
        }
        let differences = comparison.differences.filter { !$0.isShortfall }
        return ImportResult(
            comparisons: comparisons, differences: differences.map(\.json),
            differenceCount: comparison.mismatches, shortfalls: target.shortfalls.list.map(\.json),
            shortfallCount: Int64(target.shortfalls.count),
            counts: [
                .init("entries", .integer(stored.summary.entries)),
                .init("files", .integer(stored.summary.files)),
                .init("directories", .integer(stored.summary.directories)),
                .init("bytes", .integer(stored.summary.size)),
            ],
            mappings: ["owners": .string(destination.policy.rawValue)],
            reservations: target.owners.merged == 0
                ? []
                : [Reservation(.mergedOwners, count: target.owners.merged)])
    }
}

extension TreeDifference {
    var json: JSON {
        .object([
            PathMember.member(path), .init("attribute", .string(attribute)),
            .init("expected", .string(expected)), .init("found", .string(found)),
        ])
    }
}

extension Shortfall {
    var json: JSON {
        .object([
            PathMember.member(path), .init("attribute", .string("\(attribute)")),
            .init("reason", .string(describeErrno(errno))),
        ])
    }
}

/// `"path"`, or `"path64"` for bytes that are not UTF-8.
public enum PathMember {
    public static func member(_ path: [UInt8]) -> JSON.Member {
        String(validating: path, as: UTF8.self).map { .init("path", .string($0)) }
            ?? .init("path64", .string(Base64.encode(path)))
    }
}
