import Basics
import Databases

/// Where the plaintext of an artifact comes from.
enum ExportedBody: ContentsBody {
    case file(String)
    case table(columns: [Column], hasHistory: Bool, segments: [[TablePiece]])

    var segments: Int {
        if case .table(_, _, let segments) = self { segments.count } else { 1 }
    }

    /// Of a table, its pieces.
    var expected: Int64 {
        if case .table(_, _, let segments) = self {
            Int64(segments.reduce(0) { $0 + $1.count })
        } else {
            1
        }
    }

    var members: [JSON.Member] {
        switch self {
        case .file(let file): [.init("file", .string(file))]
        case .table(let columns, let hasHistory, let segments):
            [
                .init("columns", .array(columns.map(\.json))), .init("history", .bool(hasHistory)),
                .init("segments", .array(segments.map { .array($0.map(\.json)) })),
            ]
        }
    }

    init?(_ json: JSON) {
        guard let columns = json["columns"]?.array, let segments = json["segments"]?.array else {
            return nil
        }
        self = .table(
            columns: columns.compactMap { Column($0) }, hasHistory: json["history"] == .bool(true),
            segments: segments.map { ($0.array ?? []).compactMap { TablePiece($0) } })
    }
}
