import Archives
import Basics
import Connectors
import Glibc
import Logs
import Manifests
import Primitives
import Streams
import Synchronization

/// Text logs as files of a directory, and their proof.
final class TextFilesTarget: Sendable {
    private let path: String
    private let settings: TextTarget
    private let room: Room
    private let resuming: Bool
    private let target: TreeTarget
    private let record: ShortfallRecord
    private let names = OwnerNames()
    private let state = Mutex(State())

    private struct State {
        var stored: TextStored?
        var target: TreeTarget?
        var trees: TreeComparison?
        var extras: TreeComparison?
        /// What was read of members, by the path in the tar.
        var texts: [[UInt8]: TextFound] = [:]
    }

    init(
        _ path: String, _ settings: TextTarget, existing: TreeTarget.Existing, room: Room,
        resuming: Bool
    ) throws(Failure) {
        self.path = path
        self.settings = settings
        self.room = room
        self.resuming = resuming
        record = try ShortfallRecord(room.directory + "/not-set", resuming: resuming)
        let owners = try OwnerMapping(settings.owners)
        let finished = room.directory + "/finished"
        // An import that was killed before it began to write has nothing of ours there.
        let isResuming = resuming && Files.exists(room.directory + "/begun")
        if isResuming, Files.exists(finished) {
            target = try TreeTarget(
                finished: path, try JSON(parsing: Files.read(finished)), existing: existing,
                owners: owners, shortfalls: record.shortfalls)
        } else {
            target = try TreeTarget(
                path, existing: existing, resuming: isResuming, owners: owners,
                shortfalls: record.shortfalls)
        }
    }

    func begin() throws(Failure) {
        try Files.write([], to: room.directory + "/begun", mode: 0o600)
    }

    var folds: Bool { target.folds }

    func take(_ stored: TextStored) {
        var owners = target.owners
        owners.learn(from: stored.summary)
        let learnt = TreeTarget(target, owners: owners)
        state.withLock {
            $0.stored = stored
            $0.target = learnt
        }
    }

    private func opened() throws(Failure) -> (TextStored, TreeTarget) {
        let pair = state.withLock { state in
            state.stored.flatMap { stored in state.target.map { (stored, $0) } }
        }
        guard let pair else { throw Failure(.failed, "an import that is not prepared") }
        return pair
    }

    func replay(_ segment: Int) throws(Failure) {
        let (stored, target) = try opened()
        var reader = try stored.open(segment)
        var restorer = TreeRestorer(target)
        let check = stored.check(of: segment)
        try restorer.restore(&reader, progress: room.progress) { (entry, offset) throws(Failure) in
            _ = try check.admit(entry, at: offset)
        }
        try check.finish()
        // Before the segment counts as done: a resumed import does not come here again.
        try record.keep()
    }

    func finish() throws(Failure) {
        let finished = room.directory + "/finished"
        if Files.exists(finished) { return }
        let (stored, target) = try opened()
        var finisher = TreeFinisher(target, hasGaps: stored.hasGaps)
        var index = stored.wholeIndex()
        while let entry = try index.nextEntry() {
            try room.progress.checkCancelled()
            try finisher.add(entry)
        }
        try finisher.finish()
        try record.keep()
        try target.root.descriptor.syncFileSystem()
        try Files.write(target.findings.line, to: finished, mode: 0o600)
    }

    // MARK: - Proof

    /// The tree, what is too much on it, and each member's text.
    var slices: Int { 2 + members.count }

    private var members: [TextMemberRecord] {
        state.withLock { $0.stored?.streams.flatMap(\.members) ?? [] }
    }

    func compare(_ slice: Int) throws(Failure) {
        let (stored, target) = try opened()
        switch slice {
        case 0:
            var comparer = TreeComparer(
                target, names: names, scope: scope, firstLeaf: 0, progress: room.progress)
            var index = stored.wholeIndex()
            while let entry = try index.nextEntry() { try comparer.compare(entry) }
            let result = comparer.result
            state.withLock { $0.trees = result }
        case 1: try findExtras(stored, target)
        default:
            let member = members[slice - 2]
            guard member.facts != nil else { return }
            let found = try TextFound(reading: member, below: path, progress: room.progress)
            state.withLock { $0.texts[member.path] = found }
        }
    }

    private var scope: MetadataScope { settings.owners == .names ? .all : .owners }

    private func findExtras(_ stored: TextStored, _ target: TreeTarget) throws(Failure) {
        guard target.existing == .refuse else { return }
        var extras = TreeComparison(firstLeaf: 0)
        var index = stored.wholeIndex()
        try TreeExtras.find(on: target, &index, progress: room.progress) { extras.append($0) }
        let found = extras
        state.withLock { $0.extras = found }
    }

    func conclude(counting: Bool) throws(Failure) -> ImportResult {
        let (stored, target) = try opened()
        if state.withLock({ $0.extras == nil }) { try findExtras(stored, target) }
        if counting {
            for slice in members.indices { try compare(slice + 2) }
        }
        let (trees, extras, texts) = state.withLock { ($0.trees, $0.extras, $0.texts) }
        var comparison = trees ?? TreeComparison(firstLeaf: 0)
        if let extras { comparison.append(differencesOf: extras) }
        var comparisons: [ImportResult.Comparison] = []
        if trees != nil {
            comparisons = [
                .init(
                    name: "text-content", expected: comparison.contentExpected.root.hex,
                    found: comparison.contentFound.root.hex),
                .init(
                    name: "text-metadata", expected: comparison.metadataExpected.root.hex,
                    found: comparison.metadataFound.root.hex),
                .init(
                    name: "text-files",
                    expected: String(stored.summary.entries - comparison.lacking),
                    found: String(comparison.present)),
            ]
        }
        if trees != nil || counting {
            comparisons += TextProof.comparisons(stored.streams, texts, counting: counting)
        }
        try target.root.descriptor.syncFileSystem()
        let differences = comparison.differences.filter { !$0.isShortfall }
        return ImportResult(
            comparisons: comparisons,
            differences: differences.map {
                .object([
                    PathText.member("path", $0.path), .init("attribute", .string($0.attribute)),
                    .init("expected", .string($0.expected)), .init("found", .string($0.found)),
                ])
            },
            differenceCount: comparison.mismatches,
            shortfalls: target.shortfalls.list.map {
                .object([
                    PathText.member("path", $0.path),
                    .init("attribute", .string("\($0.attribute)")),
                    .init("reason", .string(describeErrno($0.errno))),
                ])
            },
            shortfallCount: Int64(target.shortfalls.count),
            counts: [
                .init("text log files", .integer(stored.summary.files)),
                .init("text logs", .integer(Int64(stored.streams.count))),
            ],
            mappings: ["owners": .string(settings.owners.rawValue)],
            reservations: TextProof.reservations(stored.streams))
    }
}

/// What a member's text is found to be on the target.
struct TextFound: Sendable {
    let facts: TextFacts
    let text: Digest256

    init(facts: TextFacts, text: Digest256) {
        self.facts = facts
        self.text = text
    }

    /// Reads a file of the target; one that is not there has no text.
    init(
        reading member: TextMemberRecord, below directory: String, progress: Progress
    ) throws(Failure) {
        var reading = TextReading(format: member.format, clock: member.clock.clock())
        do throws(Failure) {
            let file = try TextHolder.open(Array(directory.utf8) + [0x2f] + member.path)
            let size = Int64(try file.descriptor.status().st_size)
            let source = TextMember(
                entry: Entry(path: member.path, kind: .file), path: member.path, device: 0,
                inode: 0, size: size, packing: member.packing, clock: member.clock)
            _ = try unsafe TextContent(member: source, file: file, progress: progress).read(
                stored: { (_) throws(Failure) in }
            ) { (bytes) throws(Failure) in unsafe reading.feed(bytes, hashing: true) }
        } catch {
            guard [.sourceVanished, .sourceUnreadable].contains(error.code) else { throw error }
        }
        (facts, text) = reading.finish()
    }
}

/// The logs of a target held against those of an archive.
enum TextProof {
    /// More logs than this are compared as one.
    private static let most = 500

    static func comparisons(
        _ streams: [TextStreamRecord], _ texts: [[UInt8]: TextFound], counting: Bool,
        prefix: String = "text"
    ) -> [ImportResult.Comparison] {
        var all: [ImportResult.Comparison] = []
        for stream in streams {
            var totals = TextTotals()
            var digests: [Digest256] = []
            for member in stream.members where member.facts != nil {
                guard let found = texts[member.path] else { continue }
                totals.add(found.facts)
                digests.append(found.text)
            }
            let expected = stream.totals
            let log = String(decoding: stream.base, as: UTF8.self)
            all.append(
                .init(
                    prefix, of: .init("log", log), name: "\(prefix) \(log)",
                    expected: counting
                        ? "\(expected.entries) entries" : expected.text(stream.chain),
                    found: counting
                        ? "\(totals.entries) entries"
                        : totals.text(TextStreamRecord.chain(digests))))
        }
        guard all.count > most else { return all }
        let different = all.filter { !$0.equal }
        return [
            .init(
                name: "\(prefix) logs", expected: "\(all.count) equal",
                found: "\(all.count - different.count) equal")
        ] + different.prefix(most)
    }

    static func reservations(_ streams: [TextStreamRecord]) -> [Reservation] {
        let unread = streams.flatMap(\.members).count { $0.facts == nil }
        return unread == 0
            ? []
            : [Reservation(.linesNotCounted, count: unread)]
    }
}
