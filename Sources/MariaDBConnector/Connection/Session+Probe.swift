import Basics
import Connectors
import Databases

extension Session {
    /// Answers a question in the transaction that is open, which must only read.
    ///
    /// Names without a database are those of the one that the question names.
    func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        guard case .sql(let sql, let database, let seconds) = question else {
            throw Failure(.unsupported, "a server of MariaDB answers to sql alone")
        }
        if let database { try execute("USE \(database.quotedName)") }
        // MariaDB counts in seconds, MySQL in milliseconds; 0 is no limit.
        try executeIfKnown("SET SESSION max_statement_time = \(seconds)")
        try executeIfKnown("SET SESSION max_execution_time = \(seconds * 1000)")
        let answer: [[[UInt8]?]]
        do throws(Failure) { answer = try bytes(sql) } catch {
            // Of MariaDB, and of MySQL.
            let isTooLate = [1969, 3024].contains(lastError)
            try? endLimits()
            throw isTooLate ? ProbeQuestion.tooLate(seconds, error) : error
        }
        try endLimits()
        return ProbeAnswer(rows: answer.map { $0.map { $0.map(Self.text) } })
    }

    private func endLimits() throws(Failure) {
        try executeIfKnown("SET SESSION max_statement_time = 0")
        try executeIfKnown("SET SESSION max_execution_time = 0")
    }

    /// Bytes that are no text are told apart all the same.
    private static func text(_ value: [UInt8]) -> String {
        String(validating: value, as: UTF8.self) ?? "\\x" + Hex.encode(value)
    }
}
