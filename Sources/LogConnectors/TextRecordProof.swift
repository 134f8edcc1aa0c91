import Basics
import Glibc
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
        if form == .ndjson {
            _ = try read(".ndjson", &sum, progress)
        } else {
            var piece = 1
            while try read(
                "-" + String(repeating: "0", count: max(0, 5 - String(piece).utf8.count))
                    + "\(piece).ndjson", &sum, progress)
            { piece += 1 }
        }
        return sum.finish()
    }

    private func read(
        _ suffix: String, _ sum: inout Sum, _ progress: Progress
    ) throws(Failure) -> Bool {
        let file: SharedDescriptor
        do throws(Failure) {
            file = try TextHolder.open(stem + Array(suffix.utf8))
        } catch {
            if error.code == .sourceVanished { return false }
            throw error
        }
        let size = Int64(try file.descriptor.status().st_size)
        var source = FileSource(file, from: 0, size: size)
        var chunk = Chunk()
        var line: [UInt8] = []
        var isAction = form == .bulk
        repeat {
            try progress.checkCancelled()
            try source.read(into: &chunk)
            try unsafe chunk.withBytes { (bytes) throws(Failure) in
                var start = 0
                while start < bytes.count {
                    let newline = unsafe bytes[start...].firstIndex(of: 0x0a)
                    unsafe line.append(contentsOf: bytes[start..<(newline ?? bytes.count)])
                    guard let newline else { break }
                    // Of two lines, the first says what to do with the second.
                    if !isAction { sum.add(line) }
                    if form == .bulk { isAction.toggle() }
                    line.removeAll(keepingCapacity: true)
                    start = newline + 1
                }
            }
        } while !chunk.isEmpty
        if !line.isEmpty { sum.isBroken = true }
        return true
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
