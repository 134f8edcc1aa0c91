import Basics
import Connectors
import Logs
import Manifests

/// What the manifest says about a journal besides its entries: range and zone, files, gaps in the
/// sequences, and steps of the clock.
struct JournalReport: Sendable {
    var leftOut: Int64 = 0
    var duplicates: Int64 = 0
    var clockSteps: [JSON] = []
    var clockStepCount: Int64 = 0
    private let settings: JournaldSettings
    private var files: [JSON] = []
    private var fileCount = 0
    private var gaps: [JSON] = []
    private var gapCount: Int64 = 0
    private var gapEntries: Int64 = 0

    /// More lines than that of one table stay out of the manifest, which counts them all.
    static let mostLines = 1000

    init(_ settings: JournaldSettings) { self.settings = settings }

    /// Notes the files, and what is missing of them.
    mutating func note(
        _ scanned: [ScannedFile], _ accepted: Set<LogOmission>,
        into omissions: inout OmissionSummary
    ) {
        fileCount = scanned.count
        for file in scanned {
            if files.count < Self.mostLines { files.append(Self.json(file)) }
            if let failure = file.failure {
                omissions.add(
                    .filesUnreadable, 1, file.path, detail: failure, accepted: accepted)
            } else if file.missing > 0 {
                omissions.add(
                    .entriesMissing, Int64(clamping: file.missing), file.path,
                    detail: Self.missing(file), accepted: accepted)
            } else if file.isDamagedWithoutLoss {
                // Nothing is missing, so the plan need not accept it; whoever relies on the file must know all the same.
                omissions.add(
                    .filesDamaged, 1, file.path, detail: Self.damage(file),
                    accepted: [.filesDamaged])
            }
            if let failure = file.seal?.failure {
                omissions.add(.sealBroken, 1, file.path, detail: failure, accepted: accepted)
            }
        }
    }

    /// What is missing of a file, in words, with the boots that it may belong to.
    static func missing(_ file: ScannedFile) -> String {
        var text =
            "\(file.missing) of the \(counted(file.counted, "entry", "entries")) that its head "
            + "counts cannot be found"
        if let last = file.last {
            text +=
                "; the last that was found is number \(last.sequence) of "
                + "\(JournalTime.text(last.realtime)), boot \(last.boot)"
            if file.tailSequence > last.sequence {
                text += ", the last that was written is number \(file.tailSequence)"
            }
        }
        for (before, after) in file.jumps.prefix(10) where file.counts.lostBytes > 0 {
            text +=
                "; none between number \(before.sequence) of boot \(before.boot) and number "
                + "\(after.sequence) of boot \(after.boot)"
        }
        if !file.holes.isEmpty {
            text +=
                "; unreadable bytes: "
                + file.holes.prefix(10).map { "\($0.lowerBound)-\($0.upperBound)" }
                .joined(separator: ", ")
        }
        return text
    }

    /// What is wrong with a file of which all entries were found, in words.
    private static func damage(_ file: ScannedFile) -> String {
        var parts: [String] = []
        if file.counts.entries > file.counted {
            parts.append("its head counts \(counted(file.counted, "entry", "entries"))")
        }
        for (count, what) in [
            (file.counts.unlisted, "in none of its arrays"),
            (file.counts.unchained, "found by its arrays alone"),
        ] where count > 0 { parts.append("\(counted(count, "entry", "entries")) \(what)") }
        if file.counts.broken > 0 { parts.append("\(file.counts.broken) places are broken") }
        if file.counts.lostBytes > 0 {
            parts.append("\(counted(file.counts.lostBytes, "byte")) cannot be read")
        }
        return
            "all of \(counted(file.counts.entries, "entry", "entries")) were found, though the file is damaged: "
            + parts.joined(separator: ", ")
    }

    private static func json(_ file: ScannedFile) -> JSON {
        if let failure = file.failure {
            return ["path": .string(file.path), "failure": .string(failure)]
        }
        var members: [JSON.Member] = [
            .init("path", .string(file.path)), .init("file", .string(file.fileID.text)),
            .init("machine", .string(file.machineID.text)),
            .init("sequence", .string(file.sequenceID.text)), .init("state", .string(file.state)),
            .init("bytes", .integer(file.size)),
            .init("counted", .integer(Int64(clamping: min(file.counted, 1 << 53 - 1)))),
            .init("found", .integer(Int64(clamping: file.counts.entries))),
            .init("missing", .integer(Int64(clamping: min(file.missing, 1 << 53 - 1)))),
            .init("sealed", .bool(file.isSealed)),
            .init("boots", .array(file.boots.prefix(100).map { .string($0.text) })),
        ]
        func add(_ key: String, _ number: UInt64) {
            if number > 0 { members.append(.init(key, .integer(Int64(clamping: number)))) }
        }
        add("unlisted", file.counts.unlisted)
        add("unchained", file.counts.unchained)
        add("brokenPlaces", file.counts.broken)
        add("unreadableBytes", UInt64(max(0, file.counts.lostBytes)))
        if !file.holes.isEmpty {
            members.append(
                .init(
                    "unreadable",
                    .array(
                        file.holes.map {
                            ["from": .integer($0.lowerBound), "to": .integer($0.upperBound)]
                        })))
        }
        if file.isSealed { members.append(.init("seal", seal(file))) }
        if let first = file.first, let last = file.last {
            members.append(.init("first", .string(JournalTime.text(first.realtime))))
            members.append(.init("last", .string(JournalTime.text(last.realtime))))
        }
        return .object(members)
    }

    private static func seal(_ file: ScannedFile) -> JSON {
        guard let seal = file.seal else {
            return ["checked": false, "why": "the plan has no verification-key"]
        }
        return [
            "checked": true, "holds": .bool(seal.failure == nil),
            "failure": seal.failure.map { .string($0) } ?? .null,
            "tags": .integer(Int64(clamping: seal.tags)),
            "entriesSealed": .integer(Int64(clamping: seal.sealed)),
            "entriesBehindTheLastTag": .integer(Int64(clamping: seal.unsealed)),
            "from": seal.from.map { .string(JournalTime.text($0)) } ?? .null,
            "to": seal.to.map { .string(JournalTime.text($0)) } ?? .null,
        ]
    }

    /// Where numbers are missing in a sequence, over all files that have a part in it.
    mutating func noteGaps(_ scanned: [ScannedFile], room: Room) throws(Failure) {
        var sources: [JournalID: [JournalMerge.Source]] = [:]
        for (place, file) in scanned.enumerated() where file.failure == nil {
            sources[file.sequenceID, default: []].append(
                JournalMerge.Source(
                    file: place, records: "\(room.directory)/records-\(place)",
                    sequenceID: file.sequenceID, boots: file.boots,
                    runs: [(first: 0, count: Int64(file.counts.entries))]))
        }
        let filter = settings.filter
        for id in sources.keys.sorted() {
            var merge = try JournalMerge(sources[id] ?? [])
            var last: JournalEntry?
            while let item = try merge.next() {
                let entry = item.record.entry
                if let last, entry.sequence > last.sequence + 1,
                    filter.since.map({ entry.realtime >= $0 }) ?? true,
                    filter.until.map({ last.realtime <= $0 }) ?? true
                {
                    let missing = Int64(clamping: entry.sequence - last.sequence - 1)
                    gapCount += 1
                    gapEntries &+= min(missing, 1 << 40)
                    if gaps.count < Self.mostLines {
                        gaps.append([
                            "sequence": .string(id.text),
                            "missing": .integer(min(missing, 1 << 53 - 1)),
                            "after": Self.end(last), "before": Self.end(entry),
                        ])
                    }
                }
                last = entry
            }
        }
    }

    private static func end(_ entry: JournalEntry) -> JSON {
        [
            "number": .integer(Int64(clamping: min(entry.sequence, 1 << 53 - 1))),
            "boot": .string(entry.boot.text),
            "time": .string(JournalTime.text(entry.realtime)),
        ]
    }

    var json: JSON {
        let filter = settings.filter
        return [
            "live": .bool(settings.isLive),
            "range": [
                "since": filter.since.map { .string(JournalTime.text($0)) } ?? .null,
                "until": filter.until.map { .string(JournalTime.text($0)) } ?? .null,
                "ends": "both included",
                "timezone": .string(settings.zone.name),
            ],
            "boots": settings.boots.map { .array($0.map { .string($0) }) } ?? .null,
            "units": settings.units.map { .array($0.map { .string($0) }) } ?? .null,
            "priorities": settings.priorities.map { mask in
                .array((0..<8).filter { mask & (1 << $0) != 0 }.map { .integer(Int64($0)) })
            } ?? .null,
            "leftOut": .integer(leftOut),
            "duplicates": .integer(duplicates),
            "fileCount": .integer(Int64(fileCount)),
            "files": .array(files),
            "gapCount": .integer(gapCount),
            "gapEntries": .integer(min(gapEntries, JSON.largestInteger)),
            "gaps": .array(gaps),
            "clockStepCount": .integer(clockStepCount),
            "clockSteps": .array(Array(clockSteps.prefix(Self.mostLines))),
        ]
    }
}

/// Times of a journal as text.
enum JournalTime {
    /// RFC 3339 in UTC with microseconds.
    static func text(_ microseconds: UInt64) -> String {
        let seconds = Timestamp(seconds: Int64(clamping: microseconds / 1_000_000)).text
        let digits = String(microseconds % 1_000_000)
        return seconds.dropLast(5) + "." + String(repeating: "0", count: 6 - digits.count) + digits
            + "Z"
    }
}

/// Watches the clock of one boot: where the time of day ran back, or jumped against the time since the
/// boot.
struct ClockWatch: Sendable {
    private(set) var steps: [JSON] = []
    private(set) var count: Int64 = 0
    private let name: StreamName
    private var last: JournalEntry?

    /// A clock that is steered drifts by at most 500 parts in a million; what is below a second
    /// besides is no step.
    private static let tolerance: Int64 = 1_000_000

    init(_ name: StreamName) { self.name = name }

    mutating func see(_ entry: JournalEntry) {
        defer { last = entry }
        guard let last else { return }
        let day = Int64(entry.realtime) - Int64(last.realtime)
        let since = Int64(entry.monotonic) - Int64(last.monotonic)
        let step = day - since
        let drift = abs(since) / 2000
        guard day < 0 || abs(step) > Self.tolerance + drift else { return }
        count += 1
        guard steps.count < JournalReport.mostLines else { return }
        steps.append([
            "machine": .string(name.machine.text), "boot": .string(name.boot.text),
            "from": .string(JournalTime.text(last.realtime)),
            "to": .string(JournalTime.text(entry.realtime)),
            // The times of a damaged entry may be any.
            "microseconds": .integer(
                max(-JSON.largestInteger, min(step, JSON.largestInteger))),
        ])
    }
}
