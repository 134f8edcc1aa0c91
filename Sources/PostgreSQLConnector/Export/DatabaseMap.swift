import Basics

/// The lines of the artifact `contents`: what a reader needs to know of the database and its objects.
struct DatabaseMap {
    private let catalog: Catalog
    private let selection: Selection
    private let sequences: [SequenceState]
    private let connection: Connection

    init(
        _ catalog: Catalog, _ selection: Selection, _ sequences: [SequenceState],
        _ connection: Connection
    ) throws(Failure) {
        self.catalog = catalog
        self.selection = selection
        self.sequences = sequences
        self.connection = connection
    }

    /// - Parameter firstTable: the place of the first table among the artifacts.
    func lines(firstTable: Int) throws(Failure) -> [JSON] {
        var lines = [catalog.facts.json]
        lines += try extensions()
        lines += try collations()
        for (place, table) in selection.tables.enumerated() {
            lines.append(line(table, artifact: firstTable + place))
        }
        lines += sequences.map(\.json)
        let excluded = selection.excluded
        lines += try ObjectInventory.read(connection)
            .filter { !excluded.contains($0.relation) }.map(\.json)
        lines += selection.omissions.map { omission in
            .object([.init("type", "omission"), .init("object", omission.json)])
        }
        return lines
    }

    private func line(_ table: Selection.Table, artifact: Int) -> JSON {
        let relation = table.relation
        let columns = catalog.columns[relation.oid] ?? []
        var members: [JSON.Member] = [
            .init("type", "table"), .init("artifact", .integer(Int64(artifact))),
            .init("schema", .string(relation.schema)), .init("name", .string(relation.name)),
            .init("columns", .array(columns.map(JSON.string))),
            .init(
                "kind",
                .string(relation.extensionCondition == nil ? relation.kind : "config")),
            .init("owner", .string(relation.owner)),
        ]
        if let keys = catalog.keys[relation.oid], keys.allSatisfy(columns.contains) {
            members.append(.init("identity", .array(keys.map(JSON.string))))
        }
        if let name = relation.ofExtension, let condition = relation.extensionCondition {
            members.append(.init("extension", .string(name)))
            members.append(.init("condition", .string(condition)))
        }
        if relation.kind == "p" {
            members.append(.init("partitions", .array(table.leaves.map { .string($0.quoted) })))
        }
        return .object(members)
    }

    private func extensions() throws(Failure) -> [JSON] {
        let result = try connection.query(
            """
            SELECT e.extname, e.extversion, n.nspname FROM pg_catalog.pg_extension e
            JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace ORDER BY 1
            """)
        return (0..<result.count).map { row in
            [
                "type": "extension", "name": .string(result.string(row, 0)),
                "version": .string(result.string(row, 1)),
                "schema": .string(result.string(row, 2)),
            ]
        }
    }

    private func collations() throws(Failure) -> [JSON] {
        let result = try connection.query(
            """
            SELECT n.nspname, c.collname, c.collprovider, c.collversion,
                pg_catalog.pg_collation_actual_version(c.oid)
            FROM pg_catalog.pg_collation c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
            WHERE c.oid >= 16384 AND c.collversion IS NOT NULL ORDER BY 1, 2
            """)
        return (0..<result.count).map { row in
            [
                "type": "collation-version", "schema": .string(result.string(row, 0)),
                "name": .string(result.string(row, 1)),
                "provider": .string(result.string(row, 2)),
                "version": .string(result.string(row, 3)),
                "actual": .string(result.string(row, 4)),
            ]
        }
    }
}
