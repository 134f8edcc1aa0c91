import Basics
import Connectors
import Databases
import Manifests

/// What of a database is exported and what is not, as the plan's filters and the catalog say.
struct ExportScope: Sendable {
    let catalog: RelationCatalog
    /// Tables at their roots, in the order of their names.
    let tables: [Relation]
    let sequences: [Relation]
    /// Relations that stay behind, with the reason.
    let excluded: [(relation: Relation, reason: String)]
    /// Foreign tables: their definitions are exported, their rows are not theirs.
    let foreign: [Relation]

    /// Patterns of the plan that fit nothing there is: most likely they are misspelt.
    let unmatchedIncludes: [String]
    let unmatchedExcludes: [String]
    /// The oids of what has no rows in the archive.
    private let without: Set<String>
    /// Unlogged relations of a standby: their definitions are exported, rows there are none.
    let unlogged: [Relation]

    init(_ catalog: RelationCatalog, _ settings: PostgreSQLSettings, isInRecovery: Bool) {
        var excluded: [(relation: Relation, reason: String)] = []
        var reasons: [String: String] = [:]
        for relation in catalog.all where relation.ownedBy == nil {
            let reason = catalog.chain(of: relation).lazy.compactMap { settings.exclusion(of: $0) }
                .first
            if let reason {
                excluded.append((relation, reason))
                reasons[relation.oid] = reason
            }
        }
        self.catalog = catalog
        self.excluded = excluded
        let fitsNothing: (NamePattern) -> Bool = { pattern in
            !catalog.all.contains { pattern.matches($0) }
        }
        unmatchedIncludes = settings.included.filter(fitsNothing).map(\.text)
        unmatchedExcludes = settings.excluded.map(\.pattern).filter(fitsNothing).map(\.text)
        let kept: (Relation) -> Bool = { reasons[$0.oid] == nil }
        tables = catalog.roots.filter(kept)
        let isEmpty: (Relation) -> Bool = { isInRecovery && $0.isUnlogged }
        sequences = catalog.sequences.filter(kept).filter { !isEmpty($0) }
        unlogged = catalog.all.filter(kept).filter(isEmpty)
            .filter { $0.hasOwnRows && ($0.kind == .table || $0.kind == .sequence) }
        without = Set(excluded.map(\.relation.oid) + unlogged.map(\.oid))
        foreign = catalog.all.filter { $0.kind == .foreign && $0.ownedBy == nil }.filter(kept)
    }

    /// The leaves of a table whose rows are exported.
    func leaves(of table: Relation) -> [Relation] {
        catalog.leaves(of: table).filter { $0.kind == .table && !without.contains($0.oid) }
    }

    var readRelations: [Relation] { tables.flatMap { leaves(of: $0) } }

    var bytes: Int64 { readRelations.reduce(0) { $0 + $1.bytes } }

    /// Patterns for pg_dump: names in double quotes stand for themselves.
    var dumpArguments: [String] {
        excluded.map { "--exclude-table=\($0.relation.qualified)" }
    }

    /// Objects that are exported and cannot be without what is not: foreign keys, views, children.
    func brokenReferences(_ connection: Connection) throws(Failure) -> [String] {
        if excluded.isEmpty { return [] }
        let without = Set(excluded.map(\.relation.oid))
        return try connection.query(
            """
            SELECT conrelid, confrelid, 'foreign key ' || quote_ident(conname) || ' of '
                || conrelid::regclass, confrelid::regclass::text
            FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
            UNION
            SELECT v.oid, d.refobjid, CASE v.relkind WHEN 'v' THEN 'view '
                WHEN 'm' THEN 'materialized view ' ELSE 'rule of ' END || v.oid::regclass,
                d.refobjid::regclass::text
            FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
            WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
                AND d.refobjid <> v.oid
            UNION
            SELECT i.inhrelid, i.inhparent, 'child ' || i.inhrelid::regclass,
                i.inhparent::regclass::text
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE NOT c.relispartition
            ORDER BY 3, 4
            """
        ).compactMap { row in
            guard let from = row[0], let to = row[1], !without.contains(from), without.contains(to)
            else { return nil }
            return "\(row[2] ?? "") needs \(row[3] ?? "")"
        }
    }

    /// Tables and sequences that this user cannot read whole.
    func unreadable(_ server: ServerFacts) -> [(relation: Relation, obstacle: ReadObstacle)] {
        (readRelations + sequences).compactMap { relation in
            ReadObstacle(relation, for: server).map { (relation, $0) }
        }
    }
}

/// What stays behind of a database, for the plan and for the archive alike.
enum DatabaseOmissions {
    static func list(
        _ connection: Connection, _ settings: PostgreSQLSettings, _ server: ServerFacts,
        _ scope: ExportScope, _ secrets: SecretFacts
    ) throws(Failure) -> OmissionSummary {
        var list = OmissionList<DatabaseOmission>(accepted: settings.accepted)
        for (relation, reason) in scope.excluded {
            list.addExcluded(relation.qualified, reason: reason)
        }
        for table in scope.foreign { list.add(.foreignTables, table.qualified) }
        if settings.secrets != .sealed {
            for name in secrets.holders(named: settings.secrets != .omit) {
                list.add(.secrets, name, covered: settings.secrets != nil)
            }
        }
        for relation in scope.unlogged { list.add(.unloggedTables, relation.qualified) }
        for (reason, name) in try ClusterFacts.read(connection) { list.add(reason, name) }
        return list.summary
    }
}
