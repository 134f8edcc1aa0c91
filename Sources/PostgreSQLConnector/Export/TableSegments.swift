import Basics

/// How the rows of a table are cut: pieces of its leaves by physical position.
enum TableSegments {
    struct Piece: Sendable {
        let leaf: Relation
        /// Blocks `from..<to`; nil where the end is open. The whole leaf where both are nil.
        let from: Int64?
        let to: Int64?
    }

    static let smallest: Int64 = 16 << 20
    static let largest: Int64 = 64 << 20

    /// A segment for each piece; one without pieces where there are no leaves.
    static func cut(_ table: Selection.Table, _ facts: DatabaseFacts) -> [[Piece]] {
        let target = min(max(table.bytes / 16, smallest), largest)
        var segments: [[Piece]] = []
        var small: [Piece] = []
        var smallBytes: Int64 = 0
        for leaf in table.leaves {
            let parts = (leaf.bytes + target - 1) / max(1, target)
            // Before server 14 a range of positions reads the whole table.
            if facts.version < 140000 || !leaf.isHeap || parts < 2 || leaf.blocks < 2 {
                // Small leaves share a segment, so that a thousand partitions are not a thousand files.
                if smallBytes + leaf.bytes > target, !small.isEmpty {
                    segments.append(small)
                    small = []
                    smallBytes = 0
                }
                small.append(Piece(leaf: leaf, from: nil, to: nil))
                smallBytes += leaf.bytes
                continue
            }
            let step = max(1, (leaf.blocks + parts - 1) / parts)
            var from: Int64 = 0
            while from < leaf.blocks {
                let to = from + step
                segments.append([
                    Piece(leaf: leaf, from: from, to: to >= leaf.blocks ? nil : to)
                ])
                from = to
            }
        }
        if !small.isEmpty || segments.isEmpty { segments.append(small) }
        return segments
    }

    /// The statement that sends the rows of a piece.
    static func statement(
        _ piece: Piece, columns: [String], condition: String?, encoding: String
    ) -> String {
        let options = "WITH (FORMAT text, ENCODING \(Quoting.literal(encoding)))"
        let list = columns.map(Quoting.name).joined(separator: ", ")
        var conditions: [String] = []
        if let from = piece.from, from > 0 { conditions.append("ctid >= '(\(from),0)'") }
        if let to = piece.to { conditions.append("ctid < '(\(to),0)'") }
        // What an extension says of its rows begins with WHERE, or is empty.
        if let condition, !condition.isEmpty {
            return "COPY (SELECT \(list) FROM ONLY \(piece.leaf.quoted) \(condition)) TO STDOUT "
                + options
        }
        guard conditions.isEmpty else {
            return "COPY (SELECT \(list) FROM ONLY \(piece.leaf.quoted) WHERE "
                + conditions.joined(separator: " AND ") + ") TO STDOUT " + options
        }
        // The table itself is a little faster than a query. Without columns there is no list.
        let columns = list.isEmpty ? "" : " (\(list))"
        return "COPY \(piece.leaf.quoted)\(columns) TO STDOUT " + options
    }
}
