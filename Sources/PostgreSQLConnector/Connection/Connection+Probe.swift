import Basics
import Connectors

extension Connection {
    /// Answers a question in the transaction that is open, which must only read, and leaves it usable.
    ///
    /// Names are found as an application would find them, by the search path of the database; the rest
    /// of the session stays pinned, so that the same value always has the same text. The extended
    /// protocol takes no more than one statement.
    func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        guard case .sql(let sql, database: nil, let seconds) = question else {
            throw Failure(
                .unsupported, "a database of PostgreSQL answers to sql alone, and is one database",
                hint: "Leave \"database\" out; several databases are several sources.")
        }
        try execute(
            "SAVEPOINT probe; SET LOCAL search_path TO DEFAULT; "
                + "SET LOCAL statement_timeout = '\(seconds)s'")
        do throws(Failure) {
            let rows = try query(sql)
            try execute("ROLLBACK TO SAVEPOINT probe")
            return ProbeAnswer(rows: rows)
        } catch {
            let isTooLate = lastState == "57014" && error.code != .cancelled
            try? execute("ROLLBACK TO SAVEPOINT probe")
            throw isTooLate ? ProbeQuestion.tooLate(seconds, error) : error
        }
    }
}
