import Basics
import Connectors
import Databases

// What loading rows did not look at.
extension MariaDBImporter {
    /// Rows were loaded without looking at foreign keys and CHECKs: what does not hold is told.
    func checkConditions(of table: ImportWork.Table) throws(Failure) {
        let (database, name) = (table.definition.database, table.definition.name)
        let qualified = "\(database.quotedName).\(name.quotedName)"
        for check in table.parts.checks {
            let condition = String(decoding: check.condition, as: UTF8.self)
            try count(
                "SELECT COUNT(*) FROM \(qualified) WHERE NOT \(condition)", of: table,
                "against", "CHECK \(check.name)", ", as on the source")
        }
        for reference in table.parts.references {
            let isSet = reference.columns.map { "c.\($0.quotedName) IS NOT NULL" }
            let isEqual = zip(reference.parentColumns, reference.columns).map {
                "p.\($0.quotedName) = c.\($1.quotedName)"
            }
            let parent =
                "\((reference.database ?? database).quotedName).\(reference.table.quotedName)"
            try count(
                "SELECT COUNT(*) FROM \(qualified) c WHERE \(isSet.joined(separator: " AND ")) AND NOT "
                    + "EXISTS (SELECT 1 FROM \(parent) p WHERE \(isEqual.joined(separator: " AND ")))",
                of: table, "without a parent for", "foreign key \(reference.name)",
                ", as on the source")
        }
    }

    private func count(
        _ query: String, of table: ImportWork.Table, _ what: String, _ rule: String,
        _ asOnSource: String
    ) throws(Failure) {
        let title = "table \(table.definition.database).\(table.definition.name)"
        let asOnSource = artifacts.lacksAny(of: source) ? ", some of which are lost" : asOnSource
        do throws(Failure) {
            let count = try target.pool.with { (session) throws(Failure) in
                try session.value(query)
            }
            if let count, count != "0" {
                target.note(
                    shortfall: title,
                    "\(count) \(count == "1" ? "row" : "rows") \(what) the \(rule)\(asOnSource)")
            }
        } catch {
            // The parent may be in a database that was not exported.
            guard error.code == .databaseRefused || error.code == .databaseRights else {
                throw error
            }
            target.note(
                shortfall: title,
                "nothing could be held against the \(rule): \(Self.reason(error))")
        }
    }
}
