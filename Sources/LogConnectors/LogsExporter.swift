public import Basics
public import Connectors
public import Manifests
public import Plans
public import Streams
import Synchronization

/// Exports the journal of systemd and text logs. See docs/connectors/logs.md.
///
/// Each family of logs brings its own artifacts; here they are only put one behind the other.
public final class LogsExporter: Exporter {
    public static let kind = "logs"

    private let families: [any LogFamily]
    /// For each family, where its artifacts begin in the source; filled by `inventory`.
    private let starts = Mutex<[Int]>([])
    private let room: Room

    public init(_ source: SourcePlan, room: Room) throws(Failure) {
        let problems = PlanProblems()
        let settings = LogsSettings(source, problems)
        try problems.check()
        self.room = room
        var families: [any LogFamily] = []
        if let journald = settings.journald {
            families.append(
                try JournalFamily(
                    journald, accepted: settings.accepted, room: room.part("journald")))
        }
        if let text = settings.text {
            families.append(
                try TextFamily(text, accepted: settings.accepted, room: room.part("text")))
        }
        self.families = families
    }

    public static func check(_ source: SourcePlan, _ problems: PlanProblems) {
        _ = LogsSettings(source, problems)
    }

    public func survey() throws(Failure) -> Survey {
        var survey = Survey(bytes: 0, counts: [], findings: [], omissions: OmissionSummary())
        for family in families {
            let part = try family.survey()
            survey.bytes += part.bytes
            survey.bytesToMove += part.bytesToMove
            survey.counts += part.counts
            survey.parts += part.parts
            survey.findings += part.findings
            survey.omissions.join(part.omissions)
        }
        return survey
    }

    public func inventory() throws(Failure) -> Inventory {
        let moment = try fixedMoment()
        var inventory = Inventory(
            artifacts: [], objects: 0, moment: Moment(kind: "inventory-time", value: moment),
            facts: [:], counts: [])
        var facts: [JSON.Member] = []
        var starts: [Int] = []
        for family in families {
            let part = try family.inventory()
            let start = inventory.artifacts.count
            starts.append(start)
            inventory.artifacts += part.artifacts.map { artifact in
                var artifact = artifact
                artifact.after = artifact.after.map { $0 + start }
                return artifact
            }
            inventory.objects += part.objects
            inventory.counts += part.counts
            facts.append(.init(type(of: family).word, part.facts))
        }
        inventory.facts = .object(facts)
        self.starts.withLock { $0 = starts }
        return inventory
    }

    /// The time of the first inventory, kept for those that come when the run is resumed.
    private func fixedMoment() throws(Failure) -> String {
        let path = room.directory + "/moment"
        if Files.exists(path) { return try Files.readText(path) }
        let moment = room.world.now().text
        try Files.write(Array(moment.utf8), to: path, mode: 0o600)
        return moment
    }

    /// The family that an artifact belongs to, and the artifact's place in it.
    private func owner(of artifact: Int) throws(Failure) -> (any LogFamily, Int) {
        let starts = starts.withLock { $0 }
        guard let place = starts.lastIndex(where: { $0 <= artifact }) else {
            throw Failure(.failed, "an export before the inventory")
        }
        return (families[place], artifact - starts[place])
    }

    public func export(
        _ number: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        let (family, artifact) = try owner(of: number.artifact)
        return try family.export(
            SegmentNumber(artifact: artifact, segment: number.segment), into: &sink)
    }

    public func conclude(_ artifact: Int) throws(Failure) -> Conclusion {
        let (family, own) = try owner(of: artifact)
        return try family.conclude(own)
    }

    public func omissions() throws(Failure) -> OmissionSummary {
        var summary = OmissionSummary()
        for family in families { summary.join(try family.omissions()) }
        return summary
    }
}

extension Room {
    /// The same room for a part of a source, with a directory of its own.
    func part(_ name: String) throws(Failure) -> Room {
        let directory = directory + "/" + name
        try Files.makeDirectory(directory, mode: 0o700)
        return Room(
            directory: directory, progress: progress, world: world, isEncrypted: isEncrypted,
            workers: workers)
    }
}

extension OmissionSummary {
    /// Adds what another part of the source has left out.
    mutating func join(_ other: OmissionSummary) {
        for count in other.counts {
            if let place = counts.firstIndex(where: { $0.reason == count.reason }) {
                counts[place].count += count.count
            } else {
                counts.append(count)
            }
        }
        counts.sort { $0.reason < $1.reason }
        lines += other.lines.prefix(max(0, Self.mostLines - lines.count))
    }
}
