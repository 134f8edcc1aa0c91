import Basics
import Databases
import Primitives
import Streams

/// Reads tables of the target again, piece by piece, in the form in which they were exported.
struct TableComparer {
    let target: TargetDatabase
    let stored: StoredDatabase
    let relations: RelationCatalog
    let progress: Progress
    /// Tables of the target by their qualified names.
    private let tables: [String: Relation]

    init(
        target: TargetDatabase, stored: StoredDatabase, relations: RelationCatalog,
        progress: Progress
    ) {
        self.target = target
        self.stored = stored
        self.relations = relations
        self.progress = progress
        tables = Dictionary(
            relations.all.filter { $0.kind == .table || $0.kind == .partitioned }
                .map { ($0.qualified, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The pieces of a table on the target; nil when it is not there.
    func pieces(of table: StoredDatabase.Table, canCut: Bool) -> [TablePiece]? {
        guard let root = tables[table.qualified] else { return nil }
        let leaves = relations.leaves(of: root).filter { $0.kind == .table }
        let segments = TablePiece.segments(of: leaves, canCut: canCut)
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
                _ = try unsafe connection.copyOut(
                    statement, into: &chunk,
                    row: { (piece) throws(Failure) in unsafe hasher.update(row: piece) },
                    full: { (chunk) throws(Failure) in progress.add(bytes: Int64(chunk.count)) })
            }
        }
        return hasher.digest
    }
}
