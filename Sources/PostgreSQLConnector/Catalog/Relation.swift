import Basics

/// A relation of the catalog with what its export needs.
struct Relation: Sendable {
    enum Kind: String, Sendable {
        case table = "r"
        case partitioned = "p"
        case foreign = "f"
        case materialized = "m"
        case sequence = "S"
        case view = "v"
    }

    let oid: String
    let schema: String
    let name: String
    let kind: Kind
    let isUnlogged: Bool
    let isPartition: Bool
    let pages: Int64
    /// Heap, TOAST and maps, as `pg_table_size` counts.
    let bytes: Int64
    /// The extension it belongs to.
    let ownedBy: String?
    /// Of an extension's configuration table: the rows that are the user's, as `WHERE …`, or "".
    let configuration: String?
    let hasRowSecurity: Bool
    let isForced: Bool
    let mayRead: Bool
    /// The right to use its schema, without which the other is worth nothing.
    let maySeeSchema: Bool
    /// The owner, who passes row security unless it is forced.
    let isOwned: Bool
    /// Not dropped, not generated, in the order of their bytes.
    var columns: [String] = []
    /// Of the primary key, in its order.
    var key: [String] = []
    /// Of a partition, the table it is part of; of a sequence, the table whose column it serves.
    var parent: String?

    var qualified: String { "\(schema.quotedName).\(name.quotedName)" }

    /// Whether its rows are ours to export: not those of an extension, but for its configuration.
    var hasOwnRows: Bool { ownedBy == nil || configuration != nil }
}

/// The relations of a database in the moment of a session's snapshot.
struct RelationCatalog: Sendable {
    private(set) var all: [Relation] = []
    private var places: [String: Int] = [:]
    private var children: [String: [Relation]] = [:]

    init(_ connection: Connection) throws(Failure) {
        let rows = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relispartition,
                CASE WHEN c.relkind IN ('r', 'm') THEN pg_relation_size(c.oid)
                    / current_setting('block_size')::int8 ELSE 0 END,
                CASE WHEN c.relkind IN ('r', 'm') THEN pg_table_size(c.oid) ELSE 0 END,
                e.extname,
                (SELECT coalesce(e.extcondition[i], '') FROM generate_subscripts(e.extconfig, 1) i
                    WHERE e.extconfig[i] = c.oid LIMIT 1),
                c.relrowsecurity, c.relforcerowsecurity,
                CASE WHEN NOT has_schema_privilege(n.oid, 'USAGE') THEN 'schema'
                    WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT')::text
                    ELSE has_table_privilege(c.oid, 'SELECT')::text END,
                pg_has_role(c.relowner, 'USAGE')
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
                    AND d.objsubid = 0 AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
                LEFT JOIN pg_extension e ON e.oid = d.refobjid
            WHERE c.relkind IN ('r', 'p', 'f', 'm', 'S', 'v') AND c.relpersistence <> 't'
                AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
            ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
            """)
        var relations: [Relation] = []
        for row in rows {
            guard let oid = row[0], let schema = row[1], let name = row[2],
                let kind = row[3].flatMap({ Relation.Kind(rawValue: $0) })
            else { continue }
            relations.append(
                Relation(
                    oid: oid, schema: schema, name: name, kind: kind, isUnlogged: row[4] == "u",
                    isPartition: row[5] == "t", pages: row[6].flatMap { Int64($0) } ?? 0,
                    bytes: row[7].flatMap { Int64($0) } ?? 0, ownedBy: row[8],
                    configuration: row[9], hasRowSecurity: row[10] == "t",
                    isForced: row[11] == "t", mayRead: row[12] == "true",
                    maySeeSchema: row[12] != "schema", isOwned: row[13] == "t"))
        }
        let places = Dictionary(
            relations.enumerated().map { ($0.element.oid, $0.offset) }, uniquingKeysWith: { $1 })
        let generated = connection.serverVersion >= 120_000 ? "AND a.attgenerated = ''" : ""
        for row in try connection.query(
            """
            SELECT a.attrelid, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm') \(generated)
                AND c.relnamespace <> 'pg_catalog'::regnamespace
            ORDER BY a.attrelid, a.attname COLLATE "C"
            """)
        {
            if let oid = row[0], let name = row[1], let place = places[oid] {
                relations[place].columns.append(name)
            }
        }
        for row in try connection.query(
            """
            SELECT i.indrelid, a.attname FROM pg_index i
                CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(number, place)
                JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
            WHERE i.indisprimary AND k.place <= i.indnkeyatts ORDER BY i.indrelid, k.place
            """)
        {
            if let oid = row[0], let name = row[1], let place = places[oid] {
                relations[place].key.append(name)
            }
        }
        for row in try connection.query(
            """
            SELECT inhrelid, inhparent FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
            WHERE c.relispartition
            UNION ALL
            SELECT d.objid, d.refobjid FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
            WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
                AND d.deptype IN ('a', 'i') AND c.relkind = 'S'
            """)
        {
            if let oid = row[0], let place = places[oid] { relations[place].parent = row[1] }
        }
        all = relations
        self.places = places
        children = Dictionary(
            grouping: relations.filter { $0.isPartition && $0.parent != nil },
            by: { $0.parent ?? "" })
    }

    /// What rows are exported under one name: tables, and partitioned tables at their root.
    var roots: [Relation] {
        all.filter {
            ($0.kind == .table || $0.kind == .partitioned) && !$0.isPartition && $0.hasOwnRows
        }
    }

    /// The relations that hold a root's rows, in the order of their names; foreign ones included.
    func leaves(of root: Relation) -> [Relation] {
        guard root.kind == .partitioned else { return [root] }
        var leaves: [Relation] = []
        func collect(_ relation: Relation) {
            if relation.kind != .partitioned { leaves.append(relation) }
            for child in children[relation.oid] ?? [] { collect(child) }
        }
        collect(root)
        return leaves
    }

    /// The relation and those it is part of or serves.
    func chain(of relation: Relation) -> [Relation] {
        var chain = [relation]
        while let parent = chain.last?.parent, chain.count < 100,
            let place = places[parent]
        {
            chain.append(all[place])
        }
        return chain
    }

    var sequences: [Relation] { all.filter { $0.kind == .sequence && $0.hasOwnRows } }
}
