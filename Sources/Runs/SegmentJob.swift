import Bags
import Basics
import Connectors
import Encryption
import Glibc
import Manifests
import Streams

/// Takes one segment through the pipeline: source → throttle → count → zstd → age → SHA-256 → store.
struct SegmentJob: Sendable {
    let exporter: any Exporter
    let place: RunLedger.Place
    let path: BagPath
    let pipeline: Pipeline

    /// What all segments of a run share.
    struct Pipeline: Sendable {
        let writer: BagWriter
        let ledger: RunLedger
        let level: CompressionLevel
        let adaptive: AdaptiveLevel
        let recipients: [Recipient]
        let throttles: [Throttle]
        let progress: Progress
        /// Of the artifact's stream.
        let format: String
    }

    private static var attempts: Int { 16 }

    /// Exports, stores and commits; what may be tried again is tried again, with a growing pause.
    func run() throws(Failure) {
        var attempt = 1
        while true {
            do throws(Failure) { return try once() } catch {
                guard error.mayRetry, attempt < Self.attempts, !pipeline.progress.isCancelled else {
                    throw error
                }
                usleep(UInt32(50_000 * attempt))
                attempt += 1
            }
        }
    }

    private func once() throws(Failure) {
        try pipeline.progress.checkCancelled()
        let slot = try pipeline.writer.slot(path)
        let plain = Tally()
        let stored = Tally()
        let result = try fill(slot, plain, stored)
        guard plain.count <= SegmentRecord.longestPlain(in: pipeline.format) else {
            throw Failure(.failed, "segment \"\(path.text)\" is larger than any reader accepts")
        }
        let record = SegmentRecord(
            path: path.text, bytes: stored.count, sha256: stored.digest, plainBytes: plain.count)
        try pipeline.writer.commit(slot) { (end) throws(Failure) in
            try pipeline.ledger.commit(
                RunLedger.Commit(record: record, result: result, end: end), at: place)
        }
        pipeline.progress.add(stored: stored.count)
    }

    private func fill(
        _ slot: BagSlot, _ plain: Tally, _ stored: Tally
    ) throws(Failure) -> SegmentResult {
        let store = Hashing(stored, into: DescriptorSink(slot.file))
        if pipeline.recipients.isEmpty {
            return try pour(
                Compressing(pipeline.level, adaptive: pipeline.adaptive, into: store), plain)
        }
        let sealing = try Sealing(to: pipeline.recipients, into: store)
        return try pour(
            Compressing(pipeline.level, adaptive: pipeline.adaptive, into: sealing), plain)
    }

    private func pour<Sink: ByteSink & ~Copyable>(
        _ compressing: consuming Sink, _ plain: Tally
    ) throws(Failure) -> SegmentResult {
        var sink = Throttled(
            pipeline.throttles, progress: pipeline.progress,
            into: Counting(plain, into: compressing))
        let result = try exporter.export(place.number, into: &sink)
        try sink.finish()
        return result
    }
}
