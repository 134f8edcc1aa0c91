public import Basics
public import Connectors
import Deadlines
import Dossiers
import Encryption
import Glibc
import Manifests
public import Plans
import Signatures
public import Streams

/// What `exeat plan` tells before anything moves.
public struct Preview: Sendable {
    struct Source: Sendable {
        let name: String
        let kind: String
        let survey: Survey
    }

    let plan: ExportPlan
    let sources: [Source]
    /// Bytes per second this machine reads, digests and compresses, measured a moment ago.
    let rate: Int64
    /// The dates that law and contract set; nil where no legal profile holds.
    let deadlines: DeadlineReport?

    public static func take(
        _ plan: ExportPlan, connectors: [any Exporter.Type], world: World, progress: Progress
    ) async throws(Failure) -> Preview {
        // What the run would stumble over at its end is better known now.
        try ExportRun.checkSupported(plan)
        _ = try ExportRun.signer(of: plan)
        let deadlines = try Self.deadlines(of: plan, at: world.now())
        let scheduler = Scheduler(workers: 1)
        defer { scheduler.close() }
        var sources: [Source] = []
        for source in plan.sources {
            guard let type = connectors.first(where: { $0.kind == source.kind }) else { continue }
            sources.append(
                try await scheduler.run { () throws(Failure) in
                    // Nothing is kept; what a connector writes while it looks goes with the room.
                    let directory = try Self.temporaryDirectory()
                    defer { try? Files.remove(directory) }
                    let exporter = try type.init(
                        source,
                        room: Room(
                            directory: directory, progress: progress, world: world,
                            isEncrypted: !plan.archive.encryptTo.isEmpty))
                    return Source(
                        name: source.name, kind: source.kind, survey: try exporter.survey())
                })
        }
        let fixed: Int? =
            if case .fixed(let level) = plan.archive.compression.level { Int(level) } else { 3 }
        let level = CompressionLevel(fixed)
        let workers = plan.limits.workers ?? Scheduler.standardWorkers
        var rate = try await scheduler.run { () throws(Failure) in
            try Self.measure(level, lanes: min(workers, Scheduler.standardWorkers - 2))
        }
        if let limit = plan.limits.bandwidth { rate = min(rate, limit) }
        return Preview(plan: plan, sources: sources, rate: rate, deadlines: deadlines)
    }

    private static func deadlines(
        of plan: ExportPlan, at now: Timestamp
    ) throws(Failure) -> DeadlineReport? {
        let facts = try ContractFacts(ContractFacts.json(of: plan.run))
        guard !facts.profiles.isEmpty else { return nil }
        return DeadlineReport(
            facts.timeline, profiles: facts.profiles, calendar: facts.calendar,
            today: facts.calendar.day(of: now))
    }

    /// A new directory that nobody else can enter; stands on mkdtemp(3).
    private static func temporaryDirectory() throws(Failure) -> String {
        let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
        var name = Array("\(parent)/exeat-plan-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&name) != nil else {
            throw Failure(errno: errno, "cannot make a directory in \"\(parent)\"")
        }
        return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Runs a few MiB of middling data through the pipeline, on one lane.
    private static func measure(_ level: CompressionLevel, lanes: Int) throws(Failure) -> Int64 {
        var sample: [UInt8] = []
        sample.reserveCapacity(1 << 20)
        var state: UInt64 = 88_172_645_463_325_252
        while sample.count < 1 << 20 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            let word = "patient \(state % 10_000) ward \(state >> 32 & 63) \(state >> 40);"
            sample.append(contentsOf: word.utf8)
        }
        let tally = Tally()
        var sink = Hashing(tally, into: try Compressing(level, into: Discarding()))
        let began = monotonicNanoseconds()
        var passed: Int64 = 0
        repeat {
            try sink.write(sample)
            passed += Int64(sample.count)
        } while monotonicNanoseconds() - began < 150_000_000
        try sink.finish()
        let elapsed = Int64(max(1, monotonicNanoseconds() - began))
        return passed * 1_000_000 / max(1, elapsed / 1000) * Int64(max(1, lanes))
    }

    public var status: Int32 {
        sources.contains { $0.survey.omissions.notAccepted > 0 } ? 2 : 0
    }

    /// As a user sees them, of all sources.
    public var bytes: Int64 { sources.reduce(0) { $0 + $1.survey.bytes } }

    private var seconds: Int64 {
        sources.reduce(0) { $0 + $1.survey.bytesToMove } / max(1, rate) + 1
    }

    public var json: JSON {
        [
            "status": .integer(Int64(status)),
            "bytes": .integer(bytes),
            "predictedSeconds": .integer(seconds),
            "deadlines": deadlines?.json ?? .null,
            "sources": .array(
                sources.map { source in
                    [
                        "name": .string(source.name), "kind": .string(source.kind),
                        "bytes": .integer(source.survey.bytes),
                        "counts": .object(source.survey.counts),
                        "parts": .array(source.survey.parts.map(Self.part)),
                        "findings": .array(source.survey.findings.map(\.json)),
                        "omissions": source.survey.omissions.json,
                    ]
                }),
        ]
    }

    private static func part(_ part: Survey.Part) -> JSON {
        [
            "name": .string(part.name), "bytes": .integer(part.bytes),
            "pieces": .array(
                part.pieces.map { ["name": .string($0.name), "bytes": .integer($0.bytes)] }),
        ]
    }

    /// The kinds of objects in a tree are told in the singular; all else has its plural already.
    private static let plurals = [
        "file": "files", "directory": "directories", "symlink": "symlinks",
        "fifo": "FIFOs", "character": "character devices", "block": "block devices",
        "socket": "sockets",
    ]

    private static func counted(_ count: Int64, _ key: String) -> String {
        "\(count) \(count == 1 ? key : plurals[key] ?? key)"
    }

    public func text(size: (Int64) -> String) -> String {
        var lines: [String] = []
        for source in sources {
            let survey = source.survey
            let counts = survey.counts
                .compactMap { count in count.value.integer.map { Self.counted($0, count.key) } }
                .joined(separator: ", ")
            lines.append("\(source.name) (\(source.kind)): \(size(survey.bytes)), \(counts)")
            for part in survey.parts.prefix(200) {
                let pieces = part.pieces.map { "\($0.name) \(size($0.bytes))" }
                lines.append(
                    "  \(part.name): "
                        + (pieces.isEmpty ? size(part.bytes) : pieces.joined(separator: ", ")))
            }
            if survey.parts.count > 200 {
                lines.append("  … \(survey.parts.count) in all, see --json")
            }
            for finding in survey.findings {
                lines.append("  \(finding.severity.rawValue): \(finding.what)")
                if let decision = finding.decision { lines.append("    \(decision)") }
            }
            for omission in survey.omissions.counts where omission.accepted {
                lines.append("  covered: \(omission.count) × \(omission.reason)")
            }
            for line in survey.omissions.lines.prefix(10) {
                let name = (line["path"] ?? line["object"])?.string ?? "?"
                lines.append("  omitted: \(name) (\(line["reason"]?.string ?? "?"))")
            }
            if survey.omissions.total > 10 {
                lines.append("  … \(survey.omissions.total) in all, see --json")
            }
        }
        lines.append("in all \(size(bytes)), about \(seconds) s at \(size(rate))/s on this machine")
        if plan.archive.encryptTo.isEmpty {
            lines.append("note: the archive will not be encrypted (archive.encrypt-to is not set)")
        }
        if !plan.run.dates.isEmpty { lines += deadlines?.lines ?? [] }
        return lines.joined(separator: "\n")
    }
}
