public import Basics
public import Connectors
import Databases
import Manifests
public import Plans
import Primitives
public import Streams
import Synchronization

/// Exports one database of a PostgreSQL server in one consistent moment.
///
/// A session holds an exported snapshot for the whole run; all others, and pg_dump, read in it. The
/// definitions are written by pg_dump; rows move as COPY text. See docs/connectors/postgresql.md.
public final class PostgreSQLExporter: Exporter {
    public static let kind = "postgresql"
    public static let outlivesProcess = false

    private let settings: PostgreSQLSettings
    private let room: Room
    private let conninfo: Conninfo
    private let state = Mutex(State())

    private struct State {
        var contents: ExportContents<ExportedBody>?
        /// Holds the snapshot and the locks.
        var holder: Connection?
        var pool: SessionPool<Connection>?
    }

    public init(_ source: SourcePlan, room: Room) throws(Failure) {
        let problems = PlanProblems()
        settings = PostgreSQLSettings(source, problems)
        try problems.check()
        self.room = room
        conninfo = try Conninfo(
            settings.connection ?? Secret(""), password: settings.password)
    }

    public static func check(_ source: SourcePlan, _ problems: PlanProblems) {
        _ = PostgreSQLSettings(source, problems)
    }

    public func survey() throws(Failure) -> Survey {
        let connection = try Connection(conninfo, progress: room.progress)
        return try DatabaseSurvey(
            connection: connection, settings: settings, room: room.directory,
            isEncrypted: room.isEncrypted
        ).make()
    }

    // MARK: - Inventory

    private var path: String { room.directory + "/database" }

    public func inventory() throws(Failure) -> Inventory {
        let contents = Files.exists(path) ? try ExportContents(reading: path) : try take()
        state.withLock { $0.contents = contents }
        return contents.inventory
    }

    private func take() throws(Failure) -> ExportContents<ExportedBody> {
        let holder = try Connection(conninfo, progress: room.progress)
        let snapshot = try takeMoment(holder)
        let contents = try InventoryMaker(
            connection: holder, conninfo: conninfo, settings: settings, room: room.directory,
            progress: room.progress, salt: room.world.random(16), snapshot: snapshot,
            isEncrypted: room.isEncrypted
        ).make()
        // The file is the sign that the rest of the room is whole.
        try contents.write(to: path)
        let (conninfo, progress) = (conninfo, room.progress)
        let pool = SessionPool { () throws(Failure) in
            let connection = try Connection(conninfo, progress: progress)
            try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            do throws(Failure) {
                try connection.execute("SET TRANSACTION SNAPSHOT \(snapshot.quotedString)")
            } catch { throw Self.momentLost(error) }
            return connection
        }
        state.withLock {
            $0.holder = holder
            $0.pool = pool
        }
        return contents
    }

    /// Keeps others from changing the definitions until the end, then takes the moment; what others
    /// change in rows is invisible to the snapshot.
    ///
    /// In this order: TRUNCATE and what rewrites a table empty it for every older snapshot, in
    /// silence. LOCK TABLE takes no snapshot by itself, so the names are read before the transaction.
    private func takeMoment(_ holder: Connection) throws(Failure) -> String {
        var locked: Set<String> = []
        var relations = try Self.lockable(holder)
        try holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try lock(relations, holder)
        locked.formUnion(relations.map(\.oid))
        guard let snapshot = try holder.value("SELECT pg_export_snapshot()") else {
            throw Failure(.databaseRefused, "the server exports no snapshot")
        }
        // What came into being in between was not locked, and may have been emptied already.
        relations = try Self.lockable(holder).filter { !locked.contains($0.oid) }
        try lock(relations, holder)
        for relation in relations {
            // The snapshot sees one file, the server uses another: it was rewritten.
            let stale = try holder.value(
                """
                SELECT pg_relation_filenode(oid) IS DISTINCT FROM relfilenode::oid FROM pg_class
                WHERE oid = \(relation.oid)::oid AND relkind = 'r' AND relfilenode <> 0
                """)
            guard stale != "t" else {
                throw Failure(
                    .databaseRefused,
                    "\(relation.qualified) was rewritten while the moment was taken",
                    hint: "Run the same command again.", mayRetry: true)
            }
        }
        return snapshot
    }

    /// Tables and partitions, those of extensions included.
    private static func lockable(_ holder: Connection) throws(Failure) -> [Relation] {
        try RelationCatalog(holder).all.filter {
            ($0.kind == .table || $0.kind == .partitioned) && $0.mayRead
        }
    }

    private func lock(_ relations: [Relation], _ holder: Connection) throws(Failure) {
        try holder.execute("SET LOCAL lock_timeout = '60s'")
        var names = relations.map { "ONLY " + $0.qualified }[...]
        while !names.isEmpty {
            do throws(Failure) {
                try holder.execute(
                    "LOCK TABLE \(names.prefix(200).joined(separator: ", ")) IN ACCESS SHARE MODE")
            } catch {
                throw error.during(
                    "cannot keep the definitions as they are for the time of the export",
                    hint: holder.lastState == "55P03"
                        ? "A change of definitions is under way; export when it is done." : nil)
            }
            names = names.dropFirst(200)
        }
        try holder.execute("SET LOCAL lock_timeout = 0")
    }

    private static func momentLost(_ cause: Failure) -> Failure {
        Failure(
            .databaseMomentLost, "the session that held the moment of the export is gone",
            hint: "Run the same command again: this source begins anew at another moment.",
            cause: cause)
    }

    // MARK: - Segments

    public func export(
        _ number: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        guard let contents = state.withLock({ $0.contents }) else {
            throw Failure(.failed, "an export before the inventory")
        }
        let artifact = contents.artifacts[number.artifact]
        switch artifact.body {
        case .file(let name):
            try RoomFile.copy(room.directory + "/" + name, into: &sink, room.progress)
            return SegmentResult(exported: 1, omitted: 0)
        case .table(let columns, let segments):
            // A table without leaves (a partitioned one) has one segment with nothing in it.
            let pieces = segments.isEmpty ? [] : segments[number.segment]
            let statements = pieces.map {
                $0.copy(columns: columns, encoding: contents.facts["encoding"]?.string ?? "UTF8")
            }
            try copy(statements, contents.salt, number, into: &sink)
            return SegmentResult(exported: Int64(pieces.count), omitted: 0)
        case .largeObjects(let batches):
            let batch = batches[number.segment]
            try copy(
                [LargeObjects.copy(from: batch.first, to: batch.last)], contents.salt, number,
                into: &sink)
            return SegmentResult(exported: 1, omitted: 0)
        }
    }

    /// Writes the rows of several statements one after the other, and keeps their digest.
    private func copy(
        _ statements: [String], _ salt: [UInt8], _ number: SegmentNumber,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        guard let pool = state.withLock({ $0.pool }) else {
            throw Self.momentLost(Failure(.databaseMomentLost, "no session is open"))
        }
        var hasher = RowHasher(salt: salt)
        var chunk = Chunk()
        let progress = room.progress
        do throws(Failure) {
            try pool.with { (connection) throws(Failure) in
                for statement in statements {
                    let before = hasher.digest.count
                    let sent = try unsafe connection.copyOut(
                        statement, into: &chunk,
                        row: { (piece) throws(Failure) in unsafe hasher.update(row: piece) },
                        full: { (chunk) throws(Failure) in
                            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                                try unsafe sink.write(buffer: bytes)
                                progress.add(bytes: Int64(bytes.count))
                            }
                        })
                    guard hasher.digest.count - before == sent else {
                        throw Failure(
                            .databaseRefused,
                            "the server counts \(sent) rows and \(hasher.digest.count - before) have "
                                + "come", hint: "Report this: it is a fault of exeat.")
                    }
                }
            }
        } catch {
            throw error.code == .databaseUnreachable ? Self.momentLost(error) : error
        }
        guard hasher.isAtEnd else {
            throw Failure(.databaseRefused, "the server sent a row without its end")
        }
        let digest = hasher.digest
        progress.add(objects: digest.count)
        try RowNotes(directory: room.directory).write(digest, for: number)
    }

    // MARK: - Conclusion

    public func conclude(_ artifact: Int) throws(Failure) -> Conclusion {
        guard let contents = state.withLock({ $0.contents }) else {
            throw Failure(.failed, "a conclusion before the inventory")
        }
        let outline = contents.artifacts[artifact]
        var conclusion = Conclusion(exported: outline.objects, restoring: outline.restoring)
        if case .file = outline.body { return conclusion }
        conclusion.set(
            rows: try RowNotes(directory: room.directory).total(
                artifact: artifact, segments: outline.body.segments
            ).rows)
        return conclusion
    }

    public func omissions() throws(Failure) -> OmissionSummary {
        guard let contents = state.withLock({ $0.contents }) else {
            throw Failure(.failed, "omissions before the inventory")
        }
        return contents.omissions
    }

    /// In a session of the snapshot.
    public func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        guard let pool = state.withLock({ $0.pool }) else {
            throw Self.momentLost(Failure(.databaseMomentLost, "no session is open"))
        }
        // A wrong question must not cost a session.
        return try pool.with { (connection) throws(Failure) in
            do throws(Failure) {
                return Result<ProbeAnswer, Failure>.success(try connection.answer(question))
            } catch {
                if error.code == .databaseUnreachable { throw error }
                return .failure(error)
            }
        }.get()
    }
}
