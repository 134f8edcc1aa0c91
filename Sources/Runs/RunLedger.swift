import Bags
import Basics
import Connectors
import Glibc
import Journals
import Manifests
import Primitives
import Synchronization

/// What the journal says is done; everything else did not happen.
final class RunLedger: Sendable {
    struct Place: Hashable, Sendable {
        let source: Int
        let number: SegmentNumber
    }

    struct Commit: Sendable {
        let record: SegmentRecord
        let result: SegmentResult
        /// Where a tar ended after it.
        let end: Int64
    }

    fileprivate struct State {
        var commits: [Place: Commit] = [:]
        /// Sources and artifacts that have had their event, as `s` or `s/a`.
        var noted: Set<String> = []
        /// How many artifacts each source has, once inventoried.
        var artifacts: [Int: Int] = [:]
        /// Where a tar ends after the last commit that counts.
        var end: Int64 { commits.values.reduce(0) { max($0, $1.end) } }
        /// What the journal's closing line says, when it has one.
        var closing: [JSON.Member]?
        /// SHA-256 of the opening time-stamps, by their names.
        var stamped: [String: String] = [:]
    }

    let journal: JournalWriter
    /// The identifier of the bag, `urn:uuid:…`.
    let bag: String
    let openedAt: Timestamp
    /// What the opening time-stamps are about.
    let firstLine: [UInt8]
    private let state: Mutex<State>

    /// Opens the journal of a new run.
    init(creating path: String, run: RunIdentity, world: World) throws(Failure) {
        try Files.makeDirectory(Files.parent(of: path))
        openedAt = world.now()
        bag = "urn:uuid:" + world.newID()
        journal = try JournalWriter(
            creating: path, first: run.fields + [.init("bag", .string(bag))], world: world)
        firstLine = try Self.firstLine(of: path)
        state = Mutex(State())
    }

    /// Reads the journal of an interrupted run and goes on with it.
    init(resuming path: String, run: RunIdentity, world: World) throws(Failure) {
        var state = State()
        var opening: JSON?
        let journal = try JournalWriter(resuming: path, world: world) { (entry) throws(Failure) in
            let line = entry.fields
            switch entry.event {
            case .runOpened: opening = line
            case .segmentCommitted: try state.read(commit: line)
            case .segmentVoided: try state.read(voided: line)
            case .sourceInventoried:
                let source = Int(line["s"]?.integer ?? -1)
                state.noted.insert("\(source)")
                state.artifacts[source] = Int(line["artifacts"]?.integer ?? 0)
            case .artifactCut:
                state.noted.insert("\(line["s"]?.integer ?? -1)/\(line["a"]?.integer ?? -1)/cut")
            case .artifactCompleted:
                state.noted.insert("\(line["s"]?.integer ?? -1)/\(line["a"]?.integer ?? -1)")
            case .runCompleted: state.closing = Array((line.members ?? []).dropFirst(4))
            case .runStamped:
                if let token = line["token"]?.string {
                    state.stamped[token] = line["sha256"]?.string
                }
            default: break
            }
            if entry.event != .runCompleted { state.closing = nil }
        }
        guard let opening, let bag = opening["bag"]?.string,
            let opened = opening["t"]?.string.flatMap({ Timestamp($0) })
        else { throw Failure(.journalMalformed, "the journal of the run to resume has no opening") }
        guard opening["plan"]?.string == run.plan, opening["name"]?.string == run.name else {
            throw Failure(
                .planChanged, "the run in this output was begun with another plan",
                hint: "Resume with the plan of the first run (limits may change), or name a new "
                    + "output.")
        }
        self.journal = journal
        self.bag = bag
        openedAt = opened
        firstLine = try Self.firstLine(of: path)
        let end = state.end
        let count = state.commits.count
        let isCompleted = state.closing != nil
        self.state = Mutex(state)
        // Killed on the way from the closing line to the seal: nothing is left to be told.
        if isCompleted { return }
        try journal.append(
            .runResumed,
            [
                .init("segments", .integer(Int64(count))),
                .init("end", .integer(end)),
            ])
    }

    private static func firstLine(of path: String) throws(Failure) -> [UInt8] {
        let file = try Descriptor(opening: path, O_RDONLY)
        var bytes = [UInt8](repeating: 0, count: Journal.longestLine + 1)
        let count = try Failure.catching {
            try unsafe bytes.withUnsafeMutableBytes { try unsafe file.read(into: $0, at: 0) }
        }
        return Array(bytes[..<count].prefix { $0 != 0x0a })
    }

    var end: Int64 { state.withLock { $0.end } }

    var stamped: [String: String] { state.withLock { $0.stamped } }

    /// From here on the journal is younger than the token.
    func noteStamped(_ token: String, _ sha256: String) throws(Failure) {
        try journal.append(
            .runStamped, [.init("token", .string(token)), .init("sha256", .string(sha256))])
        state.withLock { $0.stamped[token] = sha256 }
    }

    func noteUnstamped(_ token: String, _ code: Failure.Code) throws(Failure) {
        try journal.append(
            .runUnstamped,
            [.init("token", .string(token)), .init("code", .integer(Int64(code.rawValue)))])
    }

    var committedPaths: Set<String> {
        state.withLock { Set($0.commits.values.map(\.record.path)) }
    }

    /// All stored payload files, sorted by path.
    var payload: [SegmentRecord] {
        state.withLock { $0.commits.values.map(\.record) }
            .sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    var commits: [Commit] { state.withLock { Array($0.commits.values) } }

    /// True once the closing line is there; nothing may follow it.
    var isCompleted: Bool { state.withLock { $0.closing != nil } }

    /// Writes the closing line, unless it is there already.
    func complete(_ fields: [JSON.Member]) throws(Failure) {
        let known = state.withLock { $0.closing }
        if let known {
            guard JSON.object(known).line == JSON.object(fields).line else {
                throw Failure(
                    .coverageMismatch, "the run has another outcome than its journal closes with",
                    hint: "Export to a new output.")
            }
            return
        }
        try journal.append(.runCompleted, fields)
        state.withLock { $0.closing = fields }
    }

    /// Voids what an interrupted process has stored of sources that begin anew, and gives back their
    /// numbers. A source whose artifacts are all complete stays as it is.
    ///
    /// A tar is cut back to its first voided segment, so that all behind it is void as well.
    ///
    /// - Parameter restarts: the artifacts of another source that begin anew when these of it are void.
    func voidUnfinished(
        among sources: [Int], isTar: Bool, others: [Int],
        restarts: (Int, Set<Int>) throws(Failure) -> Set<Int>
    ) throws(Failure) -> [Int] {
        var voided: [Place: Commit] = [:]
        var restarted: Set<Int> = []
        var renewed: [Int: Set<Int>] = [:]
        let known = state.withLock { ($0.commits, $0.noted, $0.artifacts) }
        while true {
            let before = voided.count + restarted.count
            for source in sources {
                let isComplete =
                    known.2[source].map { count in
                        (0..<count).allSatisfy { known.1.contains("\(source)/\($0)") }
                    } ?? false
                guard !isComplete || voided.keys.contains(where: { $0.source == source }) else {
                    continue
                }
                restarted.insert(source)
                voided.merge(known.0.filter { $0.key.source == source }) { first, _ in first }
            }
            for source in others {
                let gone = Set(
                    voided.keys.filter { $0.source == source }.map(\.number.artifact))
                let more = try restarts(source, gone)
                renewed[source] = more
                voided.merge(
                    known.0.filter {
                        $0.key.source == source && more.contains($0.key.number.artifact)
                    }
                ) { first, _ in first }
            }
            let cut = voided.values.map { $0.end }.min()
            if isTar, let cut {
                voided.merge(known.0.filter { $0.value.end > cut }) { first, _ in first }
            }
            if voided.count + restarted.count == before { break }
        }
        for (place, commit) in voided.sorted(by: { $0.value.record.path < $1.value.record.path }) {
            try journal.append(
                .segmentVoided,
                [
                    .init("s", .integer(Int64(place.source))),
                    .init("a", .integer(Int64(place.number.artifact))),
                    .init("n", .integer(Int64(place.number.segment))),
                    .init("path", .string(commit.record.path)),
                ])
        }
        let gone = (Set(voided.keys), restarted, renewed)
        state.withLock { state in
            for place in gone.0 { state.remove(place) }
            for (source, artifacts) in gone.2 {
                for artifact in artifacts {
                    state.noted.remove("\(source)/\(artifact)")
                    state.noted.remove("\(source)/\(artifact)/cut")
                }
            }
            for source in gone.1 {
                state.noted = state.noted.filter {
                    $0 != "\(source)" && !$0.hasPrefix("\(source)/")
                }
            }
        }
        return restarted.sorted()
    }

    func commit(at place: Place) -> Commit? { state.withLock { $0.commits[place] } }

    func isInventoried(_ source: Int) -> Bool {
        state.withLock { $0.noted.contains("\(source)") }
    }

    func noteInventoried(_ source: Int, _ inventory: Inventory) throws(Failure) {
        try note(
            "\(source)", .sourceInventoried,
            [
                .init("s", .integer(Int64(source))),
                .init("artifacts", .integer(Int64(inventory.artifacts.count))),
                .init(
                    "segments",
                    .integer(Int64(inventory.artifacts.reduce(0) { $0 + $1.segments }))),
                .init("expected", .integer(inventory.artifacts.reduce(0) { $0 + $1.expected })),
                .init("bytes", .integer(inventory.artifacts.reduce(0) { $0 + $1.bytes })),
            ])
    }

    func noteCut(_ source: Int, _ artifact: Int, segments: Int) throws(Failure) {
        try note(
            "\(source)/\(artifact)/cut", .artifactCut,
            [
                .init("s", .integer(Int64(source))), .init("a", .integer(Int64(artifact))),
                .init("segments", .integer(Int64(segments))),
            ])
    }

    func noteCompleted(_ source: Int, _ artifact: Int) throws(Failure) {
        try note(
            "\(source)/\(artifact)", .artifactCompleted,
            [.init("s", .integer(Int64(source))), .init("a", .integer(Int64(artifact)))])
    }

    private func note(
        _ key: String, _ event: Journal.Event, _ fields: [JSON.Member]
    ) throws(Failure) {
        guard state.withLock({ $0.noted.insert(key).inserted }) else { return }
        try journal.append(event, fields)
    }

    /// The single write that makes a segment part of the archive; durable on return.
    func commit(_ commit: Commit, at place: Place) throws(Failure) {
        try journal.append(
            .segmentCommitted,
            [
                .init("s", .integer(Int64(place.source))),
                .init("a", .integer(Int64(place.number.artifact))),
                .init("n", .integer(Int64(place.number.segment))),
                .init("path", .string(commit.record.path)),
                .init("bytes", .integer(commit.record.bytes)),
                .init("sha256", .string(commit.record.sha256)),
                .init("plainBytes", .integer(commit.record.plainBytes)),
                .init("exported", .integer(commit.result.exported)),
                .init("omitted", .integer(commit.result.omitted)),
                .init("end", .integer(commit.end)),
            ])
        state.withLock {
            $0.commits[place] = commit
        }
    }
}

extension RunLedger.State {
    /// The artifact of a voided segment is no longer complete.
    fileprivate mutating func remove(_ place: RunLedger.Place) {
        commits[place] = nil
        noted.remove("\(place.source)/\(place.number.artifact)")
    }

    fileprivate mutating func read(voided line: JSON) throws(Failure) {
        guard let source = line["s"]?.integer, let artifact = line["a"]?.integer,
            let segment = line["n"]?.integer
        else { throw Failure(.journalMalformed, "a voided segment of the journal lacks a member") }
        remove(
            RunLedger.Place(
                source: Int(source),
                number: SegmentNumber(artifact: Int(artifact), segment: Int(segment))))
    }

    fileprivate mutating func read(commit line: JSON) throws(Failure) {
        guard let source = line["s"]?.integer, let artifact = line["a"]?.integer,
            let segment = line["n"]?.integer, let path = line["path"]?.string,
            let bytes = line["bytes"]?.integer, let sha256 = line["sha256"]?.string,
            let plain = line["plainBytes"]?.integer, let exported = line["exported"]?.integer,
            let omitted = line["omitted"]?.integer, let end = line["end"]?.integer
        else { throw Failure(.journalMalformed, "a commit of the journal lacks a member") }
        let place = RunLedger.Place(
            source: Int(source),
            number: SegmentNumber(artifact: Int(artifact), segment: Int(segment)))
        commits[place] = RunLedger.Commit(
            record: SegmentRecord(path: path, bytes: bytes, sha256: sha256, plainBytes: plain),
            result: SegmentResult(exported: exported, omitted: omitted), end: end)
    }
}

/// What makes two runs the same run.
struct RunIdentity: Sendable {
    let name: String
    let purpose: String
    /// The plan's digest without limits and secret values.
    let plan: String
    let encrypted: Bool

    var fields: [JSON.Member] {
        [
            .init("run", "export"), .init("name", .string(name)),
            .init("purpose", .string(purpose)), .init("plan", .string(plan)),
            .init("encrypted", .bool(encrypted)), .init("tool", .string("exeat \(Tool.version)")),
        ]
    }
}

/// This program, as documents name it.
public enum Tool {
    public static let version = "0.1.0"
}
