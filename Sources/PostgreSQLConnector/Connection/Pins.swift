/// The settings of a session under which text means the same everywhere.
///
/// Rows are read from the source, and read again from the target, under the same pins; so their
/// text is canonical.
enum Pins {
    static let settings: [(name: String, value: String)] = [
        ("client_encoding", "UTF8"),
        ("search_path", ""),
        ("DateStyle", "ISO, YMD"),
        ("IntervalStyle", "postgres"),
        ("TimeZone", "UTC"),
        // From server 12 on any positive value is the shortest exact text; before, 3 is exact.
        ("extra_float_digits", "3"),
        ("bytea_output", "hex"),
        ("xmloption", "content"),
        // Money follows the locale of the session.
        ("lc_monetary", "C"),
        ("lc_numeric", "C"),
        ("lc_time", "C"),
        ("lc_messages", "C"),
        // What policies would hide is an error, not a smaller result.
        ("row_security", "off"),
        ("statement_timeout", "0"),
        ("lock_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        ("idle_session_timeout", "0"),
        ("transaction_timeout", "0"),
        ("synchronize_seqscans", "off"),
        ("quote_all_identifiers", "off"),
        ("standard_conforming_strings", "on"),
        ("backslash_quote", "safe_encoding"),
        ("array_nulls", "on"),
        ("default_transaction_isolation", "read committed"),
        ("default_transaction_read_only", "off"),
        ("default_transaction_deferrable", "off"),
        ("session_replication_role", "origin"),
        ("client_min_messages", "warning"),
        ("application_name", "exeat"),
    ]

    /// One statement that sets what this server knows and this role may set; what is as it should
    /// be is not touched, for not all roles may set all of them.
    static var statement: String {
        let values = settings.map { "('\($0.name)', '\($0.value)')" }.joined(separator: ", ")
        return """
            SELECT pg_catalog.set_config(s.name, p.value, false)
            FROM (VALUES \(values)) AS p(name, value)
            JOIN pg_catalog.pg_settings s ON pg_catalog.lower(s.name) = pg_catalog.lower(p.name)
            WHERE s.setting OPERATOR(pg_catalog.<>) p.value
            """
    }
}
