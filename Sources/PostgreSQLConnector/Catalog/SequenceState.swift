import Basics

/// Where a sequence is. Sequences obey no snapshot: what counts is when this was read.
struct SequenceState: Sendable {
    let schema: String
    let name: String
    let last: Int64
    let isCalled: Bool

    /// Reads the state of all sequences given, with few statements.
    static func read(
        _ sequences: [Relation], _ connection: Connection
    ) throws(Failure) -> [SequenceState] {
        var found: [SequenceState] = []
        var rest = sequences[...]
        while !rest.isEmpty {
            let part = rest.prefix(200)
            rest = rest.dropFirst(200)
            let selects = part.map {
                "SELECT \($0.oid) AS oid, last_value, is_called FROM \($0.quoted)"
            }
            let result = try connection.query(selects.joined(separator: " UNION ALL "))
            var states: [Int64: (Int64, Bool)] = [:]
            for row in 0..<result.count {
                states[result.integer(row, 0)] = (result.integer(row, 1), result.flag(row, 2))
            }
            for sequence in part {
                guard let (last, called) = states[sequence.oid] else { continue }
                found.append(
                    SequenceState(
                        schema: sequence.schema, name: sequence.name, last: last, isCalled: called))
            }
        }
        return found
    }

    var statement: String {
        "SELECT pg_catalog.setval(\(Quoting.literal(Quoting.name(schema, name))), \(last), "
            + "\(isCalled));\n"
    }

    var json: JSON {
        // As text: a bigint may be beyond what every JSON reader keeps exact.
        [
            "type": "sequence", "schema": .string(schema), "name": .string(name),
            "last": .string(String(last)), "called": .bool(isCalled),
        ]
    }
}
