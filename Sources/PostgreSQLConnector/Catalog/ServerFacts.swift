import Basics

/// What matters of a server and of one of its databases.
struct ServerFacts: Sendable {
    /// As `server_version_num`.
    let version: Int
    let versionText: String
    let database: String
    let encoding: String
    let collate: String
    let ctype: String
    /// "c" libc, "i" ICU, "b" builtin; servers before 15 have libc for databases.
    let provider: String
    let icuLocale: String?
    let isSuperuser: Bool
    let bypassesRowSecurity: Bool
    /// A hot standby.
    let isInRecovery: Bool
    let user: String

    var major: Int { version / 10_000 }

    /// Large objects that this user may not read; every one has rights of its own.
    static func unreadableLargeObjects(_ connection: Connection) throws(Failure) -> [String] {
        try connection.query(
            """
            SELECT m.oid FROM pg_largeobject_metadata m
            WHERE current_setting('lo_compat_privileges') = 'off'
                AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
                AND NOT pg_has_role(m.lomowner, 'USAGE')
                AND NOT EXISTS (SELECT 1 FROM aclexplode(m.lomacl) a WHERE a.privilege_type = 'SELECT'
                    AND (a.grantee = 0 OR pg_has_role(a.grantee, 'USAGE')))
            ORDER BY m.oid LIMIT 20
            """
        ).compactMap(\.first?.self)
    }

    /// Older servers lack what the export stands on.
    static let oldest = 110_000

    init(_ connection: Connection) throws(Failure) {
        version = connection.serverVersion
        guard version >= Self.oldest else {
            throw Failure(
                .databaseUnsuitable,
                "the server is of version \(version / 10_000); 11 is the oldest "
                    + "that can be read")
        }
        let locale =
            switch version {
            case 170_000...: "d.datlocprovider, d.datlocale"
            case 150_000...: "d.datlocprovider, d.daticulocale"
            default: "'c', NULL"
            }
        let row =
            try connection.query(
                """
                SELECT current_setting('server_version'), d.datname, pg_encoding_to_char(d.encoding),
                    d.datcollate, d.datctype, r.rolsuper, r.rolbypassrls, pg_is_in_recovery(),
                    r.rolname, \(locale)
                FROM pg_database d, pg_roles r
                WHERE d.datname = current_database() AND r.rolname = current_user
                """
            ).first ?? []
        guard row.count == 11, let text = row[0], let name = row[1], let encoding = row[2] else {
            throw Failure(.databaseRefused, "the server does not describe its database")
        }
        versionText = text
        database = name
        self.encoding = encoding
        collate = row[3] ?? "C"
        ctype = row[4] ?? "C"
        isSuperuser = row[5] == "t"
        bypassesRowSecurity = row[5] == "t" || row[6] == "t"
        isInRecovery = row[7] == "t"
        user = row[8] ?? ""
        provider = row[9] ?? "c"
        icuLocale = row[10]
    }
}
