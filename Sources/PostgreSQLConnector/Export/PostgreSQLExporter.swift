public import Basics
public import Connectors
public import Manifests
public import Plans
import Primitives
public import Streams
import Synchronization

/// Exports one database of a PostgreSQL server at one moment. See docs/connectors/postgresql.md.
public final class PostgreSQLExporter: Exporter {
    public static let kind = "postgresql"
    /// A snapshot ends with the session that took it.
    public static let survivesInterruption = false

    let settings: PostgreSQLSettings
    let info: ConnectionInfo
    let room: Room
    private let source: String
    /// What only lives as long as the moment does.
    private struct Open: Sendable {
        let snapshot: Snapshot
        let layout: DatabaseLayout
        let dump: Tool
        let dumpAll: Tool
        let salt: [UInt8]
    }
    private let open = Mutex<Open?>(nil)
    private let saved = Mutex<SavedInventory?>(nil)
    private let sums: Mutex<SegmentSums?>

    public init(_ source: SourcePlan, room: Room) throws(Failure) {
        let problems = PlanProblems()
        settings = PostgreSQLSettings(source, problems)
        try problems.check()
        guard let connection = settings.connection else {
            throw Failure(.planMissingValue, "\"connection\" of \"\(source.name)\" is missing")
        }
        info = connection
        self.source = source.name
        self.room = room
        guard settings.secrets != .sealed || room.isEncrypted else {
            throw Failure(
                .planInvalidValue, "\"secrets: sealed\" needs an encrypted archive",
                hint: "Name the recipients in archive.encrypt-to, or choose omit or reference.")
        }
        sums = Mutex(
            room.directory.isEmpty ? nil : try SegmentSums(room.directory + "/sums"))
    }

    public static func check(_ source: SourcePlan, _ problems: PlanProblems) {
        _ = PostgreSQLSettings(source, problems)
    }

    public func survey() throws(Failure) -> Survey {
        try DatabaseSurvey(settings, info, progress: room.progress).survey()
    }

    public func inventory() throws(Failure) -> Inventory {
        let path = room.directory + "/inventory"
        if !Files.exists(path) { try take(to: path) }
        let saved = try SavedInventory(reading: path)
        self.saved.withLock { $0 = saved }
        return saved.inventory
    }

    /// Takes the moment, and with it the list of what must be exported.
    private func take(to path: String) throws(Failure) {
        let salt = room.world.random(RowSum.saltSize)
        let snapshot = try Snapshot(info, progress: room.progress)
        let (settings, source) = (settings, source)
        let (layout, survey) = try snapshot.withHolder { (connection) throws(Failure) in
            let catalog = try Catalog(connection)
            var survey = DatabaseSurvey(settings, catalog)
            try survey.look(connection)
            try survey.refuse()
            let layout = try DatabaseLayout(
                catalog, survey.selection, secrets: settings.secrets, connection)
            return (layout, survey)
        }
        let facts = layout.catalog.facts
        let dump = try Tool.find("pg_dump", atLeast: facts.major)
        let dumpAll = try Tool.find("pg_dumpall", atLeast: facts.major)
        let commands = RestoringCommands(
            source: source, database: facts.name, encoding: facts.encoding)
        let artifacts = layout.items.map { item in
            let restoring: String
            switch item.content {
            case .roles: restoring = commands.roles
            case .table(let table, _):
                restoring = commands.rows(
                    table: table.relation.quoted,
                    columns: layout.catalog.columns[table.relation.oid] ?? [])
            case .largeObjects: restoring = commands.largeObjects
            default:
                restoring =
                    item.kind == "database" || item.kind == "role-passwords"
                    ? commands.maintenance : commands.statements
            }
            return SavedInventory.Artifact(
                outline: item.outline, restoring: item.format == "jsonl" ? nil : restoring)
        }
        let omissions = survey.selection.summary
        let expected = layout.items.reduce(0) { $0 + $1.expected }
        let saved = SavedInventory(
            artifacts: artifacts, objects: expected + omissions.total,
            moment: Moment(kind: "snapshot", value: "\(snapshot.identifier) at \(facts.position)"),
            facts: [
                "database": .string(facts.name), "encoding": .string(facts.encoding),
                "version": .integer(Int64(facts.version)), "salt": .string(Hex.encode(salt)),
                "snapshot": .string(snapshot.identifier), "lsn": .string(facts.position),
                "standby": .bool(facts.isStandby), "blockSize": .integer(facts.blockSize),
                "secrets": .string(settings.secrets?.rawValue ?? "omit"),
                "tool": .string("pg_dump \(dump.major)"),
            ],
            counts: survey.counts, omissions: omissions)
        try saved.write(to: path)
        open.withLock {
            $0 = Open(
                snapshot: snapshot, layout: layout, dump: dump, dumpAll: dumpAll, salt: salt)
        }
    }

    public func export(
        _ number: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        guard let open = open.withLock({ $0 }) else {
            throw Failure(
                .snapshotLost, "the consistent moment of the export is lost",
                hint: "Export to a new output.")
        }
        let item = open.layout.items[number.artifact]
        do throws(Failure) {
            switch item.content {
            case .text(let text):
                try sink.write(text)
                room.progress.add(objects: 1)
                return SegmentResult(exported: 1, omitted: 0)
            case .roles, .preData, .postData:
                try dump(item.content, open, into: &sink)
                return SegmentResult(exported: 1, omitted: 0)
            case .table(let table, let segments):
                let columns = open.layout.catalog.columns[table.relation.oid] ?? []
                let statements = segments[number.segment].map { piece in
                    TableSegments.statement(
                        piece, columns: columns, condition: table.relation.extensionCondition,
                        encoding: open.layout.catalog.facts.encoding)
                }
                try copy(statements, number, open, into: &sink)
                return SegmentResult(exported: number.segment == 0 ? 1 : 0, omitted: 0)
            case .largeObjects(let ranges, let counts):
                let facts = open.layout.catalog.facts
                let statement = LargeObjects.statement(
                    ranges[number.segment], encoding: facts.encoding, blockSize: facts.blockSize)
                try copy([statement], number, open, into: &sink)
                return SegmentResult(exported: counts[number.segment], omitted: 0)
            }
        } catch {
            throw error.during("cannot export \(item.kind) \"\(item.name)\"")
        }
    }

    private func copy(
        _ statements: [String], _ number: SegmentNumber, _ open: Open,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        var summer = LineSummer(salt: open.salt)
        var chunk = Chunk()
        for statement in statements {
            let before = summer.sum.rows
            let connection = try open.snapshot.borrow()
            let told: Int64
            do throws(Failure) {
                told = try unsafe connection.copyOut(statement, chunk: &chunk) {
                    (bytes) throws(Failure) in
                    unsafe summer.update(bytes)
                    try unsafe sink.write(buffer: bytes)
                }
            } catch { throw open.snapshot.failed(error) }
            open.snapshot.giveBack(connection)
            // The server says how many rows it has sent; each must have passed here, whole.
            guard !summer.endsInside, summer.sum.rows - before == told else {
                throw Failure(
                    .serverLost,
                    "the server sent \(told) rows, \(summer.sum.rows - before) arrived",
                    mayRetry: true)
            }
        }
        try sums.withLock { $0 }?.note(summer.sum, for: number)
        room.progress.add(objects: summer.sum.rows)
    }

    private func dump(
        _ content: DatabaseLayout.Content, _ open: Open, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        try open.snapshot.check()
        let (conninfo, password) = try info.forTool()
        var arguments = ["--no-password", "--dbname=" + conninfo]
        let tool: Tool
        if case .roles = content {
            tool = open.dumpAll
            arguments += ["--globals-only", "--no-role-passwords", "--encoding=UTF8"]
        } else {
            tool = open.dump
            arguments += DumpArguments.section(
                { if case .preData = content { "pre-data" } else { "post-data" } }(),
                snapshot: open.snapshot.identifier, open.layout.selection)
        }
        var filter = DumpText()
        var kept: [UInt8] = []
        try unsafe tool.run(arguments, password: password, progress: room.progress) {
            (bytes) throws(Failure) in
            unsafe filter.filter(bytes, into: &kept)
            try sink.write(kept)
            kept.removeAll(keepingCapacity: true)
        }
        filter.finish(into: &kept)
        try sink.write(kept)
        room.progress.add(objects: 1)
    }

    public func conclude(_ artifact: Int) throws(Failure) -> Conclusion {
        guard let saved = saved.withLock({ $0 }), let sums = sums.withLock({ $0 }) else {
            throw Failure(.failed, "a conclusion before the inventory")
        }
        // What was stored while the moment was held is whole; a lost one must not go unseen.
        if let open = open.withLock({ $0 }) { try open.snapshot.check() }
        let item = saved.artifacts[artifact]
        var digests: [JSON.Member] = []
        var counts: [JSON.Member] = [.init("entries", .integer(item.outline.expected))]
        if item.outline.format == "copy" {
            let sum = try sums.total(artifact, segments: item.outline.segments)
            digests.append(.init("rows-sha256-sum", .string(sum.total.hex)))
            counts.append(.init("rows", .integer(sum.rows)))
        }
        return Conclusion(digests: digests, counts: counts, restoring: item.restoring)
    }

    public func omissions() throws(Failure) -> OmissionSummary {
        guard let saved = saved.withLock({ $0 }) else {
            throw Failure(.failed, "omissions before the inventory")
        }
        return saved.omissions
    }
}
