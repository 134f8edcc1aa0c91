import Archives
import Basics
import Connectors
import Glibc
import Logs
import Manifests
import Primitives
import Streams
import Synchronization

/// Exports text logs: a tar of their files, its index, and what is known of each log.
final class TextFamily: LogFamily {
    static let word = "text"

    private let settings: TextSettings
    private let accepted: Set<LogOmission>
    private let room: Room
    private let holder = TextHolder()
    private let state = Mutex(State())

    private struct State {
        var layout: TextLayout?
        var result: TextConclusion?
    }

    enum Artifact: Int { case tree, index, streams }

    init(_ settings: TextSettings, accepted: Set<LogOmission>, room: Room) throws(Failure) {
        self.settings = settings
        self.accepted = accepted
        self.room = room
    }

    private var layoutPath: String { room.directory + "/layout" }
    private func notesPath(_ segment: Int) -> String { room.directory + "/notes-\(segment)" }

    func survey() throws(Failure) -> Survey {
        var inventory = TextInventory(settings, holder: TextHolder(), progress: room.progress)
        let (layout, findings) = try inventory.take(selecting: false)
        var omissions = OmissionList<LogOmission>(accepted: accepted)
        for omitted in layout.omitted {
            omissions.add(omitted.reason, String(decoding: omitted.path, as: UTF8.self))
        }
        for excluded in layout.excluded {
            omissions.addExcluded(
                String(decoding: excluded.path, as: UTF8.self), reason: excluded.reason)
        }
        return Survey(
            bytes: layout.bytes, counts: counts(layout),
            findings: findings + zoneFinding(layout) + rangeFinding(),
            omissions: omissions.summary)
    }

    private func zoneFinding(_ layout: TextLayout) -> [Finding] {
        let zones = Set(layout.streams.filter { !$0.isZoneGiven }.map(\.zone))
        return zones.sorted().map {
            Finding(
                "log-zone", .note,
                "times of lines that name no zone are taken to be of \($0), the zone of this machine",
                decision: "Say `timezone: …` where they are of another one.")
        }
    }

    private func rangeFinding() -> [Finding] {
        let ranges = Set(settings.groups.map(\.range)).filter { !$0.isAll }
        guard !ranges.isEmpty else { return [] }
        return ranges.map(\.text).sorted().map { text in
            Finding("log-range", .note, "entries of text logs \(text)")
        } + [
            Finding(
                "log-range", .note,
                "of files that hold entries outside the range of time, only the lines in it are "
                    + "exported, as plain text; all of them are read for that at the inventory")
        ]
    }

    private func counts(_ layout: TextLayout) -> [JSON.Member] {
        let files = layout.streams.reduce(0) { $0 + $1.members.count }
        return [
            .init("text logs", .integer(Int64(layout.streams.count))),
            .init("text log files", .integer(Int64(files))),
        ]
    }

    func inventory() throws(Failure) -> FamilyInventory {
        let layout: TextLayout
        if Files.exists(layoutPath) {
            layout = try TextLayout(reading: layoutPath)
        } else {
            var inventory = TextInventory(settings, holder: holder, progress: room.progress)
            layout = try inventory.take(selecting: true).0
            try layout.write(to: layoutPath)
        }
        state.withLock { $0.layout = layout }
        let lines = Int64(layout.items.count)
        return FamilyInventory(
            artifacts: [
                ArtifactOutline(
                    name: "text", slug: "text", kind: "log-text", legal: .exportableData,
                    format: "tar", segments: layout.segments.count, expected: lines,
                    bytes: layout.bytes),
                ArtifactOutline(
                    name: "text-index", slug: "text-index", kind: "log-text-index",
                    legal: .exportableData, format: "jsonl", segments: 1, after: [0],
                    expected: lines, bytes: lines * 256),
                ArtifactOutline(
                    name: "text-streams", slug: "text-streams", kind: "log-text-streams",
                    legal: .exportableData, format: "jsonl", segments: 1, after: [0],
                    expected: Int64(layout.streams.count),
                    bytes: Int64(layout.streams.count) * 1024),
            ],
            objects: Int64(
                layout.items.count + layout.omitted.count + layout.excluded.count
                    + layout.streams.count),
            facts: facts(), counts: counts(layout))
    }

    /// The range and the zone that each group of patterns has.
    private func facts() -> JSON {
        [
            "groups": .array(
                settings.groups.map { group in
                    var members: [JSON.Member] = [
                        .init("patterns", .array(group.patterns.map { .string($0) })),
                        .init(
                            "zone",
                            [
                                "name": .string(group.zone.name),
                                "origin": .string(group.isZoneGiven ? "given" : "assumed"),
                            ]),
                    ]
                    if let since = group.range.since {
                        members.append(.init("since", .string(since.exact)))
                    }
                    if let until = group.range.until {
                        members.append(.init("until", .string(until.exact)))
                    }
                    return .object(members)
                })
        ]
    }

    private func layout() throws(Failure) -> TextLayout {
        guard let layout = state.withLock({ $0.layout }) else {
            throw Failure(.failed, "an export before the inventory")
        }
        return layout
    }

    func export(
        _ number: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        let layout = try layout()
        guard let artifact = Artifact(rawValue: number.artifact) else {
            throw Failure(.failed, "text logs have no artifact \(number.artifact)")
        }
        switch artifact {
        case .tree:
            var segment = TextSegment(
                layout, number.segment, holder: holder, progress: room.progress)
            let notes = try segment.write(into: &sink)
            try TextNote.write(notes, to: notesPath(number.segment))
            // The parts of a large member behind its first acknowledge nothing more.
            if case .part(_, let range) = layout.segments[number.segment], range.lowerBound > 0 {
                return SegmentResult(exported: 0, omitted: 0)
            }
            let omitted = notes.count { $0.omitted != nil }
            return SegmentResult(
                exported: Int64(notes.count - omitted), omitted: Int64(omitted))
        case .index:
            try sink.write(Files.read(room.directory + "/index", limit: 1 << 30))
            return SegmentResult(exported: Int64(layout.items.count), omitted: 0)
        case .streams:
            try sink.write(Files.read(room.directory + "/streams", limit: 1 << 30))
            return SegmentResult(exported: Int64(layout.streams.count), omitted: 0)
        }
    }

    func conclude(_ artifact: Int) throws(Failure) -> Conclusion {
        let layout = try layout()
        switch Artifact(rawValue: artifact) {
        case .tree:
            let result = try TextConclusion(layout, accepted: accepted) {
                (segment) throws(Failure) in try TextNote.read(notesPath(segment))
            }
            try Files.write(result.index, to: room.directory + "/index", mode: 0o600)
            try Files.write(result.streamLines, to: room.directory + "/streams", mode: 0o600)
            state.withLock { $0.result = result }
            return result.conclusion
        case .streams: return Conclusion(exported: Int64(layout.streams.count))
        default: return Conclusion()
        }
    }

    func omissions() throws(Failure) -> OmissionSummary {
        guard let result = state.withLock({ $0.result }) else {
            throw Failure(.failed, "omissions before the conclusion")
        }
        return result.omissions
    }
}
