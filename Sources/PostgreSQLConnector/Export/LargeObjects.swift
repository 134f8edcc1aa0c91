import Basics

/// Large objects in batches: ranges of their numbers, and the rows that carry them.
enum LargeObjects {
    struct Batch: Sendable {
        let range: ClosedRange<Int64>
        let count: Int64
        let bytes: Int64
    }

    /// Batches of up to some 64 MiB.
    static func ranges(_ connection: Connection) throws(Failure) -> [Batch] {
        let hasAny = try connection.value(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)")
        guard hasAny == "t" else { return [] }
        // Pages are counted by the index's own entries; nothing of the contents is read.
        let result = try connection.query(
            """
            WITH pages AS (SELECT m.oid, (SELECT pg_catalog.count(*) FROM
                    pg_catalog.pg_largeobject l WHERE l.loid = m.oid) AS pages
                FROM pg_catalog.pg_largeobject_metadata m),
            sums AS (SELECT oid, pages,
                pg_catalog.sum(pages + 1) OVER (ORDER BY oid) / 32768 AS batch FROM pages)
            SELECT pg_catalog.min(oid::bigint), pg_catalog.max(oid::bigint), pg_catalog.count(*),
                pg_catalog.sum(pages) * 2048
            FROM sums GROUP BY batch ORDER BY 1
            """)
        return (0..<result.count).map { row in
            Batch(
                range: result.integer(row, 0)...max(result.integer(row, 0), result.integer(row, 1)),
                count: result.integer(row, 2), bytes: result.integer(row, 3))
        }
    }

    /// Rows of number, offset and bytes; holes have no rows. An object without bytes has none.
    static func statement(_ range: ClosedRange<Int64>, encoding: String, blockSize: Int64) -> String
    {
        """
        COPY (SELECT loid, pageno::bigint * \(blockSize / 4), data FROM pg_catalog.pg_largeobject
            WHERE loid >= \(range.lowerBound)::pg_catalog.oid
                AND loid <= \(range.upperBound)::pg_catalog.oid ORDER BY loid, pageno)
        TO STDOUT WITH (FORMAT text, ENCODING \(Quoting.literal(encoding)))
        """
    }
}
