public import Basics
import Primitives

/// One line: made from fields, or checked.
public enum JournalLine {
    /// The line that follows `summary`, without LF. Throws `.invalidValue` for fields that a
    /// journal does not hold.
    static func make(
        after summary: JournalSummary, at time: Timestamp, _ event: Journal.Event,
        _ fields: [JSON.Member]
    ) throws(Failure) -> [UInt8] {
        var seen = Set(Journal.ownKeys)
        for field in fields {
            guard seen.insert(field.key).inserted else {
                throw Failure(.invalidValue, "cannot journal the field \"\(field.key)\" twice")
            }
            guard isPlain(field.value) else {
                throw Failure(
                    .invalidValue, "cannot journal the value of \"\(field.key)\"",
                    hint:
                        "Use integers below 2^53, strings, truth values, and small arrays of them.")
            }
        }
        let line = JSON.object(
            [
                .init("seq", .integer(Int64(summary.entries))), .init("t", .string(time.text)),
                .init("prev", .string(summary.head.hex)), .init("ev", .string(event.rawValue)),
            ] + fields
        ).line
        guard line.count <= Journal.longestLine else {
            throw Failure(.invalidValue, "cannot journal a line of \(line.count) bytes")
        }
        return line
    }

    /// Checks a line, given without LF, against what came before it: `.journalMalformed` when it
    /// is not a line of a journal, `.journalBroken` when it does not follow.
    public static func check(
        _ line: [UInt8], after summary: JournalSummary
    ) throws(Failure) -> Journal.Entry {
        let number = summary.entries
        guard line.count <= Journal.longestLine else { throw malformed(number, "is too long") }
        let object: JSON
        do throws(Failure) { object = try JSON(parsing: line, depth: 3) } catch {
            throw malformed(number, "is not strict JSON", cause: error)
        }
        guard let members = object.members, members.count >= 4,
            members.prefix(4).map(\.key) == Journal.ownKeys
        else { throw malformed(number, "does not begin with seq, t, prev and ev") }
        guard let sequence = members[0].value.integer,
            let text = members[1].value.string, let time = Timestamp(text), time.text == text,
            let previous = members[2].value.string.flatMap({ Digest256(hex: $0) })
        else { throw malformed(number, "has a seq, t or prev of the wrong form") }
        guard let name = members[3].value.string, let event = Journal.Event(rawValue: name) else {
            throw malformed(number, "has an unknown event")
        }
        for member in members.dropFirst(4) where !isPlain(member.value) {
            throw malformed(number, "holds a value that is not plain")
        }
        guard object.line == line else { throw malformed(number, "is not in its one form") }
        guard sequence == Int64(number), previous == summary.head else {
            throw Failure(
                .journalBroken, "journal line \(number) does not follow the one before it")
        }
        guard (event == .runOpened) == (number == 0) else {
            throw malformed(number, "has \(name) in the wrong place")
        }
        return Journal.Entry(sequence: number, time: time, event: event, fields: object)
    }

    static func malformed(_ number: Int, _ why: String, cause: Failure? = nil) -> Failure {
        Failure(.journalMalformed, "journal line \(number) \(why)", cause: cause)
    }

    private static func isPlain(_ value: JSON, inArray: Bool = false) -> Bool {
        switch value {
        case .integer(let number): abs(number) <= JSON.largestInteger
        case .string, .bool: true
        case .array(let elements):
            !inArray && elements.count <= Journal.longestArray
                && elements.allSatisfy { isPlain($0, inArray: true) }
        case .null, .object: false
        }
    }
}
