import Basics
import Connectors
import Manifests
import Streams

/// What a person should know of a database before it is exported: rights, risks, volumes, omissions.
struct DatabaseSurvey: Sendable {
    let settings: PostgreSQLSettings
    let catalog: Catalog
    private(set) var selection: Selection
    private(set) var findings: [Finding] = []
    /// Findings that a run refuses to go over.
    private var refusals: [Failure] = []
    private(set) var counts: [JSON.Member] = []

    init(_ settings: PostgreSQLSettings, _ catalog: Catalog) {
        self.settings = settings
        self.catalog = catalog
        selection = Selection(catalog, settings)
    }

    /// For a plan: one connection, one transaction, no locks.
    init(
        _ settings: PostgreSQLSettings, _ info: ConnectionInfo, progress: Progress
    ) throws(Failure) {
        let connection = try Connection(info, progress: progress)
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self.init(settings, try Catalog(connection))
        try look(connection)
    }

    func survey() -> Survey {
        Survey(
            bytes: selection.tables.reduce(0) { $0 + $1.bytes }, counts: counts,
            findings: findings, omissions: selection.summary)
    }

    /// Throws the first thing that would make the archive a false one.
    func refuse() throws(Failure) { if let first = refusals.first { throw first } }

    mutating func look(_ connection: Connection) throws(Failure) {
        lookAtServer()
        lookAtTools()
        lookAtRights()
        try lookAtConsumers(connection)
        try lookAtSecrets(connection)
        try lookAtCollations(connection)
        try lookAtLargeObjects(connection)
        try lookAtReferences(connection)
        try lookAtTypes(connection)
        countObjects()
    }

    mutating func find(
        _ code: String, _ severity: Finding.Severity, _ what: String, decision: String? = nil
    ) {
        findings.append(Finding(code, severity, what, decision: decision))
    }

    /// A finding that nothing but a change of the plan or of the server does away with.
    mutating func refuse(
        _ code: Failure.Code, _ word: String, _ what: String, _ decision: String
    ) {
        find(word, .decision, what, decision: decision)
        refusals.append(Failure(code, what, hint: decision))
    }

    mutating func omit(
        _ reason: DatabaseOmission, _ type: String, _ name: String, _ detail: String
    ) {
        selection.note(reason, type, name, detail)
    }

    private mutating func countObjects() {
        let relations = catalog.relations.filter { !selection.excluded.contains($0.oid) }
        counts = [
            .init("tables", .integer(Int64(selection.tables.count))),
            .init("partitions", .integer(Int64(relations.count { $0.isPartition }))),
            .init("sequences", .integer(Int64(selection.sequences.count))),
            .init("views", .integer(Int64(relations.count { $0.kind == "v" }))),
            .init("materializedViews", .integer(Int64(relations.count { $0.kind == "m" }))),
            .init("bytes", .integer(selection.tables.reduce(0) { $0 + $1.bytes })),
        ]
        // The largest tables, one finding each: a plan shows where the volume is.
        for table in selection.tables.sorted(by: { $0.bytes > $1.bytes }).prefix(20)
        where table.bytes > 1 << 20 {
            find(
                "table-volume", .note,
                "table \(table.relation.quoted): \(table.bytes) bytes in "
                    + "\(TableSegments.cut(table, catalog.facts).count) segments")
        }
    }
}
