import Basics
import Primitives
import Streams

/// Materialised views travel as definitions and are computed anew; what they held is digested, so
/// that a difference can be told.
enum MaterializedView {
    /// COPY takes no materialised view by name before PostgreSQL 18.
    static func copy(_ qualified: String, _ columns: [String], encoding: String) -> String {
        let list = columns.map(\.quotedName).joined(separator: ", ")
        return "COPY (SELECT \(list) FROM \(qualified)) TO STDOUT "
            + "WITH (FORMAT text, ENCODING \(encoding.quotedString))"
    }

    /// Lines of the contents for the populated ones that the user may read.
    static func lines(
        _ connection: Connection, _ scope: ExportScope, encoding: String, salt: [UInt8]
    ) throws(Failure) -> [JSON] {
        let populated = Set(
            try connection.query("SELECT oid FROM pg_class WHERE relkind = 'm' AND relispopulated")
                .compactMap(\.first?.self))
        let excluded = Set(scope.excluded.map(\.relation.oid))
        var lines: [JSON] = []
        var chunk = Chunk()
        for view in scope.catalog.all where view.kind == .materialized && view.ownedBy == nil {
            guard populated.contains(view.oid), !excluded.contains(view.oid), view.mayRead,
                view.maySeeSchema
            else { continue }
            var hasher = RowHasher(salt: salt)
            _ = try unsafe connection.copyOut(
                copy(view.qualified, view.columns, encoding: encoding), into: &chunk,
                row: { (piece) throws(Failure) in unsafe hasher.update(row: piece) },
                full: { (_) throws(Failure) in })
            let digest = hasher.digest
            lines.append([
                "type": "materialized-view", "schema": .string(view.schema),
                "name": .string(view.name), "columns": .array(view.columns.map { .string($0) }),
                "rows": .integer(digest.count), "rows-sha256-sum": .string(digest.sum.hex),
            ])
        }
        return lines
    }

    static func stored(_ json: JSON) -> StoredDatabase.View? {
        guard let schema = json["schema"]?.string, let name = json["name"]?.string,
            let columns = json["columns"]?.array, let count = json["rows"]?.integer,
            let sum = json["rows-sha256-sum"]?.string.flatMap({ Digest256(hex: $0) })
        else { return nil }
        return StoredDatabase.View(
            schema: schema, name: name, columns: columns.compactMap(\.string),
            digest: MultisetDigest(sum: sum, count: count))
    }
}
