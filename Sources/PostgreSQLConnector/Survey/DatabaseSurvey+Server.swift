import Basics
import Connectors

// Versions, tools, rights.
extension DatabaseSurvey {
    mutating func lookAtServer() {
        let facts = catalog.facts
        if facts.version < 110000 {
            refuse(
                .serverUnsupported, "server-version",
                "the server is of version \(facts.major); 11 is the first that is supported",
                "Upgrade the server, or export it with its own tools.")
        }
        if facts.version < 120000 {
            find(
                "float-text", .warning,
                "servers before 12 print floats with 17 digits: the digests of tables with floats "
                    + "hold for servers before 12 only")
        }
        if facts.version < 140000 {
            find(
                "no-ranges", .note,
                "servers before 14 cannot read a table by ranges: each table is one segment")
        }
        if facts.isStandby {
            find(
                "standby", .note,
                "the server is a standby: long exports may be cancelled by replay unless "
                    + "max_standby_streaming_delay allows them or hot_standby_feedback is on; "
                    + "sequences may be ahead of their use")
        }
        if facts.encoding == "SQL_ASCII" {
            find(
                "encoding-unknown", .warning,
                "the database is SQL_ASCII: its bytes are copied as they are, in no known encoding")
        }
        if let recorded = facts.collationVersion, let actual = facts.actualCollationVersion,
            recorded != actual
        {
            find(
                "collation-version", .warning,
                "the database was made with collation version \(recorded), the system has \(actual): "
                    + "indexes on text may be wrong; the copy is indexed anew, and a unique "
                    + "index may then find duplicates")
        }
    }

    mutating func lookAtTools() {
        for name in ["pg_dump", "pg_dumpall"] {
            do throws(Failure) {
                _ = try Tool.find(name, atLeast: catalog.facts.major)
            } catch {
                refuse(.toolUnusable, "tool-unusable", error.what, error.hint ?? "Install it.")
            }
        }
    }

    mutating func lookAtRights() {
        let facts = catalog.facts
        var hidden: [String] = []
        var unreadable: [String] = []
        for table in selection.tables {
            for relation in [table.relation] + table.leaves {
                let seesAll =
                    facts.bypassesPolicies
                    || relation.isOwned && !relation.forcesPolicies
                if relation.hasPolicies, !seesAll { hidden.append(relation.quoted) }
                if !relation.isReadable { unreadable.append(relation.quoted) }
            }
        }
        unreadable += selection.sequences.filter { !$0.isReadable }.map(\.quoted)
        hidden = Array(Set(hidden)).sorted()
        unreadable = Array(Set(unreadable)).sorted()
        if !hidden.isEmpty {
            refuse(
                .rightsMissing, "row-security",
                "row-level security hides rows of \(Self.list(hidden)) from role "
                    + "\"\(facts.role)\"",
                "ALTER ROLE \(Quoting.name(facts.role)) BYPASSRLS, or export as the owner, or "
                    + "exclude the tables.")
        }
        if !unreadable.isEmpty {
            refuse(
                .rightsMissing, "unreadable",
                "role \"\(facts.role)\" cannot read \(Self.list(unreadable))",
                "GRANT SELECT on them and USAGE on their schemas, or GRANT pg_read_all_data TO "
                    + "\(Quoting.name(facts.role)), or exclude them.")
        }
    }

    static func list(_ names: [String]) -> String {
        names.prefix(5).joined(separator: ", ")
            + (names.count > 5 ? " and \(names.count - 5) more" : "")
    }
}
