import Basics

extension Definition {
    /// In what the same object on a target differs; nil where it is the same.
    func difference(from other: Definition) -> (what: String, expected: String, found: String)? {
        for (what, mine, theirs) in [
            ("sql_mode", mode, other.mode), ("character set of the client", client, other.client),
            ("collation of the connection", connection, other.connection),
            ("collation of the database", databaseCollation, other.databaseCollation),
            ("time zone", timeZone, other.timeZone),
        ] where mine != theirs {
            return (what, mine, theirs)
        }
        let (mine, theirs) = (comparable, other.comparable)
        if mine == theirs { return nil }
        // The first place where they part, for people.
        let place = zip(mine, theirs).prefix { $0 == $1 }.count
        func part(_ bytes: [UInt8]) -> String {
            "…" + String(decoding: bytes.dropFirst(max(0, place - 20)).prefix(100), as: UTF8.self)
        }
        return ("definition", part(mine), part(theirs))
    }
}

extension NameMapping {
    /// For the receipt.
    var json: JSON {
        func object(_ names: [String: String]) -> JSON {
            .object(names.sorted { $0.key < $1.key }.map { .init($0.key, .string($0.value)) })
        }
        return [
            "databases": object(databases), "definers": object(definers), "users": object(users),
            "collations": object(collations),
        ]
    }
}
