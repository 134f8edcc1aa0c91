import Basics

/// What a server says about itself and one database, read inside the snapshot.
struct DatabaseFacts: Sendable {
    let version: Int
    let versionText: String
    let name: String
    let owner: String
    let encoding: String
    let collate: String
    let ctype: String
    let provider: String
    let locale: String?
    let collationVersion: String?
    let actualCollationVersion: String?
    let tablespace: String
    let comment: String?
    let connectionLimit: Int64
    let blockSize: Int64
    let isStandby: Bool
    /// Where the write-ahead log is.
    let position: String
    let role: String
    let isSuperuser: Bool
    let bypassesPolicies: Bool
    let readsVerifiers: Bool

    var major: Int { version / 10000 }

    init(_ connection: Connection) throws(Failure) {
        version = Int(connection.serverVersion)
        let provider =
            version >= 150000
            ? """
            d.datlocprovider::text, \(version >= 170000 ? "d.datlocale" : "d.daticulocale"),
            d.datcollversion, pg_catalog.pg_database_collation_actual_version(d.oid)
            """ : "'c', NULL, NULL, NULL"
        let result = try connection.query(
            """
            SELECT d.datname, pg_catalog.pg_get_userbyid(d.datdba),
                pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
                \(provider), t.spcname, pg_catalog.shobj_description(d.oid, 'pg_database'),
                d.datconnlimit, pg_catalog.current_setting('block_size'),
                pg_catalog.pg_is_in_recovery(),
                CASE WHEN pg_catalog.pg_is_in_recovery()
                    THEN pg_catalog.pg_last_wal_replay_lsn()
                    ELSE pg_catalog.pg_current_wal_lsn() END,
                r.rolname, r.rolsuper, r.rolbypassrls OR r.rolsuper,
                pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT'),
                pg_catalog.version()
            FROM pg_catalog.pg_database d
            JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
            JOIN pg_catalog.pg_roles r ON r.rolname = current_user
            WHERE d.datname = pg_catalog.current_database()
            """)
        guard result.count == 1 else {
            throw Failure(.failed, "the server does not describe its database")
        }
        name = result.string(0, 0)
        owner = result.string(0, 1)
        encoding = result.string(0, 2)
        collate = result.string(0, 3)
        ctype = result.string(0, 4)
        self.provider =
            ["c": "libc", "i": "icu", "b": "builtin"][result.string(0, 5)] ?? result.string(0, 5)
        locale = result.text(0, 6)
        collationVersion = result.text(0, 7)
        actualCollationVersion = result.text(0, 8)
        tablespace = result.string(0, 9)
        comment = result.text(0, 10)
        connectionLimit = result.integer(0, 11)
        blockSize = max(1, result.integer(0, 12))
        isStandby = result.flag(0, 13)
        position = result.string(0, 14)
        role = result.string(0, 15)
        isSuperuser = result.flag(0, 16)
        bypassesPolicies = result.flag(0, 17)
        readsVerifiers = result.flag(0, 18)
        versionText = result.string(0, 19)
    }

    var json: JSON {
        var members: [JSON.Member] = [
            .init("type", "database"), .init("name", .string(name)),
            .init("owner", .string(owner)), .init("encoding", .string(encoding)),
            .init("collate", .string(collate)), .init("ctype", .string(ctype)),
            .init("provider", .string(provider)), .init("version", .integer(Int64(version))),
            .init("versionText", .string(versionText)),
            .init("tablespace", .string(tablespace)), .init("standby", .bool(isStandby)),
            .init("connectionLimit", .integer(connectionLimit)),
        ]
        if let locale { members.append(.init("locale", .string(locale))) }
        if let comment { members.append(.init("comment", .string(comment))) }
        if let collationVersion {
            members.append(.init("collationVersion", .string(collationVersion)))
        }
        return .object(members)
    }
}
