import Basics
import Connectors
import Databases
import Manifests
import Primitives

/// Databases as an archive holds them: their scripts, and the list of what is in them.
struct StoredServer: Sendable {
    struct Table: Sendable {
        let artifact: Int
        let database: String
        let name: String
        let engine: String
        let hasHistory: Bool
        let columns: [Column]
        let key: [String]
        let autoIncrement: String?
        let rows: MultisetDigest
        /// The bytes of its longest row as a line.
        let longestRow: Int

        var title: String { "\(database).\(name)" }
        var isTransactional: Bool { engine == "innodb" }
    }

    struct Sequence: Sendable {
        let database: String
        let name: String
        let next: Int64
        let increment: Int64
        /// How often it has begun anew.
        let round: Int64
    }

    let source: SourceRecord
    let artifacts: any ArtifactSource
    let salt: [UInt8]
    let family: ServerFacts.Family
    let version: Int
    let lowerCaseNames: Int
    let databases: [String]
    let tables: [Table]
    let sequences: [Sequence]
    /// Those that the source could read.
    let readableViews: [(database: String, name: String)]
    let definitions: [Definition]

    /// Marks the statements that give accounts their secrets, in place of a table.
    static let secret = "secret"

    static let parts = [
        "databases", "accounts", "tables", "routines", "views", "triggers", "events", "rights",
        "account-secrets",
    ]

    init(_ source: SourceRecord, from artifacts: any ArtifactSource) throws(Failure) {
        self.source = source
        self.artifacts = artifacts
        guard let salt = source.facts["salt"]?.string.flatMap({ Hex.decode($0) }), salt.count == 16
        else { throw Self.malformed("the source has no salt") }
        self.salt = salt
        guard let list = source.artifacts.first(where: { $0.kind == "mariadb-contents" }) else {
            throw Self.malformed("the source has no list of its contents")
        }
        var head: JSON = .null
        var databases: [String] = []
        var tables: [Table] = []
        var sequences: [Sequence] = []
        var views: [(database: String, name: String)] = []
        for line in try list.read(from: artifacts).split(separator: 0x0a) {
            let json = try JSON(parsing: Array(line))
            switch json["type"]?.string {
            case "server": head = json
            case "database": databases.append(json["name"]?.string ?? "")
            case "table": tables.append(try Self.table(json, source))
            case "sequence":
                guard let database = json["database"]?.string, let name = json["name"]?.string,
                    let next = json["next"]?.string.flatMap({ Int64($0) }),
                    let increment = json["increment"]?.string.flatMap({ Int64($0) })
                else { throw Self.malformed("a sequence lacks a member") }
                sequences.append(
                    Sequence(
                        database: database, name: name, next: next, increment: increment,
                        round: json["round"]?.string.flatMap { Int64($0) } ?? 0))
            case "view":
                guard let database = json["database"]?.string, let name = json["name"]?.string
                else {
                    throw Self.malformed("a view lacks a member")
                }
                if json["readable"] == .bool(true) { views.append((database, name)) }
            default: throw Self.malformed("a line of unknown type")
            }
        }
        guard let family = head["family"]?.string.flatMap({ ServerFacts.Family(rawValue: $0) }),
            let version = head["version"]?.integer
        else { throw Self.malformed("the contents do not describe the server") }
        self.family = family
        self.version = Int(version)
        lowerCaseNames = Int(head["lower-case-names"]?.integer ?? 0)
        self.databases = databases
        self.tables = tables
        self.sequences = sequences
        readableViews = views
        // What has rows in the archive must be in the list, or it would not be compared.
        let listed = Set(tables.map(\.artifact))
        for (number, artifact) in source.artifacts.enumerated()
        where artifact.kind == "mariadb-table" && !listed.contains(number) {
            throw Self.malformed("the table \(artifact.name) is not in the list of contents")
        }
        var definitions: [Definition] = []
        for part in Self.parts {
            for artifact in source.artifacts where artifact.kind == "mariadb-\(part)" {
                for definition in try Definition.parse(try artifact.read(from: artifacts)) {
                    try Self.check(definition, databases, isSecret: part == "account-secrets")
                    var definition = definition
                    definition.ignoresCase = lowerCaseNames != 0
                    if part == "account-secrets" { definition.table = Self.secret }
                    definitions.append(definition)
                }
            }
        }
        self.definitions = definitions
    }

    private static func table(_ json: JSON, _ source: SourceRecord) throws(Failure) -> Table {
        guard let number = json["artifact"]?.integer, let database = json["database"]?.string,
            let name = json["name"]?.string, let engine = json["engine"]?.string,
            let columns = json["columns"]?.array,
            source.artifacts.indices.contains(Int(number)),
            source.artifacts[Int(number)].kind == "mariadb-table",
            let rows = source.artifacts[Int(number)].rows
        else { throw malformed("a table lacks a member") }
        let parsed = columns.compactMap { Column($0) }
        guard parsed.count == columns.count else { throw malformed("a column lacks a member") }
        return Table(
            artifact: Int(number), database: database, name: name, engine: engine,
            hasHistory: json["history"] == .bool(true), columns: parsed,
            key: (json["key"]?.array ?? []).compactMap(\.string),
            autoIncrement: json["auto-increment"]?.string, rows: rows,
            longestRow: Int(
                source.artifacts[Int(number)].counts.first { $0.key == "longest-row" }?.value
                    .integer
                    ?? 0))
    }

    /// A statement that does not make what its header says is refused, whoever signed it; and so is
    /// one that would make it in a database that is not in the archive.
    private static func check(
        _ definition: Definition, _ databases: [String], isSecret: Bool
    ) throws(Failure) {
        let sql = definition.sql
        let isKnown: Bool
        switch definition.kind {
        case .grant: isKnown = sql.begins("GRANT")
        case .defaultRole: isKnown = sql.begins("SET", "DEFAULT", "ROLE")
        case .user where isSecret: isKnown = sql.begins("ALTER", "USER")
        case .user, .role: isKnown = sql.begins("CREATE", definition.kind.words)
        case .database: isKnown = sql.begins("CREATE", "DATABASE")
        default:
            let words = definition.kind.words.split(separator: " ").map(String.init)
            // CREATE [ALGORITHM = …] [DEFINER = a@b] [SQL SECURITY …] [AGGREGATE] kind.
            let place = sql.tokens.indices.prefix(24).first { index in
                words.enumerated().allSatisfy { sql.word(index + $0.offset) == $0.element }
            }
            isKnown =
                sql.word(0) == "CREATE" && place != nil && databases.contains(definition.database)
        }
        guard isKnown else {
            throw malformed("a statement that does not make \(definition.title)")
        }
        if ![.grant, .defaultRole, .user, .role, .database].contains(definition.kind),
            let name = definition.createdDatabase, !databases.contains(name)
        {
            throw malformed("\(definition.title) would be made in another database")
        }
    }

    func definitions(_ kinds: Definition.Kind...) -> [Definition] {
        definitions.filter { kinds.contains($0.kind) }
    }

    static func malformed(_ what: String) -> Failure {
        Failure(.databaseContent, "the archive's databases are malformed: \(what)")
    }
}

extension Definition {
    /// The database that the created name itself is written with, if it is.
    var createdDatabase: String? {
        let sql = sql
        let words = kind.words.split(separator: " ").map(String.init)
        guard
            let place = sql.tokens.indices.prefix(24).first(where: { index in
                words.enumerated().allSatisfy { sql.word(index + $0.offset) == $0.element }
            })
        else { return nil }
        let name = place + words.count
        return sql.isSymbol(name + 1, ".") ? sql.name(name) : nil
    }
}
