import Basics
import Connectors
import Manifests

/// The artifacts of a database in the order in which they are stored and restored.
struct DatabaseLayout: Sendable {
    enum Content: Sendable {
        case roles, preData, postData
        /// Text that is known when the moment is taken.
        case text([UInt8])
        case table(Selection.Table, [[TableSegments.Piece]])
        /// Large objects from one number to another, both inside.
        case largeObjects([ClosedRange<Int64>], counts: [Int64])
    }

    struct Item: Sendable {
        let name: String
        let kind: String
        let format: String
        let legal: LegalCategory
        let content: Content
        let expected: Int64
        let bytes: Int64

        var segments: Int {
            switch content {
            case .table(_, let segments): segments.count
            case .largeObjects(let ranges, _): ranges.count
            default: 1
            }
        }

        var outline: ArtifactOutline {
            ArtifactOutline(
                name: name, slug: kind, kind: kind, legal: legal, format: format,
                segments: segments, expected: expected, bytes: bytes)
        }
    }

    let catalog: Catalog
    let selection: Selection
    private(set) var items: [Item] = []

    /// Reads what is needed through the connection that holds the moment.
    init(
        _ catalog: Catalog, _ selection: Selection, secrets: PostgreSQLSettings.Secrets?,
        _ connection: Connection
    ) throws(Failure) {
        self.catalog = catalog
        self.selection = selection
        let facts = catalog.facts
        let sequences = try SequenceState.read(selection.sequences, connection)
        add("roles", "roles", .roles, bytes: 4096)
        add(
            "database", "database",
            .text(Array(try DatabaseStatements.database(facts, connection).utf8)))
        add("pre-data", "pre-data", .preData, bytes: 65536)
        let contents = items.count
        var tables: [Item] = []
        for table in selection.tables {
            let segments = TableSegments.cut(table, facts)
            tables.append(
                Item(
                    name: table.relation.quoted, kind: "table", format: "copy",
                    legal: .exportableData, content: .table(table, segments), expected: 1,
                    bytes: table.bytes))
        }
        var lines = try DatabaseMap(catalog, selection, sequences, connection)
            .lines(firstTable: contents + 1)
        let ranges = try LargeObjects.ranges(connection)
        if !ranges.isEmpty {
            let count = ranges.reduce(0) { $0 + $1.count }
            lines.append(["type": "large-objects", "count": .integer(count)])
        }
        var text: [UInt8] = []
        for line in lines { text += line.canonical + [0x0a] }
        add("contents", "contents", .text(text), format: "jsonl")
        items += tables
        if !ranges.isEmpty {
            add(
                "large-object-definitions", "large-object-definitions",
                .text(Array(try DatabaseStatements.largeObjects(connection).utf8)))
            let counts = ranges.map(\.count)
            items.append(
                Item(
                    name: "large-objects", kind: "large-objects", format: "copy",
                    legal: .exportableData,
                    content: .largeObjects(ranges.map(\.range), counts: counts),
                    expected: counts.reduce(0, +), bytes: ranges.reduce(0) { $0 + $1.bytes }))
        }
        add("sequences", "sequences", .text(Array(sequences.map(\.statement).joined().utf8)))
        add("post-data", "post-data", .postData, bytes: 65536)
        if secrets == .sealed {
            add(
                "role-passwords", "role-passwords",
                .text(Array(try DatabaseStatements.passwords(connection).utf8)))
        }
    }

    private mutating func add(
        _ name: String, _ kind: String, _ content: Content, format: String = "sql",
        bytes: Int64 = 0
    ) {
        var size = bytes
        if case .text(let text) = content { size = Int64(text.count) }
        items.append(
            Item(
                name: name, kind: kind, format: format, legal: .digitalAsset, content: content,
                expected: 1, bytes: size))
    }
}
