import Basics

/// What matters of a server and of the account that reads it.
struct ServerFacts: Sendable {
    enum Family: String, Sendable {
        case mariadb, mysql
    }

    let family: Family
    /// As the server counts: 101119 is 10.11.19.
    let version: Int
    let versionText: String
    let user: String
    /// Global privileges, those of active roles among them; "ALL PRIVILEGES" for all.
    let privileges: Set<String>
    let hasBinaryLog: Bool
    let isReadOnly: Bool
    /// 0: names as they are written; 1: in lower case; 2: compared without case.
    let lowerCaseNames: Int
    let maxPacket: Int
    let mayLoadLocal: Bool
    /// Storage engines that the server has, with whether they know transactions.
    let engines: [String: Bool]

    /// Older servers lack what the export stands on.
    static let oldest = [Family.mariadb: 100_400, .mysql: 80_000]

    /// Databases of the server itself.
    static let systemDatabases = ["information_schema", "performance_schema", "mysql", "sys"]

    init(_ session: Session) throws(Failure) {
        family = session.isMariaDB ? .mariadb : .mysql
        version = session.serverVersion
        versionText = session.serverText
        guard version >= Self.oldest[family] ?? 0 else {
            throw Failure(
                .databaseUnsuitable, "the server is of version \(versionText)",
                hint: "MariaDB 10.4 and MySQL 8.0 are the oldest that can be read.")
        }
        let row =
            try session.query(
                "SELECT CURRENT_USER(), @@log_bin, @@read_only, @@lower_case_table_names, "
                    + "@@max_allowed_packet, @@local_infile"
            ).first ?? []
        user = row.first?.flatMap { $0 } ?? ""
        func number(_ place: Int) -> Int {
            row.indices.contains(place) ? Int(row[place] ?? "") ?? 0 : 0
        }
        hasBinaryLog = number(1) == 1
        isReadOnly = number(2) == 1
        lowerCaseNames = number(3)
        maxPacket = number(4)
        mayLoadLocal = number(5) == 1
        var engines: [String: Bool] = [:]
        for row in try session.query(
            "SELECT ENGINE, TRANSACTIONS FROM information_schema.ENGINES WHERE SUPPORT IN ('YES', 'DEFAULT')"
        ) {
            if let name = row[0] { engines[name.lowercased()] = row[1] == "YES" }
        }
        self.engines = engines
        privileges = Self.globalPrivileges(try session.query("SHOW GRANTS").compactMap { $0[0] })
    }

    static func globalPrivileges(_ grants: [String]) -> Set<String> {
        var found: Set<String> = []
        for grant in grants where grant.hasPrefix("GRANT ") {
            guard let end = grant.firstRange(of: " ON *.* TO ") else { continue }
            let list = grant[..<end.lowerBound].dropFirst("GRANT ".count)
            for privilege in list.split(separator: ",") {
                found.insert(
                    privilege.split(separator: " ").joined(separator: " ").uppercased())
            }
        }
        return found
    }

    func has(_ privilege: String) -> Bool {
        privileges.contains("ALL PRIVILEGES") || privileges.contains(privilege)
    }

    /// Whether the definitions of all accounts and routines can be seen.
    var seesSystemTables: Bool { has("SELECT") }
}

extension String {
    func firstRange(of text: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
