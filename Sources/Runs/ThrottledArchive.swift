import Basics
import Connectors
import Manifests
import Streams

/// An archive that gives its plaintext no faster than the import plan allows.
struct ThrottledArchive: ArtifactSource {
    private let archive: OpenArchive
    private let throttles: [Throttle]
    private let progress: Progress
    private let clock: PhaseClock?

    init(
        _ archive: OpenArchive, throttles: [Throttle], progress: Progress, clock: PhaseClock? = nil
    ) {
        self.clock = clock
        self.archive = archive
        self.throttles = throttles
        self.progress = progress
    }

    func open(_ record: ArtifactRecord, segment: Int) throws(Failure) -> SegmentStream {
        SegmentStream(
            Stage(
                stream: try archive.open(record, segment: segment), throttles: throttles,
                progress: progress, clock: clock))
    }

    func lacks(_ record: ArtifactRecord) -> Bool { archive.lacks(record) }

    private struct Stage: ByteSource, ~Copyable {
        let stream: SegmentStream
        let throttles: [Throttle]
        let progress: Progress
        let clock: PhaseClock?

        mutating func read(into chunk: inout Chunk) throws(Failure) {
            try stream.read(into: &chunk)
            let start = clock?.now() ?? 0
            for throttle in throttles { try throttle.admit(chunk.count, progress: progress) }
            if let clock {
                clock.add(.limit, nanoseconds: clock.now() - start, bytes: chunk.count)
            }
        }
    }
}
