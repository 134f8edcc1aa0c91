import Connectors
import Manifests

/// The steps of an import in the order of their doing.
struct ImportWork: Sendable {
    /// Units that are no segments of the archive have artifact numbers from here on.
    static let firstStep = 1 << 20

    enum Step: Int {
        case accounts, table, wholeTable, keys, conditions, references, states, programs, rights
    }

    struct Table: Sendable {
        /// With the names of the target.
        let definition: Definition
        let parts: TableStatement

        /// Without what is added once the rows are there.
        var bare: Definition {
            var definition = definition
            definition.statement = parts.create
            return definition
        }
    }

    let tables: [Table]
    /// Routines, views, triggers and events in an order in which each finds what it stands on.
    let programs: [Definition]
    private(set) var rounds: [[SegmentNumber]] = []

    /// Below that, keys are as quickly made with the table.
    private static let worthDeferring: Int64 = 16 << 20

    init(_ stored: StoredServer, _ settings: MariaDBTarget) {
        let records = Dictionary(
            stored.tables.map { ($0.title, $0) }, uniquingKeysWith: { first, _ in first })
        // Defaults of tables may take the next value of a sequence.
        let definitions = stored.definitions(.sequence) + stored.definitions(.table)
        tables = definitions.map { definition in
            let record = records["\(definition.database).\(definition.name)"]
            let bytes = record.map { stored.source.artifacts[$0.artifact].plainBytes } ?? 0
            let defers =
                bytes >= Self.worthDeferring && record?.isTransactional == true
                && record?.hasHistory == false
            let mapped = settings.mapping.applied(to: definition)
            return Table(
                definition: mapped, parts: TableStatement(mapped, deferring: defers))
        }
        programs =
            (stored.definitions(.package) + stored.definitions(.packageBody)
            + stored.definitions(.function, .procedure) + stored.definitions(.view)
            + stored.definitions(.trigger) + stored.definitions(.event)).map {
                let mapped = settings.mapping.applied(to: $0)
                return settings.events == .enable ? mapped : mapped.disabled
            }
        func steps(_ step: Step, _ count: Int) -> [SegmentNumber] {
            (0..<count).map { SegmentNumber(artifact: Self.firstStep + step.rawValue, segment: $0) }
        }
        let artifacts = stored.source.artifacts
        let bySize = stored.tables.indices.sorted {
            artifacts[stored.tables[$0].artifact].plainBytes
                > artifacts[stored.tables[$1].artifact].plainBytes
        }
        let rows = bySize.flatMap { place -> [SegmentNumber] in
            let table = stored.tables[place]
            guard table.isTransactional else {
                return [
                    SegmentNumber(
                        artifact: Self.firstStep + Step.wholeTable.rawValue, segment: place)
                ]
            }
            return artifacts[table.artifact].segments.indices.map {
                SegmentNumber(artifact: table.artifact, segment: $0)
            }
        }
        let made = steps(.table, tables.count)
        let sequences = stored.definitions(.sequence).count
        let keyed = tables.indices.filter { !tables[$0].parts.keys.isEmpty }.map {
            SegmentNumber(artifact: Self.firstStep + Step.keys.rawValue, segment: $0)
        }
        // What holds of the rows can be looked at while keys are made of them.
        let conditions = tables.indices.filter {
            !tables[$0].parts.references.isEmpty || !tables[$0].parts.checks.isEmpty
        }.map {
            SegmentNumber(artifact: Self.firstStep + Step.conditions.rawValue, segment: $0)
        }
        rounds = [
            steps(.accounts, 1), Array(made[..<sequences]), Array(made[sequences...]), rows,
            keyed + conditions,
            steps(.references, 1),
            steps(.states, 1), steps(.programs, 1), steps(.rights, 1),
        ].filter { !$0.isEmpty }
    }
}
