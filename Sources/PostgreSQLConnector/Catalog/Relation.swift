import Basics

/// A table, partition, foreign table, sequence or materialised view of the catalog.
struct Relation: Sendable {
    let oid: Int64
    let schema: String
    let name: String
    /// `r` table, `p` partitioned, `f` foreign, `S` sequence, `m` materialised view, `v` view.
    let kind: String
    let isPartition: Bool
    let isUnlogged: Bool
    let hasPolicies: Bool
    let forcesPolicies: Bool
    let owner: String
    /// Whether the role has the rights of the owner.
    let isOwned: Bool
    let isReadable: Bool
    /// Heap and TOAST bytes.
    let bytes: Int64
    /// Blocks of the heap alone.
    let blocks: Int64
    /// Stored as heap, so that positions are blocks.
    let isHeap: Bool
    let isPopulated: Bool
    /// The extension it belongs to.
    let ofExtension: String?
    /// Which rows of a table of an extension are the user's; nil where it is no such table.
    let extensionCondition: String?

    var quoted: String { Quoting.name(schema, name) }

    static func readAll(_ connection: Connection) throws(Failure) -> [Relation] {
        let result = try connection.query(
            """
            SELECT c.oid, n.nspname, c.relname, c.relkind, c.relispartition,
                c.relpersistence = 'u', c.relrowsecurity, c.relforcerowsecurity,
                pg_catalog.pg_get_userbyid(c.relowner),
                pg_catalog.pg_has_role(c.relowner, 'USAGE'),
                pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND CASE
                    WHEN c.relkind = 'S' THEN pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
                    ELSE pg_catalog.has_table_privilege(c.oid, 'SELECT') END,
                CASE WHEN c.relkind IN ('r', 'm') THEN pg_catalog.pg_table_size(c.oid) ELSE 0 END,
                CASE WHEN c.relkind = 'r' THEN pg_catalog.pg_relation_size(c.oid)
                    / pg_catalog.current_setting('block_size')::bigint ELSE 0 END,
                COALESCE(a.amname = 'heap', \(connection.serverVersion < 120000)), c.relispopulated,
                e.extname, x.condition
            FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
            LEFT JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass
                AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
            LEFT JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
            LEFT JOIN (SELECT f.id, k.extcondition[f.place] AS condition
                FROM pg_catalog.pg_extension k,
                    pg_catalog.unnest(k.extconfig) WITH ORDINALITY AS f(id, place)) x
                ON x.id = c.oid
            WHERE c.relkind IN ('r', 'p', 'f', 'S', 'm', 'v') AND c.relpersistence <> 't'
                AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
            ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
            """)
        return (0..<result.count).map { row in
            Relation(
                oid: result.integer(row, 0), schema: result.string(row, 1),
                name: result.string(row, 2), kind: result.string(row, 3),
                isPartition: result.flag(row, 4), isUnlogged: result.flag(row, 5),
                hasPolicies: result.flag(row, 6), forcesPolicies: result.flag(row, 7),
                owner: result.string(row, 8), isOwned: result.flag(row, 9),
                isReadable: result.flag(row, 10), bytes: result.integer(row, 11),
                blocks: result.integer(row, 12), isHeap: result.flag(row, 13),
                isPopulated: result.flag(row, 14), ofExtension: result.text(row, 15),
                extensionCondition: result.text(row, 16))
        }
    }
}
