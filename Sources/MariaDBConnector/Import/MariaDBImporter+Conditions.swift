import Basics
import Databases

// What loading rows did not look at.
extension MariaDBImporter {
    /// Rows were loaded without looking at foreign keys and CHECKs: what does not hold is told.
    func checkConditions() throws(Failure) {
        let work = try prepared().work
        try target.pool.with { (session) throws(Failure) in
            for table in work.tables {
                let name =
                    "\(table.definition.database.quotedName).\(table.definition.name.quotedName)"
                for check in table.parts.checks {
                    let condition = String(decoding: check.condition, as: UTF8.self)
                    let count = try session.value(
                        "SELECT COUNT(*) FROM \(name) WHERE NOT \(condition)")
                    if let count, count != "0" {
                        target.note(
                            shortfall:
                                "table \(table.definition.database).\(table.definition.name)",
                            "\(count) rows violate the CHECK \(check.name), as they did on the source"
                        )
                    }
                }
                try checkReferences(table, name, session)
            }
        }
    }

    private func checkReferences(
        _ table: ImportWork.Table, _ name: String, _ session: Session
    ) throws(Failure) {
        if table.parts.references.isEmpty { return }
        let rows = try session.query(
            """
            SELECT CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME,
                REFERENCED_COLUMN_NAME FROM information_schema.KEY_COLUMN_USAGE
            WHERE TABLE_SCHEMA = \(table.definition.database.quotedString)
                AND TABLE_NAME = \(table.definition.name.quotedString)
                AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY CONSTRAINT_NAME, ORDINAL_POSITION
            """)
        for (constraint, columns) in Dictionary(grouping: rows, by: { $0[0] ?? "" }) {
            guard let schema = columns[0][2], let parent = columns[0][3] else { continue }
            let isSet = columns.map { "c.\(($0[1] ?? "").quotedName) IS NOT NULL" }
            let isEqual = columns.map {
                "p.\(($0[4] ?? "").quotedName) = c.\(($0[1] ?? "").quotedName)"
            }
            let title = "table \(table.definition.database).\(table.definition.name)"
            do throws(Failure) {
                let count = try session.value(
                    "SELECT COUNT(*) FROM \(name) c WHERE \(isSet.joined(separator: " AND ")) AND NOT EXISTS "
                        + "(SELECT 1 FROM \(schema.quotedName).\(parent.quotedName) p WHERE "
                        + "\(isEqual.joined(separator: " AND ")))")
                if let count, count != "0" {
                    target.note(
                        shortfall: title,
                        "\(count) rows have no parent for the foreign key \(constraint), as on the source"
                    )
                }
            } catch {
                // Its parent may be in a database that was not exported.
                guard error.code == .databaseRefused || error.code == .databaseRights else {
                    throw error
                }
                target.note(
                    shortfall: title,
                    "nothing could be held against the foreign key \(constraint): \(Self.reason(error))"
                )
            }
        }
    }
}
