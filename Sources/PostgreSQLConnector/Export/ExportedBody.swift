import Basics
import Databases

/// Where the plaintext of an artifact comes from.
enum ExportedBody: ContentsBody {
    case file(String)
    case table(columns: [String], segments: [[TablePiece]])
    /// Batches of large objects, by the first and the last identifier.
    case largeObjects([(first: Int64, last: Int64)])

    /// A table without leaves (a partitioned one) has one segment with nothing in it.
    var segments: Int {
        switch self {
        case .file: 1
        case .table(_, let segments): max(1, segments.count)
        case .largeObjects(let batches): batches.count
        }
    }

    /// Of a table, its pieces.
    var expected: Int64 {
        switch self {
        case .file: 1
        case .table(_, let segments): Int64(segments.reduce(0) { $0 + $1.count })
        case .largeObjects(let batches): Int64(batches.count)
        }
    }

    var members: [JSON.Member] {
        switch self {
        case .file(let file): [.init("file", .string(file))]
        case .table(let columns, let segments):
            [
                .init("columns", .array(columns.map { .string($0) })),
                .init("segments", .array(segments.map { .array($0.map(\.json)) })),
            ]
        case .largeObjects(let batches):
            [
                .init(
                    "batches",
                    .array(batches.map { .array([.integer($0.first), .integer($0.last)]) }))
            ]
        }
    }

    init?(_ json: JSON) {
        if let columns = json["columns"]?.array, let segments = json["segments"]?.array {
            self = .table(
                columns: columns.compactMap(\.string),
                segments: segments.map { ($0.array ?? []).compactMap { TablePiece($0) } })
        } else if let batches = json["batches"]?.array {
            self = .largeObjects(
                batches.compactMap { batch in
                    guard let first = batch.array?.first?.integer,
                        let last = batch.array?.last?.integer
                    else { return nil }
                    return (first, last)
                })
        } else {
            return nil
        }
    }
}
