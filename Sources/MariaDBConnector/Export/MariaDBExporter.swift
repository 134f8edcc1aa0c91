public import Basics
public import Connectors
import Databases
import Manifests
public import Plans
import Primitives
public import Streams
import Synchronization

/// Exports databases of a MariaDB or MySQL server in one consistent moment.
///
/// All sessions take their snapshots while commits are held back for a short time. See
/// docs/connectors/mariadb.md.
public final class MariaDBExporter: Exporter {
    public static let kind = "mariadb"
    public static let outlivesProcess = false

    private let settings: MariaDBSettings
    private let room: Room
    private let notes: RowNotes
    private let state = Mutex(State())

    private struct State {
        var contents: ExportContents<ExportedBody>?
        var pool: SessionPool<Session>?
        /// Keeps tables without transactions as they are.
        var tableLock: Session?
    }

    public init(_ source: SourcePlan, room: Room) throws(Failure) {
        let problems = PlanProblems()
        settings = MariaDBSettings(source, problems)
        try problems.check()
        self.room = room
        notes = RowNotes(directory: room.directory)
    }

    public static func check(_ source: SourcePlan, _ problems: PlanProblems) {
        _ = MariaDBSettings(source, problems)
    }

    public func survey() throws(Failure) -> Survey {
        let session = try Session(settings.options, progress: room.progress)
        return try ServerSurvey(
            session: session, settings: settings, isEncrypted: room.isEncrypted
        ).make()
    }

    // MARK: - Inventory

    private var path: String { room.directory + "/server" }

    public func inventory() throws(Failure) -> Inventory {
        let contents: ExportContents<ExportedBody>
        if Files.exists(path) {
            contents = try ExportContents(reading: path)
        } else {
            let result = try InventoryMaker(
                options: settings.options, settings: settings, room: room
            ).make()
            contents = result.contents
            state.withLock {
                $0.pool = SessionPool(result.moment.sessions)
                $0.tableLock = result.moment.tableLock
            }
            // The file is the sign that the rest of the room is whole.
            try contents.write(to: path)
        }
        state.withLock { $0.contents = contents }
        return contents.inventory
    }

    private func taken() throws(Failure) -> ExportContents<ExportedBody> {
        guard let contents = state.withLock({ $0.contents }) else {
            throw Failure(.failed, "an export before the inventory")
        }
        return contents
    }

    // MARK: - Segments

    public func export(
        _ number: SegmentNumber, into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) -> SegmentResult {
        let contents = try taken()
        switch contents.artifacts[number.artifact].body {
        case .file(let name):
            try RoomFile.copy(room.directory + "/" + name, into: &sink, room.progress)
            return SegmentResult(exported: 1, omitted: 0)
        case .table(let columns, let hasHistory, let segments):
            let pieces = segments[number.segment]
            var hasher = RowHasher(salt: contents.salt)
            var longest = LongestRow()
            var chunk = Chunk()
            for piece in pieces {
                try read(
                    piece, columns, hasHistory: hasHistory, &hasher, &longest, &chunk, into: &sink)
            }
            guard hasher.isAtEnd else {
                throw Failure(.databaseRefused, "a row of a table came without its end")
            }
            room.progress.add(objects: hasher.digest.count)
            try notes.write(hasher.digest, longest: longest.most, for: number)
            return SegmentResult(exported: Int64(pieces.count), omitted: 0)
        }
    }

    private func read(
        _ piece: TablePiece, _ columns: [Column], hasHistory: Bool, _ hasher: inout RowHasher,
        _ longest: inout LongestRow, _ chunk: inout Chunk,
        into sink: inout some ByteSink & ~Copyable
    ) throws(Failure) {
        guard let pool = state.withLock({ $0.pool }) else {
            throw Self.momentLost(Failure(.databaseMomentLost, "no session is open"))
        }
        let progress = room.progress
        let statement = Table.select(
            columns, of: piece.qualified, hasHistory: hasHistory, piece.condition)
        do throws(Failure) {
            try pool.with(isStopping: { progress.isCancelled }) { (session) throws(Failure) in
                // What is read keeps its definition from being changed for the time of the
                // transaction: with the savepoint, for the time of this piece.
                try session.execute("SAVEPOINT piece")
                let before = hasher.digest.count
                let count: Int64
                do throws(Failure) {
                    count = try unsafe session.stream(
                        statement, into: &chunk,
                        row: { (piece) throws(Failure) in
                            unsafe hasher.update(row: piece)
                            unsafe longest.update(row: piece)
                        },
                        full: { (chunk) throws(Failure) in
                            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                                try unsafe sink.write(buffer: bytes)
                                progress.add(bytes: Int64(bytes.count))
                            }
                        })
                } catch {
                    guard ServerError.Number.changed.contains(session.lastError) else {
                        throw error
                    }
                    throw Self.changed(piece, error)
                }
                guard hasher.digest.count - before == count else {
                    throw Failure(
                        .databaseRefused,
                        "\(count) rows have come and \(hasher.digest.count - before) were counted",
                        hint: "Report this: it is a fault of exeat.")
                }
                // While it is read it keeps its name, which another table may have had in the moment.
                if try piece.isAnother(session) { throw Self.changed(piece, nil) }
                try session.execute("ROLLBACK TO SAVEPOINT piece")
            }
        } catch {
            throw error.code == .databaseUnreachable ? Self.momentLost(error) : error
        }
    }

    private static func changed(_ piece: TablePiece, _ cause: Failure?) -> Failure {
        Failure(
            .databaseMomentLost,
            "the definition of \(piece.database).\(piece.table) was changed after the moment of the "
                + "export",
            hint: "Run the same command again: this source begins anew at another moment.",
            cause: cause)
    }

    private static func momentLost(_ cause: Failure) -> Failure {
        Failure(
            .databaseMomentLost, "a session that held the moment of the export is gone",
            hint: "Run the same command again: this source begins anew at another moment.",
            cause: cause)
    }

    // MARK: - Conclusion

    public func conclude(_ artifact: Int) throws(Failure) -> Conclusion {
        let outline = try taken().artifacts[artifact]
        var conclusion = Conclusion(exported: outline.objects, restoring: outline.restoring)
        if case .table = outline.body {
            let total = try notes.total(artifact: artifact, segments: outline.body.segments)
            conclusion.set(rows: total.rows)
            conclusion.counts.append(.init("longest-row", .integer(Int64(total.longest))))
        }
        return conclusion
    }

    /// In a session of the moment.
    public func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        guard let pool = state.withLock({ $0.pool }) else {
            throw Self.momentLost(Failure(.databaseMomentLost, "no session is open"))
        }
        return try pool.with { (session) throws(Failure) in
            try session.execute("SAVEPOINT probe")
            var answer: Result<ProbeAnswer, Failure>
            // A wrong question must not cost a session.
            do throws(Failure) { answer = .success(try session.answer(question)) } catch {
                if error.code == .databaseUnreachable { throw error }
                answer = .failure(error)
            }
            // What was read would keep its definition until the end of the export.
            try session.execute("ROLLBACK TO SAVEPOINT probe")
            return answer
        }.get()
    }

    public func omissions() throws(Failure) -> OmissionSummary {
        // Everything is read: who waits to write may go on.
        state.withLock { $0.tableLock = nil }
        return try taken().omissions
    }
}

/// The bytes of the longest row, taken from pieces that end with a line feed where a row does.
struct LongestRow {
    private(set) var most = 0
    private var current = 0

    mutating func update(row bytes: UnsafeRawBufferPointer) {
        current += bytes.count
        guard unsafe bytes.last == 0x0a else { return }
        most = max(most, current)
        current = 0
    }
}
