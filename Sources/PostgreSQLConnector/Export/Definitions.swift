import Basics
import Streams

/// The definitions of a database as pg_dump and pg_dumpall write them, made pure SQL.
struct Definitions {
    let tools: ClientTools
    let conninfo: Conninfo
    let room: String
    let snapshot: String
    let server: ServerFacts
    let scope: ExportScope
    let progress: Progress
    /// False: passwords in options and settings are taken out.
    let keepsSecrets: Bool

    /// Roles with their attributes, memberships and settings, and tablespaces; no passwords.
    func roles() throws(Failure) -> [UInt8] {
        let text = try tools.run(
            "pg_dumpall",
            [
                "--globals-only", "--no-role-passwords", "--no-password", "--encoding=UTF8",
                "--database=\(server.database)", "--dbname=\(conninfo.toolText)",
            ], conninfo: conninfo, room: room, progress: progress)
        return Self.joined(redacted(SQLScript(text).map(\.self)))
    }

    /// What creates the database, and what must be there before rows come.
    func beforeData() throws(Failure) -> (database: [UInt8], preData: [UInt8]) {
        let text = try dump(["--section=pre-data", "--create", "--large-objects-or-blobs"])
        var database: [SQLStatement] = []
        var before: [SQLStatement] = []
        var isDatabase = false
        for statement in SQLScript(text) {
            if !statement.notes.isEmpty {
                isDatabase = statement.notes.contains {
                    $0.contains("; Type: DATABASE") || $0.hasPrefix("Name: DATABASE ")
                }
            }
            if isDatabase || Self.isAboutDatabase(statement) {
                database.append(statement)
            } else {
                before.append(statement)
            }
        }
        return (Self.joined(redacted(database)), Self.joined(redacted(before)))
    }

    /// What follows the rows: indexes, constraints, triggers, refreshing, publications, …
    func afterData() throws(Failure) -> [UInt8] {
        Self.joined(redacted(SQLScript(try dump(["--section=post-data"])).map(\.self)))
    }

    private func dump(_ arguments: [String]) throws(Failure) -> [UInt8] {
        let large = tools.major >= 16 ? "--large-objects" : "--blobs"
        return try tools.run(
            "pg_dump",
            arguments.map { $0 == "--large-objects-or-blobs" ? large : $0 } + [
                "--format=plain", "--snapshot=\(snapshot)", "--verbose", "--no-password",
                "--no-subscriptions", "--lock-wait-timeout=60000",
                // Rows keep the bytes of the database's encoding; definitions are text everywhere.
                "--encoding=UTF8",
            ] + scope.dumpArguments + ["--dbname=\(conninfo.toolText)"],
            conninfo: conninfo, room: room, progress: progress)
    }

    private static func isAboutDatabase(_ statement: SQLStatement) -> Bool {
        statement.begins("CREATE", "DATABASE") || statement.begins("ALTER", "DATABASE")
    }

    /// The statements without what a server notes for itself, and without the secrets in them, unless the
    /// archive is to hold these.
    private func redacted(_ statements: [SQLStatement]) -> [SQLStatement] {
        let statements = statements.compactMap { $0.withoutServerNotes() }
        return keepsSecrets ? statements : statements.compactMap { $0.withoutSecrets() }
    }

    private static func joined(_ statements: [SQLStatement]) -> [UInt8] {
        var bytes: [UInt8] = []
        for statement in statements {
            for note in statement.notes { bytes += Array("-- \(note)\n".utf8) }
            bytes += statement.bytes + [0x0a]
        }
        return bytes
    }
}
