import Basics
import Connectors
import Databases
import Glibc
import Manifests
import Primitives
import Streams

/// Takes the inventory of a server in the moment that its export reads, and writes the definitions
/// to the room.
struct InventoryMaker {
    let options: ConnectionOptions
    let settings: MariaDBSettings
    let room: Room

    /// Definitions that change while they are read are read again so often.
    private static let attempts = 3

    struct Result {
        let contents: ExportContents<ExportedBody>
        let moment: ConsistentMoment
    }

    func make() throws(Failure) -> Result {
        let session = try Session(options, progress: room.progress)
        let server = try ServerFacts(session)
        for attempt in 1... {
            do throws(Failure) { return try take(session, server) } catch {
                guard error.mayRetry, attempt < Self.attempts else { throw error }
            }
        }
        throw Failure(.failed, "unreachable")
    }

    private func take(_ session: Session, _ server: ServerFacts) throws(Failure) -> Result {
        let reader = DefinitionReader(session: session, server: server)
        let (scope, before) = try read(session, server, reader)
        try check(scope, session)
        let definitions = try StoredDefinitions(scope, reader, session, server)
        if settings.secrets == .sealed, !definitions.accounts.areVisible {
            throw Failure(
                .databaseRights, "\(server.user) may not read the accounts (mysql.user)",
                hint: "GRANT SELECT ON mysql.* to the account, or say secrets: omit.")
        }
        let moment = try ConsistentMoment.take(
            options, server, tables: scope.tables + scope.sequences,
            locking: settings.nonTransactional == .lock ? scope.nonTransactional : [],
            count: max(1, room.workers), timeout: settings.lockTimeout, progress: room.progress)
        // The definitions were read before the moment: they are the moment's if nothing has changed.
        guard try ExportScope.names(session, server, settings) == scope.databases,
            try reader.fingerprint(scope.databases) == before
        else {
            throw Failure(
                .databaseRefused, "definitions were changed while the moment was taken",
                hint: "Run the same command again, at a time without changes of definitions.",
                mayRetry: true)
        }
        let contents = try self.contents(scope, definitions, moment, session, server)
        return Result(contents: contents, moment: moment)
    }

    private func check(_ scope: ExportScope, _ session: Session) throws(Failure) {
        if let pattern = scope.unmatchedIncludes.first {
            throw Failure(
                .planInvalidValue, "nothing on the server fits \"\(pattern)\" of include",
                hint: "Correct the pattern, or leave it out.")
        }
        if let reference = try scope.brokenReferences(session).first {
            throw Failure(
                .planInvalidValue,
                "the plan leaves out what something else cannot be without: \(reference)",
                hint: "Exclude both, or neither.")
        }
        if settings.secrets == .sealed, !room.isEncrypted {
            throw Failure(
                .planInvalidValue, "\"secrets: sealed\" needs an archive that is encrypted",
                hint: "Name recipients with encrypt-to, or write \"secrets: omit\".")
        }
    }

    /// The catalog, and a fingerprint that was taken before it.
    ///
    /// The server tells in whole seconds when a table was made, changed or named. What is read belongs to
    /// none of those: then whatever happens to a table afterwards gives it another time.
    private func read(
        _ session: Session, _ server: ServerFacts, _ reader: DefinitionReader
    ) throws(Failure) -> (ExportScope, MultisetDigest) {
        for _ in 0..<20 {
            let start = try session.value("SELECT NOW()") ?? ""
            let before = try reader.fingerprint(
                try ExportScope.names(session, server, settings))
            let scope = try ExportScope(session, server, settings)
            let newest = scope.tables.map(\.created).max() ?? ""
            // Times of a clock that was put back are not waited for.
            let isNear = try session.value(
                "SELECT \(newest.quotedString) BETWEEN \(start.quotedString) AND NOW() + INTERVAL 2 SECOND"
            )
            if isNear != "1" { return (scope, before) }
            try room.progress.checkCancelled()
            usleep(300_000)
        }
        throw Failure(
            .databaseRefused, "tables are made or changed each second",
            hint: "Run the same command again, at a time without changes of definitions.")
    }

    // MARK: - Artifacts

    private func contents(
        _ scope: ExportScope, _ definitions: StoredDefinitions, _ moment: ConsistentMoment,
        _ session: Session, _ server: ServerFacts
    ) throws(Failure) -> ExportContents<ExportedBody> {
        var artifacts: [ExportContents<ExportedBody>.Artifact] = []
        func add(
            _ name: String, _ bytes: [UInt8], kind: String, objects: Int64, format: String = "sql",
            restoring: String? = RestoreCommand.script
        ) throws(Failure) {
            try Files.write(bytes, to: room.directory + "/" + name, mode: 0o600)
            artifacts.append(
                .init(
                    name: name, slug: String(name.prefix { $0 != "." }), kind: "mariadb-" + kind,
                    format: format, bytes: Int64(bytes.count), objects: objects, body: .file(name),
                    restoring: restoring))
        }
        let salt = room.world.random(16)
        try add(
            "databases.sql", definitions.script(.databases), kind: "databases",
            objects: Int64(scope.databases.count))
        if !definitions.identities.isEmpty {
            try add(
                "accounts.sql", definitions.script(.accounts), kind: "accounts",
                objects: Int64(definitions.identities.count))
        }
        try add(
            "tables.sql", definitions.script(.tables), kind: "tables",
            objects: Int64(definitions.tables.count))
        let place = artifacts.count
        let states = try StateReader(session: session, server: server).states(scope)
        let cutter = TableCutter(session: moment.sessions[0])
        let target = min(max(scope.bytes / 16, 16 << 20), 64 << 20)
        var lines = definitions.lines(scope, server)
        for table in scope.tables {
            let pieces = try cutter.pieces(of: table, target: target)
            lines.append(Self.line(table, artifact: artifacts.count + 1, states))
            artifacts.append(
                .init(
                    name: table.title, slug: "table", kind: "mariadb-table", format: "tsv",
                    bytes: table.bytes, objects: 1,
                    body: .table(
                        columns: table.columns, hasHistory: table.versioning == .timestamp,
                        segments: pieces.map { [$0] }),
                    restoring: RestoreCommand.rows(table)))
        }
        for sequence in states.sequences { lines.append(sequence.json) }
        for view in scope.views {
            lines.append([
                "type": "view", "database": .string(view.database), "name": .string(view.name),
                "readable": .bool(try ViewTest.obstacle(view.qualified, session) == nil),
            ])
        }
        let list = lines.reduce(into: [UInt8]()) { $0 += $1.canonical + [0x0a] }
        try Files.write(list, to: room.directory + "/contents.jsonl", mode: 0o600)
        artifacts.insert(
            .init(
                name: "contents.jsonl", slug: "contents", kind: "mariadb-contents",
                format: "jsonl", bytes: Int64(list.count), objects: 1,
                body: .file("contents.jsonl"),
                restoring: nil), at: place)
        if !states.sql.isEmpty {
            try add(
                "states.sql", Array(states.sql.utf8), kind: "states",
                objects: Int64(states.sequences.count), restoring: RestoreCommand.script)
        }
        for part in [StoredDefinitions.Part.routines, .views, .triggers, .events, .rights]
        where !definitions.list(part).isEmpty {
            try add(
                "\(part.rawValue).sql", definitions.script(part), kind: part.rawValue,
                objects: Int64(definitions.list(part).count))
        }
        if settings.secrets == .sealed, !definitions.accounts.secrets.isEmpty {
            try add(
                "account-secrets.sql", definitions.script(.secrets), kind: "account-secrets",
                objects: Int64(definitions.accounts.secrets.count))
        }
        return ExportContents<ExportedBody>(
            moment: moment.moment,
            facts: .object(
                [
                    .init("family", .string(server.family.rawValue)),
                    .init("server", .string(server.versionText)),
                    .init("databases", .array(scope.databases.map { .string($0) })),
                    .init("salt", .string(Hex.encode(salt))),
                ] + moment.facts),
            salt: salt,
            counts: [
                .init("tables", .integer(Int64(scope.tables.count))),
                .init("views", .integer(Int64(scope.views.count))),
                .init("sequences", .integer(Int64(scope.sequences.count))),
                .init("programs", .integer(Int64(definitions.programs.count))),
                .init("bytes", .integer(scope.bytes)),
            ],
            artifacts: artifacts, omissions: scope.omissions(definitions.accounts))
    }

    private static func line(_ table: Table, artifact: Int, _ states: States) -> JSON {
        [
            "type": "table", "artifact": .integer(Int64(artifact)),
            "database": .string(table.database), "name": .string(table.name),
            "engine": .string(table.engine), "history": .bool(table.versioning == .timestamp),
            "columns": .array(table.columns.map(\.json)),
            "key": .array((table.key?.columns ?? []).map { .string($0) }),
            "auto-increment": states.autoIncrements[table.title].map { .string($0) } ?? .null,
        ]
    }
}

/// What of a server is a number that only grows.
struct States: Sendable {
    struct Sequence: Sendable {
        let database: String
        let name: String
        let next: String
        let increment: String
        /// How often it has begun anew.
        let round: String

        var json: JSON {
            [
                "type": "sequence", "database": .string(database), "name": .string(name),
                "next": .string(next), "increment": .string(increment),
                "round": .string(round),
            ]
        }
    }

    var sequences: [Sequence] = []
    /// By the table's title.
    var autoIncrements: [String: String] = [:]
    /// What sets them by hand.
    var sql = ""
}

/// Reads the states of sequences and AUTO_INCREMENT, after the moment: they may be further than in it.
struct StateReader {
    let session: Session
    let server: ServerFacts

    func states(_ scope: ExportScope) throws(Failure) -> States {
        var states = States()
        for sequence in scope.sequences {
            guard
                let row = try session.query(
                    "SELECT next_not_cached_value, increment, cycle_count FROM \(sequence.qualified)"
                ).first, let next = row[0]
            else { continue }
            states.sequences.append(
                .init(
                    database: sequence.database, name: sequence.name, next: next,
                    increment: row[1] ?? "1", round: row[2] ?? "0"))
            states.sql += "SELECT SETVAL(\(sequence.qualified), \(next), 0, \(row[2] ?? "0"));\n"
        }
        for table in scope.tables {
            if let next = table.autoIncrement { states.autoIncrements[table.title] = next }
        }
        return states
    }
}

/// The commands of RESTORE.txt. `MARIADB` names the client with the options that it needs.
enum RestoreCommand {
    static let script =
        "${MARIADB:-mariadb} --binary-mode --default-character-set=utf8mb4 > /dev/null"

    static func rows(_ table: Table) -> String {
        let statement =
            (LoadStatement.settings(hasHistory: table.versioning == .timestamp)
            + [
                LoadStatement.text(
                    table.qualified, columns: table.columns, file: "/dev/stdin")
            ]).joined(separator: "; ")
        return "${MARIADB:-mariadb} --local-infile=1 --default-character-set=utf8mb4 -e "
            + shellQuoted(statement)
    }
}

/// The statement that loads rows.
enum LoadStatement {
    /// How a session must be for rows to arrive as they are.
    static func settings(hasHistory: Bool) -> [String] {
        [
            "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', "
                + "time_zone = '+00:00', foreign_key_checks = 0"
                // LOAD DATA LOCAL would leave out in silence what a CHECK refuses.
                + "/*M! , check_constraint_checks = 0 */"
        ]
            + (hasHistory
                ? ["SET SESSION system_versioning_insert_history = 1"] : [])
    }

    static func text(_ qualified: String, columns: [Column], file: String) -> String {
        let list = columns.enumerated().map { $0.element.listed(at: $0.offset) }
        let assignments = columns.enumerated().compactMap { $0.element.assignment(at: $0.offset) }
        return "LOAD DATA LOCAL INFILE \(file.quotedString) INTO TABLE \(qualified) "
            + "CHARACTER SET binary FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' "
            + "LINES TERMINATED BY '\\n' (\(list.joined(separator: ", ")))"
            + (assignments.isEmpty ? "" : " SET " + assignments.joined(separator: ", "))
    }
}
