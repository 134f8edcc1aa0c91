import Basics
import Connectors
import Glibc
import Primitives
import Synchronization

/// The row sums of committed segments, kept durably in the room.
final class SegmentSums: Sendable {
    private let path: String
    private let sums: Mutex<[SegmentNumber: RowSum]>

    /// Reads back what an earlier process noted; a torn last line is one that was not noted.
    init(_ path: String) throws(Failure) {
        self.path = path
        var known: [SegmentNumber: RowSum] = [:]
        if Files.exists(path) {
            for line in try Files.read(path, limit: 1 << 30).split(separator: 0x0a) {
                let words = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
                guard words.count == 5, words[4] == ".", let artifact = Int(words[0]),
                    let segment = Int(words[1]), let rows = Int64(words[2]),
                    let total = Digest256(hex: words[3])
                else { continue }
                known[SegmentNumber(artifact: artifact, segment: segment)] = RowSum(
                    total: total, rows: rows)
            }
        }
        sums = Mutex(known)
    }

    /// Durable on return.
    func note(_ sum: RowSum, for number: SegmentNumber) throws(Failure) {
        let file = try Descriptor(opening: path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW)
        let line = "\(number.artifact) \(number.segment) \(sum.rows) \(sum.total.hex) .\n"
        try file.writeAll(Array(line.utf8))
        try file.sync()
        sums.withLock { $0[number] = sum }
    }

    /// The sum of all segments of an artifact.
    func total(_ artifact: Int, segments: Int) throws(Failure) -> RowSum {
        let known = sums.withLock { $0 }
        var total = RowSum()
        for segment in 0..<segments {
            guard let sum = known[SegmentNumber(artifact: artifact, segment: segment)] else {
                throw Failure(
                    .failed, "the digest of segment \(segment) of artifact \(artifact) is lost",
                    hint: "Export to a new output.")
            }
            total.add(sum)
        }
        return total
    }
}
