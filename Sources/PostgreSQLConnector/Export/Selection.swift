import Basics
import Connectors
import Manifests

/// What of a database goes into the archive, what does not, and why.
struct Selection: Sendable {
    /// A table, or the root of partitions, with the leaves that hold its rows.
    struct Table: Sendable {
        let relation: Relation
        let leaves: [Relation]
        var bytes: Int64 { leaves.reduce(0) { $0 + $1.bytes } }
    }

    struct Omission: Sendable {
        let reason: String
        let isAccepted: Bool
        let type: String
        let name: String
        let detail: String

        var json: JSON {
            [
                "type": .string(type), "name": .string(name), "reason": .string(reason),
                "detail": .string(detail), "accepted": .bool(isAccepted),
            ]
        }
    }

    private(set) var tables: [Table] = []
    private(set) var sequences: [Relation] = []
    private(set) var omissions: [Omission] = []
    /// Relations that a filter leaves out.
    private(set) var excluded: Set<Int64> = []
    private(set) var excludedRelations: [Relation] = []
    private(set) var excludedSchemas: Set<String> = []
    private let accepted: Set<String>

    init(_ catalog: Catalog, _ settings: PostgreSQLSettings) {
        accepted = settings.accepted
        for schema in Set(catalog.relations.map(\.schema)).sorted() {
            if let reason = settings.exclusion(schema: schema) {
                excludedSchemas.insert(schema)
                note(DatabaseOmission.excluded, "schema", Quoting.name(schema), reason, true)
            }
        }
        for relation in catalog.relations where relation.ofExtension == nil {
            guard
                let reason = settings.exclusion(schema: relation.schema, table: relation.name)
            else { continue }
            excluded.insert(relation.oid)
            excludedRelations.append(relation)
            note(
                DatabaseOmission.excluded, Self.word(relation.kind), relation.quoted, reason, true)
        }
        let byID = Dictionary(
            catalog.relations.map { ($0.oid, $0) }, uniquingKeysWith: { first, _ in first })
        var leaves: [Int64: [Relation]] = [:]
        for relation in catalog.relations where relation.isPartition {
            if excluded.contains(relation.oid) { continue }
            guard let root = Self.root(of: relation.oid, catalog.parents, byID) else { continue }
            if relation.kind == "f" {
                note(.foreignTables, "foreign table", relation.quoted, "its rows are elsewhere")
            } else if relation.kind == "r" {
                leaves[root, default: []].append(relation)
                noteUnlogged(relation, catalog.facts)
            }
        }
        for relation in catalog.relations {
            let isConfiguration =
                relation.ofExtension != nil && relation.extensionCondition != nil
            if excluded.contains(relation.oid) || relation.isPartition
                || relation.ofExtension != nil && !isConfiguration
            {
                continue
            }
            switch relation.kind {
            case "r":
                tables.append(Table(relation: relation, leaves: [relation]))
                noteUnlogged(relation, catalog.facts)
            case "p": tables.append(Table(relation: relation, leaves: leaves[relation.oid] ?? []))
            case "f":
                note(.foreignTables, "foreign table", relation.quoted, "its rows are elsewhere")
            case "S": sequences.append(relation)
            case "m" where !relation.isPopulated:
                note(
                    .unpopulatedViews, "materialized view", relation.quoted,
                    "it was not populated when the snapshot was taken, and is created so")
            default: break
            }
        }
        // On a standby nothing can be read of them, so they are not tried.
        if catalog.facts.isStandby {
            tables.removeAll { $0.relation.isUnlogged }
        }
    }

    private static func root(
        of oid: Int64, _ parents: [Int64: [Int64]], _ relations: [Int64: Relation]
    ) -> Int64? {
        var place = oid
        for _ in 0..<1000 {
            guard let relation = relations[place], relation.isPartition,
                let parent = parents[place]?.first
            else { return place == oid ? nil : place }
            place = parent
        }
        return nil
    }

    private mutating func noteUnlogged(_ relation: Relation, _ facts: DatabaseFacts) {
        guard relation.isUnlogged, facts.isStandby else { return }
        note(
            .unloggedTables, "table", relation.quoted,
            "a standby has none of the rows of an unlogged table")
    }

    mutating func note(
        _ reason: DatabaseOmission, _ type: String, _ name: String, _ detail: String
    ) {
        note(reason.rawValue, type, name, detail, accepted.contains(reason.rawValue))
    }

    mutating func note(
        _ reason: String, _ type: String, _ name: String, _ detail: String, _ isAccepted: Bool
    ) {
        omissions.append(
            Omission(
                reason: reason, isAccepted: isAccepted, type: type, name: name, detail: detail))
    }

    static func word(_ kind: String) -> String {
        switch kind {
        case "r", "p": "table"
        case "f": "foreign table"
        case "S": "sequence"
        case "m": "materialized view"
        default: "view"
        }
    }

    var summary: OmissionSummary {
        var counts: [String: (count: Int64, accepted: Bool)] = [:]
        for omission in omissions {
            counts[omission.reason, default: (0, omission.isAccepted)].count += 1
        }
        return OmissionSummary(
            counts: counts.sorted { $0.key < $1.key }.map {
                .init(reason: $0.key, count: $0.value.count, accepted: $0.value.accepted)
            }, lines: omissions.prefix(OmissionSummary.mostLines).map(\.json))
    }
}
