public import Basics
public import Connectors
public import Manifests
public import Plans
import Primitives
import Redaction
public import Streams
import Synchronization
import Trees

/// Exports how a machine is set up: trees such as /etc, facts that give them their meaning, and the list of
/// the secrets in them.
///
/// Artifacts 0 and 1 are the tree and its index, then comes one for each family of facts, and last the list
/// of secrets. See docs/connectors/configs.md.
public final class ConfigExporter: Exporter {
    public static let kind = "configs"

    private let settings: ConfigSettings
    private let room: Room
    private let tree: TreeExport
    private let facts: FactsRoom
    private let factsRedactor: Redactor
    private let contentRedactor: Redactor
    private let list = Mutex<SecretList?>(nil)

    public static func check(_ source: SourcePlan, _ problems: PlanProblems) {
        _ = ConfigSettings(source, problems)
    }

    public init(_ source: SourcePlan, room: Room) throws(Failure) {
        let problems = PlanProblems()
        settings = ConfigSettings(source, problems)
        settings.checkSealed(isEncrypted: room.isEncrypted, problems)
        try problems.check()
        self.room = room
        let key = try Self.key(settings, room)
        contentRedactor = try Redactor(mode: settings.mode, key: key)
        // Documents of two machines can be compared only if their placeholders can.
        let isShared = settings.mode == .reference && settings.referenceKey != nil
        factsRedactor = try Redactor(mode: isShared ? .reference : .omit, key: key)
        tree = try TreeExport(
            settings.selection, room: room, filter: SecretFilter(redactor: contentRedactor))
        facts = FactsRoom(directory: room.directory, families: settings.families)
    }

    /// The plan's key for references, or one of this run alone.
    private static func key(
        _ settings: ConfigSettings, _ room: Room
    ) throws(Failure) -> RedactionKey? {
        guard settings.mode == .reference else { return nil }
        if let given = settings.referenceKey { return try RedactionKey(hex: given.revealed()) }
        let path = room.directory + "/reference-key"
        if Files.exists(path) { return try RedactionKey(hex: Files.readText(path)) }
        let key = RedactionKey(drawnIn: room.world)
        try Files.write(Array(key.revealed().utf8), to: path, mode: 0o600)
        return key
    }

    private var machine: Machine {
        Machine(
            root: settings.root, paths: settings.selection.paths,
            repositories: settings.repositories, redactor: factsRedactor, progress: room.progress)
    }

    // MARK: - Before

    public func survey() throws(Failure) -> Survey {
        let machine = machine
        var list = SecretList(mode: settings.mode, paths: settings.selection.paths)
        let filter = SecretFilter(redactor: contentRedactor)
        var survey = try tree.survey { (path, content) throws(Failure) in
            for place in try filter.places(in: content, of: path) { list.add(place) }
        }
        var documents: [FactDocument] = []
        for family in settings.families { documents.append(try machine.facts(family)) }
        for place in machine.secrets { list.add(place) }
        add(documents, list, to: &survey.omissions)
        survey.counts += documents.map { document in
            .init("facts of \(document.family.rawValue)", .integer(Int64(document.items.count)))
        }
        survey.counts.append(.init("secrets", .integer(Int64(list.own.count + list.outside.count))))
        survey.findings += findings(documents, list)
        return survey
    }

    private func findings(_ documents: [FactDocument], _ list: SecretList) -> [Connectors.Finding] {
        var findings: [Connectors.Finding] = []
        let lacking = list.lacking.count
        if lacking > 0, !acceptsSecrets {
            findings.append(
                Connectors.Finding(
                    "secrets", .decision,
                    settings.mode == .sealed
                        ? "\(lacking) secrets of facts lie outside the exported trees and are left out"
                        : "\(lacking) secrets would be left out",
                    decision: settings.mode == .sealed
                        ? "Add their directories to paths, or add secrets to accept of this source."
                        : "Say secrets: omit, reference or sealed in this source."))
        }
        for document in documents {
            for (source, reason) in document.unread {
                let isCovered = settings.acceptsFacts || reason == FactDocument.ofRunningMachine
                findings.append(
                    Connectors.Finding(
                        "facts", isCovered ? .note : .decision,
                        "facts \(document.family.rawValue)/\(source) cannot be read: \(reason)",
                        decision: isCovered
                            ? nil
                            : "Make it readable (run as root, install the program), leave the family out "
                                + "of facts, or add facts to accept of this source."))
            }
        }
        return findings
    }

    private var isLive: Bool { settings.root == "/" }

    public func inventory() throws(Failure) -> Inventory {
        if !facts.isTaken { try facts.take(from: machine) }
        var inventory = try tree.inventory()
        for family in settings.families {
            let document = try facts.document(family)
            inventory.artifacts.append(
                ArtifactOutline(
                    name: "facts-\(family.rawValue)", slug: "facts-\(family.rawValue)",
                    kind: "facts", legal: .exportableData, format: "json", segments: 1,
                    expected: 1, bytes: Int64(document.text.count)))
            inventory.counts.append(
                .init("facts-\(family.rawValue)", .integer(Int64(document.items.count))))
        }
        inventory.artifacts.append(
            ArtifactOutline(
                name: "secrets", slug: "secrets", kind: "secret-list", legal: .exportableData,
                format: "json", segments: 1, after: [0], expected: 1, bytes: 4096))
        inventory.objects += Int64(settings.families.count) + 1
        inventory.facts = [
            "paths": .strings(settings.selection.paths),
            "root": .string(isLive ? "/" : "mounted"),
            "secrets": .string(settings.mode.rawValue),
            "references": .string(
                settings.mode != .reference
                    ? "none" : settings.referenceKey == nil ? "of this archive" : "of the plan"),
            "facts": .strings(settings.families.map(\.rawValue)),
        ]
        return inventory
    }

    // MARK: - Segments

    /// What an artifact of ours is, by its place in the inventory.
    private enum Part {
        case tree
        case facts(FactFamily)
        case secrets
    }

    private func part(_ artifact: Int) -> Part {
        if artifact < TreeExport.artifacts { return .tree }
        let place = artifact - TreeExport.artifacts
        return settings.families.indices.contains(place)
            ? .facts(settings.families[place]) : .secrets
    }

    public func export(
        _ number: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        let bytes: [UInt8]
        switch part(number.artifact) {
        case .tree: return try tree.export(number, into: &sink)
        case .facts(let family): bytes = try facts.bytes(family)
        case .secrets: bytes = try secrets().document
        }
        try sink.write(bytes)
        room.progress.add(bytes: Int64(bytes.count), objects: 1)
        return SegmentResult(exported: 1, omitted: 0)
    }

    /// The same each time: notes of committed segments do not change.
    private func secrets() throws(Failure) -> SecretList {
        if let list = list.withLock({ $0 }) { return list }
        var list = SecretList(mode: settings.mode, paths: settings.selection.paths)
        try tree.notes { (note) throws(Failure) in list.add(try SecretPlace(note)) }
        for place in try facts.secrets() { list.add(place) }
        let whole = list
        self.list.withLock { $0 = whole }
        return whole
    }

    public func conclude(_ artifact: Int) throws(Failure) -> Conclusion {
        switch part(artifact) {
        case .tree: return try tree.conclude(artifact)
        case .facts(let family):
            let document = try facts.document(family)
            return Conclusion(
                exported: 1,
                digests: [.init(FactDocument.digestName, .string(document.digest.hex))],
                counts: [.init("items", .integer(Int64(document.items.count)))],
                restoring: "cat > \"$HERE/facts-\(family.rawValue).json\"",
                notes: document.unread.map { source, reason in
                    "facts \(family.rawValue)/\(source) could not be read: \(reason)"
                })
        case .secrets:
            let list = try secrets()
            var notes = [
                "secrets: \(settings.mode.rawValue); places of secrets: \(list.places.count)"
            ]
            if !list.lacking.isEmpty {
                notes.append(
                    "\(list.lacking.count) secrets are not in the archive and have to be entered again: "
                        + "secrets.json lists where")
            }
            return Conclusion(
                exported: 1,
                digests: [.init("sha256", .string(SHA256.hash(list.document).hex))],
                counts: [.init("places", .integer(Int64(list.places.count)))] + list.counts,
                restoring: "cat > \"$HERE/secrets.json\"", notes: notes)
        }
    }

    // MARK: - Omissions

    public func omissions() throws(Failure) -> OmissionSummary {
        var summary = try tree.omissions()
        var documents: [FactDocument] = []
        for family in settings.families { documents.append(try facts.document(family)) }
        add(documents, try secrets(), to: &summary)
        return summary
    }

    /// A plan that names a mode has decided about secrets; nobody has about those outside the trees of a
    /// source that is to have them all.
    private var acceptsSecrets: Bool {
        settings.acceptsSecrets || settings.secrets != nil && settings.mode != .sealed
    }

    private func add(
        _ documents: [FactDocument], _ list: SecretList, to summary: inout OmissionSummary
    ) {
        for place in list.lacking {
            let isFact = place.family != nil
            summary.add(
                isFact && settings.mode == .sealed
                    ? "secrets-of-facts" : ConfigSettings.secretsWord,
                path: place.path, detail: place.description, accepted: acceptsSecrets)
        }
        for document in documents {
            for (source, reason) in document.unread {
                // Who names another machine's root has decided about what needs it to run.
                let isOfRunning = reason == FactDocument.ofRunningMachine
                summary.add(
                    isOfRunning ? "facts-of-running-machine" : ConfigSettings.factsWord,
                    path: Array("facts/\(document.family.rawValue)/\(source)".utf8),
                    detail: reason, accepted: settings.acceptsFacts || isOfRunning)
            }
        }
    }
}

extension FactDocument {
    /// The name under which the manifest has the digest.
    static let digestName = "sha256-canonical"
}

extension OmissionSummary {
    /// One more object by its path.
    fileprivate mutating func add(
        _ reason: String, path: [UInt8], detail: String, accepted: Bool
    ) {
        let line: JSON = .object([
            PathMember.member(path), .init("reason", .string(reason)),
            .init("detail", .string(detail)), .init("accepted", .bool(accepted)),
        ])
        if let place = counts.firstIndex(where: { $0.reason == reason && $0.accepted == accepted })
        {
            counts[place].count += 1
        } else {
            let place = counts.firstIndex { $0.reason > reason } ?? counts.endIndex
            counts.insert(Count(reason: reason, count: 1, accepted: accepted), at: place)
        }
        if lines.count < Self.mostLines { lines.append(line) }
    }
}
