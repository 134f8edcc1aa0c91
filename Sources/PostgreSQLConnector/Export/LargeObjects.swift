/// Large objects as rows: identifier, offset, and up to 256 KiB of content.
///
/// They are read and written through the server's functions for large objects, which need no more
/// than rights on the objects themselves.
enum LargeObjects {
    static let chunk = 262_144
    /// Large objects of one segment.
    static let batch = 2000

    /// INV_READ of libpq-fs.h.
    private static let forReading = 0x40000

    /// The statement that writes the rows of a batch, identifiers from one to another.
    static func copy(from first: Int64, to last: Int64) -> String {
        """
        COPY (SELECT m.oid, s.part * \(chunk), lo_get(m.oid, s.part * \(chunk), \(chunk))
        FROM pg_largeobject_metadata m
        CROSS JOIN LATERAL (SELECT lo_open(m.oid, \(forReading)) AS fd) f
        CROSS JOIN LATERAL (SELECT lo_lseek64(f.fd, 0, 2) AS size) z
        CROSS JOIN LATERAL (SELECT lo_close(CASE WHEN z.size >= 0 THEN f.fd END) AS closed) c
        CROSS JOIN LATERAL generate_series(0, greatest(z.size - 1, 0) / \(chunk)) s(part)
        WHERE m.oid BETWEEN \(first) AND \(last) AND c.closed = 0
        ORDER BY m.oid, s.part) TO STDOUT WITH (FORMAT text)
        """
    }

    static let loadingTable =
        "CREATE TEMP TABLE exeat_large_objects (loid oid, place bigint, data bytea)"
    static let loading = "COPY exeat_large_objects FROM STDIN WITH (FORMAT text)"
    static let storing =
        "SELECT count(lo_put(loid, place, data)) FROM exeat_large_objects WHERE data <> ''"
}
