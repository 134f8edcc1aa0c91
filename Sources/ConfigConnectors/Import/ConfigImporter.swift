import Archives
public import Basics
public import Connectors
import Glibc
public import Manifests
public import Plans
import Redaction
import Streams
import Synchronization
import Trees

/// Stages configurations in a directory, proves that they are what was sealed, and tells how they differ from
/// a machine; on request brings named parts to it.
public final class ConfigImporter: Importer {
    public static let kind = "configs"

    private let source: SourceRecord
    private let artifacts: any ArtifactSource
    private let room: Room
    private let settings: ConfigTarget
    private let tree: TreeImport
    /// Documents by their place in the source.
    private let documents: [Int]
    private let state = Mutex(State())

    private struct State {
        var treeSlices = 0
        var comparisons: [ImportResult.Comparison]?
    }

    public static func check(_ target: TargetPlan, _ problems: PlanProblems) {
        _ = ConfigTarget(target, problems)
    }

    public init(
        _ target: TargetPlan, source: SourceRecord, from artifacts: any ArtifactSource, room: Room,
        resuming: Bool
    ) throws(Failure) {
        let problems = PlanProblems()
        settings = ConfigTarget(target, problems)
        try problems.check()
        self.source = source
        self.artifacts = artifacts
        self.room = room
        documents = source.artifacts.indices.filter {
            StoredDocuments.isDocument(source.artifacts[$0])
        }
        tree = TreeImport(
            settings.destination, source: source, from: artifacts, room: room, resuming: resuming)
    }

    private var paths: [String] {
        (source.facts["paths"]?.array ?? []).compactMap(\.string)
    }

    // MARK: - Staging

    private var begunPath: String { room.directory + "/staging-begun" }

    public func prepare() throws(Failure) -> ImportOutline {
        try settings.checkPlace(paths)
        try checkParts()
        if settings.compares || !settings.apply.isEmpty, !Files.isDirectory(settings.root) {
            throw Failure(
                .notFound,
                "\"\(settings.root)\" is no directory: there is no machine to compare with",
                hint: "Correct `root` of the target, or say `compare: false`.")
        }
        for place in documents where !Self.isName(source.artifacts[place].name) {
            throw Failure(
                .manifestMalformed, "source \"\(source.name)\" has a document without a proper name"
            )
        }
        try Files.makeDirectory(settings.directory, mode: 0o700)
        if !Files.exists(begunPath), settings.destination.existing == .refuse {
            guard try TreeTarget.isVacant(settings.directory, but: ["tree"]) else {
                throw Failure(
                    .targetOccupied, "the target \"\(settings.directory)\" is not empty",
                    hint: "Choose another one, or say `existing: replace`.")
            }
        }
        var outline = try tree.prepare()
        let treeSlices = outline.slices
        state.withLock { $0.treeSlices = treeSlices }
        outline.slices += 1
        let units = documents.map { SegmentNumber(artifact: $0, segment: 0) }
        outline.rounds[0] += units
        outline.bytes += documents.reduce(0) { $0 + source.artifacts[$1].plainBytes }
        return outline
    }

    public func begin() throws(Failure) {
        try Files.write([], to: begunPath, mode: 0o600)
        try tree.begin()
    }

    /// Names of documents become names of files.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { (0x61...0x7a).contains($0) || $0 == 0x2d }
    }

    /// Named parts are parts of what the archive has, and their machine is no archive of something else.
    private func checkParts() throws(Failure) {
        for part in settings.apply {
            let isCovered = paths.contains { path in
                path == "/" || part == path || part.hasPrefix(path + "/")
            }
            guard isCovered else {
                throw Failure(
                    .planInvalidValue,
                    "\"apply\" names \"\(part)\", which the archive does not have",
                    hint: "Its trees are: \(paths.joined(separator: ", ")).")
            }
        }
    }

    public func replay(_ segment: SegmentNumber) throws(Failure) {
        guard documents.contains(segment.artifact) else { return try tree.replay(segment) }
        let record = source.artifacts[segment.artifact]
        let path = settings.documentPath(record.name)
        try Files.makeDirectory(Files.parent(of: path), mode: 0o700)
        let bytes = try StoredDocuments.read(record, from: artifacts)
        try Files.write(bytes, to: path, mode: 0o600)
        room.progress.add(bytes: Int64(bytes.count), objects: 1)
    }

    public func finish() throws(Failure) { try tree.finish() }

    // MARK: - Proof

    public func compare(_ slice: Int) throws(Failure) {
        guard slice == state.withLock({ $0.treeSlices }) else { return try tree.compare(slice) }
        var comparisons: [ImportResult.Comparison] = []
        for place in documents {
            let record = source.artifacts[place]
            let path = settings.documentPath(record.name)
            let bytes =
                Files.exists(path)
                ? try Files.read(path, limit: Int(StoredDocuments.largest)) : []
            comparisons.append(
                .init(
                    name: record.name, expected: StoredDocuments.expected(record),
                    found: StoredDocuments.digest(record, bytes)))
        }
        let found = comparisons
        state.withLock { $0.comparisons = found }
    }

    public func conclude(counting: Bool) throws(Failure) -> ImportResult {
        var result = try tree.conclude(counting: counting)
        if let comparisons = state.withLock({ $0.comparisons }) {
            result.comparisons += comparisons
        } else if counting {
            let found = documents.filter { place in
                Files.exists(settings.documentPath(source.artifacts[place].name))
            }
            result.comparisons.append(
                .init(
                    name: "documents", expected: String(documents.count),
                    found: String(found.count)))
        }
        result.counts.append(.init("documents", .integer(Int64(documents.count))))
        let redaction = try redaction()
        if settings.compares { try compareMachine(redaction, &result) }
        if !settings.apply.isEmpty { try apply(redaction, &result) }
        return result
    }

    // MARK: - The machine

    /// How what the archive lacks is taken out of the machine's files as well.
    private struct Masking {
        /// nil where the archive has all secrets.
        let ofFiles: Redactor?
        let ofFacts: Redactor
        let dropsReferences: Bool
    }

    private func redaction() throws(Failure) -> Masking {
        let mode = source.facts["secrets"]?.string.flatMap { RedactionMode(rawValue: $0) } ?? .omit
        let omitting = try Redactor(mode: .omit)
        guard mode != .sealed else {
            return Masking(ofFiles: nil, ofFacts: omitting, dropsReferences: false)
        }
        guard mode == .reference, let key = settings.referenceKey,
            source.facts["references"]?.string == "of the plan"
        else { return Masking(ofFiles: omitting, ofFacts: omitting, dropsReferences: true) }
        let referring = try Redactor(
            mode: .reference, key: try RedactionKey(hex: key.revealed()))
        return Masking(ofFiles: referring, ofFacts: referring, dropsReferences: false)
    }

    private func isWithin(_ path: [UInt8]) -> Bool {
        let text = "/" + String(decoding: path, as: UTF8.self)
        return paths.contains { $0 == "/" || text == $0 || text.hasPrefix($0 + "/") }
    }

    private func compareMachine(
        _ redaction: Masking, _ result: inout ImportResult
    ) throws(Failure) {
        var files = try MachineFiles(
            staged: settings.treePath, machine: settings.root, redactor: redaction.ofFiles,
            dropsReferences: redaction.dropsReferences, progress: room.progress)
        try tree.eachItem { (item) throws(Failure) in
            try files.add(item, isWithin: isWithin(item.path))
        }
        try files.findOthers(paths)
        var differences = files.result
        let machine = Machine(
            root: settings.root, paths: paths, repositories: [], redactor: redaction.ofFacts,
            progress: room.progress)
        for place in documents where source.artifacts[place].kind == "facts" {
            let path = settings.documentPath(source.artifacts[place].name)
            var bytes = try Files.read(path, limit: Int(StoredDocuments.largest))
            if redaction.dropsReferences { bytes = Placeholders.withoutReferences(bytes) }
            let here = try FactDocument(parsing: bytes)
            let comparison = FactsComparison(here, try machine.facts(here.family))
            if here.family == .packages {
                differences.packages = try PackageAvailability.check(comparison, machine)
            }
            differences.facts.append(comparison)
        }
        differences.toEnter = try secretsToEnter()
        try DifferencesReport(
            title: DifferencesTitle(
                source: source.name, machine: settings.root, takenAt: room.world.now().text),
            differences: differences
        ).write(to: settings.directory)
        result.counts += differences.counts
        result.remarks.append([
            "what": "differences from the machine",
            "files": .strings(
                ["json", "txt", "html"].map { "\(settings.directory)/differences.\($0)" }),
        ])
    }

    /// Of the staged list: what the archive does not have.
    private func secretsToEnter() throws(Failure) -> [SecretPlace] {
        guard let place = documents.first(where: { source.artifacts[$0].kind == "secret-list" })
        else { return [] }
        let path = settings.documentPath(source.artifacts[place].name)
        let json = try JSON(parsing: Files.read(path, limit: Int(StoredDocuments.largest)))
        let mode = json["secrets"]?.string.flatMap { RedactionMode(rawValue: $0) } ?? .omit
        var list = SecretList(mode: mode, paths: paths)
        for line in json["places"]?.array ?? [] { list.add(try SecretPlace(line)) }
        return list.lacking
    }

    private func apply(_ redaction: Masking, _ result: inout ImportResult) throws(Failure) {
        var application = try Application(
            staged: settings.treePath, machine: settings.root,
            backup: settings.directory + "/replaced",
            parts: settings.apply.map { Array($0.utf8.dropFirst()) }, isDryRun: settings.isDryRun,
            redactor: redaction.ofFiles, dropsReferences: redaction.dropsReferences)
        try tree.eachItem { (item) throws(Failure) in try application.add(item) }
        let steps = application.steps
        let report = ApplicationReport(
            steps: steps, machine: settings.root, isDryRun: settings.isDryRun)
        try report.write(to: settings.directory)
        result.counts += report.counts
        result.remarks.append([
            "what": settings.isDryRun ? "what would be applied" : "what was applied",
            "files": .strings(["json", "txt"].map { "\(settings.directory)/applied.\($0)" }),
        ])
        guard !settings.isDryRun else { return }
        // What was asked for and not done is a shortfall of the target.
        let refused = steps.filter { $0.action == .refuse }
        result.shortfallCount += Int64(refused.count)
        result.shortfalls += refused.prefix(OmissionSummary.mostLines).map { step in
            .object([
                PathMember.member(step.path), .init("attribute", "apply"),
                .init("reason", .string(step.reason)),
            ])
        }
    }
}

/// What was applied, or would be.
struct ApplicationReport {
    let steps: [Application.Step]
    let machine: String
    let isDryRun: Bool

    var counts: [JSON.Member] {
        let words: [(Application.Action, String)] = [
            (.create, "created"), (.replace, "replaced"), (.refuse, "refused"),
            (.same, "unchanged"),
        ]
        return words.map { action, word in
            let count = steps.filter { $0.action == action }.count
            return .init((isDryRun ? "would-be-" : "applied-") + word, .integer(Int64(count)))
        }
    }

    func write(to directory: String) throws(Failure) {
        let json: JSON = [
            "exeat-applied": 1, "machine": .string(machine), "dry-run": .bool(isDryRun),
            "counts": .object(counts),
            "steps": .array(
                steps.map { step in
                    var members: [JSON.Member] = [
                        PathMember.member(step.path),
                        .init("action", .string(step.action.rawValue)),
                    ]
                    if !step.reason.isEmpty {
                        members.append(.init("reason", .string(step.reason)))
                    }
                    return .object(members)
                }),
        ]
        var lines = [
            isDryRun ? "Dry run: nothing was changed on \(machine)" : "Applied to \(machine)"
        ]
        for step in steps where step.action != .same || !step.reason.isEmpty {
            let name = String(decoding: step.path, as: UTF8.self).replacing("\n", with: "\\u{a}")
            lines.append(
                "\(step.action.rawValue)  /\(name)"
                    + (step.reason.isEmpty ? "" : "  (\(step.reason))"))
        }
        try Files.write(
            Array(json.pretty.utf8) + [0x0a], to: directory + "/applied.json", mode: 0o600)
        try Files.write(
            Array((lines.joined(separator: "\n") + "\n").utf8), to: directory + "/applied.txt",
            mode: 0o600)
    }
}
