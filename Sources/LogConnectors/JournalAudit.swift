import Basics
import Connectors
import Logs
import Manifests
import Primitives
import Streams
import Synchronization

/// The journal of an archive, whose digests are taken again from its entries.
final class JournalAudit: LogAudit {
    private let records: [ArtifactRecord]
    private let artifacts: any ArtifactSource
    private let progress: Progress
    private let found = Mutex<[Int: [ImportResult.Comparison]]>([:])

    init(
        _ source: SourceRecord, from artifacts: any ArtifactSource, progress: Progress
    ) throws(Failure) {
        records = source.artifacts.filter {
            JournalTargetFamily.artifactKinds.contains($0.kind)
        }
        self.artifacts = artifacts
        self.progress = progress
    }

    var slices: Int { records.count }

    func audit(_ slice: Int) throws(Failure) {
        let record = records[slice]
        let comparisons =
            record.kind == "journal" ? try entries(of: record) : try bytes(of: record)
        found.withLock { $0[slice] = comparisons }
    }

    private func entries(of record: ArtifactRecord) throws(Failure) -> [ImportResult.Comparison] {
        guard let name = record.name.split(separator: "/").last, let boot = JournalID(name) else {
            throw Failure(.manifestMalformed, "\"\(record.name)\" names no machine and boot")
        }
        var chain = JournalChain()
        for segment in record.segments.indices {
            var reader = JournalExportReader(
                StreamSource(try artifacts.open(record, segment: segment)))
            var before: Int64 = 0
            while let entry = try reader.next() {
                guard entry.boot == boot else {
                    throw Failure(
                        .logMalformed,
                        "\"\(record.name)\" holds an entry of boot \(entry.boot)")
                }
                chain.add(entry.digest, realtime: entry.realtime)
                if chain.entries & 0x3ff == 0 {
                    try progress.checkCancelled()
                    progress.add(bytes: reader.position - before, objects: 0x400)
                    before = reader.position
                }
            }
            progress.add(bytes: reader.position - before)
        }
        return chain.comparisons(with: record, digests: true)
    }

    private func bytes(of record: ArtifactRecord) throws(Failure) -> [ImportResult.Comparison] {
        var digests: [String] = []
        var chunk = Chunk()
        for segment in record.segments.indices {
            let stream = try artifacts.open(record, segment: segment)
            var hasher = SHA256()
            repeat {
                try progress.checkCancelled()
                try stream.read(into: &chunk)
                try unsafe chunk.withBytes { (bytes) throws(Failure) in
                    unsafe hasher.update(bytes)
                    progress.add(bytes: Int64(bytes.count))
                }
            } while !chunk.isEmpty
            digests.append(hasher.finish().hex)
        }
        let digest = RawJournal.digest(digests)
        return [
            .init(
                digest.key, of: .init("journal", record.name), name: "\(record.name) \(digest.key)",
                expected: record.digests.first { $0.key == digest.key }?.value.string ?? "none",
                found: digest.value.string ?? "")
        ]
    }

    func conclude() throws(Failure) -> [ImportResult.Comparison] {
        let found = found.withLock { $0 }
        return records.indices.flatMap { found[$0] ?? [] }
    }
}
