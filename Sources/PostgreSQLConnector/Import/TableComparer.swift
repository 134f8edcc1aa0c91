import Basics
import Primitives
import Streams

/// Reads tables of the target again, piece by piece, in the form in which they were exported.
struct TableComparer {
    let target: TargetDatabase
    let stored: StoredDatabase
    /// Relations of the target by schema and name.
    let relations: RelationCatalog
    let progress: Progress

    /// The pieces of a table on the target; nil when it is not there.
    func pieces(of table: StoredDatabase.Table, canCut: Bool) -> [TablePiece]? {
        guard
            let root = relations.all.first(where: {
                $0.schema == table.schema && $0.name == table.name
                    && ($0.kind == .table || $0.kind == .partitioned)
            })
        else { return nil }
        let leaves = relations.leaves(of: root).filter { $0.kind == .table }
        let segments = TablePiece.segments(of: leaves, blockSize: 8192, canCut: canCut)
        // The condition of an extension's configuration table is the source's.
        return segments.joined().map {
            TablePiece(
                relation: $0.relation, firstPage: $0.firstPage, endPage: $0.endPage,
                condition: table.condition)
        }
    }

    func digest(of statements: [String]) throws(Failure) -> MultisetDigest {
        var hasher = RowHasher(salt: stored.salt)
        var chunk = Chunk()
        try target.pool.with { (connection) throws(Failure) in
            for statement in statements {
                try unsafe connection.copyOut(
                    statement, into: &chunk,
                    row: { (piece) throws(Failure) in unsafe hasher.update(row: piece) },
                    full: { (chunk) throws(Failure) in progress.add(bytes: Int64(chunk.count)) })
            }
        }
        return hasher.digest
    }
}
