import Basics
import Connectors
import Databases
import Manifests
import Primitives
import Streams

/// A database as an archive holds it: its scripts, and the list of what is in it.
struct StoredDatabase: Sendable {
    struct Table: Sendable {
        let artifact: Int
        let schema: String
        let name: String
        let columns: [String]
        let key: [String]
        let condition: String
        let digest: MultisetDigest

        var qualified: String { "\(schema.quotedName).\(name.quotedName)" }

        /// As `pg_identify_object` writes it, where neither name needs quotes.
        var identity: String { "\(schema.nameAsPrinted).\(name.nameAsPrinted)" }
    }

    /// A materialised view that was populated, with what it held.
    struct View: Sendable {
        let schema: String
        let name: String
        let columns: [String]
        let digest: MultisetDigest

        var qualified: String { "\(schema.quotedName).\(name.quotedName)" }
    }

    struct Sequence: Sendable {
        let schema: String
        let name: String
        let last: Int64
        let isCalled: Bool
    }

    let source: SourceRecord
    let artifacts: any ArtifactSource
    let salt: [UInt8]
    let database: String
    let encoding: String
    let collate: String
    let ctype: String
    let version: Int
    let tables: [Table]
    let sequences: [Sequence]
    let extensions: [(name: String, version: String)]
    let tablespaces: [String]
    let largeObjects: [(first: Int64, last: Int64)]
    let objects: [DatabaseObject]
    let views: [View]

    init(_ source: SourceRecord, from artifacts: any ArtifactSource) throws(Failure) {
        self.source = source
        self.artifacts = artifacts
        guard let salt = source.facts["salt"]?.string.flatMap({ Hex.decode($0) }), salt.count == 16
        else { throw Self.malformed("the source has no salt") }
        self.salt = salt
        guard let place = Self.place("postgresql-contents", in: source) else {
            throw Self.malformed("the source has no list of its contents")
        }
        let bytes = try source.artifacts[place].read(from: artifacts)
        var tables: [Table] = []
        var sequences: [Sequence] = []
        var extensions: [(name: String, version: String)] = []
        var tablespaces: [String] = []
        var batches: [(first: Int64, last: Int64)] = []
        var objects: [DatabaseObject] = []
        var views: [View] = []
        var head: JSON = .null
        for line in bytes.split(separator: 0x0a) {
            let json = try JSON(parsing: Array(line))
            switch json["type"]?.string {
            case "database": head = json
            case "table": tables.append(try Self.table(json, source))
            case "sequence":
                guard let schema = json["schema"]?.string, let name = json["name"]?.string,
                    let last = json["last"]?.string.flatMap({ Int64($0) })
                else { throw Self.malformed("a sequence lacks a member") }
                sequences.append(
                    Sequence(
                        schema: schema, name: name, last: last,
                        isCalled: json["called"] == .bool(true)))
            case "extension":
                extensions.append((json["name"]?.string ?? "", json["version"]?.string ?? ""))
            case "tablespace": tablespaces.append(json["name"]?.string ?? "")
            case "large-objects":
                guard let first = json["first"]?.integer, let last = json["last"]?.integer else {
                    throw Self.malformed("a batch of large objects lacks a member")
                }
                batches.append((first, last))
            case "materialized-view":
                guard let view = MaterializedView.stored(json) else {
                    throw Self.malformed("a materialised view lacks a member")
                }
                views.append(view)
            case "object":
                guard let object = DatabaseObject(json) else {
                    throw Self.malformed("an object lacks a member")
                }
                objects.append(object)
            default: throw Self.malformed("a line of unknown type")
            }
        }
        guard let name = head["name"]?.string, let encoding = head["encoding"]?.string,
            let version = head["version"]?.integer
        else { throw Self.malformed("the contents do not describe the database") }
        database = name
        self.encoding = encoding
        self.version = Int(version)
        collate = head["collate"]?.string ?? ""
        ctype = head["ctype"]?.string ?? ""
        self.tables = tables
        self.sequences = sequences
        self.extensions = extensions
        self.tablespaces = tablespaces
        self.objects = objects
        self.views = views
        largeObjects = batches
        // What has rows in the archive must be in the list, or it would not be compared.
        let listed = Set(tables.map(\.artifact))
        for (number, artifact) in source.artifacts.enumerated()
        where artifact.kind == "postgresql-table" {
            guard listed.contains(number) else {
                throw Self.malformed("the table \(artifact.name) is not in the list of contents")
            }
        }
    }

    private static func table(_ json: JSON, _ source: SourceRecord) throws(Failure) -> Table {
        guard let number = json["artifact"]?.integer, let schema = json["schema"]?.string,
            let name = json["name"]?.string, let columns = json["columns"]?.array,
            source.artifacts.indices.contains(Int(number)),
            source.artifacts[Int(number)].kind == "postgresql-table",
            let digest = source.artifacts[Int(number)].rows
        else { throw malformed("a table lacks a member") }
        return Table(
            artifact: Int(number), schema: schema, name: name,
            columns: columns.compactMap(\.string),
            key: (json["key"]?.array ?? []).compactMap(\.string),
            condition: json["condition"]?.string ?? "", digest: digest)
    }

    func place(_ kind: String) -> Int? { Self.place(kind, in: source) }

    private static func place(_ kind: String, in source: SourceRecord) -> Int? {
        source.artifacts.firstIndex { $0.kind == kind }
    }

    /// The statements of a script; empty where the archive has none of that kind.
    func statements(_ kind: String) throws(Failure) -> [SQLStatement] {
        guard let place = place(kind), let rules = ScriptKind(rawValue: kind) else { return [] }
        var statements: [SQLStatement] = []
        var script = SQLScript(try source.artifacts[place].read(from: artifacts))
        while let statement = script.next() {
            guard statement.bytes.last == 0x3b else {
                throw Self.malformed("a script ends inside a statement")
            }
            guard statement.belongs(in: rules) else {
                throw Self.malformed(
                    "a statement that no export writes into the script of \(rules.title): "
                        + statement.text.prefix(80))
            }
            // Older archives have them, and other servers refuse them.
            if let statement = statement.withoutServerNotes() { statements.append(statement) }
        }
        // An export takes them out; psql would run them when somebody restores by hand.
        guard script.commands == 0 else {
            throw Self.malformed("the script of \(rules.title) holds commands of psql")
        }
        return statements
    }

    static func malformed(_ what: String) -> Failure {
        Failure(.databaseContent, "the archive's database is malformed: \(what)")
    }
}
