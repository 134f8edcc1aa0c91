import Basics

/// What a database holds, as one snapshot sees it.
struct Catalog: Sendable {
    let facts: DatabaseFacts
    let relations: [Relation]
    /// Columns in the byte order of their names, without dropped and generated ones.
    let columns: [Int64: [String]]
    /// Of a partition, and of a child, its parents.
    let parents: [Int64: [Int64]]
    /// The columns that tell rows apart: of the primary key, or of a unique key without NULLs.
    let keys: [Int64: [String]]

    init(_ connection: Connection) throws(Failure) {
        facts = try DatabaseFacts(connection)
        relations = try Relation.readAll(connection)
        let generated = connection.serverVersion >= 120000 ? "AND a.attgenerated = ''" : ""
        let attributes = try connection.query(
            """
            SELECT a.attrelid, a.attname FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE a.attnum > 0 AND NOT a.attisdropped \(generated) AND c.relkind IN ('r', 'p')
                AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
            """)
        var columns: [Int64: [String]] = [:]
        for row in 0..<attributes.count {
            columns[attributes.integer(row, 0), default: []].append(attributes.string(row, 1))
        }
        self.columns = columns.mapValues { names in
            names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        }
        let inherits = try connection.query(
            "SELECT inhrelid, inhparent FROM pg_catalog.pg_inherits ORDER BY inhrelid, inhseqno")
        var parents: [Int64: [Int64]] = [:]
        for row in 0..<inherits.count {
            parents[inherits.integer(row, 0), default: []].append(inherits.integer(row, 1))
        }
        self.parents = parents
        let unique = try connection.query(
            """
            SELECT DISTINCT ON (i.indrelid) i.indrelid,
                (SELECT pg_catalog.json_agg(a.attname ORDER BY k.place)
                 FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
                 JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid
                    AND a.attnum = k.number WHERE k.place <= i.indnkeyatts)
            FROM pg_catalog.pg_index i
            WHERE i.indisunique AND i.indisvalid AND i.indexprs IS NULL AND i.indpred IS NULL
                AND i.indrelid >= 16384
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey::int2[])
                    AND NOT a.attnotnull)
            ORDER BY i.indrelid, i.indisprimary DESC, i.indnkeyatts, i.indexrelid
            """)
        var keys: [Int64: [String]] = [:]
        for row in 0..<unique.count {
            let names = try JSON(parsing: Array(unique.string(row, 1).utf8)).array ?? []
            keys[unique.integer(row, 0)] = names.compactMap(\.string)
        }
        self.keys = keys
    }
}
