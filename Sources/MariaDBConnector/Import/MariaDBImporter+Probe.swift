public import Basics
public import Connectors
import Databases

extension MariaDBImporter {
    public func phase(of unit: SegmentNumber) -> ImportPhase {
        switch ImportWork.Step(rawValue: unit.artifact - ImportWork.firstStep) {
        case .keys, .conditions, .references: .index
        default: .load
        }
    }

    public func answer(_ question: ProbeQuestion) throws(Failure) -> ProbeAnswer {
        var question = question
        if case .sql(let text, let database, let seconds) = question {
            question = .sql(
                text, database: database.map { target.name($0) }, within: seconds)
        }
        return try target.pool.with { (session) throws(Failure) in
            try session.execute("START TRANSACTION READ ONLY")
            let answer = try session.answer(question)
            try session.execute("ROLLBACK")
            return answer
        }
    }
}
