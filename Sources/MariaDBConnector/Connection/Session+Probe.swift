import Basics
import Connectors
import Databases

extension Session {
    /// Answers a question in the transaction that is open, which must only read.
    ///
    /// Names without a database are those of the one that the question names.
    func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        guard case .sql(let sql, let database) = question else {
            throw Failure(.unsupported, "a server of MariaDB answers to sql alone")
        }
        if let database { try execute("USE \(database.quotedName)") }
        return ProbeAnswer(rows: try query(sql))
    }
}
