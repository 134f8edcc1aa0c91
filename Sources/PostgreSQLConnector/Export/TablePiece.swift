import Basics

/// Rows that one COPY reads: a whole relation, or its pages from one to another.
struct TablePiece: Sendable, Equatable {
    let relation: String
    /// nil: the whole relation.
    let firstPage: Int64?
    /// Not included; nil: to the end, whatever was added since.
    let endPage: Int64?
    /// Of an extension's configuration table.
    let condition: String

    /// The statement that writes the piece's rows in the order of columns by name.
    func copy(columns: [String], encoding: String) -> String {
        let list = columns.map(\.quotedName).joined(separator: ", ")
        let options = "TO STDOUT WITH (FORMAT text, ENCODING \(encoding.quotedString))"
        if firstPage == nil, condition.isEmpty, !columns.isEmpty {
            return "COPY \(relation) (\(list)) \(options)"
        }
        var conditions: [String] = []
        if let firstPage, firstPage > 0 { conditions.append("ctid >= '(\(firstPage),0)'::tid") }
        if let endPage { conditions.append("ctid < '(\(endPage),0)'::tid") }
        var tail = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        // pg_extension keeps the condition with its WHERE; such tables are not cut.
        if !condition.isEmpty { tail = " " + condition }
        return "COPY (SELECT \(list) FROM ONLY \(relation)\(tail)) \(options)"
    }

    var json: JSON {
        .array([
            .string(relation), firstPage.map { .integer($0) } ?? .null,
            endPage.map { .integer($0) } ?? .null, .string(condition),
        ])
    }

    init(relation: String, firstPage: Int64? = nil, endPage: Int64? = nil, condition: String = "") {
        self.relation = relation
        self.firstPage = firstPage
        self.endPage = endPage
        self.condition = condition
    }

    init?(_ json: JSON) {
        guard let parts = json.array, parts.count == 4, let relation = parts[0].string,
            let condition = parts[3].string
        else { return nil }
        self.init(
            relation: relation, firstPage: parts[1].integer, endPage: parts[2].integer,
            condition: condition)
    }

    /// Cuts relations into segments of about the same work: large ones by pages, small ones together.
    ///
    /// - Parameter canCut: servers from 14 on read a range of pages without the rest of the table.
    static func segments(
        of leaves: [Relation], canCut: Bool
    ) -> [[TablePiece]] {
        let total = leaves.reduce(0) { $0 + $1.bytes }
        let target = min(max(total / 16, 16 << 20), 64 << 20)
        var segments: [[TablePiece]] = []
        var current: [TablePiece] = []
        var size: Int64 = 0
        func close() {
            if !current.isEmpty { segments.append(current) }
            current = []
            size = 0
        }
        for leaf in leaves {
            let pieces = canCut ? max(1, min(leaf.bytes / target, leaf.pages)) : 1
            if pieces == 1 || leaf.configuration != nil {
                if size + leaf.bytes > target { close() }
                current.append(
                    TablePiece(relation: leaf.qualified, condition: leaf.configuration ?? ""))
                size += leaf.bytes
                continue
            }
            close()
            for piece in 0..<pieces {
                segments.append([
                    TablePiece(
                        relation: leaf.qualified, firstPage: leaf.pages * piece / pieces,
                        endPage: piece == pieces - 1 ? nil : leaf.pages * (piece + 1) / pieces)
                ])
            }
        }
        close()
        return segments
    }
}
