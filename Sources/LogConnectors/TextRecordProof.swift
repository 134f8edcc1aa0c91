import Basics
import Logs
import Primitives
import Streams

/// Reads the records of one member again, and computes from them what its text was.
struct TextRecordProof {
    private let form: TextTarget.Form
    private let stem: [UInt8]

    init(_ form: TextTarget.Form, at stem: [UInt8]) {
        self.form = form
        self.stem = stem
    }

    /// What the records give; without files, what no text gives.
    func read(progress: Progress) throws(Failure) -> TextFound {
        var sum = Sum()
        try RecordLines(form, at: stem).read(progress) { (line) throws(Failure) in sum.add(line) }
        return sum.finish()
    }

    private struct Sum: ~Copyable {
        var isBroken = false
        private var reader = OpenTelemetryReader()
        private var facts = TextFacts()
        private var hasher = SHA256()

        mutating func add(_ line: [UInt8]) {
            guard reader.read(line) else {
                isBroken = true
                return
            }
            let part = reader.attribute("exeat.log.part")
            if part == nil {
                facts.entries += 1
                if let time = reader.timestamp {
                    facts.first = facts.first ?? time
                    facts.last = time
                }
            }
            let body = reader.body
            hasher.update(body)
            facts.bytes += Int64(body.count)
            facts.lines += Int64(body.count { $0 == 0x0a })
            facts.isUnterminated = reader.attribute("exeat.log.unterminated") != nil
            if facts.isUnterminated { return }
            hasher.update(byte: 0x0a)
            facts.bytes += 1
            facts.lines += 1
        }

        mutating func finish() -> TextFound {
            if facts.isUnterminated { facts.lines += 1 }
            // A line that is no record is none of the text's.
            if isBroken { hasher.update(byte: 0) }
            return TextFound(facts: facts, text: hasher.finish())
        }
    }
}
